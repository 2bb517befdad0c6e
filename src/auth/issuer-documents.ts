import type { JSONWebKeySet } from "jose";
import * as oauth from "oauth4webapi";
import { askIssuer, issuerUnavailable } from "./issuer-requests.ts";

const METADATA_MS = 60 * 60 * 1000;
const ATTEMPTS = 2;

/** A document of the issuer, and when it was fetched (milliseconds since the epoch). */
export interface Published<T> {
  readonly value: T;
  readonly at: number;
}

/** Caches of the isolate. They hold values, never promises: a promise hangs for everyone if the request that made it is cancelled. */
const knownMetadata = new Map<string, Published<oauth.AuthorizationServer>>();
const knownKeys = new Map<string, Published<JSONWebKeySet>>();

interface IssuerDocumentsDeps {
  readonly issuer: string;
  readonly allowHttp: boolean;
  readonly fetch: typeof globalThis.fetch;
  readonly now: () => number;
}

/** Fetches and caches an issuer's metadata and signing keys. */
export class IssuerDocuments {
  readonly #issuer: string;
  readonly #allowHttp: boolean;
  readonly #fetch: typeof fetch;
  readonly #now: () => number;

  constructor({ issuer, allowHttp, fetch, now }: IssuerDocumentsDeps) {
    this.#issuer = issuer;
    this.#allowHttp = allowHttp;
    this.#fetch = fetch;
    this.#now = now;
  }

  /** Returns the issuer's metadata, at most an hour old. Throws `unavailable` if it can't be fetched. */
  async metadata(): Promise<oauth.AuthorizationServer> {
    const known = knownMetadata.get(this.#issuer);
    if (known && this.#now() - known.at < METADATA_MS) return known.value;

    const value = await this.#discover();
    knownMetadata.set(this.#issuer, { value, at: this.#now() });
    return value;
  }

  /** Returns the issuer's keys, fetched at most `maxAgeMs` ago. Throws `unavailable` if they can't be fetched. */
  async keys(
    { jwks_uri: uri }: oauth.AuthorizationServer,
    maxAgeMs: number,
  ): Promise<Published<JSONWebKeySet>> {
    const known = knownKeys.get(uri ?? "");
    if (known && this.#now() - known.at < maxAgeMs) return known;

    const published = { value: await this.#readKeys(this.usable(uri)), at: this.#now() };
    knownKeys.set(uri ?? "", published);
    return published;
  }

  /** Returns a URL from the metadata. Throws `unavailable` if it is missing or does not use TLS (http is allowed for local issuers). */
  usable(address: string | undefined): string {
    const protocol = address !== undefined && URL.canParse(address) ? new URL(address).protocol : "";
    if (address !== undefined && (protocol === "https:" || (this.#allowHttp && protocol === "http:")))
      return address;
    throw issuerUnavailable(new Error("A URL in the issuer's metadata is missing or does not use TLS."));
  }

  async #discover(): Promise<oauth.AuthorizationServer> {
    const issuer = new URL(this.#issuer);
    try {
      const response = await oauth.discoveryRequest(issuer, {
        [oauth.customFetch]: (url, { headers }) => askIssuer(this.#fetch, url, { headers }, ATTEMPTS),
        [oauth.allowInsecureRequests]: this.#allowHttp,
      });
      return await oauth.processDiscoveryResponse(issuer, response);
    } catch (error) {
      throw issuerUnavailable(error);
    }
  }

  async #readKeys(uri: string): Promise<JSONWebKeySet> {
    try {
      const response = await askIssuer(this.#fetch, uri, {}, ATTEMPTS);
      const body: unknown = await response.json();
      if (response.status === 200 && isKeySet(body)) return body;
      throw new Error(`The issuer's key document was answered with HTTP ${response.status}.`);
    } catch (error) {
      throw issuerUnavailable(error);
    }
  }
}

/** Checks only the outer form. jose checks each key when it uses it. */
const isKeySet = (body: unknown): body is JSONWebKeySet =>
  typeof body === "object" && body !== null && "keys" in body && Array.isArray(body.keys);

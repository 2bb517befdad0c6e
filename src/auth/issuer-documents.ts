import type { JSONWebKeySet } from "jose";
import * as oauth from "oauth4webapi";
import { askIssuer, issuerUnavailable } from "./issuer-requests.ts";

const METADATA_MS = 60 * 60 * 1000;
const ATTEMPTS = 2;

/** What an issuer publishes, and when it was read. */
export interface Published<T> {
  readonly value: T;
  readonly at: number;
}

/** Per isolate. Values, never promises: a promise hangs for everybody once the request that made it is cancelled. */
const knownMetadata = new Map<string, Published<oauth.AuthorizationServer>>();
const knownKeys = new Map<string, Published<JSONWebKeySet>>();

/** Reads what an issuer publishes about itself: its addresses and its keys. */
export class IssuerDocuments {
  readonly #issuer: string;
  readonly #allowHttp: boolean;
  readonly #fetch: typeof fetch;
  readonly #now: () => number;

  constructor(issuer: string, allowHttp: boolean, fetch: typeof globalThis.fetch, now: () => number) {
    this.#issuer = issuer;
    this.#allowHttp = allowHttp;
    this.#fetch = fetch;
    this.#now = now;
  }

  async metadata(): Promise<oauth.AuthorizationServer> {
    const known = knownMetadata.get(this.#issuer);
    if (known && this.#now() - known.at < METADATA_MS) return known.value;

    const value = await this.#discover();
    knownMetadata.set(this.#issuer, { value, at: this.#now() });
    return value;
  }

  /** The issuer's keys, read no longer than `maxAgeMs` ago. */
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

  /** An address that the issuer names; it has to be there, and to use TLS unless the issuer is a local one. */
  usable(address: string | undefined): string {
    const protocol = address !== undefined && URL.canParse(address) ? new URL(address).protocol : "";
    if (address !== undefined && (protocol === "https:" || (this.#allowHttp && protocol === "http:")))
      return address;
    throw issuerUnavailable(new Error("An address that the issuer should name is missing or can't be used."));
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
      throw new Error(`The issuer's keys were answered with ${response.status}.`);
    } catch (error) {
      throw issuerUnavailable(error);
    }
  }
}

/** Single keys are checked by who uses them. */
const isKeySet = (body: unknown): body is JSONWebKeySet =>
  typeof body === "object" && body !== null && "keys" in body && Array.isArray(body.keys);

import { jwtVerify, SignJWT } from "jose";
import { deriveRing } from "../auth/derived-keys.ts";
import type { SigningKey } from "../auth/tokens.ts";
import { readBounded } from "../knowledge/crawling/bounded-body.ts";
import { withTimeout } from "../shared/async.ts";
import { guardedFetch, type GuardedFetchDeps } from "../shared/guarded-fetch.ts";
import { isObject, type Json, objectFrom, textAt } from "../shared/json.ts";
import { onOneLine, preview } from "../shared/text.ts";
import { hostOf, isRedirectUri } from "./redirects.ts";
import { refusal } from "./refusals.ts";

/** A client that wants to use an agent. */
export interface OAuthClient {
  readonly id: string;
  /** What it calls itself. Anybody can call themselves anything. */
  readonly name: string;
  readonly redirectUris: readonly string[];
  /** The host that publishes the client's metadata, which is verified; null for a client that has registered itself. */
  readonly host: string | null;
}

/** What a client says about itself when it registers. */
export interface ClientMetadata {
  readonly name: string | undefined;
  readonly redirectUris: readonly string[];
  readonly grantTypes: readonly string[] | undefined;
  readonly responseTypes: readonly string[] | undefined;
}

const PURPOSE = "ids of MCP clients";
const TYPE = "mcp-client+jwt";
const ALGORITHM = "HS256";

/** In characters. */
const MAX_NAME = 80;
/** The longest id of a client, in characters: it is part of addresses, of which browsers take about 2,000 at the least. */
const MAX_ID = 2_048;
/** What the draft on Client ID Metadata Documents recommends as the most, in bytes. */
const MAX_DOCUMENT_BYTES = 5 * 1024;
const DOCUMENT_TIMEOUT_MS = 5_000;

interface OAuthClientsDeps extends GuardedFetchDeps {
  /** The first key signs; all of them verify. */
  readonly keys: readonly [SigningKey, ...SigningKey[]];
}

/**
 * Knows the clients of OAuth. Nothing is stored of a client: the id of one that registers is its signed metadata (RFC 7591, appendix
 * A.5.2), so that registrations take no space however many there are, and the id of another is the address of its metadata (Client ID
 * Metadata Documents).
 */
export class OAuthClients {
  readonly #keys: OAuthClientsDeps["keys"];
  readonly #fetch: typeof fetch;

  constructor({ keys, ...policy }: OAuthClientsDeps) {
    this.#keys = keys;
    this.#fetch = guardedFetch(policy);
  }

  /** Registers a client. The same metadata gets the same id. Throws a refusal if the metadata is not acceptable. */
  async register(metadata: ClientMetadata): Promise<OAuthClient> {
    const { name, redirectUris } = accepted(metadata);
    const [{ id: kid, key }] = await deriveRing(this.#keys, PURPOSE);
    const id = await new SignJWT({ name, uris: [...redirectUris] })
      .setProtectedHeader({ alg: ALGORITHM, typ: TYPE, kid })
      .sign(key);
    if (id.length > MAX_ID)
      throw refusal("invalid_client_metadata", "The name and the redirect addresses are too long together.");
    return { id, name, redirectUris, host: null };
  }

  /** Returns the client with this id. Throws a refusal if there is none, or if its metadata cannot be read. */
  find(id: string): Promise<OAuthClient> {
    return isPublished(id) ? this.#published(id) : this.#registered(id);
  }

  async #registered(id: string): Promise<OAuthClient> {
    const ring = await deriveRing(this.#keys, PURPOSE);
    const keyOf = (kid: string | undefined): CryptoKey => {
      const found = ring.find((key) => key.id === kid);
      if (!found) throw new Error("The id names an unknown key.");
      return found.key;
    };
    try {
      if (id.length > MAX_ID) throw new Error("The id is too long.");
      const { payload } = await jwtVerify(id, ({ kid }) => keyOf(kid), {
        algorithms: [ALGORITHM],
        typ: TYPE,
      });
      return { id, name: textAt(payload, "name"), redirectUris: textsAt(payload, "uris"), host: null };
    } catch (cause) {
      throw refusal("invalid_client", "This client is not registered here. It has to register again.", cause);
    }
  }

  /** SSRF: the address is a stranger's, so it is guarded, and no redirect is followed. */
  async #published(id: string): Promise<OAuthClient> {
    const url = URL.parse(id);
    if (!url || url.href !== id || url.pathname === "/" || url.hash !== "" || id.length > MAX_ID)
      throw refusal("invalid_client", "The id of the client is not an address that metadata can have.");

    const json = await this.#document(id).catch((cause: unknown) => {
      throw unreadable(cause);
    });
    if (!json || json["client_id"] !== id) throw unreadable();
    const method = json["token_endpoint_auth_method"];
    if (method !== undefined && method !== "none")
      throw refusal(
        "invalid_client",
        "The client wants to authenticate by a secret or a key. Only public clients are supported.",
      );
    return {
      id,
      ...accepted({
        name: textAt(json, "client_name") || undefined,
        redirectUris: textsAt(json, "redirect_uris"),
        grantTypes: optionalTextsAt(json, "grant_types"),
        responseTypes: optionalTextsAt(json, "response_types"),
      }),
      host: url.host,
    };
  }

  async #document(address: string): Promise<Json | undefined> {
    const send = this.#fetch;
    return withTimeout(DOCUMENT_TIMEOUT_MS, async (signal) => {
      const response = await send(address, { headers: { accept: "application/json" }, signal });
      const { bytes, isCut } = await readBounded(response.body, MAX_DOCUMENT_BYTES);
      if (response.status !== 200 || isCut) return undefined;
      return objectFrom(new TextDecoder().decode(bytes));
    });
  }
}

/** Returns whether the id of a client is the address of its metadata. */
export const isPublished = (id: string): boolean => id.startsWith("https://");

const unreadable = (cause?: unknown) =>
  refusal("invalid_client", "The metadata of the client could not be read from its address.", cause);

/** Returns the parts of metadata that matter here. Throws a refusal if the client could not use this service. */
function accepted({ name, redirectUris, grantTypes, responseTypes }: ClientMetadata) {
  const bad = redirectUris.find((uri) => !isRedirectUri(uri));
  const [first] = redirectUris;
  if (bad !== undefined || first === undefined)
    throw refusal(
      "invalid_redirect_uri",
      "A redirect address has to be https, http on localhost or 127.0.0.1, or of a scheme of the program's own, without a fragment.",
    );
  if (grantTypes && !grantTypes.includes("authorization_code"))
    throw refusal("invalid_client_metadata", "Only the grant type authorization_code is supported.");
  if (responseTypes && !responseTypes.includes("code"))
    throw refusal("invalid_client_metadata", "Only the response type code is supported.");
  return { name: displayName(name ?? "") || hostOf(first), redirectUris: [...new Set(redirectUris)] };
}

/** Returns a name that people can be shown: on one line, short, and without characters that are invisible or turn text around. */
export const displayName = (name: string): string =>
  preview(
    onOneLine(name.slice(0, 4 * MAX_NAME).replaceAll(/[\p{Cc}\p{Cf}\p{Co}\p{Cs}\p{Zl}\p{Zp}]/gu, " ")),
    MAX_NAME,
  );

const textsAt = (json: Json, name: string): readonly string[] => optionalTextsAt(json, name) ?? [];

/** Returns `undefined` if there is no list. */
function optionalTextsAt(json: Json, name: string): readonly string[] | undefined {
  const value = json[name];
  return Array.isArray(value) ? value.map((each) => (isObject(each) ? "" : String(each))) : undefined;
}

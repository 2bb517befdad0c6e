import * as oauth from "oauth4webapi";
import { issuerUnavailable } from "./issuer-requests.ts";

/** How this service can prove to the issuer which client it is, in the order of preference. */
export const CLIENT_AUTH_METHODS = [
  "client_secret_post",
  "client_secret_basic",
  "client_secret_jwt",
  // A public client: only PKCE protects the code.
  "none",
] as const;
export type ClientAuthMethod = (typeof CLIENT_AUTH_METHODS)[number];

/** What an issuer offers if its metadata does not say (OpenID Connect Discovery 1.0, section 3). */
const UNSTATED: readonly string[] = ["client_secret_basic"];

/**
 * Returns the authentication for the issuer's token endpoint: `chosen` by the operator, or else the first that the
 * metadata offers. Throws `unavailable` if it offers none of ours, or if the method needs a secret and there is none.
 */
export function clientAuthFor(
  { token_endpoint_auth_methods_supported: stated }: oauth.AuthorizationServer,
  secret: string | undefined,
  chosen: ClientAuthMethod | undefined,
): oauth.ClientAuth {
  const offered = stated ?? UNSTATED;
  const method = chosen ?? CLIENT_AUTH_METHODS.find((known) => offered.includes(known));
  if (method === "none") return oauth.None();
  if (method === undefined || secret === undefined)
    throw issuerUnavailable(
      new Error(`The issuer authenticates clients by ${offered.join(", ")} only. Set OIDC_CLIENT_AUTH.`),
    );
  if (method === "client_secret_basic") return basic(secret);
  return method === "client_secret_jwt" ? oauth.ClientSecretJwt(secret) : oauth.ClientSecretPost(secret);
}

/**
 * Returns HTTP Basic authentication (RFC 6749, section 2.3.1). The library's own also encodes `-`, `.` and `_`, which client
 * ids and secrets are full of, and which issuers that forget to decode would not recognise.
 */
const basic =
  (secret: string): oauth.ClientAuth =>
  (_issuer, client, _body, headers) => {
    headers.set("authorization", `Basic ${btoa(`${formEncoded(client.client_id)}:${formEncoded(secret)}`)}`);
  };

const formEncoded = (text: string): string => new URLSearchParams({ text }).toString().slice("text=".length);

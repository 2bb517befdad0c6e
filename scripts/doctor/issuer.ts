import * as oauth from "oauth4webapi";

import { CLIENT_AUTH_METHODS, clientAuthFor } from "../../src/auth/client-authentication.ts";
import { AppError } from "../../src/shared/errors.ts";
import { limitedFetch } from "../../src/shared/limited-fetch.ts";
import { withoutTrailing } from "../../src/shared/text.ts";
import { field, parseJson } from "../json.ts";
import { type CheckContext, type Finding, note, ok, reasonOf, wrong } from "./finding.ts";

/** The longest metadata and error pages of issuers have some kilobytes. */
const MAX_ANSWER_BYTES = 1_000_000;

/** The issuer's address and this service's registration with it. */
interface Registration {
  readonly issuer: string;
  readonly clientId: string;
  readonly clientSecret: string | undefined;
  readonly redirectUri: string;
}

/**
 * Checks sign-in: that the issuer is there, knows the redirect address, and accepts the client. It redeems a code that does not exist,
 * so nobody is signed in.
 */
export async function checkIssuer(context: CheckContext): Promise<readonly Finding[]> {
  const { variables, isLocal } = context;
  const clientId = variables["GOOGLE_CLIENT_ID"];
  const publicUrl = variables["PUBLIC_URL"] ?? (isLocal ? "http://localhost:8787" : undefined);
  if (clientId === undefined || publicUrl === undefined)
    return isLocal
      ? [note("GOOGLE_CLIENT_ID is not set: people sign in with a name and a password.")]
      : [wrong("Nobody can sign in: GOOGLE_CLIENT_ID and PUBLIC_URL are needed for it.")];

  const registration = {
    issuer: variables["OIDC_ISSUER"] ?? "https://accounts.google.com",
    clientId,
    clientSecret: variables["GOOGLE_CLIENT_SECRET"],
    redirectUri: `${withoutTrailing(publicUrl, "/")}/auth/callback`,
  };
  const metadata = await metadataOf(registration, context);
  if (typeof metadata === "string") return [wrong(metadata)];
  return [
    ok(`The issuer ${registration.issuer} answers.`),
    await redirectFinding(metadata, registration, context),
    await clientFinding(metadata, registration, context),
  ];
}

/** Returns the issuer's metadata, or a sentence about what is wrong with it. */
async function metadataOf(
  { issuer }: Registration,
  { fetch, signal }: CheckContext,
): Promise<oauth.AuthorizationServer | string> {
  if (!URL.canParse(issuer)) return `OIDC_ISSUER has to be an address, not "${issuer}".`;
  const address = `${withoutTrailing(issuer, "/")}/.well-known/openid-configuration`;
  let body: unknown;
  try {
    const response = await limitedFetch(fetch, MAX_ANSWER_BYTES)(address, { signal });
    body = parseJson(await response.text());
    if (!response.ok)
      return `There is no OpenID issuer at OIDC_ISSUER: ${address} answered ${response.status}.`;
  } catch (error) {
    return `The issuer does not answer at ${address} (${reasonOf(error, signal)}). Check OIDC_ISSUER.`;
  }
  const named = field(body, "issuer");
  if (typeof named !== "string")
    return `${address} is not the metadata of an OpenID issuer. Check OIDC_ISSUER.`;
  if (named !== issuer)
    return `The issuer calls itself ${named}, and OIDC_ISSUER must be exactly that, not ${issuer}.`;
  for (const name of ["authorization_endpoint", "token_endpoint", "jwks_uri"])
    if (typeof field(body, name) !== "string")
      return `The metadata of the issuer at ${address} lacks ${name}.`;
  // These members have just been looked at, and the library checks the others where it uses them.
  return body as oauth.AuthorizationServer;
}

/** Begins a sign-in that must not ask anybody anything. An issuer that knows the redirect address leads back to it. */
async function redirectFinding(
  metadata: oauth.AuthorizationServer,
  { clientId, redirectUri }: Registration,
  { fetch, signal }: CheckContext,
): Promise<Finding> {
  const url = new URL(metadata.authorization_endpoint ?? "");
  const parameters = {
    client_id: clientId,
    redirect_uri: redirectUri,
    response_type: "code",
    scope: "openid email profile",
    state: "doctor",
    nonce: "doctor",
    prompt: "none",
    code_challenge: "47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU",
    code_challenge_method: "S256",
  };
  for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);
  const advice = `Register exactly this address as a redirect address of the client at the issuer: ${redirectUri}`;
  try {
    const response = await limitedFetch(fetch, MAX_ANSWER_BYTES)(url, { signal });
    await response.body?.cancel();
    const target = response.headers.get("location") ?? "";
    if (target.startsWith(redirectUri)) return ok(`The issuer knows the redirect address ${redirectUri}.`);
    const isRefused =
      (response.status >= 400 && response.status < 500) || /[?&/](?:auth)?error/iu.test(target);
    return isRefused
      ? wrong(
          `The issuer refuses to begin a sign-in: it does not know the client or its redirect address. ${advice}`,
        )
      : note(`Whether the issuer knows the redirect address can't be seen from here. ${advice}`);
  } catch (error) {
    return note(`The issuer's page for signing in does not answer (${reasonOf(error, signal)}). ${advice}`);
  }
}

/** Redeems a code that does not exist. The issuer checks the client first, and says what it thinks of it. */
async function clientFinding(
  metadata: oauth.AuthorizationServer,
  { clientId, clientSecret, redirectUri }: Registration,
  { variables, isLocal, fetch, signal }: CheckContext,
): Promise<Finding> {
  const client = { client_id: clientId };
  const chosen = CLIENT_AUTH_METHODS.find((method) => method === variables["OIDC_CLIENT_AUTH"]);
  try {
    const authentication = clientAuthFor(metadata, clientSecret, chosen);
    const answer = new URLSearchParams({ code: "doctor", state: "doctor", iss: metadata.issuer });
    const response = await oauth.authorizationCodeGrantRequest(
      metadata,
      client,
      authentication,
      oauth.validateAuthResponse(metadata, client, answer, "doctor"),
      redirectUri,
      oauth.generateRandomCodeVerifier(),
      {
        [oauth.customFetch]: (address, init) =>
          limitedFetch(fetch, MAX_ANSWER_BYTES)(address, { ...init, body: init.body ?? null, signal }),
        [oauth.allowInsecureRequests]: isLocal,
      },
    );
    const error = field(parseJson(await response.text()), "error");
    if (error === "invalid_client" || error === "unauthorized_client" || response.status === 401)
      return wrong(
        "The issuer does not accept the client: GOOGLE_CLIENT_ID and GOOGLE_CLIENT_SECRET do not belong together, or OIDC_CLIENT_AUTH " +
          "is not how the client was registered.",
      );
    if (error === "redirect_uri_mismatch")
      return wrong(`The issuer does not know the redirect address. Register exactly ${redirectUri}`);
    return error === "invalid_grant"
      ? ok("The issuer accepts the client and its secret.")
      : note(`The issuer did not say whether it accepts the client (it answered ${response.status}).`);
  } catch (error) {
    // `clientAuthFor` explains in the cause, which has no secrets.
    if (error instanceof AppError) return wrong(String(error.cause).replace(/^(?:Error: )+/u, ""));
    return wrong(`The issuer's token endpoint does not answer (${reasonOf(error, signal)}).`);
  }
}

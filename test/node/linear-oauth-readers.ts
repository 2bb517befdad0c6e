import { oauthError } from "../../src/http/oauth-error.ts";
import { agentIn, grantableIn, targetOf } from "../../src/oauth/authorization-request.ts";
import { displayName, OAuthClients } from "../../src/oauth/clients.ts";
import { hostOf, isOwnMachine, isRedirectUri, matchesRedirect } from "../../src/oauth/redirects.ts";
import { ConnectionTokens } from "../../src/oauth/tokens.ts";
import { AppError } from "../../src/shared/errors.ts";
import type { Reads } from "./linear.ts";

const keys = [{ id: "default", secret: "secret of the tests" }] as const;
const tokens = new ConnectionTokens({ keys, now: Date.now });
const clients = new OAuthClients({
  keys,
  fetch: () => Promise.reject(new Error("Nothing is requested here.")),
  resolve: async () => [],
  isLocal: false,
  ownHosts: [],
  allowedOrigins: [],
});
const origin = "https://api.example.com";

/** The functions of OAuth that read text from outside. */
export const OAUTH_READERS: Readonly<Record<string, Reads>> = {
  "oauth/redirects: isRedirectUri": (text) => [isRedirectUri(text), isRedirectUri(`https://${text}`)],
  "oauth/redirects: matchesRedirect": (text) =>
    matchesRedirect("http://127.0.0.1/", `http://127.0.0.1/${text}`),
  "oauth/redirects: hostOf": (text) => [hostOf(text), hostOf(`https://${text}`), isOwnMachine(text)],
  "oauth/clients: displayName": displayName,
  "oauth/clients: OAuthClients": (text) =>
    Promise.allSettled([
      clients.find(text),
      clients.find(`https://${text}`),
      clients.register({ name: text, redirectUris: [text], grantTypes: [text], responseTypes: [text] }),
      clients.register({
        name: text,
        redirectUris: ["https://a.example"],
        grantTypes: undefined,
        responseTypes: undefined,
      }),
    ]),
  "oauth/authorization-request: grantableIn": (text) => {
    const query = new URLSearchParams({
      response_type: "code",
      code_challenge: "c".repeat(43),
      code_challenge_method: "S256",
      resource: `${origin}/mcp/agents/a`,
      scope: text,
    });
    return [grantableIn(query, origin), grantableIn(new URLSearchParams(text), origin)];
  },
  "oauth/authorization-request: targetOf": (text) =>
    targetOf(new URLSearchParams({ client_id: text, redirect_uri: text, state: text })),
  "oauth/authorization-request: agentIn": (text) => [
    agentIn(text, origin),
    agentIn(`${origin}/${text}`, origin),
  ],
  "oauth/tokens: ConnectionTokens": (text) => [
    tokens.read("access", `dabo_${text}`),
    tokens.read("code", text),
  ],
  "http/oauth-error: oauthError": (text) =>
    oauthError(new AppError("malformed-request", text), "/oauth/token"),
};

import { type AgentId, agentIdOf } from "../shared/id-types.ts";
import { CONNECTION_SCOPES, type ConnectionScope } from "./model.ts";
import { type OAuthErrorCode, refusal } from "./refusals.ts";

/** The longest query of an authorization request, in characters. */
export const MAX_REQUEST = 8_192;

/** Where a client sends its person back to, and with what. */
export interface RedirectTarget {
  readonly clientId: string;
  readonly redirectUri: string;
  readonly state: string | undefined;
}

/** What a client asks a person for. */
export interface Grantable {
  readonly challenge: string;
  readonly agentId: AgentId;
  readonly scopes: readonly ConnectionScope[];
}

/** Why a request cannot be granted. The client is told when the person goes back. */
export interface RequestFault {
  readonly error: OAuthErrorCode;
  readonly reason: string;
}

/**
 * Reads where the answer to an authorization request goes. Throws a refusal if the query does not say: then nobody may be redirected
 * (RFC 6749, section 4.1.2.1).
 */
export function targetOf(query: URLSearchParams): RedirectTarget {
  const clientId = query.getAll("client_id");
  const redirectUri = query.getAll("redirect_uri");
  if (clientId.length !== 1 || redirectUri.length !== 1)
    throw refusal("invalid_request", "The request needs one client_id and one redirect_uri.");
  return {
    clientId: clientId[0] ?? "",
    redirectUri: redirectUri[0] ?? "",
    state: query.get("state") ?? undefined,
  };
}

/** Reads what an authorization request asks for, or why that cannot be granted. `origin` is this service's own. */
export function grantableIn(query: URLSearchParams, origin: string): Grantable | RequestFault {
  const names = [...query.keys()];
  if (new Set(names).size !== names.length)
    return { error: "invalid_request", reason: "A parameter of the request was sent twice." };
  if (query.get("response_type") !== "code")
    return { error: "unsupported_response_type", reason: "The only response_type is code." };

  const challenge = query.get("code_challenge") ?? "";
  // Without a method, `plain` would apply, which protects from nobody who reads the request.
  if (query.get("code_challenge_method") !== "S256" || !/^[\w-]{43}$/u.test(challenge))
    return {
      error: "invalid_request",
      reason: "The request needs PKCE: a code_challenge with the code_challenge_method S256.",
    };

  const agentId = agentIn(query.get("resource") ?? "", origin);
  if (agentId === undefined)
    return {
      error: "invalid_target",
      reason: "The resource of the request has to be the address of an agent on this service.",
    };
  const scopes = scopesIn(query.get("scope") ?? "");
  if (scopes.length === 0)
    return {
      error: "invalid_scope",
      reason: `None of the scopes is known here. There are: ${CONNECTION_SCOPES.join(", ")}.`,
    };
  return { challenge, agentId, scopes };
}

/** Returns the address of an agent for MCP clients, which is also the audience of their tokens. */
export const resourceOf = (origin: string, agentId: AgentId): string => `${origin}/mcp/agents/${agentId}`;

/** Returns the agent whose address this is, or `undefined` if it is another address. */
export function agentIn(resource: string, origin: string): AgentId | undefined {
  const url = URL.parse(resource);
  if (url?.origin !== origin || url.search !== "" || resource.includes("#")) return undefined;
  const id = /^\/mcp\/agents\/([\w-]{1,128})\/?$/u.exec(url.pathname)?.[1];
  return id === undefined ? undefined : agentIdOf(id);
}

/** Without scopes, a request is about all of them. Scopes of other services are ignored, as RFC 6749, section 3.3, allows. */
function scopesIn(text: string): readonly ConnectionScope[] {
  const asked = text.split(" ").filter(Boolean);
  return asked.length === 0 ? CONNECTION_SCOPES : CONNECTION_SCOPES.filter((scope) => asked.includes(scope));
}

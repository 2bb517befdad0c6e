import { createExecutionContext, waitOnExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { sha256, toBase64Url } from "../../src/shared/crypto.ts";
import { anonymous, app, type Client, clientOf } from "../support/app.ts";

/** The origin of the tests' service: `PUBLIC_URL`. */
export const ORIGIN = "https://api.example.com";
export const ALL = ["conversations:write", "memory:read", "memory:write"];
export const REDIRECT = "http://127.0.0.1:3000/callback";

export const addressOf = (agentId: string): string => `${ORIGIN}/mcp/agents/${agentId}`;

/** A client that has registered, and what it needs to redeem a code. */
export interface Program {
  readonly clientId: string;
  readonly verifier: string;
  readonly challenge: string;
}

/** Registers a client. */
export async function register(metadata: Record<string, unknown> = {}): Promise<Program> {
  const { status, body } = await anonymous("POST", "/oauth/register", {
    client_name: "Editor",
    redirect_uris: [REDIRECT],
    ...metadata,
  });
  if (status !== 201) throw new Error(`Registering failed: ${JSON.stringify(body)}`);
  const verifier = toBase64Url(crypto.getRandomValues(new Uint8Array(32)));
  return { clientId: body.client_id as string, verifier, challenge: toBase64Url(await sha256(verifier)) };
}

/** Returns the query of an authorization request. A change of null leaves a parameter out. */
export function requestOf(
  { clientId, challenge }: Program,
  agentId: string,
  changes: Readonly<Record<string, string | null>> = {},
): string {
  const parameters = {
    response_type: "code",
    client_id: clientId,
    redirect_uri: REDIRECT,
    code_challenge: challenge,
    code_challenge_method: "S256",
    resource: addressOf(agentId),
    state: "the-state",
    ...changes,
  };
  const sent = Object.entries(parameters).filter((entry): entry is [string, string] => entry[1] !== null);
  return new URLSearchParams(sent).toString();
}

/** Lets a person agree, and returns the answer's parameters as the client gets them. */
export async function agree(
  person: Client,
  request: string,
  scopes: readonly string[] = ALL,
): Promise<URLSearchParams> {
  const { status, body } = await person("POST", "/oauth/consent", { request, scopes });
  if (status !== 200) throw new Error(`Agreeing failed: ${JSON.stringify(body)}`);
  return new URL(body.redirect_to as string).searchParams;
}

/** Sends a form to an endpoint of OAuth. */
export const sendForm = (path: string, form: Readonly<Record<string, string>> | string) =>
  anonymous("POST", path, typeof form === "string" ? form : new URLSearchParams(form).toString(), {
    "content-type": "application/x-www-form-urlencoded",
  });

/** Redeems a code. */
export const redeem = (program: Program, code: string, changes: Readonly<Record<string, string>> = {}) =>
  sendForm("/oauth/token", {
    grant_type: "authorization_code",
    client_id: program.clientId,
    code,
    redirect_uri: REDIRECT,
    code_verifier: program.verifier,
    ...changes,
  });

/** Replaces a refresh token. */
export const refresh = (program: Program, token: string, changes: Readonly<Record<string, string>> = {}) =>
  sendForm("/oauth/token", {
    grant_type: "refresh_token",
    client_id: program.clientId,
    refresh_token: token,
    ...changes,
  });

export interface Tokens {
  readonly access: string;
  readonly refresh: string;
}

/** Connects a new client with an agent. */
export async function connect(
  person: Client,
  agentId: string,
  scopes: readonly string[] = ALL,
): Promise<Program & Tokens> {
  const program = await register();
  const answer = await agree(person, requestOf(program, agentId), scopes);
  const { status, body } = await redeem(program, answer.get("code") ?? "");
  if (status !== 200) throw new Error(`Redeeming failed: ${JSON.stringify(body)}`);
  return { ...program, access: body.access_token as string, refresh: body.refresh_token as string };
}

/** Asks an agent's MCP server with a token, and returns its status. */
export const useOf = (token: string, agentId: string) =>
  clientOf(token)(
    "POST",
    `/mcp/agents/${agentId}`,
    { jsonrpc: "2.0", id: 1, method: "tools/list" },
    { accept: "application/json, text/event-stream" },
  );

/** A `fetch` that reaches the app, for clients that know its address only. */
export async function reach(input: string | URL | Request, init?: RequestInit): Promise<Response> {
  const ctx = createExecutionContext();
  const request = new Request(input, init);
  if (new URL(request.url).origin !== ORIGIN) throw new Error(`The client asked ${request.url}`);
  const response = await app.fetch(
    request,
    { ...env, COSTLY_BURST: undefined, PUBLIC_BURST: undefined },
    ctx,
  );
  const copy = new Response(await response.text().then((text) => text || null), response);
  await waitOnExecutionContext(ctx);
  return copy;
}

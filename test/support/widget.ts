import { env } from "cloudflare:workers";
import { VisitorTokens } from "../../src/auth/visitor-tokens.ts";
import { configFrom } from "../../src/config.ts";
import { type AccountEmail, agentIdOf } from "../../src/shared/id-types.ts";
import { type Client, clientOf } from "./app.ts";

/** The origin of a page with a chat. */
export const SHOP = "https://shop.example.com";

/** A publishable key, as the API shows it. */
export interface ShownKey {
  readonly key_id: string;
  readonly agent_id: string;
  readonly public_key: string;
}

/** A publishable key of an agent; for pages of every origin unless the test says otherwise. */
export async function createKey(
  owner: Client,
  agentId: string,
  more: Record<string, unknown> = {},
): Promise<ShownKey> {
  const { status, body } = await owner("POST", `/agents/${agentId}/api-keys`, { name: "Shop", ...more });
  if (status !== 201) throw new Error(`Creating a key failed: ${JSON.stringify(body)}`);
  return body as ShownKey;
}

/** What a page sends: its key, its origin, and the token of its visitor. Each may be missing. */
interface Page {
  readonly key?: string | undefined;
  readonly origin?: string | undefined;
  readonly token?: string;
}

/** A page with a chat. */
export function pageWith({ key, origin, token = "" }: Page): Client {
  const own = {
    ...(key !== undefined && { "x-api-key": key }),
    ...(origin !== undefined && { origin }),
  };
  const client = clientOf(token);
  const send = (...[method, path, body, headers = {}]: Parameters<Client>) =>
    client(method, path, body, { ...own, ...headers });
  const raw = (...[method, path, body, init = {}]: Parameters<Client["raw"]>) =>
    client.raw(method, path, body, {
      ...init,
      headers: { ...own, ...Object.fromEntries(new Headers(init.headers)) },
    });
  return Object.assign(send, { email: client.email, token, raw });
}

/** A page whose visitor has not signed in. */
export async function visitorOf(
  key: ShownKey,
  origin?: string,
): Promise<Client & { readonly visitorId: string }> {
  const { status, body } = await pageWith({ key: key.public_key, origin })("POST", "/widget/visitors");
  if (status !== 201) throw new Error(`Creating a visitor failed: ${JSON.stringify(body)}`);
  const page = pageWith({ key: key.public_key, origin, token: body.access_token as string });
  return Object.assign(page, { visitorId: body.visitor.visitor_id as string });
}

/** A conversation of a visitor, and the path to send messages to. */
export async function beginVisit(visitor: Client) {
  const { status, body } = await visitor("POST", "/widget/conversations", { title: "New Chat" });
  if (status !== 201) throw new Error(`Beginning a conversation failed: ${JSON.stringify(body)}`);
  const conversationId = body.conversation_id as string;
  const base = `/widget/conversations/${conversationId}`;
  return { conversationId, base, path: `${base}/messages` };
}

/** A token that this service has issued to a visitor, as if it had at another time. */
export const visitorToken = (
  accountEmail: AccountEmail,
  agentId: string,
  { id = "anon:somebody", generation = "g", issuedAt = Date.now(), seconds = 3_600 } = {},
): Promise<string> =>
  new VisitorTokens({ keys: configFrom(env).signingKeys, now: () => issuedAt }).issue(
    {
      accountEmail,
      endUser: { agentId: agentIdOf(agentId), id },
      generation,
      profile: { name: null, email: null, picture: null, isAnonymous: true },
    },
    Math.floor(issuedAt / 1000) + seconds,
  );

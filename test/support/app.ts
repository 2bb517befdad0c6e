import {
  type AccountEmail,
  type AgentId,
  type ConversationId,
  accountEmailOf,
} from "../../src/shared/id-types.ts";
import { createExecutionContext, waitOnExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { createApp } from "../../src/app.ts";
import { hashPassword } from "../../src/auth/passwords.ts";
import { AccessTokens } from "../../src/auth/tokens.ts";
import { configFrom } from "../../src/config.ts";
import { DAY_MS, systemClock, ttlAfter } from "../../src/shared/clock.ts";
import { TableClient } from "../../src/table/client.ts";
import { createTransport } from "../../src/table/transport.ts";
import { UserRepository } from "../../src/users/repository.ts";

export const app = createApp();

/** Tests send requests faster than people do. */
const unhurried = { ...env, COSTLY_BURST: undefined, PUBLIC_BURST: undefined };

const send = createTransport({
  endpoint: env.DYNAMODB_ENDPOINT,
  region: env.AWS_REGION,
  credentials: { accessKeyId: "local", secretAccessKey: "local" },
});

/** The table as an app sees it whose clock shows this time: without the items that have expired by then. */
export const tableAt = (now: () => number): TableClient =>
  new TableClient({ send, table: env.DYNAMODB_TABLE, now });

/** The table as the app sees it. */
export const table = tableAt(Date.now);

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  // Tests look into bodies member by member; what is not there fails the comparison.
  // oxlint-disable-next-line typescript/no-explicit-any
  readonly body: any;
}

/** A client of the app, with or without a token. */
export interface Client {
  readonly email: AccountEmail;
  readonly token: string;
  /** Sends a request. Bodies are sent as JSON, texts unchanged. */
  (method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer>;
  /** Sends a request. Returns the unread response, and a promise that resolves when everything it started has ended. */
  raw(
    method: string,
    path: string,
    body?: unknown,
    init?: RequestInit,
  ): Promise<{ response: Response; ended(): Promise<void> }>;
}

/** A fresh user: every test has its own, so tests share a table and nothing else. Their plan has no limits. */
export async function signUp(name?: string): Promise<Client> {
  const client = await signUpFree(name);
  await subscribe(client, { plan: "enterprise" });
  return client;
}

/**
 * The same on the free plan. The account and its token are what the route for signing up would
 * have made; only the password's hash is computed once per worker instead of once per account, because its 100,000
 * rounds would be most of what many tests do. Tests about signing in call the route.
 */
export async function signUpFree(name = `user-${crypto.randomUUID().slice(0, 13)}`): Promise<Client> {
  const accountEmail = accountEmailOf(`${name.toLowerCase()}@example.com`);
  const now = Date.now();
  const user = {
    accountEmail,
    name,
    picture: null,
    status: "active",
    createdAt: systemClock.timestamp(),
    deletionRequestedAt: null,
    password: await (password ??= hashPassword("secret")),
    ttl: ttlAfter(now, 7 * DAY_MS),
  };
  if (!(await users.create(user, now))) throw new Error(`There already is an account ${accountEmail}`);
  return clientOf(await tokens.issue(user), accountEmail);
}

const users = new UserRepository({ table });
const tokens = new AccessTokens({
  keys: configFrom(env).signingKeys,
  lifetimeSeconds: 12 * 60 * 60,
  now: Date.now,
});
let password: ReturnType<typeof hashPassword> | undefined;

/** Stores a subscription of a user, as a payment does. */
export async function subscribe(
  { email }: Pick<Client, "email">,
  { id = "sub_of_tests", plan, status = "active", periodEnd = null, updatedAt }: Bought,
): Promise<void> {
  const now = new Date().toISOString().replace("Z", "000+00:00");
  await table.put({
    pk: `User#${email}`,
    sk: `Subscription#${id}`,
    subscription_id: id,
    user_email: email,
    status,
    plan_name: plan,
    current_period_end: periodEnd === null ? null : String(periodEnd),
    created_at: now,
    updated_at: updatedAt ?? now,
  });
}

interface Bought {
  readonly id?: string;
  readonly plan: string;
  readonly status?: string;
  /** Seconds since the epoch. */
  readonly periodEnd?: number | null;
  readonly updatedAt?: string;
}

/** A client with a token, of the app that all tests share unless another one is given. */
export function clientOf(token: string, email: string = "", of: typeof app = app): Client {
  async function raw(method: string, path: string, body?: unknown, init: RequestInit = {}) {
    const ctx = createExecutionContext();
    const response = await of.request(
      path,
      {
        method,
        ...init,
        headers: {
          ...(token !== "" && { authorization: `Bearer ${token}` }),
          ...(body !== undefined && { "content-type": "application/json" }),
          ...Object.fromEntries(new Headers(init.headers)),
        },
        ...(body !== undefined && { body: typeof body === "string" ? body : JSON.stringify(body) }),
      },
      unhurried,
      ctx,
    );
    return { response, ended: () => waitOnExecutionContext(ctx) };
  }

  const send = async (method: string, path: string, body?: unknown, headers: Record<string, string> = {}) => {
    const { response, ended } = await raw(method, path, body, { headers });
    const text = await response.text();
    await ended();
    const isJson = /\bjson\b/u.test(response.headers.get("content-type") ?? "");
    return { status: response.status, headers: response.headers, body: isJson ? JSON.parse(text) : text };
  };

  return Object.assign(send, { email: accountEmailOf(email), token, raw });
}

export const anonymous = clientOf("");

/** What an agent is created with, unless a test says otherwise. */
export const ada = {
  agent_name: "Ada",
  agent_architecture: "krishna-memgpt",
  agent_provider: "Demo",
  agent_persona: "You are Ada, curious and precise.",
} as const;

/** An agent and a conversation with it. */
export async function beginConversation(client: Client, agent: Record<string, unknown> = {}) {
  const created = await client("POST", "/agents", {
    ...ada,
    agent_name: `Ada ${crypto.randomUUID()}`,
    ...agent,
  });
  const agentId = created.body.agent_id as AgentId;
  const conversation = await client("POST", "/conversations", { title: "Talk", agent_id: agentId });
  const conversationId = conversation.body.conversation_id as ConversationId;
  return { agentId, conversationId, path: `/agents/${agentId}/${conversationId}/send-message` };
}

import type { AgentId } from "../../src/shared/id-types.ts";
import { inject } from "vitest";
import { env } from "cloudflare:workers";
import {
  contentHashOf,
  hashItem,
  memoryItem,
  memoryIdOf,
  sortKeyOf,
} from "../../src/memory/archival-model.ts";
import { type AttributeMap, type AttributeValue, type Item, unmarshal } from "../../src/table/marshal.ts";
import { createTransport } from "../../src/table/transport.ts";
import { beginConversation, type Client, table } from "../support/app.ts";
import { createBase, incompressible, upload } from "../support/knowledge.ts";
import { databaseRequests, scriptModel } from "../support/control.ts";
import type { LoggedRequest } from "../support/control-protocol.ts";
import { say } from "../support/sse.ts";

/** A transport that bypasses the proxy and its faults. */
const send = createTransport({
  endpoint: inject("database"),
  region: env.AWS_REGION,
  credentials: { accessKeyId: "local", secretAccessKey: "local" },
});

/** The largest number of keys in one BatchGetItem request. */
const KEYS_PER_REQUEST = 100;

/**
 * Returns every stored item that contains one of these texts in its key or in any attribute, expired items included.
 *
 * All writes pass the proxy, so the keys are read from its log. A scan would read the items of all other tests, too.
 */
export async function itemsAbout(...texts: readonly string[]): Promise<readonly Item[]> {
  const keys = new Map<string, AttributeMap>();
  for (const request of await databaseRequests(...texts))
    for (const { pk, sk } of writtenBy(request)) keys.set(JSON.stringify([pk, sk]), { pk, sk });

  const found: Item[] = [];
  const left = [...keys.values()];
  while (left.length > 0) {
    const request = { Keys: left.splice(0, KEYS_PER_REQUEST), ConsistentRead: true };
    const answer = await send("BatchGetItem", { RequestItems: { [env.DYNAMODB_TABLE]: request } });
    // DynamoDB's wire format.
    const { Responses, UnprocessedKeys } = answer as unknown as BatchAnswer;
    for (const attributes of Responses[env.DYNAMODB_TABLE] ?? []) {
      const text = JSON.stringify(attributes);
      if (texts.some((wanted) => text.includes(wanted))) found.push(unmarshal(attributes));
    }
    left.push(...(UnprocessedKeys?.[env.DYNAMODB_TABLE]?.Keys ?? []));
  }
  return found;
}

interface BatchAnswer {
  readonly Responses: Readonly<Record<string, readonly AttributeMap[]>>;
  readonly UnprocessedKeys?: Readonly<Record<string, { readonly Keys: readonly AttributeMap[] }>>;
}

type Keyed = AttributeMap & Readonly<Record<"pk" | "sk", AttributeValue>>;

/** A write of any kind, in DynamoDB's wire format. */
interface WriteInput {
  readonly Item?: Keyed;
  readonly Key?: Keyed;
  readonly TransactItems?: readonly { readonly Put?: WriteInput; readonly Update?: WriteInput }[];
  readonly RequestItems?: Readonly<Record<string, readonly { readonly PutRequest?: WriteInput }[]>>;
}

/** Returns the items, or at least the keys of the items, that a request puts or updates. */
function writtenBy({ operation, body }: LoggedRequest): readonly Keyed[] {
  if (!/Put|Update|Write/u.test(operation)) return [];
  const input = JSON.parse(body) as WriteInput;
  const parts = [
    input,
    ...(input.TransactItems ?? []).flatMap(({ Put, Update }) => [Put, Update]),
    ...Object.values(input.RequestItems ?? {}).flatMap((writes) =>
      writes.map(({ PutRequest }) => PutRequest),
    ),
  ];
  return parts.flatMap((part) => {
    const keyed = part?.Item ?? part?.Key;
    return keyed ? [keyed] : [];
  });
}

export interface Filled {
  readonly client: Client;
  readonly agentId: AgentId;
  readonly conversationId: string;
  readonly path: string;
  /** Texts of which every item of the account has one. */
  readonly traces: readonly string[];
  /** What must not be in an export: values of secrets. */
  readonly secrets: readonly string[];
}

/** Stores one of every kind of item for an account. */
export async function fillAccount(client: Client): Promise<Filled> {
  const { email } = client;
  const model = await scriptModel([{ text: "Hello, Alice." }], [{ text: "Again." }]);
  const place = await beginConversation(client, { agent_model: model.name });
  const { agentId, conversationId, path } = place;
  const memories = `/agents/${agentId}/archival-memory`;

  await client("GET", `/agents/${agentId}/memory-blocks`);
  await client("POST", `/agents/${agentId}/memory-blocks`, { name: "jobs", description: "Work" });
  await client("PUT", `/agents/${agentId}/memory-blocks/jobs/content`, { lines: ["A baker"] });
  for (const n of [1, 2, 3]) await client("POST", memories, { content: `Alice has cat ${n}` });
  const listed = await client("GET", memories);
  const [third, second] = listed.body.items as { memory_id: string }[];
  await client("PATCH", `${memories}/${second?.memory_id}`, { content: "Alice has a dog" });
  await client("DELETE", `${memories}/${third?.memory_id}`);
  await client("GET", `${memories}/search?query=dog`);
  await client("POST", "/agents", agentBody(), { "idempotency-key": crypto.randomUUID() });
  await say(client, path, "I am Alice");
  // Nothing in these tests causes its event, so nothing is sent to it.
  const webhook = await client("POST", "/webhooks", {
    url: "https://hooks.example.com/agents",
    events: ["usage.threshold_reached"],
  });
  const { kbId } = await createBase(client);
  await client("POST", `/agents/${agentId}/knowledge-bases?kb_id=${kbId}`);
  await upload(client, kbId, [
    { name: "handbook.md", content: "# Handbook" },
    { name: "long.txt", content: incompressible(500_000) },
  ]);
  const removed = await upload(client, kbId, [{ name: "removed.md", content: "# Removed" }]);
  await client("DELETE", `/knowledge-bases/${kbId}/pages/${removed.body.files[0].page_id}`);

  const id = crypto.randomUUID();
  const secret = (name: string) => `secret-${name}-${id}`;
  const hash = await contentHashOf(id);
  const keyHash = await contentHashOf(secret("key"));
  await table.batchWrite(
    (await planted(email, place, id, { secret, hash, keyHash })).map((put) => ({ put })),
  );

  const secrets = ["credentials", "refresh", "session", "visitor-key", "legacy"].map(secret);
  return {
    client,
    ...place,
    traces: [email, agentId, conversationId, id, kbId],
    secrets: [...secrets, keyHash, String(webhook.body.secret)],
  };
}

const agentBody = () => ({
  agent_name: `Keyed ${crypto.randomUUID()}`,
  agent_architecture: "krishna-mini",
  agent_provider: "Demo",
  agent_persona: "You are keyed.",
});

interface Marks {
  readonly secret: (name: string) => string;
  readonly hash: string;
  readonly keyHash: string;
}

/** Items that no current route writes: those of other versions, of the legacy Python service, and of future features. */
async function planted(
  email: string,
  { agentId, conversationId }: { agentId: AgentId; conversationId: string },
  id: string,
  { secret, hash, keyHash }: Marks,
): Promise<readonly Item[]> {
  const user = `User#${email}`;
  const agent = `Agent#${agentId}`;
  const endUser = `guest-${id}`;
  const visitor = `visitor-${id}`;
  const now = "2026-01-29T11:51:36.123456+00:00";

  const archived = async (userId: string, memoryId: string): Promise<readonly Item[]> => {
    const owner = { agentId, userId };
    const memory = {
      id: memoryId,
      content: id,
      contentHash: hash,
      createdAt: now,
      occurredAt: null,
      by: "agent",
      runId: null,
      changeTimes: [],
      sortKey: sortKeyOf(now, memoryId),
    } as const;
    return [memoryItem(owner, memory), hashItem(owner, memory, memoryId)];
  };
  const guest = { agentId, userId: endUser };

  return [
    { pk: user, sk: "ProviderSettings#Anthropic", encrypted_credentials: secret("credentials"), id },
    { pk: user, sk: "Subscription#sub_1", subscription_id: "sub_1", plan_name: "pro", id },
    { pk: user, sk: `StripeClaim#cus_${id}`, entity_type: "StripeClaim", account: email },
    {
      pk: `StripeClaim#cus_${id}`,
      sk: `StripeClaim#cus_${id}`,
      entity_type: "StripeClaim",
      account: email,
    },
    { pk: user, sk: `AuthSession#${id}`, token_hash: secret("session"), refresh_token: secret("refresh") },
    { pk: user, sk: `ApiKey#${id}`, name: "Ci", key_hash: keyHash },
    { pk: `ApiKey#${keyHash}`, sk: `ApiKey#${keyHash}`, owner: email, state: "active" },
    {
      pk: user,
      sk: `Future#${id}`,
      tags: new Set(["a", "b"]),
      bytes: new Uint8Array([1, 2, 3]),
      deep: [{ a: 1 }],
    },
    { pk: user, sk: `Expired#${id}`, ttl: 1_000_000_000 },
    { pk: user, sk: "ProviderModels#OpenAI", provider_name: "OpenAI", model_ids: ["gpt-4o"] },
    { pk: user, sk: "ProviderServedWindow#OpenAI#a#b", model: "a#b", context_tokens: 4_096 },
    { pk: user, sk: "ProviderWindow#OpenAI#gpt-4o", model: "gpt-4o", context_tokens: 8_192 },
    { pk: user, sk: `KnowledgeBase#${id}`, kb_id: id },
    { pk: `KnowledgeBase#${id}`, sk: "Chunk#1", content: "Text" },
    { pk: `KnowledgeBase#${id}`, sk: `CrawlJob#${id}`, status: "completed" },
    { pk: `CrawlJob#${id}`, sk: "Step#1", step_type: "fetch" },
    {
      pk: agent,
      sk: `ApiKey#old-${id}`,
      public_key: secret("visitor-key"),
      gsi2_pk: `ApiKey#${secret("visitor-key")}`,
    },
    {
      pk: agent,
      sk: `ApiKey#${id}`,
      key_id: id,
      public_key: secret("page-key"),
      name: "Page",
      is_active: true,
    },
    {
      pk: `PublishableKey#${secret("page-key")}`,
      sk: `PublishableKey#${secret("page-key")}`,
      entity_type: "AgentApiKeyLookUp",
      key_id: id,
      agent_id: agentId,
    },
    { pk: agent, sk: `Unheard#${id}`, of: true },
    { pk: agent, sk: `EndUser#${endUser}`, entity_type: "EndUser", end_user_id: endUser },
    { pk: `USER#${email}#EndUser#${agentId}#${endUser}`, sk: `CONVERSATION#guest-${id}`, title: "Guest" },
    { pk: `CONVERSATION#guest-${id}`, sk: `MESSAGE#${now}#1`, content: "Hi" },
    { pk: `${agent}#User#${endUser}`, sk: `CoreMemory#${endUser}`, lines: ["Name: Guest"] },
    ...(await archived(endUser, await memoryIdOf(guest, hash))),
    { pk: `${agent}#Widget`, sk: `Conversation#widget-${id}`, visitor_id: visitor },
    { pk: `CONVERSATION#widget-${id}`, sk: `MESSAGE#${now}#1`, content: "Hi" },
    { pk: `${agent}#User#${visitor}`, sk: `CoreMemory#${visitor}`, lines: ["Name: Visitor"] },
    ...(await archived(email, `random-${id}`)),
    { pk: `${agent}#User#${email}`, sk: `CapacityWarning#${id}`, warning_turns: 2 },
    // The legacy Python service deletes agents without their memories.
    ...["one", "two"].map((name) => ({
      pk: `USER#${email}`,
      sk: `CONVERSATION#${name}-${id}`,
      agent_id: `gone-${id}`,
    })),
    { pk: `Agent#gone-${id}#User#${email}`, sk: "CoreMemory#1", lines: ["Name: Alice"] },
    { pk: `CONVERSATION#${conversationId}`, sk: `SUMMARY#${id}`, content: "They met." },
    { pk: user, sk: `Agent#legacy-${id}`, agent_name: "Old", agent_provider_api_key: secret("legacy") },
  ];
}

import { inject } from "vitest";
import { env } from "cloudflare:workers";
import {
  contentHashOf,
  hashItem,
  memoryItem,
  memoryIdOf,
  sortKeyOf,
} from "../../src/memory/archival-model.ts";
import { type AttributeMap, type Item, unmarshal } from "../../src/table/marshal.ts";
import { createTransport } from "../../src/table/transport.ts";
import { beginConversation, type Client, table } from "../support/app.ts";
import { scriptModel } from "../support/control.ts";
import { say } from "../support/sse.ts";

/** Past the faults: a scan goes on behind any item, others' among them. */
const send = createTransport({
  endpoint: inject("database"),
  region: env.AWS_REGION,
  credentials: { accessKeyId: "local", secretAccessKey: "local" },
});

/** Every item of the table, those whose time is over as well, that has one of these texts anywhere in it. */
export async function scan(...texts: readonly string[]): Promise<readonly Item[]> {
  const found: Item[] = [];
  let from: unknown;
  do {
    const start = from === undefined ? {} : { ExclusiveStartKey: from };
    const answer = await send("Scan", { TableName: env.DYNAMODB_TABLE, ConsistentRead: true, ...start });
    // DynamoDB's wire format.
    for (const attributes of answer["Items"] as AttributeMap[]) {
      const text = JSON.stringify(attributes);
      if (texts.some((wanted) => text.includes(wanted))) found.push(unmarshal(attributes));
    }
    from = answer["LastEvaluatedKey"];
  } while (from !== undefined);
  return found;
}

export interface Filled {
  readonly client: Client;
  readonly agentId: string;
  readonly conversationId: string;
  readonly path: string;
  /** Texts of which every item of the account has one. */
  readonly traces: readonly string[];
  /** What must not be in an export: values of secrets. */
  readonly secrets: readonly string[];
}

/** Gives an account one of everything that the table can hold of it. */
export async function fill(client: Client): Promise<Filled> {
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

  const id = crypto.randomUUID();
  const secret = (name: string) => `secret-${name}-${id}`;
  const hash = await contentHashOf(id);
  const keyHash = await contentHashOf(secret("key"));
  await table.batchWrite(
    (await planted(email, place, id, { secret, hash, keyHash })).map((put) => ({ put })),
  );

  const secrets = ["credentials", "refresh", "session", "visitor-key", "legacy"].map(secret);
  return { client, ...place, traces: [email, agentId, conversationId, id], secrets: [...secrets, keyHash] };
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

/** What no route of today writes: items of other versions, of the service before, and of features to come. */
async function planted(
  email: string,
  { agentId, conversationId }: { agentId: string; conversationId: string },
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
      sortKey: sortKeyOf(now, memoryId),
    } as const;
    return [memoryItem(owner, memory), hashItem(owner, memory, memoryId)];
  };
  const guest = { agentId, userId: endUser };

  return [
    { pk: user, sk: "ProviderSettings#Anthropic", encrypted_credentials: secret("credentials"), id },
    { pk: user, sk: "Subscription#sub_1", subscription_id: "sub_1", plan_name: "pro", id },
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
    // The service before deletes agents without what they remember.
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

import { type AgentId, type ConversationId, conversationIdOf } from "../../src/shared/id-types.ts";
import { env } from "cloudflare:workers";
import { onTestFinished } from "vitest";
import { type PlanLimits, pricing } from "../../src/plans/pricing.ts";
import { emptyAnswer, newRunIds } from "../../src/runs/turn.ts";
import type { RunIds, TurnPlace } from "../../src/runs/model.ts";
import { BatchQueue } from "../../src/shared/batch-queue.ts";
import {
  type Beginning,
  type BeginOutcome,
  nextBeginnings,
  TurnBeginnings,
  type TurnLimits,
} from "../../src/runs/turn-beginnings.ts";
import { systemClock } from "../../src/shared/clock.ts";
import { TableClient } from "../../src/table/client.ts";
import { createTransport } from "../../src/table/transport.ts";
import { conversationsPartition, memoryUserId, type AccessScope } from "../../src/access/access-scope.ts";

/** Changes the limits of a plan, as an edit of `pricing_config.json` does, until the end of the test that calls it. */
export function setLimits(plan: string, changes: Partial<PlanLimits>): void {
  for (const { key, limits } of pricing.tiers) {
    if (key !== plan) continue;
    const before = { ...limits };
    Object.assign(limits, changes);
    // A hook of this module would be registered only in the first file that imports it: files share their modules.
    onTestFinished(() => void Object.assign(limits, before));
  }
}

/**
 * The table for tests with hundreds of concurrent requests: it waits for every answer, so that none counts as lost and is sent
 * again, because the machine is busy.
 */
export const patientTable = new TableClient({
  send: createTransport({
    endpoint: env.DYNAMODB_ENDPOINT,
    region: env.AWS_REGION,
    credentials: { accessKeyId: "local", secretAccessKey: "local" },
    fetch: (request) => fetch(request),
  }),
  table: env.DYNAMODB_TABLE,
  now: Date.now,
});

/** Begins turns as an account's meter does. */
export function beginQueue(table: TableClient) {
  const beginnings = new TurnBeginnings({ table });
  return new BatchQueue<Beginning, BeginOutcome>({
    // Longer than any test, because the table is patient, too.
    patienceMs: 60_000,
    late: () => new Error("A turn has waited for too long."),
    next: nextBeginnings,
    work: (batch) => beginnings.begin(batch),
  });
}

/** Begins a run in each of these conversations, all at once; returns for each the limit that leaves no room for it. */
export function beginAtOnce(
  scope: AccessScope,
  agentId: AgentId,
  conversationIds: readonly ConversationId[],
  limits: Partial<TurnLimits>,
) {
  const queue = beginQueue(patientTable);
  return Promise.all(
    conversationIds.map((conversationId) =>
      beginTurn(queue, { ...scope, agentId, conversationId }, newRunIds(systemClock), limits),
    ),
  );
}

/** Begins a turn; returns the limit that leaves no room for it. */
export async function beginTurn(
  queue: ReturnType<typeof beginQueue>,
  place: TurnPlace,
  runIds: RunIds,
  limits: Partial<TurnLimits> = {},
) {
  const unlimited = { messages_per_month: null, end_user_messages_per_month: null, concurrent_runs: null };
  const message = { ...emptyAnswer(place, runIds), id: runIds.userMessageId, role: "user" } as const;
  const outcome = await queue.add({ place, runIds, message, limits: { ...unlimited, ...limits } });
  return outcome.kind === "exhausted" ? outcome.exhausted : undefined;
}

/** Conversations with an agent, as they are stored. */
export async function plantConversations(scope: AccessScope, agentId: AgentId, count: number) {
  const ids = Array.from({ length: count }, () => conversationIdOf(crypto.randomUUID()));
  await patientTable.batchWrite(
    ids.map((id) => ({
      put: {
        pk: conversationsPartition(scope),
        sk: `CONVERSATION#${id}`,
        entity_type: "Conversation",
        conversation_id: id,
        title: "Talk",
        agent_id: agentId,
        created_by: memoryUserId(scope),
        created_at: "2026-01-29T11:51:36.123456+00:00",
        updated_at: "2026-01-29T11:51:36.123456+00:00",
      },
    })),
  );
  return ids;
}

import { expect, it } from "vitest";
import { answerWrites, isAnswered, nextEnds } from "../../src/runs/end-writes.ts";
import type { Regeneration } from "../../src/runs/model.ts";
import { emptyAnswer, newRunIds } from "../../src/runs/turn.ts";
import type { TurnEnd } from "../../src/runs/turn-repository.ts";
import { systemClock } from "../../src/shared/clock.ts";
import { accountEmailOf, agentIdOf, conversationIdOf } from "../../src/shared/id-types.ts";
import { MAX_TRANSACTION } from "../../src/table/client.ts";

/** An answered turn in a conversation of its own, with everything that an end may write. */
function end(wantedEvents?: readonly string[], regenerates?: Regeneration): TurnEnd {
  const place = {
    accountEmail: accountEmailOf("alice@example.com"),
    agentId: agentIdOf("a"),
    conversationId: conversationIdOf(crypto.randomUUID()),
  };
  const runIds = newRunIds(systemClock, regenerates);
  const usage = { inputTokens: 1, outputTokens: 1, cachedTokens: 0 };
  return {
    place,
    runIds,
    message: { ...emptyAnswer(place, runIds), content: "Hello." },
    end: { state: "completed", endedAt: runIds.answeredAt, messageId: "m", usage, errorCode: null },
    // Each model counts its tokens in an item of its own.
    answeredBy: { provider: "Demo", model: crypto.randomUUID() },
    hasSlot: true,
    ...(wantedEvents && { wantedEvents }),
  };
}

const message = (id: string) => ({ id, createdAt: "2026-01-29T11:51:36.123456+00:00" });

it.each([
  ["nobody wants their events", undefined, undefined, 24],
  ["others are wanted", ["run.failed"], undefined, 24],
  ["their events are wanted", ["run.completed"], undefined, 19],
  ["they replace former answers", undefined, { question: message("q"), answer: message("a") }, 19],
] as const)("fills one transaction with ends if %s", (_case, wanted, regenerates, count) => {
  const waiting = Array.from({ length: 40 }, () => end(wanted, regenerates));

  const batch = nextEnds(waiting);

  expect(batch).toHaveLength(count);
  const writes = answerWrites(batch.filter(isAnswered));
  expect(writes.length).toBeLessThanOrEqual(MAX_TRANSACTION);
  const events = writes.filter((write) => "put" in write && write.put["entity_type"] === "WebhookOutbox");
  expect(events).toHaveLength(wanted?.[0] === "run.completed" ? count : 0);
});

import { expect, it } from "vitest";
import { emptyAnswer, newRunIds } from "../../src/runs/turn.ts";
import { type Beginning, MAX_BATCH_BYTES, nextBeginnings } from "../../src/runs/turn-beginnings.ts";
import { systemClock } from "../../src/shared/clock.ts";
import { accountEmailOf, agentIdOf, conversationIdOf } from "../../src/shared/id-types.ts";

/** A turn in a conversation of its own. */
function beginning(clientRequest?: string): Beginning {
  const place = {
    accountEmail: accountEmailOf("alice@example.com"),
    agentId: agentIdOf("a"),
    conversationId: conversationIdOf(crypto.randomUUID()),
  };
  const runIds = newRunIds(systemClock);
  const limits = { messages_per_month: null, end_user_messages_per_month: null, concurrent_runs: null };
  return { place, runIds, message: { ...emptyAnswer(place, runIds), role: "user" }, limits, clientRequest };
}

it("begins fewer turns in one transaction if what is stored of their requests is large", () => {
  const request = "x".repeat(MAX_BATCH_BYTES / 4);
  const small = nextBeginnings(Array.from({ length: 10 }, () => beginning()));

  const large = nextBeginnings(Array.from({ length: 10 }, () => beginning(request)));

  expect(small).toHaveLength(10);
  expect(large).toHaveLength(3);
});

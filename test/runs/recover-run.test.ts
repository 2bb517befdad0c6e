import { expect, it } from "vitest";
import { MessageRepository } from "../../src/messages/repository.ts";
import { completedEvent } from "../../src/runs/turn-end.ts";
import { RunRepository } from "../../src/runs/repository.ts";
import { recoverRun } from "../../src/runs/recover-run.ts";
import { emptyAnswer, newRunIds } from "../../src/runs/turn.ts";
import { type TurnEnd, TurnRepository } from "../../src/runs/turn-repository.ts";
import { systemClock } from "../../src/shared/clock.ts";
import { deriveHmacKey } from "../../src/shared/crypto.ts";
import { Cursors } from "../../src/table/cursor.ts";
import { beginConversation, signUp, table } from "../support/app.ts";
import { messagesUsed } from "../support/items.ts";
import { beginQueue, beginTurn } from "../support/limits.ts";

const turns = new TurnRepository({ table, rules: { isSuperuser: () => false } });

const queue = beginQueue(table);

/** A run that has begun, and its end as its runner would store it. */
async function begun() {
  const client = await signUp();
  const { agentId, conversationId } = await beginConversation(client);
  const place = { accountEmail: client.email, agentId, conversationId };
  const runIds = newRunIds(systemClock);
  const answer = emptyAnswer(place, runIds);
  await beginTurn(queue, place, runIds);

  const endedAt = systemClock.timestamp();
  const end = { state: "completed", endedAt, messageId: answer.id, usage: null, errorCode: null } as const;
  const completed: TurnEnd = { place, runIds, message: { ...answer, content: "Whole." }, end };
  return { client, place, runIds, completed };
}

it("does not return the message of a run that has been answered meanwhile", async () => {
  const { client, place, runIds, completed } = await begun();
  await turns.end(completed);

  await turns.end({
    place,
    runIds,
    message: null,
    end: { ...completed.end, state: "interrupted", messageId: null },
  });

  expect(await messagesUsed(client.email)).toBe(1);
});

it("returns the stored end, even if it arrived during recovery", async () => {
  const { client, place, runIds, completed } = await begun();
  const cursors = new Cursors(await deriveHmacKey("secret", "test"));
  const runs = new RunRepository({ table, cursors });
  const messages = new MessageRepository({ table, cursors });
  const late = new (class extends TurnRepository {
    override async end(end: TurnEnd) {
      await turns.end(completed);
      await super.end(end);
    }
  })({ table, rules: { isSuperuser: () => false } });
  const logged = { place, runIds, state: "running", reserved: 256, lastSeq: null, expiresAt: 0 } as const;

  const event = await recoverRun(logged, [], { runs, turns: late, messages, clock: systemClock });

  expect(event).toEqual({ ...completedEvent(runIds.answerId, false), text: "Whole." });
  expect((await runs.find(place.conversationId, runIds.runId))?.state).toBe("completed");
  const stored = await messages.find(place.conversationId, runIds.answeredAt, runIds.answerId);
  expect(stored).toMatchObject({ content: "Whole.", status: "complete" });
  expect(await messagesUsed(client.email)).toBe(1);
});

import { expect, it } from "vitest";
import { MessageRepository } from "../../src/messages/repository.ts";
import { completedEvent } from "../../src/runs/turn-end.ts";
import { RunRepository } from "../../src/runs/repository.ts";
import { settleRun } from "../../src/runs/settle.ts";
import { emptyAnswer, seedRun } from "../../src/runs/turn.ts";
import { type TurnEnd, TurnRepository } from "../../src/runs/turn-repository.ts";
import { systemClock } from "../../src/shared/clock.ts";
import { deriveHmacKey } from "../../src/shared/crypto.ts";
import { Cursors } from "../../src/table/cursor.ts";
import { beginConversation, signUp, table } from "../support/app.ts";
import { messagesUsed } from "../support/items.ts";

const turns = new TurnRepository(table, { isSuperuser: () => false });

/** A run that has begun, and its end as its runner would store it. */
async function begun() {
  const client = await signUp();
  const { agentId, conversationId } = await beginConversation(client);
  const place = { owner: client.email, agentId, conversationId };
  const seed = seedRun(systemClock);
  const answer = emptyAnswer(place, seed);
  const asked = { ...answer, id: seed.userMessageId, role: "user", content: "Hello" } as const;
  await turns.begin(place, seed, asked, null);

  const endedAt = systemClock.timestamp();
  const end = { state: "completed", endedAt, messageId: answer.id, usage: null, errorCode: null } as const;
  const completed: TurnEnd = { place, seed, message: { ...answer, content: "Whole." }, end };
  return { client, place, seed, completed };
}

it("does not give back the message of a run that has been answered meanwhile", async () => {
  const { client, place, seed, completed } = await begun();
  await turns.end(completed);

  await turns.end({
    place,
    seed,
    message: null,
    end: { ...completed.end, state: "interrupted", messageId: null },
  });

  expect(await messagesUsed(client.email)).toBe(1);
});

it("tells of the end that stands, also when it arrived while the run was being settled", async () => {
  const { client, place, seed, completed } = await begun();
  const cursors = new Cursors(await deriveHmacKey("secret", "test"));
  const runs = new RunRepository(table, cursors);
  const messages = new MessageRepository(table, cursors);
  const late = new (class extends TurnRepository {
    override async end(end: TurnEnd) {
      await turns.end(completed);
      await super.end(end);
    }
  })(table, { isSuperuser: () => false });
  const logged = { place, seed, state: "running", reserved: 256, lastSeq: null } as const;

  const event = await settleRun(logged, [], { runs, turns: late, messages, clock: systemClock });

  expect(event).toEqual(completedEvent(seed.answerId));
  expect((await runs.find(place.conversationId, seed.runId))?.state).toBe("completed");
  const stored = await messages.find(place.conversationId, seed.answeredAt, seed.answerId);
  expect(stored).toMatchObject({ content: "Whole.", status: "complete" });
  expect(await messagesUsed(client.email)).toBe(1);
});

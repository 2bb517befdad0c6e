import { expect, it } from "vitest";
import { CASES, longConversation, UNSTATED } from "../support/long-conversation.ts";

it.each(CASES)(
  "answers with 100,000 characters of %s in everything and an unstated window of %i tokens",
  async (kind, tokens) => {
    const { ask, askLong, asked } = await longConversation(kind, tokens, UNSTATED, {});

    const first = await ask("Hello");
    const refused = (await asked()) - 3;
    const turns = [first, await ask("Hello"), await askLong(), await ask("Go on")];

    expect(turns.map(({ last }) => last?.event_type)).toEqual(turns.map(() => "STREAM_COMPLETE"));
    expect(refused).toBeLessThanOrEqual(2);
    // What the first turn has learned holds for the others.
    expect(await asked()).toBe(6 + refused);
  },
);

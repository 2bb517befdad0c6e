import { expect, it } from "vitest";
import { CASES, longConversation, STATED } from "../support/long-conversation.ts";

it.each(CASES)(
  "fits a conversation with 100,000 characters of %s in everything into a window of %i tokens that the agent states",
  async (kind, tokens) => {
    const { ask, askLong, asked } = await longConversation(kind, tokens, STATED, { context_window: tokens });

    const turns = [await ask("Hello"), await askLong(), await ask("Go on")];

    expect(turns.map(({ last }) => last?.event_type)).toEqual(turns.map(() => "STREAM_COMPLETE"));
    // Three requests for the first turn and one for each other: none was refused.
    expect(await asked()).toBe(5);
  },
);

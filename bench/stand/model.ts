import { setTimeout as sleep } from "node:timers/promises";
import { textOf } from "../../scripts/model-reply.ts";
import type { ChatRequest, ReplyStep, Responder } from "../../scripts/model-server.ts";

/** A message that is answered with five words. */
export const SHORT = "Answer briefly.";
/** A message that is answered with a tool call, and then with 500 words at about 100 a second. */
export const LONG = "Use a tool, then answer at length.";
/** Like `LONG`, without the tool call. */
export const LONG_ONLY = "Answer at length.";
/** A message that is answered with a search in archival memory, and then with five words. */
export const SEARCHING = "Search, then answer briefly.";
/** A message whose answer begins with 100 words, and ends when the model is released. */
export const HELD = "Answer, then wait.";

const LONG_WORDS = 500;
const HELD_WORDS = 100;
const SHORT_WORDS = 5;
/** With what a timer adds, about 10 ms a word. */
const WORD_MS = 9;

/** The model of the benchmarks. All times are on the clock of `performance.now()`. */
export interface ScriptedModel {
  readonly respond: Responder;
  /** Returns when it was last asked. */
  readonly askedAt: () => number;
  /** Returns when it last said a word of a long answer. */
  readonly saidAt: (word: string) => number;
  /** Ends all answers that are held, and begins to hold new ones. */
  readonly release: () => void;
}

/** Returns a model whose answers depend on the message. `query` returns what it searches archival memory for. */
export function scriptedModel(query: () => string): ScriptedModel {
  let askedAt = 0;
  let held = Promise.withResolvers<void>();
  const saidAt = new Map<string, number>();

  async function* answer(request: ChatRequest): AsyncGenerator<ReplyStep, void, void> {
    askedAt = performance.now();
    const asked = request.messages.findLast(({ role }) => role === "user");
    // The service adds the time to the message.
    const text = asked ? textOf(asked.content) : "";
    const isFirst = request.messages.at(-1)?.role === "user";

    if (text.includes(LONG) && isFirst) {
      const fact = { block: "human", content: `Fact ${crypto.randomUUID()}` };
      yield { call: { name: "core_memory_append", arguments: JSON.stringify(fact) } };
    } else if (text.includes(SEARCHING) && isFirst) {
      yield { call: { name: "archival_memory_search", arguments: JSON.stringify({ query: query() }) } };
    } else if (text.includes(HELD)) {
      yield* wordsOf(HELD_WORDS);
      await held.promise;
    } else if (text.includes(LONG) || text.includes(LONG_ONLY)) {
      for (let index = 0; index < LONG_WORDS; index++) {
        const word = `word${index}`;
        saidAt.set(word, performance.now());
        yield { text: `${word} ` };
        await sleep(WORD_MS);
      }
    } else yield* wordsOf(SHORT_WORDS);
  }

  return {
    respond: answer,
    askedAt: () => askedAt,
    saidAt: (word) => saidAt.get(word) ?? Number.NaN,
    release() {
      held.resolve();
      held = Promise.withResolvers();
    },
  };
}

const wordsOf = (count: number): readonly ReplyStep[] =>
  Array.from({ length: count }, (_, index) => ({ text: `word${index} ` }));

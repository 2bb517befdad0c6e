import type { FinishReason, ModelChunk } from "../../src/llm/model.ts";
import { openWith, type Protocol, type Step, streamed } from "./protocols/protocol.ts";

const USAGE = { inputTokens: 30, outputTokens: 14, cachedTokens: 10 };
export const call = (name: string, text: string) => ({ id: `id_${name}`, name, arguments: text });
export const ONE = call("one", '{"x":"é 👋"}');
const TWO = call("two", "{}");
export const THREE = call("three", '{"list":[1,{"deep":"\\"quoted\\""}]}');

export const text = (value: string): ModelChunk => ({ type: "text", text: value });
const reasoning = (value: string): ModelChunk => ({ type: "reasoning", text: value });
export const called = (made: typeof ONE): ModelChunk => ({ type: "call", call: made });
const usage: ModelChunk = { type: "usage", usage: USAGE };
export const finish = (reason: FinishReason): ModelChunk => ({ type: "finish", reason });

/** What a server sends, and the expected chunks: the same for every provider. */
export const CASES: readonly (readonly [string, readonly Step[], readonly ModelChunk[]])[] = [
  [
    "text",
    [{ text: "Grüß " }, { text: "dich 👋" }, { stop: "answer" }],
    [text("Grüß "), text("dich 👋"), finish("stop")],
  ],
  [
    "text that was cut for its length",
    [{ text: "Once" }, { stop: "length" }],
    [text("Once"), finish("length")],
  ],
  ["one tool", [{ call: ONE }, { stop: "calls" }], [called(ONE), finish("tool-calls")]],
  ["a tool without arguments", [{ call: TWO }, { stop: "calls" }], [called(TWO), finish("tool-calls")]],
  [
    "three tools at once",
    [{ calls: [ONE, TWO, THREE] }, { stop: "calls" }],
    [called(ONE), called(TWO), called(THREE), finish("tool-calls")],
  ],
  [
    "text, then a tool",
    [{ text: "Let me see." }, { call: THREE }, { stop: "calls" }],
    [text("Let me see."), called(THREE), finish("tool-calls")],
  ],
  [
    "a tool, then text",
    [{ call: ONE }, { text: "There." }, { stop: "calls" }],
    [text("There."), called(ONE), finish("tool-calls")],
  ],
  [
    "thinking, apart from the text",
    [{ thinking: "Hmm" }, { text: "Yes" }, { stop: "answer" }],
    [reasoning("Hmm"), text("Yes"), finish("stop")],
  ],
  ["usage", [{ text: "Hi" }, { stop: "answer", usage: USAGE }], [text("Hi"), usage, finish("stop")]],
  [
    "everything",
    [{ thinking: "Hm" }, { text: "A" }, { calls: [ONE, TWO] }, { stop: "calls", usage: USAGE }],
    [reasoning("Hm"), text("A"), usage, called(ONE), called(TWO), finish("tool-calls")],
  ],
];

/** The data that a provider expects back differs, and has tests of its own. */
export const read = async (protocol: Protocol, pieces: readonly Uint8Array[]): Promise<ModelChunk[]> => {
  const model = openWith(protocol, () => Promise.resolve(streamed(protocol, pieces)));
  const messages = [{ role: "user", content: "Hi" }] as const;
  const chunks = await Array.fromAsync(model.stream({ messages, tools: [] }, new AbortController().signal));
  return chunks.filter(({ type }) => type !== "provider-data");
};

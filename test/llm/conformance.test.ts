import { describe, expect, it } from "vitest";
import type { FinishReason, ModelChunk } from "../../src/llm/model.ts";
import { PROTOCOLS } from "./protocols/all.ts";
import { openWith, type Protocol, type Step, streamed } from "./protocols/protocol.ts";

const USAGE = { inputTokens: 30, outputTokens: 14, cachedTokens: 10 };
const call = (name: string, text: string) => ({ id: `id_${name}`, name, arguments: text });
const ONE = call("one", '{"x":"é 👋"}');
const TWO = call("two", "{}");
const THREE = call("three", '{"list":[1,{"deep":"\\"quoted\\""}]}');

const text = (value: string): ModelChunk => ({ type: "text", text: value });
const reasoning = (value: string): ModelChunk => ({ type: "reasoning", text: value });
const called = (made: typeof ONE): ModelChunk => ({ type: "call", call: made });
const usage: ModelChunk = { type: "usage", usage: USAGE };
const finish = (reason: FinishReason): ModelChunk => ({ type: "finish", reason });

/** What a server sends, and the expected chunks: the same for every provider. */
const CASES: readonly (readonly [string, readonly Step[], readonly ModelChunk[]])[] = [
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
const read = async (protocol: Protocol, pieces: readonly Uint8Array[]): Promise<ModelChunk[]> => {
  const model = openWith(protocol, () => Promise.resolve(streamed(protocol, pieces)));
  const messages = [{ role: "user", content: "Hi" }] as const;
  const chunks = await Array.fromAsync(model.stream({ messages, tools: [] }, new AbortController().signal));
  return chunks.filter(({ type }) => type !== "provider-data");
};

// Scenario 8.
describe.each(PROTOCOLS)("%s", (name, protocol) => {
  it.each(CASES)("reads %s", async (_case, steps, expected) => {
    expect(await read(protocol, [protocol.encode(steps)])).toEqual(expected);
  });

  // Compatible servers share OpenAI's reader.
  it.each(name === "OpenAICompatible" ? [] : CASES)(
    "reads %s the same wherever the bytes are cut",
    async (_case, steps, expected) => {
      const whole = protocol.encode(steps);

      for (let at = 1; at < whole.length; at++)
        expect(await read(protocol, [whole.slice(0, at), whole.slice(at)]), `cut at ${at}`).toEqual(expected);
      expect(
        await read(
          protocol,
          Array.from(whole, (byte) => Uint8Array.of(byte)),
        ),
      ).toEqual(expected);
    },
  );

  it("never accepts an answer as complete that is cut off in its text", async () => {
    const whole = protocol.encode([{ text: "One" }, { text: "Two" }]);

    for (let at = 0; at <= whole.length; at++)
      await expect(read(protocol, [whole.slice(0, at)]), `ends at ${at}`).rejects.toMatchObject({
        code: expect.stringMatching(/^provider-(?:truncated|unavailable)$/u),
      });
  });

  it("accepts complete calls without a stop reason, and no calls that are cut off", async () => {
    expect(await read(protocol, [protocol.encode([{ calls: [ONE, THREE] }])])).toEqual([
      called(ONE),
      called(THREE),
      finish("tool-calls"),
    ]);

    const broken = protocol.encode([{ call: call("one", '{"x":') }]);
    await expect(read(protocol, [broken])).rejects.toMatchObject({ code: "provider-truncated" });
  });

  it.each([
    ["an overload", [{ error: "overloaded" }], "provider-unavailable", true],
    ["a limit of requests", [{ error: "rate" }], "provider-rate", true],
    ["a refusal", [{ error: "rejected" }], "provider-unavailable", false],
    ["nonsense", [{ garbage: true }], "provider-unavailable", true],
    ["a stop for the content", [{ stop: "content" }], "provider-content", false],
  ] as const)(
    "keeps the text before %s in the middle of an answer, and reports it",
    async (_case, steps, code, retryable) => {
      const model = openWith(protocol, () =>
        Promise.resolve(streamed(protocol, [protocol.encode([{ text: "Half" }, ...steps])])),
      );
      const seen: ModelChunk[] = [];

      const reading = (async () => {
        const messages = [{ role: "user", content: "Hi" }] as const;
        for await (const chunk of model.stream({ messages, tools: [] }, new AbortController().signal))
          seen.push(chunk);
      })();

      await expect(reading).rejects.toMatchObject({ code, retryable });
      expect(seen).toEqual([text("Half")]);
    },
  );
});

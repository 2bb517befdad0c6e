import { describe, expect, it } from "vitest";
import type { ModelChunk } from "../../src/llm/model.ts";
import { call, called, CASES, finish, ONE, read, text, THREE } from "./conformance-cases.ts";
import { PROTOCOLS } from "./protocols/all.ts";
import { openWith, streamed } from "./protocols/protocol.ts";

// Scenario 8.
describe.each(PROTOCOLS)("%s", (_name, protocol) => {
  it.each(CASES)("reads %s", async (_case, steps, expected) => {
    expect(await read(protocol, [protocol.encode(steps)])).toEqual(expected);
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

import { describe, expect, it } from "vitest";
import { CASES, read } from "./conformance-cases.ts";
import { PROTOCOLS } from "./protocols/all.ts";

// Scenario 8.
describe.each(PROTOCOLS)("%s", (name, protocol) => {
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
});

import { describe, expect, it } from "vitest";
import { ANTHROPIC_CASES } from "./fixtures/anthropic-streams.ts";
import { CALL_CASES, ERROR_CASES, REASONING_CASES, SHAPE_CASES } from "./fixtures/openai-streams.ts";
import { RESPONSES_CASES } from "./fixtures/responses-streams.ts";
import type { StreamCase } from "./fixtures/stream-case.ts";
import { anthropicProtocol } from "./protocols/anthropic.ts";
import { compatibleProtocol } from "./protocols/openai.ts";
import { responsesProtocol } from "./protocols/responses.ts";
import { bytesOf, type Protocol } from "./protocols/protocol.ts";
import { expectation, read } from "./whole-answer.ts";

const named = ([name, text, expected, contentType = "text/event-stream"]: StreamCase) => ({
  name,
  text,
  expected,
  contentType,
});

describe.each<[string, Protocol, readonly StreamCase[]]>([
  ["tool calls", compatibleProtocol, CALL_CASES],
  ["shapes and framings", compatibleProtocol, SHAPE_CASES],
  ["reasoning", compatibleProtocol, REASONING_CASES],
  ["Anthropic", anthropicProtocol, ANTHROPIC_CASES],
  ["Responses", responsesProtocol, RESPONSES_CASES],
])("%s", (_name, protocol, cases) => {
  it.each(cases.filter(([, , { error }]) => !error).map(named))(
    "reads $name, wherever the bytes are cut",
    async ({ text, expected, contentType }) => {
      const whole = bytesOf(text);
      expect(await read(protocol, [whole], contentType)).toMatchObject(expectation(expected));
      for (let at = 1; at < whole.length; at += 3) {
        const summary = await read(protocol, [whole.slice(0, at), whole.slice(at)], contentType);
        expect({ at, ...summary }).toMatchObject({ at, ...expectation(expected) });
      }
      const bytes = Array.from(whole, (byte) => Uint8Array.of(byte));
      expect(await read(protocol, bytes, contentType)).toMatchObject(expectation(expected));
    },
  );
});

const FAILING = (
  [
    [compatibleProtocol, ERROR_CASES],
    [anthropicProtocol, ANTHROPIC_CASES],
    [responsesProtocol, RESPONSES_CASES],
  ] as const
).flatMap(([protocol, cases]) =>
  cases.filter(([, , { error }]) => error).map((one) => ({ protocol, ...named(one) })),
);

it.each(FAILING)("reports $name with its own meaning", async ({ protocol, text, expected, contentType }) => {
  expect(await read(protocol, [bytesOf(text)], contentType)).toMatchObject(expectation(expected));
});

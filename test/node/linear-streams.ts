import { ANTHROPIC_FINISHES, AnthropicReader } from "../../src/llm/anthropic-answer.ts";
import { Answer, type Decoder } from "../../src/llm/answer.ts";
import { AwsEventDecoder } from "../../src/llm/aws-event-stream.ts";
import { BEDROCK_FINISHES, BedrockReader } from "../../src/llm/bedrock-answer.ts";
import { JsonEventDecoder } from "../../src/llm/event-stream.ts";
import { OPENAI_FINISHES, OpenAiReader } from "../../src/llm/openai-answer.ts";
import { RESPONSES_FINISHES, ResponsesReader } from "../../src/llm/responses-answer.ts";
import { utf8 } from "../../src/shared/crypto.ts";
import type { Json } from "../../src/shared/json.ts";
import type { HardText, Reads } from "./linear.ts";
import { piecesOf, withLength } from "./linear-inputs.ts";

/** Decodes bytes in pieces of 64, up to the error that nonsense ends in. */
function decode(bytes: Uint8Array, decoder: Decoder): void {
  try {
    for (let at = 0; at < bytes.length; at += 64) decoder.push(bytes.subarray(at, at + 64));
    decoder.end();
  } catch (error) {
    if (!(error instanceof Error)) throw error;
  }
}

const decodeOpenAi = (text: string): void => {
  const answer = new Answer({ source: "api.test/m", finishes: OPENAI_FINISHES });
  decode(utf8(text), new JsonEventDecoder(new OpenAiReader(answer)));
  answer.end();
};
const deltas = (deltas: readonly object[]): string =>
  deltas.map((delta) => `data: ${JSON.stringify({ choices: [{ delta }] })}\n`).join("");

const readResponses = (events: readonly Json[]): void => {
  const answer = new Answer({ source: "api.test/responses/m", finishes: RESPONSES_FINISHES });
  const reader = new ResponsesReader(answer);
  for (const event of events) reader.take(event);
  answer.end();
};
const itemsDone = (items: readonly Json[]): readonly Json[] =>
  items.map((item, output_index) => ({ type: "response.output_item.done", output_index, item }));

/** The readers of streamed answers. */
export const STREAM_READERS: Readonly<Record<string, Reads>> = {
  "llm/anthropic-answer: counts that never end": (text) => {
    const answer = new Answer({ source: "anthropic/m", finishes: ANTHROPIC_FINISHES });
    const reader = new AnthropicReader(answer);
    for (const [index, piece] of piecesOf(text).entries())
      reader.take({
        type: "message_delta",
        usage: { [piece + String(index)]: index, output_tokens: index },
      });
    return answer.usage;
  },
  "llm/event-stream: events": decodeOpenAi,
  "llm/event-stream: one event": (text) => decodeOpenAi(`data: ${JSON.stringify({ text })}\n\n`),
  "llm/event-stream: JSON lines": (text) =>
    decodeOpenAi(
      piecesOf(text)
        .map((content) => `${JSON.stringify({ message: { content } })}\n`)
        .join(""),
    ),
  "llm/openai-answer: text in pieces": (text) =>
    decodeOpenAi(deltas(piecesOf(text).map((content) => ({ content })))),
  "llm/openai-answer: one call in pieces": (text) =>
    decodeOpenAi(
      deltas(
        piecesOf(text).map((piece) => ({
          tool_calls: [{ id: "a", function: { name: "one", arguments: piece } }],
        })),
      ),
    ),
  "llm/openai-answer: reasoning in pieces": (text) =>
    decodeOpenAi(
      deltas(
        piecesOf(text).map((piece) => ({
          reasoning_details: [{ type: "reasoning.text", index: 0, text: piece }],
        })),
      ),
    ),
  "llm/responses-answer: text in pieces": (text) =>
    readResponses(piecesOf(text).map((delta) => ({ type: "response.output_text.delta", delta }))),
  "llm/responses-answer: summaries in pieces": (text) =>
    readResponses(
      piecesOf(text).flatMap((delta) => [
        { type: "response.reasoning_summary_part.added" },
        { type: "response.reasoning_summary_text.delta", delta },
      ]),
    ),
  "llm/responses-answer: one call in pieces": (text) =>
    readResponses([
      { type: "response.output_item.added", item: { type: "function_call", call_id: "a", name: "one" } },
      ...piecesOf(text).map((delta) => ({ type: "response.function_call_arguments.delta", delta })),
      { type: "response.function_call_arguments.done", arguments: text },
    ]),
  "llm/responses-answer: many items": (text) =>
    readResponses(
      itemsDone([
        { type: "function_call", call_id: text, name: text, arguments: text },
        ...piecesOf(text).map((piece) => ({ type: "reasoning", id: piece, encrypted_content: piece })),
        ...piecesOf(text).map((piece) => ({ type: "message", phase: piece, content: [{ text: piece }] })),
      ]),
    ),
  "llm/think-tags: ThinkTags": (text) =>
    decodeOpenAi(deltas(["<think>", ...piecesOf(text)].map((content) => ({ content })))),
  "llm/aws-event-stream: AwsEventDecoder": (text) =>
    decode(
      withLength(utf8(text)),
      new AwsEventDecoder(new BedrockReader(new Answer({ source: "bedrock/m", finishes: BEDROCK_FINISHES }))),
    ),
};

/** Texts that are hard for one of these functions. */
export const STREAM_TEXTS: readonly HardText[] = [
  [
    "llm/event-stream: one event of many lines",
    decodeOpenAi,
    (size) => `data: {"text":\n${"data: \n".repeat(size)}`,
  ],
  ["llm/event-stream: a document", decodeOpenAi, (size) => `{"text":${"\n".repeat(size)}`],
];

import { EventStreamCodec } from "@smithy/eventstream-codec";
import * as z from "zod";
import { badOrder, bytesOf, type Protocol, type RefusalKind, type Step, type Stop } from "./protocol.ts";

const decoder = new TextDecoder();
const codec = new EventStreamCodec(
  (bytes) => (typeof bytes === "string" ? bytes : decoder.decode(bytes)),
  bytesOf,
);

const text = (value: string) => ({ type: "string" as const, value });

/** A message of the event stream; the padding hides the length of what is in it from eavesdroppers. */
const message = (kind: "event" | "exception", type: string, body: object): Uint8Array =>
  codec.encode({
    headers: {
      [`:${kind}-type`]: text(type),
      ":content-type": text("application/json"),
      ":message-type": text(kind),
    },
    body: bytesOf(JSON.stringify({ ...body, p: "abcd" })),
  });

const event = (type: string, body: object) => message("event", type, body);

const STOP: Record<Stop, string> = {
  answer: "end_turn",
  calls: "tool_use",
  length: "max_tokens",
  content: "content_filtered",
};

const ERRORS = {
  overloaded: ["modelStreamErrorException", "The model broke"],
  rate: ["throttlingException", "Slow down"],
  rejected: ["validationException", "No"],
} as const;

function encode(steps: readonly Step[]): Uint8Array {
  let index = 0;
  const grown = (delta: object) => [
    event("contentBlockDelta", { contentBlockIndex: index, delta }),
    event("contentBlockStop", { contentBlockIndex: index++ }),
  ];
  const parts = steps.flatMap((step): Uint8Array[] => {
    if ("text" in step) return grown({ text: step.text });
    if ("thinking" in step) return grown({ reasoningContent: { text: step.thinking } });
    if ("call" in step) return callOf(index++, step.call);
    if ("calls" in step) return step.calls.flatMap((call) => callOf(index++, call));
    if ("error" in step)
      return [message("exception", ERRORS[step.error][0], { message: ERRORS[step.error][1] })];
    if ("garbage" in step)
      return [Uint8Array.of(0, 0, 0, 20, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 9, 9, 9)];
    const { stop, usage } = step;
    const counts = {
      inputTokens: (usage?.inputTokens ?? 0) - (usage?.cachedTokens ?? 0) - 2,
      cacheReadInputTokens: usage?.cachedTokens,
      cacheWriteInputTokens: 2,
      outputTokens: usage?.outputTokens,
    };
    const end = event("messageStop", { stopReason: STOP[stop] });
    return usage ? [end, event("metadata", { usage: counts, metrics: { latencyMs: 9 } })] : [end];
  });
  return Uint8Array.from(
    [event("messageStart", { role: "assistant" }), ...parts].flatMap((part) => [...part]),
  );
}

function callOf(
  contentBlockIndex: number,
  call: { id: string; name: string; arguments: string },
): Uint8Array[] {
  const pieces = call.arguments === "{}" ? [] : [call.arguments.slice(0, 3), call.arguments.slice(3)];
  return [
    event("contentBlockStart", {
      contentBlockIndex,
      start: { toolUse: { toolUseId: call.id, name: call.name } },
    }),
    ...pieces.map((input) =>
      event("contentBlockDelta", { contentBlockIndex, delta: { toolUse: { input } } }),
    ),
    event("contentBlockStop", { contentBlockIndex }),
  ];
}

const said = (status: number, type: string, message: string) => ({
  status,
  headers: { "x-amzn-errortype": `${type}:http://internal.amazon.com/coral/` },
  body: { message },
});

function refusal(kind: RefusalKind, key: string) {
  const table: Record<RefusalKind, ReturnType<typeof said>> = {
    auth: said(403, "UnrecognizedClientException", `The security token ${key} is invalid.`),
    forbidden: said(403, "AccessDeniedException", `User ${key} is not authorized to perform this`),
    quota: said(429, "ThrottlingException", "Too many tokens per day, please wait before trying again."),
    rate: said(429, "ThrottlingException", "Too many requests, please wait before trying again."),
    overflow: said(400, "ValidationException", "Input is too long for requested model."),
    content: said(400, "ValidationException", "Output blocked by content filtering policy"),
    "unknown model": said(400, "ValidationException", "The provided model identifier is invalid."),
    rejected: said(400, "ValidationException", `Malformed input request with ${key}`),
    broken: said(500, "InternalServerException", `It broke on ${key}`),
    overloaded: said(503, "ServiceUnavailableException", "Bedrock is unable to process your request."),
  };
  return table[kind];
}

const Point = z.strictObject({ cachePoint: z.strictObject({ type: z.literal("default") }) });
const Text = z.strictObject({ text: z.string().regex(/\S/u) });
const Use = z.strictObject({
  toolUse: z.strictObject({
    toolUseId: z.string().regex(/^[\w.:-]{1,64}$/u),
    name: z.string().regex(/^[\w-]{1,64}$/u),
    input: z.record(z.string(), z.unknown()),
  }),
});
const Result = z.strictObject({
  toolResult: z.strictObject({ toolUseId: z.string(), content: z.array(Text).min(1) }),
});
const ToolSpec = z.strictObject({
  toolSpec: z.strictObject({
    name: z.string().regex(/^[\w-]{1,64}$/u),
    description: z.string().min(1),
    inputSchema: z.strictObject({ json: z.looseObject({ type: z.literal("object") }) }),
  }),
});
const Body = z.strictObject({
  messages: z.array(
    z.strictObject({
      role: z.enum(["user", "assistant"]),
      content: z.array(z.union([Text, Use, Result, Point])).min(1),
    }),
  ),
  system: z
    .array(z.union([Text, Point]))
    .min(1)
    .optional(),
  inferenceConfig: z
    .strictObject({
      temperature: z.number().min(0).max(1).optional(),
      maxTokens: z.number().int().min(1).optional(),
    })
    .optional(),
  toolConfig: z.strictObject({ tools: z.array(z.union([ToolSpec, Point])).min(1) }).optional(),
});

const URL_OF_MODEL =
  "https://bedrock-runtime.us-east-1.amazonaws.com/model/us.anthropic.claude-sonnet-4-20250514-v1%3A0/converse-stream";

function mistakeIn(request: Request, raw: unknown): string | undefined {
  if (request.url !== URL_OF_MODEL) return `unknown url ${request.url}`;
  const signed =
    /^AWS4-HMAC-SHA256 Credential=AKIA1\/\d{8}\/us-east-1\/bedrock\/aws4_request, SignedHeaders=/u;
  if (!signed.test(request.headers.get("authorization") ?? "")) return "not signed";
  const parsed = Body.safeParse(raw);
  if (!parsed.success) return z.prettifyError(parsed.error);

  const body = parsed.data;
  const points = JSON.stringify(body).split('"cachePoint"').length - 1;
  if (points > 4) return `at most 4 cache points, found ${points}`;
  const usesTools = body.messages.some(({ content }) =>
    content.some((part) => "toolUse" in part || "toolResult" in part),
  );
  if (usesTools && !body.toolConfig) return "The toolConfig field must be defined when using toolUse blocks.";

  for (const [index, { role, content }] of body.messages.entries()) {
    const uses = content.flatMap((part) => ("toolUse" in part ? [part.toolUse.toolUseId] : []));
    const results = content.flatMap((part) => ("toolResult" in part ? [part.toolResult.toolUseId] : []));
    if (role === "user" && uses.length > 0) return "User messages cannot contain tool uses.";
    if (role === "assistant" && results.length > 0) return "Assistant messages cannot contain tool results.";
    if (new Set(uses).size < uses.length) return "duplicate Ids in toolUse blocks";

    const before = body.messages[index - 1]?.content ?? [];
    const wanted = before.flatMap((part) => ("toolUse" in part ? [part.toolUse.toolUseId] : []));
    if (wanted.toSorted().join() !== results.toSorted().join())
      return `messages.${index}: expected toolResult blocks for ${wanted.join()}, found ${results.join()}`;
  }
  return badOrder(body.messages.map(({ role }) => role));
}

export const bedrockProtocol: Protocol = {
  name: "Bedrock",
  credentials: { access_key: "AKIA1", secret_key: "secret", region: "us-east-1" },
  model: "claude-sonnet-4",
  contentType: "application/vnd.amazon.eventstream",
  encode,
  refusal,
  mistakeIn,
};

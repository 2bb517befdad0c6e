import * as z from "zod";
import { badOrder, bytesOf, type Protocol, type RefusalKind, type Step, type Stop } from "./protocol.ts";

const event = (type: string, more: object = {}): string =>
  `event: ${type}\ndata: ${JSON.stringify({ type, ...more })}\n\n`;

const STOP: Record<Stop, string> = {
  answer: "end_turn",
  calls: "tool_use",
  length: "max_tokens",
  content: "refusal",
};

const ERRORS = {
  overloaded: { type: "overloaded_error", message: "Overloaded" },
  rate: { type: "rate_limit_error", message: "Slow down" },
  rejected: { type: "invalid_request_error", message: "No" },
};

const block = (index: number, start: object, deltas: readonly object[]): string =>
  [
    event("content_block_start", { index, content_block: start }),
    ...deltas.map((delta) => event("content_block_delta", { index, delta })),
    event("content_block_stop", { index }),
  ].join("");

function encode(steps: readonly Step[]): Uint8Array {
  const usage = steps.flatMap((step) => ("stop" in step && step.usage ? [step.usage] : []))[0];
  const counts = usage && {
    input_tokens: usage.inputTokens - usage.cachedTokens - 2,
    cache_read_input_tokens: usage.cachedTokens,
    cache_creation_input_tokens: 2,
    output_tokens: 1,
  };
  let index = 0;
  const words = steps.map((step) => {
    if ("text" in step)
      return block(index++, { type: "text", text: "" }, [{ type: "text_delta", text: step.text }]);
    if ("thinking" in step)
      return block(index++, { type: "thinking", thinking: "", signature: "" }, [
        { type: "thinking_delta", thinking: step.thinking },
        { type: "signature_delta", signature: "c2ln" },
      ]);
    if ("call" in step) return callOf(index++, step.call);
    if ("calls" in step) return step.calls.map((call) => callOf(index++, call)).join("");
    if ("error" in step) return event("error", { error: ERRORS[step.error] });
    if ("garbage" in step) return "event: ping\ndata: }{\n\n";
    const delta = { stop_reason: STOP[step.stop], stop_sequence: null };
    const grown = usage ? { output_tokens: usage.outputTokens, input_tokens: null } : {};
    return event("message_delta", { delta, usage: grown }) + event("message_stop");
  });
  const message = { id: "msg_1", type: "message", role: "assistant", content: [], usage: counts ?? {} };
  return bytesOf([event("message_start", { message }), event("ping"), ...words].join(""));
}

/** Arguments come in pieces, the first of them empty; those of a call without any do not come. */
function callOf(
  index: number,
  { id, name, arguments: text }: { id: string; name: string; arguments: string },
): string {
  const pieces = text === "{}" ? [""] : ["", text.slice(0, 3), text.slice(3)];
  const deltas = pieces.map((partial_json) => ({ type: "input_json_delta", partial_json }));
  return block(index, { type: "tool_use", id, name, input: {} }, deltas);
}

const said = (status: number, type: string, message: string) => ({
  status,
  body: { type: "error", error: { type, message } },
});

function refusal(kind: RefusalKind, key: string) {
  const table: Record<RefusalKind, ReturnType<typeof said>> = {
    auth: said(401, "authentication_error", `invalid x-api-key ${key}`),
    forbidden: said(403, "permission_error", `Not allowed with ${key}`),
    quota: said(400, "invalid_request_error", "Your credit balance is too low to access the Anthropic API."),
    rate: said(429, "rate_limit_error", `Rate limit reached for ${key}`),
    overflow: said(400, "invalid_request_error", "prompt is too long: 208310 tokens > 200000 maximum"),
    content: said(400, "invalid_request_error", "Output blocked by content filtering policy"),
    "unknown model": said(404, "not_found_error", "model: claude-9"),
    rejected: said(400, "invalid_request_error", `Bad request with ${key}`),
    broken: said(500, "api_error", `It broke on ${key}`),
    overloaded: said(529, "overloaded_error", "Overloaded"),
  };
  return table[kind];
}

const Cached = z.strictObject({ type: z.literal("ephemeral") }).optional();
const Text = z.strictObject({
  type: z.literal("text"),
  text: z.string().regex(/\S/u),
  cache_control: Cached,
});
const Use = z.strictObject({
  type: z.literal("tool_use"),
  id: z.string().regex(/^[\w-]+$/u),
  name: z.string().regex(/^[\w-]{1,128}$/u),
  input: z.record(z.string(), z.unknown()),
  cache_control: Cached,
});
const Result = z.strictObject({
  type: z.literal("tool_result"),
  tool_use_id: z.string(),
  content: z.string(),
  cache_control: Cached,
});
const Body = z.strictObject({
  model: z.string(),
  max_tokens: z.number().int().min(1).max(64_000),
  stream: z.literal(true),
  system: z.array(Text).min(1).optional(),
  temperature: z.number().min(0).max(1).optional(),
  messages: z.array(
    z.strictObject({
      role: z.enum(["user", "assistant"]),
      content: z.array(z.discriminatedUnion("type", [Text, Use, Result])).min(1),
    }),
  ),
  tools: z
    .array(
      z.strictObject({
        name: z.string().regex(/^[\w-]{1,128}$/u),
        description: z.string(),
        input_schema: z.looseObject({ type: z.literal("object") }),
        cache_control: Cached,
      }),
    )
    .min(1)
    .optional(),
  tool_choice: z.strictObject({ type: z.enum(["auto", "none"]) }).optional(),
});

function mistakeIn(request: Request, raw: unknown): string | undefined {
  const { headers, url } = request;
  if (url !== "https://api.anthropic.com/v1/messages") return `unknown url ${url}`;
  if (headers.get("x-api-key") !== "sk-ant" || headers.get("anthropic-version") !== "2023-06-01")
    return "headers";
  const parsed = Body.safeParse(raw);
  if (!parsed.success) return z.prettifyError(parsed.error);

  const body = parsed.data;
  const marks = JSON.stringify(body).split('"cache_control":').length - 1;
  if (marks > 4) return `A maximum of 4 blocks with cache_control may be provided. Found ${marks}.`;
  const usesTools = body.messages.some(({ content }) => content.some(({ type }) => type !== "text"));
  if (usesTools && !body.tools) return "Requests which include tool blocks must define tools";

  const seen = new Set<string>();
  for (const [index, { role, content }] of body.messages.entries()) {
    const uses = content.flatMap((part) => (part.type === "tool_use" ? [part.id] : []));
    const results = content.flatMap((part) => (part.type === "tool_result" ? [part.tool_use_id] : []));
    if (role === "user" && uses.length > 0) return "tool_use in a user message";
    if (role === "assistant" && results.length > 0) return "tool_result in an assistant message";
    if (uses.some((id) => seen.has(id))) return "tool_use ids must be unique";
    for (const id of uses) seen.add(id);

    const before = body.messages[index - 1]?.content ?? [];
    const wanted = before.flatMap((part) => (part.type === "tool_use" ? [part.id] : []));
    if (wanted.toSorted().join() !== results.toSorted().join())
      return `messages.${index}: tool_use ids ${wanted.join()} were answered by ${results.join()}`;
    const firstText = content.findIndex(({ type }) => type === "text");
    const lastResult = content.findLastIndex(({ type }) => type === "tool_result");
    if (firstText >= 0 && lastResult > firstText) return "tool_result blocks have to come first";
  }
  if (body.messages.at(-1)?.role === "assistant")
    return "This model does not support assistant message prefill.";
  return badOrder(body.messages.map(({ role }) => role));
}

export const anthropicProtocol: Protocol = {
  name: "Anthropic",
  credentials: { api_key: "sk-ant" },
  model: "claude-sonnet-4-6",
  contentType: "text/event-stream",
  encode,
  refusal,
  mistakeIn,
};

import * as z from "zod";
import { bytesOf, type Protocol, type RefusalKind, type Step, type Stop } from "./protocol.ts";

const event = (data: unknown): string => `data: ${JSON.stringify(data)}\n\n`;
const chunk = (delta: object, finish_reason: string | null = null): string =>
  event({ id: "x", object: "chat.completion.chunk", choices: [{ index: 0, delta, finish_reason }] });

const FINISH: Record<Stop, string> = {
  answer: "stop",
  calls: "tool_calls",
  length: "length",
  content: "content_filter",
};

const ERRORS = {
  overloaded: { message: "Overloaded", type: "server_error", code: 502 },
  rate: { message: "Slow down", type: "requests", code: "rate_limit_exceeded" },
  rejected: { message: "No", type: "invalid_request_error", code: 400 },
};

function wordsOf(step: Step): string {
  if ("text" in step) return chunk({ content: step.text });
  if ("thinking" in step) return chunk({ reasoning_content: step.thinking });
  if ("call" in step) return callsOf([step.call]);
  if ("calls" in step) return callsOf(step.calls);
  if ("error" in step) return event({ error: ERRORS[step.error] });
  if ("garbage" in step) return "data: }{\n\n";

  const { stop, usage } = step;
  const counts = usage && {
    choices: [],
    usage: {
      prompt_tokens: usage.inputTokens,
      completion_tokens: usage.outputTokens,
      prompt_tokens_details: { cached_tokens: usage.cachedTokens },
    },
  };
  return `${chunk({}, FINISH[stop])}${counts ? event(counts) : ""}data: [DONE]\n\n`;
}

/** The pieces of several calls come in each other's way. */
function callsOf(calls: readonly { id: string; name: string; arguments: string }[]): string {
  const begun = calls.map(({ id, name }, index) =>
    chunk({ tool_calls: [{ index, id, type: "function", function: { name, arguments: "" } }] }),
  );
  const half = (text: string) => Math.ceil(text.length / 2);
  const pieces = [0, 1].flatMap((part) =>
    calls.map(({ arguments: text }, index) => {
      const piece = part === 0 ? text.slice(0, half(text)) : text.slice(half(text));
      return chunk({ tool_calls: [{ index, function: { arguments: piece } }] });
    }),
  );
  return [...begun, ...pieces].join("");
}

const said = (status: number, code: string | null, message: string) => ({
  status,
  body: { error: { message, type: "some_error", param: null, code } },
});

function refusal(kind: RefusalKind, key: string) {
  const table: Record<RefusalKind, ReturnType<typeof said>> = {
    auth: said(401, "invalid_api_key", `Incorrect API key provided: ${key}`),
    forbidden: said(403, null, `Not allowed with ${key}`),
    quota: said(429, "insufficient_quota", `You exceeded your quota, ${key}`),
    rate: said(429, "rate_limit_exceeded", `Rate limit reached for ${key}`),
    overflow: said(400, null, "This model's maximum context length is 8192 tokens, you asked for 9000"),
    content: said(400, "content_filter", "Filtered"),
    "unknown model": said(404, "model_not_found", "No such model"),
    rejected: said(400, null, `Bad request with ${key}`),
    broken: said(500, null, `It broke on ${key}`),
    overloaded: said(503, null, "Overloaded"),
  };
  return table[kind];
}

const Name = z.string().regex(/^[\w-]{1,64}$/u);
const Id = z.string().min(1).max(40);
const Call = z.strictObject({
  id: Id,
  type: z.literal("function"),
  function: z.strictObject({ name: Name, arguments: z.string() }),
});
const Message = z.discriminatedUnion("role", [
  z.strictObject({ role: z.enum(["system", "user"]), content: z.string() }),
  z.strictObject({
    role: z.literal("assistant"),
    content: z.string(),
    tool_calls: z.array(Call).min(1).optional(),
  }),
  z.strictObject({ role: z.literal("tool"), tool_call_id: Id, content: z.string() }),
]);
const Tool = z.strictObject({
  type: z.literal("function"),
  function: z.strictObject({
    name: Name,
    description: z.string(),
    parameters: z.looseObject({ type: z.literal("object") }),
  }),
});
const Body = z.strictObject({
  model: z.string(),
  messages: z.array(Message).min(1),
  stream: z.literal(true),
  stream_options: z.strictObject({ include_usage: z.boolean() }).optional(),
  tools: z.array(Tool).min(1).optional(),
  temperature: z.number().min(0).max(2).optional(),
  max_completion_tokens: z.number().int().positive().optional(),
  max_tokens: z.number().int().positive().optional(),
});

function mistakeIn(base: string, key: string, request: Request, raw: unknown): string | undefined {
  if (request.url !== `${base}/chat/completions`) return `unknown url ${request.url}`;
  if (request.headers.get("authorization") !== `Bearer ${key}`) return "no key";
  const body = Body.safeParse(raw);
  if (!body.success) return z.prettifyError(body.error);

  let open = new Set<string>();
  for (const message of body.data.messages) {
    if (message.role === "tool") {
      if (!open.delete(message.tool_call_id)) return "a tool message has to follow its tool call";
    } else {
      if (open.size > 0) return `tool_call_ids without a response: ${[...open].join(", ")}`;
      if (message.role === "assistant") open = new Set(message.tool_calls?.map(({ id }) => id));
    }
  }
  return open.size > 0 ? "tool_calls without a response at the end" : undefined;
}

const common = {
  contentType: "text/event-stream; charset=utf-8",
  encode: (steps: readonly Step[]) => bytesOf([": ping\n\n", ...steps.map(wordsOf)].join("")),
  refusal,
};

export const openAiProtocol: Protocol = {
  ...common,
  name: "OpenAI",
  credentials: { api_key: "sk-openai" },
  model: "gpt-4.1",
  mistakeIn: (request, body) => mistakeIn("https://api.openai.com/v1", "sk-openai", request, body),
};

export const compatibleProtocol: Protocol = {
  ...common,
  name: "OpenAICompatible",
  credentials: { api_key: "gsk-groq", base_url: "https://api.groq.com/openai/v1/" },
  model: "llama-3.3-70b",
  mistakeIn: (request, body) => mistakeIn("https://api.groq.com/openai/v1", "gsk-groq", request, body),
};

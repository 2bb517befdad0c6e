import * as z from "zod";
import { openAiProtocol } from "./openai.ts";
import { bytesOf, type Protocol, type Step, type Stop } from "./protocol.ts";

/** An event as the API sends it, with its type in the data and in front of them. */
export const responsesEvent = (type: string, data: object = {}): string =>
  `event: ${type}\ndata: ${JSON.stringify({ type, ...data })}\n\n`;

const ERRORS = {
  overloaded: { code: "server_error", message: "Overloaded" },
  rate: { code: "rate_limit_exceeded", message: "Slow down" },
  rejected: { code: "invalid_request_error", message: "No" },
};

type Call = { readonly id: string; readonly name: string; readonly arguments: string };

/** Writes the events of one answer. Consecutive pieces of text or of reasoning belong to one item. */
class Writer {
  #events = "";
  #index = -1;
  #open: { readonly kind: string; close(): void } | undefined;

  send(type: string, data: object = {}): void {
    this.#events += responsesEvent(type, data);
  }

  write(step: Step): void {
    if ("text" in step) {
      this.#begin("message", { role: "assistant", content: [] }, { content: [] });
      return this.send("response.output_text.delta", { output_index: this.#index, delta: step.text });
    }
    if ("thinking" in step) {
      this.#begin("reasoning", { summary: [] }, { summary: [], encrypted_content: "c2VjcmV0" });
      const part = { output_index: this.#index, summary_index: 0, delta: step.thinking };
      return this.send("response.reasoning_summary_text.delta", part);
    }
    if ("error" in step) return this.send("error", ERRORS[step.error]);
    if ("garbage" in step) return void (this.#events += "data: }{\n\n");
    this.#open?.close();
    this.#open = undefined;
    if ("call" in step) return this.#call([step.call]);
    if ("calls" in step) return this.#call(step.calls);
    return this.#stop(step.stop, step.usage);
  }

  get bytes(): Uint8Array {
    return bytesOf(this.#events);
  }

  #begin(kind: string, item: object, done: object): void {
    if (this.#open?.kind === kind) return;
    this.#open?.close();
    const output_index = ++this.#index;
    const whole = { id: `item_${output_index}`, type: kind, ...item };
    this.send("response.output_item.added", { output_index, item: whole });
    const close = () =>
      this.send("response.output_item.done", {
        output_index,
        item: { ...whole, ...done, status: "completed" },
      });
    this.#open = { kind, close };
  }

  /** The pieces of several calls come in each other's way. */
  #call(calls: readonly Call[]): void {
    const items = calls.map(({ id, name, arguments: text }) => {
      const item = { id: `fc_${id}`, type: "function_call", call_id: id, name, arguments: "" };
      return { output_index: ++this.#index, item, text };
    });
    for (const { output_index, item } of items)
      this.send("response.output_item.added", { output_index, item });
    const half = (text: string) => Math.ceil(text.length / 2);
    for (const piece of [
      (text: string) => text.slice(0, half(text)),
      (text: string) => text.slice(half(text)),
    ])
      for (const { output_index, text } of items)
        this.send("response.function_call_arguments.delta", { output_index, delta: piece(text) });
    for (const { output_index, item, text } of items) {
      this.send("response.function_call_arguments.done", { output_index, arguments: text });
      this.send("response.output_item.done", { output_index, item: { ...item, arguments: text } });
    }
  }

  #stop(stop: Stop, usage: Extract<Step, { readonly stop: Stop }>["usage"]): void {
    const reason = { length: "max_output_tokens", content: "content_filter", answer: "", calls: "" }[stop];
    const status = reason === "" ? "completed" : "incomplete";
    const counts = usage && {
      input_tokens: usage.inputTokens,
      input_tokens_details: { cached_tokens: usage.cachedTokens },
      output_tokens: usage.outputTokens,
      total_tokens: usage.inputTokens + usage.outputTokens,
    };
    this.send(`response.${status}`, {
      response: {
        object: "response",
        status,
        error: null,
        incomplete_details: reason === "" ? null : { reason },
        usage: counts ?? null,
        output: [],
      },
    });
  }
}

const Name = z.string().regex(/^[\w-]{1,64}$/u);
const Id = z.string().min(1).max(64);
const Item = z.union([
  z.strictObject({ role: z.enum(["user", "developer"]), content: z.string().min(1) }),
  z.strictObject({
    role: z.literal("assistant"),
    content: z.string().min(1),
    phase: z.enum(["commentary", "final_answer"]).optional(),
  }),
  z.strictObject({ type: z.literal("function_call"), call_id: Id, name: Name, arguments: z.string() }),
  z.strictObject({ type: z.literal("function_call_output"), call_id: Id, output: z.string() }),
  z.strictObject({
    type: z.literal("reasoning"),
    id: z.string().min(1),
    summary: z.array(z.strictObject({ type: z.literal("summary_text"), text: z.string() })),
    encrypted_content: z.string().min(1),
  }),
]);
const Tool = z.strictObject({
  type: z.literal("function"),
  name: Name,
  description: z.string(),
  parameters: z.looseObject({ type: z.literal("object") }),
  strict: z.literal(false),
});
const Body = z.strictObject({
  model: z.string(),
  stream: z.boolean(),
  store: z.literal(false),
  instructions: z.string().min(1).optional(),
  input: z.array(Item).min(1),
  tools: z.array(Tool).min(1).optional(),
  include: z.tuple([z.literal("reasoning.encrypted_content")]).optional(),
  reasoning: z.strictObject({ summary: z.literal("auto") }).optional(),
  max_output_tokens: z.number().int().min(16).optional(),
});

/** Returns why the API would refuse this request, or `undefined`. */
function mistakeIn(request: Request, raw: unknown): string | undefined {
  if (request.url !== "https://api.openai.com/v1/responses") return `unknown url ${request.url}`;
  if (request.headers.get("authorization") !== "Bearer sk-openai") return "no key";
  const body = Body.safeParse(raw);
  if (!body.success) return z.prettifyError(body.error);

  const open = new Set<string>();
  const { input } = body.data;
  for (const [index, item] of input.entries()) {
    if ("role" in item) continue;
    const next = input[index + 1];
    if (item.type === "reasoning" && (!next || ("role" in next && next.role !== "assistant")))
      return `Item '${item.id}' of type 'reasoning' was provided without its required following item.`;
    if (item.type === "function_call") open.add(item.call_id);
    if (item.type === "function_call_output" && !open.delete(item.call_id))
      return `No tool call found for function call output with call_id ${item.call_id}.`;
  }
  return open.size > 0 ? `No tool output found for function call ${[...open].join(", ")}.` : undefined;
}

/** A model of OpenAI that only the Responses API offers. */
export const responsesProtocol: Protocol = {
  ...openAiProtocol,
  label: "OpenAI (Responses)",
  model: "gpt-5.1-codex",
  takesTemperature: false,
  encode(steps) {
    const writer = new Writer();
    writer.send("response.created", { response: { object: "response", status: "in_progress" } });
    for (const step of steps) writer.write(step);
    return writer.bytes;
  },
  mistakeIn,
};

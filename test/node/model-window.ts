import { encode } from "gpt-tokenizer/encoding/o200k_base";
import type { ChatRequest } from "../../scripts/model-server.ts";
import type { ModelWindow, ScriptStep } from "../support/control-protocol.ts";

/** What a chat template adds to each message. */
const MESSAGE_TOKENS = 4;

/**
 * Returns the reply of a model with this window: an error if the request is too long, and otherwise the next reply, with
 * the number of tokens that a real tokenizer counts.
 */
export function withinWindow(
  request: ChatRequest,
  window: ModelWindow,
  next: () => readonly ScriptStep[],
): readonly ScriptStep[] {
  const counted = tokensOf(request);
  if (counted <= window.tokens)
    return [...next(), { usage: { prompt_tokens: counted, completion_tokens: 1 } }];

  const message = window.message
    .replace("LIMIT", String(window.tokens))
    .replace("REQUESTED", String(counted));
  const error = { message, ...(window.code !== undefined && { code: window.code }) };
  return [{ status: window.status ?? 400, body: { error } }];
}

/** Returns how many tokens a request has: its messages with their calls, and its tools. */
function tokensOf({ messages, tools = [] }: Pick<ChatRequest, "messages" | "tools">): number {
  const texts = messages.map((message) =>
    JSON.stringify({ ...message, content: undefined, role: undefined }).slice(2),
  );
  const contents = messages.map(({ content }) =>
    typeof content === "string" ? content : JSON.stringify(content),
  );
  return [...texts, ...contents, tools.length > 0 ? JSON.stringify(tools) : ""].reduce(
    (sum, text) => sum + count(text),
    MESSAGE_TOKENS * messages.length,
  );
}

/** Encoding is quadratic in the length of a word, so words of many thousand characters are counted in pieces. */
function count(text: string | undefined): number {
  let tokens = 0;
  for (let at = 0; at < (text?.length ?? 0); at += PIECE)
    tokens += encode(text?.slice(at, at + PIECE) ?? "").length;
  return tokens;
}

const PIECE = 500;

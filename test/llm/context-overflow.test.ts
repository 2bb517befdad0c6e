import { describe, expect, it } from "vitest";
import { ContextOverflow, contextOverflow } from "../../src/llm/context-overflow.ts";
import { providerError } from "../../src/llm/errors.ts";

const OVERFLOWS: readonly (readonly [
  server: string,
  status: number | undefined,
  message: string,
  limit: number | undefined,
])[] = [
  [
    "OpenAI",
    400,
    "This model's maximum context length is 8192 tokens. However, your messages resulted in 9001 tokens.",
    8_192,
  ],
  [
    "OpenAI's newer models",
    400,
    "Input tokens exceed the configured limit of 272000 tokens. Your messages resulted in 300123 tokens.",
    272_000,
  ],
  ["a client that puts the status first", 400, "400 Maximum context length exceeded.", undefined],
  ["a server that adds a time stamp", 400, "context_length_exceeded at 2026-11-29 12:00:00", undefined],
  ["a server with an impossible limit", 400, "The context size is 12345678901 tokens.", undefined],
  ["a server with no limit", 400, "The context size is 000 tokens.", undefined],
  ["OpenAI in a stream", undefined, "Your input exceeds the context window of this model.", undefined],
  ["Anthropic", 400, "prompt is too long: 208310 tokens > 200000 maximum", 200_000],
  [
    "Anthropic with an output limit",
    400,
    "input length and `max_tokens` exceed context limit: 188240 + 21333 > 200000, decrease input length or `max_tokens`",
    200_000,
  ],
  [
    "Gemini",
    400,
    "The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).",
    1_048_576,
  ],
  [
    "Mistral",
    400,
    "Prompt contains 40000 tokens and 0 draft tokens, too large for model with 32768 maximum context length",
    32_768,
  ],
  ["Bedrock", 400, "Input is too long for requested model.", undefined],
  [
    "Cohere",
    400,
    "too many tokens: total number of tokens in the prompt cannot exceed 4081 - received 5000.",
    4_081,
  ],
  [
    "Groq",
    413,
    "Request too large for model `x` on tokens per minute (TPM): Limit 6000, Requested 7211",
    6_000,
  ],
  [
    "Together",
    422,
    "`inputs` tokens + `max_new_tokens` must be <= 8193. Given: 9000 `inputs` tokens and 100 `max_new_tokens`",
    8_193,
  ],
  [
    "Hugging Face",
    422,
    "Input validation error: `inputs` must have less than 4096 tokens. Given: 5000",
    4_096,
  ],
  ["vLLM", 400, "The decoder prompt (length 5000) is longer than the maximum model length of 4096.", 4_096],
  [
    "llama.cpp",
    400,
    "request (5000 tokens) exceeds the available context size (4096 tokens), try increasing it",
    4_096,
  ],
  ["Ollama", 500, "the input length exceeds the context length", undefined],
  [
    "LM Studio",
    undefined,
    "Trying to keep the first 5000 tokens when context the overflows. However, the model is loaded with context length of only 4096 tokens, which is not enough.",
    4_096,
  ],
  [
    "xAI",
    400,
    "This model's maximum prompt length is 131072 but the request contains 140000 tokens.",
    131_072,
  ],
  [
    "OpenRouter",
    400,
    "This endpoint's maximum context length is 65,536 tokens. However, you requested about 70,000 tokens",
    65_536,
  ],
  ["Fireworks", 400, "The prompt is too long: 5000, model maximum context length: 4096", 4_096],
  [
    "Cerebras",
    400,
    "Please reduce the length of the messages or completion. Current length is 9000 while limit is 8192",
    8_192,
  ],
  ["DashScope", 400, "Range of input length should be [1, 30720]", 30_720],
  ["Moonshot", 400, "Invalid request: Your request exceeded model token limit: 8192", 8_192],
  [
    "Cloudflare",
    400,
    "The estimated number of input and maximum output tokens (5000) exceeded this model context window limit (4096).",
    4_096,
  ],
];

it.each(OVERFLOWS)(
  "recognises an overflow in the words of %s, with its limit",
  (_server, status, message, limit) => {
    expect(contextOverflow(status, message)).toEqual(limit === undefined ? {} : { limit });
  },
);

describe("other refusals", () => {
  it.each([
    [429, "Rate limit reached for model `x` on tokens per minute (TPM): Limit 6000, Used 5990, Requested 72"],
    [401, "The context length is nobody's business without a key"],
    [400, "max_tokens is too large: 100000. This model supports at most 16384 completion tokens"],
    [400, "`max_output_tokens` must be at most the model token limit of 8192"],
    [400, "Invalid 'messages[3].content': string too short"],
    [500, "Internal error"],
  ])("are not taken for an overflow: %i %s", (status, message) => {
    expect(contextOverflow(status, message)).toBeUndefined();
  });
});

it("keeps the limit in the cause of the error", () => {
  const { code, cause } = providerError.overflow(new Error("The provider answered with 400."), 4_096);

  expect(code).toBe("provider-overflow");
  expect(cause).toBeInstanceOf(ContextOverflow);
  expect(cause).toMatchObject({ limit: 4_096 });
});

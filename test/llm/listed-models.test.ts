import { expect, it } from "vitest";
import { isOffered } from "../../src/llm/listed-models.ts";

it.each([
  ["itself", "gpt-4o", ["gpt-4o"]],
  ["itself in other letters", "Qwen/Qwen3-8B", ["qwen/qwen3-8b"]],
  ["Gemini's list with its prefix", "gemini-2.5-pro", ["models/gemini-2.5-pro"]],
  ["a version of Claude", "claude-sonnet-4-5", ["claude-sonnet-4-5-20250929"]],
  ["a version behind an alias with a zero", "claude-sonnet-4-0", ["claude-sonnet-4-20250514"]],
  ["a version behind an alias", "grok-4-latest", ["grok-4-0709"]],
  ["a version with a date", "gpt-4o", ["gpt-4o-2024-08-06"]],
  ["the model behind an alias", "gemini-2.5-pro-latest", ["models/gemini-2.5-pro"]],
  ["Ollama's latest", "llama3.2", ["llama3.2:latest"]],
  ["the model that OpenRouter routes by a suffix", "qwen/qwen3-8b:nitro", ["qwen/qwen3-8b"]],
  ["a pattern of LiteLLM", "openai/gpt-4o", ["anthropic/*", "openai/*"]],
  ["nothing, but the model is fine-tuned", "ft:gpt-4o:mine::abc", ["gpt-4o"]],
  ["nothing, but it is a preset of OpenRouter", "@preset/mine", ["gpt-4o"]],
])("finds a model in a list that has %s", (_case, model, listed) => {
  expect(isOffered(model, listed)).toBe(true);
});

it.each([
  ["another name", "gpt-4", ["gpt-4o", "gpt-4.1"]],
  ["another size", "llama3:70b", ["llama3:8b", "llama3:latest"]],
  ["a name that only begins alike", "claude-sonnet", ["claude-sonnet-4-5-20250929"]],
  ["a slip", "claude-sonet-4-5", ["claude-sonnet-4-5-20250929"]],
  ["another vendor", "mistral/small", ["openai/*"]],
  ["nothing at all", "gpt-4o", []],
])("does not find a model in a list that has %s", (_case, model, listed) => {
  expect(isOffered(model, listed)).toBe(false);
});

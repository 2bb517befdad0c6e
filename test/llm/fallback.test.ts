import { expect, it } from "vitest";
import { providerError } from "../../src/llm/errors.ts";
import { withFallback } from "../../src/llm/fallback.ts";
import type { ChatModel, ModelChunk, OpenModel } from "../../src/llm/model.ts";

const text = (value: string): ModelChunk => ({ type: "text", text: value });

/** A model that sends these chunks, and then fails with this error. */
function model(id: string, words: readonly string[], failure?: unknown, contextTokens = 100) {
  const asked = { times: 0 };
  const chat: OpenModel = {
    id,
    provider: `provider of ${id}`,
    contextTokens,
    async *stream() {
      asked.times++;
      for (const word of words) yield await Promise.resolve(text(word));
      if (failure !== undefined) throw failure;
    },
  };
  return { chat, asked };
}

const ask = (chat: ChatModel, signal = new AbortController().signal): Promise<ModelChunk[]> =>
  Array.fromAsync(chat.stream({ messages: [], tools: [] }, signal));

it.each([
  ["refuses the key", providerError.auth(undefined)],
  ["has no quota", providerError.quota(undefined)],
  ["limits requests", providerError.rate(undefined)],
  ["is not there", providerError.unavailable(undefined)],
  ["does not know the model", providerError.unknownModel(undefined)],
  ["stalls", providerError.stalled()],
  ["ends without a word", providerError.truncated()],
])("answers with the second model when the first %s, and stays with it", async (_case, failure) => {
  const first = model("first", [], failure);
  const second = model("second", ["Hi"], undefined, 60);
  const both = withFallback(first.chat, second.chat);

  expect([both.provider, both.id, both.contextTokens]).toEqual(["provider of first", "first", 60]);
  expect(await ask(both)).toEqual([text("Hi")]);
  expect(await ask(both)).toEqual([text("Hi")]);
  expect([both.id, first.asked.times, second.asked.times]).toEqual(["second", 1, 2]);
});

it.each([
  ["what is too long", providerError.overflow(undefined)],
  ["what may not be said", providerError.content(undefined)],
  ["a mistake of ours", new TypeError("oops")],
])("does not carry %s to the second model", async (_case, failure) => {
  const second = model("second", ["Hi"]);

  await expect(ask(withFallback(model("first", [], failure).chat, second.chat))).rejects.toBe(failure);
  expect(second.asked.times).toBe(0);
});

it("answers with the second model if the first has sent only its usage", async () => {
  const usage = { type: "usage", usage: { inputTokens: 9, outputTokens: 1, cachedTokens: 0 } } as const;
  const first: OpenModel = {
    ...model("first", []).chat,
    async *stream() {
      yield await Promise.resolve(usage);
      throw providerError.truncated();
    },
  };

  expect(await ask(withFallback(first, model("second", ["Hi"]).chat))).toEqual([usage, text("Hi")]);
});

it("does not switch after the first model has sent text", async () => {
  const failure = providerError.unavailable(undefined);
  const second = model("second", ["Hi"]);

  await expect(ask(withFallback(model("first", ["Well"], failure).chat, second.chat))).rejects.toBe(failure);
  expect(second.asked.times).toBe(0);
});

it("does not ask the second model after an abort, and throws if both fail", async () => {
  const second = model("second", [], providerError.quota(undefined));
  const first = model("first", [], providerError.unavailable(undefined));

  await expect(ask(withFallback(first.chat, second.chat), AbortSignal.abort())).rejects.toMatchObject({
    code: "provider-unavailable",
  });
  expect(second.asked.times).toBe(0);
  await expect(ask(withFallback(first.chat, second.chat))).rejects.toMatchObject({ code: "provider-quota" });
});

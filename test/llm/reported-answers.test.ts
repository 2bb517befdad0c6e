import { expect, it } from "vitest";
import { findProvider } from "../../src/llm/providers.ts";
import { REFUSALS } from "./fixtures/reported-refusals.ts";
import { bytesOf, contextOf, KEY } from "./protocols/protocol.ts";
import { REPORTED } from "./reported-cases.ts";
import { expectation, read } from "./whole-answer.ts";

it.each(REPORTED)("reads $name", async ({ text, expected, protocol, type }) => {
  expect(await read(protocol, [bytesOf(text)], type)).toMatchObject(expectation(expected));
});

it.each(REFUSALS)("explains $name", async ({ status, body, code, says, baseUrl, asked: times }) => {
  let asked = 0;
  const provider = findProvider("OpenAICompatible", false);
  if (!provider) throw new Error("There is no such provider.");
  const model = provider.open(
    { api_key: KEY, base_url: baseUrl ?? "https://api.example.com/v1" },
    "model-9",
    { maxOutputTokens: 99 },
    contextOf({
      fetch: (input, init) => {
        const request = new Request(input, init);
        if (request.url.endsWith("/models"))
          return Promise.resolve(Response.json({ data: [{ id: "model-8" }] }));
        asked++;
        return Promise.resolve(
          new Response(typeof body === "string" ? body : JSON.stringify(body), { status }),
        );
      },
    }),
  );
  const error: unknown = await Array.fromAsync(
    model.stream({ messages: [{ role: "user", content: "Hi" }], tools: [] }, new AbortController().signal),
  ).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toMatchObject({ code, message: expect.stringMatching(says) });
  if (times) expect(asked).toBe(times);
});

import { expect, it } from "vitest";
import { BodyTooLong, limitedFetch } from "../../src/shared/limited-fetch.ts";

const URL = "https://example.com/";
const answering = (response: Response) => limitedFetch(() => Promise.resolve(response), 10);

it("passes a body on untouched if its stated length is within the limit", async () => {
  const response = new Response("0123456789", { headers: { "content-length": "10" } });

  expect(await answering(response)(URL)).toBe(response);
});

it.each([
  ["states no length", {}],
  ["states a length beyond the limit", { "content-length": "11" }],
  ["states a length that is not a number", { "content-length": "ten" }],
  [
    "is compressed, so that its length does not tell its size",
    { "content-length": "5", "content-encoding": "gzip" },
  ],
])("counts the bytes of a body that %s", async (_what, headers: Record<string, string>) => {
  const response = await answering(new Response("0123456789A", { headers }))(URL);

  await expect(response.text()).rejects.toBeInstanceOf(BodyTooLong);
});

import { expect, it } from "vitest";
import { parseQuery, searchedWords } from "../../src/search/query.ts";

it("searches a long text by its first 64 words and its first 10,000 characters", () => {
  const letters = Array.from("abcdefgh");
  const words = letters.flatMap((one) => letters.map((other) => `what${one}${other}`)).concat("one", "two");

  expect(searchedWords(words.join(" "))).toEqual(words.slice(0, 64));
  expect(searchedWords(`first ${" ".repeat(9_000)}second`)).toEqual(["first", "second"]);
  expect(searchedWords(`first ${" ".repeat(10_000)}second`)).toEqual(["first"]);
});

it.each([
  ["Wo liegt Heidelberg?", ['"wo"', '"liegt"', '("heidelberg" OR "heide"*)']],
  ["Where is Heidelberg?", ['"heidelberg"']],
  ["Was geschah in Heidelberg?", ['("geschah" OR "gesch"*)', '("heidelberg" OR "heide"*)']],
])("matches longer words by their beginning unless the query is in English: %s", (query, expected) => {
  expect(parseQuery(query)).toMatchObject({ terms: expected.map((match) => ({ match })) });
});

import { expect, it } from "vitest";
import { readInlineFile } from "../../src/messages/inline-files.ts";

it.each<[string, string, string]>([
  ["a colon after a word", "data:text/yaml,name: Ada", "name: Ada"],
  ["an escaped colon after a word", "data:text/yaml,name%3A%20Ada", "name: Ada"],
  ["an address", "data:,https://example.com/", "https://example.com/"],
  ["nothing", "data:,", ""],
])("reads the text of a data URL that begins with %s", (_case, data, content) => {
  expect(readInlineFile({ data, filename: "x.txt" })).toEqual({ filename: "x.txt", content });
});

it.each(["https://example.com/x.txt", "FILE:///etc/passwd", "blob:https://example.com/1", "data:text/plain"])(
  "does not fetch %s",
  (data) => {
    expect(readInlineFile({ data, filename: "x.txt" })).toHaveProperty("problem");
  },
);

import { expect, it } from "vitest";
import { normalizeEscapes } from "../../../src/knowledge/crawling/escapes.ts";

it.each([
  ["unreserved characters are plain", "/%41%7ea%2D%5f", "/A~a-_"],
  ["others keep their escape, with upper-case digits", "/%2f%c3%a9%2a", "/%2F%C3%A9%2A"],
  ["characters outside of ASCII are escaped as UTF-8", "/é字😀", "/%C3%A9%E5%AD%97%F0%9F%98%80"],
  // Case folding would make it a K.
  ["the Kelvin sign is not a letter of ASCII", "\u212a", "%E2%84%AA"],
  ["half a surrogate pair is the replacement character", "a\ud83db\ude00", "a%EF%BF%BDb%EF%BF%BD"],
  ["the boundary of ASCII", "\u007f\u0080", "\u007f%C2%80"],
  ["what is no escape stays", "%%4%zz100%", "%%4%zz100%"],
  ["an escape behind a percent sign", "%%41", "%A"],
])("%s", (_what, text, normal) => {
  expect(normalizeEscapes(text)).toBe(normal);
});

import { describe, expect, it } from "vitest";
import { decodeText } from "../../../src/knowledge/reading/charset.ts";
import { fromHex, utf8 } from "../../../src/shared/crypto.ts";

const CHARSETS = [
  ["windows-1251", "Привет, мир", "cff0e8e2e5f22c20ece8f0"],
  ["Shift_JIS", "日本語のページ", "93fa967b8cea82cc8379815b8357"],
  ["EUC-KR", "안녕하세요", "bec8b3e7c7cfbcbcbfe4"],
  ["GB18030", "中文网页", "d6d0cec4cdf8d2b3"],
  ["Big5", "繁體中文", "c163c5e9a4a4a4e5"],
  ["ISO-8859-2", "Příliš žluťoučký kůň", "50f8ed6c69b920be6c75bb6f75e86bfd206bf9f2"],
  ["windows-1252", "“naïve” café €", "936e61ef76659420636166e92080"],
] as const;

const joined = (...parts: readonly Uint8Array[]) => new Uint8Array(parts.flatMap((part) => [...part]));

describe.each(CHARSETS)("decodes %s", (charset, text, hex) => {
  it("that the header names", () => {
    expect(decodeText(fromHex(hex), `text/html; charset=${charset}`)).toBe(text);
  });

  it("that only the page itself names", () => {
    const page = joined(utf8(`<html><meta charset="${charset}"><p>`), fromHex(hex));
    expect(decodeText(page, "text/html")).toContain(text);
  });
});

it("decodes UTF-16 with a byte order mark, whatever the header says", () => {
  const bytes = fromHex("fffe5a0061007c01f30042010701");
  expect(decodeText(bytes, "text/html; charset=utf-8")).toBe("Zażółć");
});

it.each([
  ["little", "3c0070003e0061017c01"],
  ["big", "003c0070003e0161017c"],
])("decodes markup in UTF-16 without a byte order mark, %s end first", (_end, hex) => {
  expect(decodeText(fromHex(hex), "text/html; charset=utf-16")).toBe("<p>šż");
});

it("drops the byte order mark of UTF-8", () => {
  expect(decodeText(joined(fromHex("efbbbf"), utf8("é")), null)).toBe("é");
});

it("reads valid UTF-8 as UTF-8, even if the header names another charset", () => {
  expect(decodeText(utf8("Grüße, 世界"), "text/html; charset=iso-8859-1")).toBe("Grüße, 世界");
});

it.each([
  [
    "is broken off within a character",
    joined(utf8("“Žluťoučký kůň” úpěl"), fromHex("e282")),
    "“Žluťoučký kůň” úpěl\ufffd",
  ],
  [
    "has one invalid byte",
    joined(utf8("<p>naïve "), fromHex("e9"), utf8(" – “déjà vu”")),
    "<p>naïve \ufffd – “déjà vu”",
  ],
])("reads a page that says that it is UTF-8 as UTF-8 if it %s", (_name, bytes, text) => {
  expect(decodeText(bytes, "text/html; charset=utf-8")).toBe(text);
  expect(decodeText(joined(utf8('<meta charset="UTF-8">'), bytes), "text/html")).toContain(text);
});

it("finds the declaration of a page behind 60 KB of other text, and not behind 70 KB", () => {
  const page = (before: number) =>
    joined(
      utf8(`${" ".repeat(before)}<meta http-equiv="Content-Type" content="text/html; charset=windows-1251">`),
      fromHex("cff0"),
    );

  expect(decodeText(page(60_000), null)).toContain("Пр");
  expect(decodeText(page(70_000), null)).toContain("Ïð");
});

it.each(["x-unknown", "", "utf-7", "utf-8", "utf-16", "\u0000"])(
  "falls back to windows-1252 for the label %j",
  (label) => {
    expect(decodeText(fromHex("636166e9"), `text/html; charset=${label}`)).toBe("café");
  },
);

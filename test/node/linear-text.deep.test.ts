import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import * as fences from "../../src/shared/fence.ts";
import * as texts from "../../src/shared/text.ts";
import * as lines from "../../src/memory/lines.ts";
import * as queries from "../../src/search/query.ts";
import * as factors from "../../src/search/factors.ts";
import * as fold from "../../src/search/fold.ts";
import * as relativeDates from "../../src/search/relative-dates.ts";
import * as stopWords from "../../src/search/stop-words.ts";
import * as tokens from "../../src/search/tokens.ts";
import * as json from "../../src/shared/json.ts";
import * as etags from "../../src/http/etag.ts";
import * as emails from "../../src/shared/email.ts";
import * as ids from "../../src/shared/ids.ts";
import * as reading from "../../src/messages/reading.ts";
import * as summaries from "../../src/messages/summary-text.ts";
import * as compaction from "../../src/memory/compaction.ts";
import { isLinear, slowTexts } from "./linear.ts";
import { MORE_READERS, READERS } from "./linear-readers.ts";

/** Whole modules of functions over text: one that is added to them has to be listed, too. */
const MODULES = {
  "shared/fence": fences,
  "shared/text": texts,
  "shared/email": emails,
  "shared/ids": ids,
  "memory/lines": lines,
  "memory/compaction": compaction,
  "messages/reading": reading,
  "messages/summary-text": summaries,
  "search/query": queries,
  "search/factors": factors,
  "search/fold": fold,
  "search/relative-dates": relativeDates,
  "search/stop-words": stopWords,
  "search/tokens": tokens,
  "shared/json": json,
  "http/etag": etags,
};
/** They produce text, or get parts of text that another function has read. */
const NO_READERS = [
  "shared/ids: newId",
  "shared/ids: derivedId",
  "shared/ids: timeOf",
  "memory/compaction: targetWords",
  "shared/json: isObject",
  "shared/json: objectAt",
  "shared/json: textAt",
  "shared/json: numberAt",
  "shared/json: tokensAt",
  "shared/json: objectsAt",
];

it("lists every function of the modules that process text", () => {
  const listed = new Set([...Object.keys(READERS), ...Object.keys(MORE_READERS), ...NO_READERS]);
  const exported = Object.entries(MODULES).flatMap(([file, module]) =>
    Object.entries(module).flatMap(([name, value]) =>
      typeof value === "function" ? [`${file}: ${name}`] : [],
    ),
  );

  expect(exported.filter((name) => !listed.has(name))).toEqual([]);
});

it("distinguishes a quadratic function from a linear one", async () => {
  const squared = (text: string) => text.trim().replaceAll(/\s*[\r\n\u2028\u2029]+\s*/gu, " ");
  const spaces = (size: number) => `x${" ".repeat(size)}x`;
  // Half the sizes: the square takes a second then, and is far from what is too quick to be measured.
  const sizes = { small: 5_000, large: 50_000 };

  expect(await isLinear(squared, spaces, sizes)).toBe(false);
  expect(await isLinear(texts.onOneLine, spaces, sizes)).toBe(true);
});

describe("reads ten times as much text with at most thirty times the work:", () => {
  it.each(Object.entries(READERS))("%s", async (_name, read) => {
    expect(await slowTexts(read)).toEqual([]);
  });
});

it("uses no pattern that is anchored only at the end", async () => {
  const root = join(import.meta.dirname, "../../src");
  const files = (await readdir(root, { recursive: true })).filter((file) => file.endsWith(".ts"));
  // Where a run is followed by something else, such a pattern reads it again from each of its characters.
  const suspicious = /(?<![\w)\]])\/(?!\^|\*|\/)[^/\n]*[+*]\)?\$\/[gimsuvy]*/gu;

  const found: string[] = [];
  for (const file of files) {
    const text = await readFile(join(root, file), "utf8");
    for (const [pattern] of text.matchAll(suspicious)) found.push(`${file}: ${pattern}`);
  }
  expect(found.toSorted()).toEqual([
    // It reads at most 41 characters.
    "llm/token-estimate.ts: /\\s\\S*$/u",
    // Each of its beginnings ends at the next one.
    "memory/compaction.ts: /\\s\\S*$/u",
    "messages/attachments.ts: /\\.[^.]*$/u",
    // Each of its beginnings ends at the next sign.
    "search/factors.ts: /[?؟][\"'”’)\\]]*\\s*$/u",
    // It reads at most 20 characters.
    "search/passage.ts: /\\s\\S*$/u",
    // It reads at most three characters.
    'search/tokens.ts: /[.!?:;\\n"“(¿¡–—]\\s*$/u',
    // Base64 has these signs only at its end.
    "shared/crypto.ts: /=+$/u",
    // Each of its beginnings ends at the next hyphen.
    "system/assets.ts: /-[A-Z0-9]{8}\\.[a-z0-9]+$/u",
  ]);
});

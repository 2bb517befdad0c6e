import { parseMarkdown } from "../../playground/src/chat/markdown-blocks.ts";
import { parseInline, safeUrl } from "../../playground/src/chat/markdown-inline.ts";
import { diffWords } from "../../playground/src/panels/line-diff.ts";
import { excerptOf, markTerms } from "../../playground/src/panels/search-marks.ts";
import { prefersPage } from "../../src/system/playground.ts";
import { type HardText, type Reads, repeated } from "./linear.ts";

/** The functions of the playground that read what models and documents say. */
export const PLAYGROUND_READERS: Readonly<Record<string, Reads>> = {
  "playground/markdown: parseMarkdown": (text) => [
    parseMarkdown(text),
    parseMarkdown(`- ${text}`),
    parseMarkdown(`> ${text}`),
    parseMarkdown(`| a | b |\n| - | - |\n| ${text} |`),
    parseMarkdown(`\`\`\`${text}`),
  ],
  "playground/markdown: parseInline": (text) => [
    parseInline(text),
    parseInline(`**${text}`),
    parseInline(`[${text}](https://example.com/${text})`),
  ],
  "playground/markdown: safeUrl": (text) => [safeUrl(text), safeUrl(`https://example.com/${text}`)],
  "playground/line-diff: diffWords": (text) => diffWords(text, `${text} x`),
  "playground/search-marks: excerptOf, markTerms": (text) => [
    excerptOf(text, ["needle", "a"]),
    markTerms(text, ["needle", "a"]),
  ],
  "system/playground: prefersPage": prefersPage,
};

const markA = (text: string) => markTerms(text, ["a"]);

/** Texts that are hard for one of these functions. */
export const PLAYGROUND_TEXTS: readonly HardText[] = [
  ...["- a\n  ", "> "].map((unit) => [`Markdown: ${unit}`, parseMarkdown, repeated(unit)] as const),
  ["Markdown: a fence", parseMarkdown, (size) => `${"~".repeat(size / 2)}${" ".repeat(size / 2)}\``],
  [
    "Markdown: a table of one row",
    parseMarkdown,
    (size) => `|${"a|".repeat(size / 4)}\n|${"-|".repeat(size / 4)}`,
  ],
  ...["[", "![", "](", "[a](", "*a", "**a*", "_", "`", "``a`", "https://", "~~a", "[1]", "\\", "a*"].map(
    (unit) => [`a line of Markdown: ${unit}`, parseInline, repeated(unit)] as const,
  ),
  [
    "a line of Markdown: quotes of code, each longer than the one before",
    parseInline,
    (size) => Array.from({ length: Math.sqrt(2 * size) }, (_, n) => "`".repeat(n)).join(" "),
  ],
  ["a line of Markdown: the end of an address", parseInline, (size) => `https://a/${").".repeat(size / 2)}`],
  ["a difference: no word in common", (text) => diffWords(text, text.replaceAll("a", "b")), repeated("a ")],
  ["a difference: the words moved by one", (text) => diffWords(text, text.slice(2)), repeated("a b ")],
  ...["a'", "a "].map((unit) => [`marks: ${unit}`, markA, repeated(unit)] as const),
];

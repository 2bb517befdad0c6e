import { parseMarkdown } from "../../playground/src/chat/markdown-blocks.ts";
import { parseInline, safeUrl } from "../../playground/src/chat/markdown-inline.ts";
import { diffWords } from "../../playground/src/panels/line-diff.ts";
import { excerptOf, markTerms } from "../../playground/src/panels/search-marks.ts";
import { prefersPage } from "../../src/system/playground.ts";
import type { Reads } from "./linear.ts";

/** The functions of the playground that read what models and documents say. */
export const PLAYGROUND_READERS: Readonly<Record<string, Reads>> = {
  "playground/markdown: parseMarkdown": (text) => [
    parseMarkdown(text),
    parseMarkdown(`- ${text}`),
    parseMarkdown(`> ${text}`),
    parseMarkdown(`| a | b |\n| - | - |\n| ${text} |`),
    parseMarkdown(`\`\`\`${text}`),
    parseMarkdown("- a\n  ".repeat(text.length / 6)),
    parseMarkdown("> ".repeat(text.length / 2)),
    parseMarkdown(`${"~".repeat(text.length / 2)}${" ".repeat(text.length / 2)}\``),
    parseMarkdown(`|${"a|".repeat(text.length / 2)}\n|${"-|".repeat(text.length / 2)}`),
  ],
  "playground/markdown: parseInline": (text) => [
    parseInline(text),
    parseInline(`**${text}`),
    parseInline(`[${text}](https://example.com/${text})`),
    ...["[", "![", "](", "[a](", "*a", "**a*", "_", "`", "``a`", "https://", "~~a", "[1]", "\\", "a*"].map(
      (piece) => parseInline(piece.repeat(text.length / piece.length)),
    ),
    parseInline(Array.from({ length: Math.sqrt(text.length) }, (_, n) => "`".repeat(n)).join(" ")),
    parseInline(`https://a/${").".repeat(text.length / 2)}`),
  ],
  "playground/markdown: safeUrl": (text) => [safeUrl(text), safeUrl(`https://example.com/${text}`)],
  "playground/line-diff: diffWords": (text) => [
    diffWords(text, `${text} x`),
    diffWords("a ".repeat(text.length / 2), "b ".repeat(text.length / 2)),
    diffWords("a b ".repeat(text.length / 4), "b a ".repeat(text.length / 4)),
  ],
  "playground/search-marks: excerptOf, markTerms": (text) => [
    excerptOf(text, ["needle", "a"]),
    markTerms(text, ["needle", "a"]),
    markTerms("a'".repeat(text.length / 2), ["a"]),
    markTerms("a ".repeat(text.length / 2), ["a"]),
  ],
  "system/playground: prefersPage": prefersPage,
};

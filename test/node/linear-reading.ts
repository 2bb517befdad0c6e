import { markdownBlocks } from "../../src/knowledge/markdown-blocks.ts";
import { passagesOf } from "../../src/knowledge/passages.ts";
import { decodeText } from "../../src/knowledge/reading/charset.ts";
import { readCsv } from "../../src/knowledge/reading/csv.ts";
import { kindOf } from "../../src/knowledge/reading/document-kind.ts";
import { readDocx } from "../../src/knowledge/reading/docx/read-docx.ts";
import { collapsed } from "../../src/knowledge/reading/html/plain-text.ts";
import { readHtml } from "../../src/knowledge/reading/html/read-html.ts";
import { tidyLine } from "../../src/knowledge/reading/html/write-inline.ts";
import {
  escapedBlock,
  fencedCode,
  inlineCode,
  markdownTable,
} from "../../src/knowledge/reading/markdown-lines.ts";
import { readMarkdown, readPlainText, tidyLines } from "../../src/knowledge/reading/plain-text.ts";
import { linesOf, paragraphsOf, withoutRepeatedLines } from "../../src/pdf-reader/layout.ts";
import { utf8 } from "../../src/shared/crypto.ts";
import { pageIdOf } from "../../src/shared/id-types.ts";
import { docxFile, paragraph } from "../knowledge/reading/docx-file.ts";
import type { Reads } from "./linear.ts";

const PAGE = pageIdOf("page");
const URL_OF_PAGE = "https://site.example/page";
const escaped = (text: string) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");

/** A document of which this text is the beginning. */
const sourceOf = (text: string) => ({ bytes: utf8(text), contentType: text, url: null, fileName: text });

const runsOf = (text: string) =>
  text
    .split(" ")
    .map((str, at) => ({ str, transform: [1, 0, 0, 1, at % 9, -at], width: 1, height: 9, hasEOL: false }));

/** The functions that read documents. */
export const READING_READERS: Readonly<Record<string, Reads>> = {
  "knowledge/markdown-blocks: markdownBlocks": markdownBlocks,
  "knowledge/passages: passagesOf": (text) => [
    passagesOf(text, PAGE),
    passagesOf(`# ${text}\n\n|${text}`, PAGE),
  ],
  "reading/charset: decodeText": (text) => decodeText(new Uint8Array([...utf8(text), 0xff]), text),
  "reading/csv: readCsv": (text) => [readCsv(text), readCsv(`a,b\n"${text}`)],
  "reading/document-kind: kindOf": (text) => kindOf(sourceOf(text)),
  "reading/docx: readDocx": (text) =>
    readDocx(docxFile({ body: paragraph(escaped(text)), numbering: text, styles: text })),
  "reading/html: readHtml": (text) => [
    readHtml(text, URL_OF_PAGE),
    readHtml(
      `<title>${text}</title><h1>${escaped(text)}</h1><p class="${escaped(text)}" style="${escaped(text)}">x`,
      URL_OF_PAGE,
    ),
    readHtml(
      `<main><a href="${escaped(text)}">${escaped(text)}</a><pre>${escaped(text)}</pre><meta name=robots content="${escaped(text)}">`,
      null,
    ),
  ],
  "reading/html/plain-text: collapsed": collapsed,
  "reading/html/write-inline: tidyLine": tidyLine,
  "reading/markdown-lines: escapedBlock": escapedBlock,
  "reading/markdown-lines: fencedCode": (text) => fencedCode(text, ""),
  "reading/markdown-lines: inlineCode": inlineCode,
  "reading/markdown-lines: markdownTable": (text) => markdownTable([[text], text.split("a")]),
  "reading/plain-text: readMarkdown": (text) => [
    readMarkdown(text, URL_OF_PAGE),
    readMarkdown(`---\n${text}`, null),
    readMarkdown(`](${text}`, URL_OF_PAGE),
  ],
  "reading/plain-text: readPlainText": readPlainText,
  "reading/plain-text: tidyLines": tidyLines,
  "pdf-reader/layout: paragraphsOf": (text) => {
    const lines = linesOf(runsOf(text));
    return withoutRepeatedLines([lines, lines, lines]).map(paragraphsOf);
  },
};

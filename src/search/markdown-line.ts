/** The target of a link, in which parentheses may be nested once. Bounds keep the search linear. */
const TARGET = String.raw`\((?:[^()\n]|\([^()\n]{0,200}\)){0,2000}\)`;
const IMAGE = new RegExp(String.raw`!\[[^[\]\n]{0,500}\]${TARGET}`, "gu");
const LINK = new RegExp(String.raw`\[([^[\]\n]{0,500})\]${TARGET}`, "gu");
const LINE_MARK = /^\s*(?:#{1,6}\s+|>\s?|[-*+]\s+|\d{1,9}[.)]\s+)*/u;
/** Marks of emphasis and code, and escaped characters, which stay. */
const MARKS = /\\([\\`*_{}[\]()#+.!|<>~-])|\*\*|__|`|(?<=^|[\s(])[*_](?=\S)|(?<=\S)[*_](?=$|[\s.,;:!?)])/gu;

/** Returns a line of Markdown as people read it: without marks and the addresses of links. Takes linear time. */
export const plainLine = (line: string): string =>
  line.replace(LINE_MARK, "").replaceAll(IMAGE, "").replaceAll(LINK, "$1").replaceAll(MARKS, "$1");

import { onOneLine, utf8Length } from "../shared/text.ts";

/** The longest line of a block, in characters. Lines are for facts, not for documents. */
export const MAX_LINE_CHARS = 10_000;

/** The most bytes accepted for a block, because the item that stores its lines is limited to 400 KB. */
const MAX_SENT_BYTES = 400 * 1024;

/** Returns whether lines exceed what any block can hold. Call it before `asLines`, whose work depends on their size. */
export function isTooMuch(contents: readonly string[]): boolean {
  let bytes = 0;
  return contents.some((content) => (bytes += utf8Length(content)) > MAX_SENT_BYTES);
}

/** Normalizes lines from requests: replaces line breaks within a line by spaces, and drops empty lines. */
export const asLines = (contents: readonly string[]): readonly string[] =>
  contents.map(onOneLine).filter((line) => line !== "");

/** Returns whether two blocks have equal lines. */
export const isSameLines = (some: readonly string[], others: readonly string[]): boolean =>
  some.length === others.length && some.every((line, index) => line === others[index]);

/** The longest line that is kept: a fact, not a document. */
export const MAX_LINE_CHARS = 10_000;

/** A line is one line: breaks in it would let it pose as several, or as the end of a section. */
export const asOneLine = (content: string): string =>
  content.replaceAll(/\s*[\r\n\v\f\u0085\u2028\u2029]+\s*/gu, " ").trim();

/** Lines as people send them: each one line, and none of them empty. */
export const asLines = (contents: readonly string[]): readonly string[] =>
  contents.map(asOneLine).filter((line) => line !== "");

/** Whether two blocks say the same, line by line. */
export const isSameLines = (some: readonly string[], others: readonly string[]): boolean =>
  some.length === others.length && some.every((line, index) => line === others[index]);

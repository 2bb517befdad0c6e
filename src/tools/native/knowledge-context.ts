import type { KnowledgeReader } from "../../knowledge/knowledge-reader.ts";
import { linesOf, onOneLine } from "../../shared/text.ts";

/** What the tools about knowledge bases may access. It exposes no ids, so a model can't reach other bases. */
export interface KnowledgeToolContext {
  readonly knowledge: KnowledgeReader;
  /** How many tokens a result may have. */
  readonly resultTokens: number;
}

/** What looks like the number of a result: `[1]`, but not the index in `items[0]`. */
const NUMBER = /(?<![\p{L}\p{N}_\])])[[［【](?=\s{0,3}\d{1,4}\s{0,3}[\]］】])/gu;

/**
 * Returns the text of a page for use below a numbered line. Security: each line is indented, and numbers in brackets are changed
 * (`&#91;1]`), so that a page can neither imitate a further result nor refer to one.
 */
export const indented = (text: string): string =>
  linesOf(text)
    .map((line) => (line.trim() === "" ? "" : `    ${withoutNumbers(line)}`))
    .join("\n");

/** Returns a field of a page, such as its title, on one line and without numbers in brackets. */
export const field = (text: string): string => withoutNumbers(onOneLine(text));

const withoutNumbers = (text: string): string => text.replaceAll(NUMBER, "&#91;");

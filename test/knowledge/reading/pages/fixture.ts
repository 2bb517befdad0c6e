/** The kinds of pages that reading is measured on. */
type Layout = "documentation" | "article" | "other";

/** A page as a site of its kind would send it. */
export interface PageFixture {
  readonly name: string;
  readonly layout: Layout;
  /** What a person would copy as the content stands between `<!--content-->` and `<!--/content-->`. */
  readonly html: string;
}

const CONTENT = /<!--content-->([\s\S]*?)<!--\/content-->/gu;

/** Returns the text that a person would call the content of the page. */
export function goldOf({ html }: PageFixture): string {
  const parts = [...html.matchAll(CONTENT)].map(([, part = ""]) => part);
  return parts
    .join(" ")
    .replaceAll(/<[^>]*>/gu, " ")
    .replaceAll("&amp;", "&")
    .replaceAll("&lt;", "<")
    .replaceAll("&gt;", ">")
    .replaceAll(/&nbsp;|&para;|&copy;|&rarr;/gu, " ");
}

/** Returns the words of a text in lower case. The addresses of Markdown links and pictures are none. */
const wordsOf = (text: string): readonly string[] =>
  text
    .replaceAll(/\]\([^()\s]*\)/gu, "] ")
    .toLowerCase()
    .match(/[\p{L}\p{N}]+/gu) ?? [];

export interface Overlap {
  /** The share of the words found that belong to the content, and of the content's words that were found. */
  readonly precision: number;
  readonly recall: number;
  readonly f1: number;
}

/** Returns how far the words of two texts agree. Each word counts as often as it stands in both. */
export function overlapOf(found: string, gold: string): Overlap {
  const [foundWords, goldWords] = [wordsOf(found), wordsOf(gold)];
  const left = new Map<string, number>();
  for (const word of goldWords) left.set(word, (left.get(word) ?? 0) + 1);
  let common = 0;
  for (const word of foundWords) {
    const count = left.get(word) ?? 0;
    if (count > 0) common++;
    left.set(word, count - 1);
  }
  const [precision, recall] = [
    common / Math.max(1, foundWords.length),
    common / Math.max(1, goldWords.length),
  ];
  return { precision, recall, f1: common === 0 ? 0 : (2 * precision * recall) / (precision + recall) };
}

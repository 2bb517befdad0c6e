/** Scripts that write no spaces between words. */
const UNSPACED =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}\p{Script=Tibetan}]/u;

/** Finds words by CLDR's rules and dictionaries (UAX #29). They do not depend on the locale for these scripts. */
const segmenter = new Intl.Segmenter("en", { granularity: "word" });

/**
 * Returns the number of words, as all limits count them: runs of characters between white space. A run in a script
 * without spaces counts as many words as CLDR's segmentation finds in it. Takes linear time.
 */
export function countWords(text: string): number {
  let words = 0;
  const unspaced: string[] = [];
  for (const [run] of text.matchAll(/\S+/gu)) {
    if (UNSPACED.test(run)) unspaced.push(run);
    else words++;
  }
  return words + countSegments(unspaced);
}

/**
 * Returns the number of words in runs of characters. A run of signs only is one word. All runs are segmented at once, because
 * starting the segmentation takes longer than a short run does.
 */
function countSegments(runs: readonly string[]): number {
  if (runs.length === 0) return 0;

  let words = 0;
  let inRun = 0;
  const endRun = () => {
    words += Math.max(1, inRun);
    inRun = 0;
  };
  // No segment reaches across a line break.
  for (const { segment, isWordLike } of segmenter.segment(runs.join("\n"))) {
    if (segment === "\n") endRun();
    else if (isWordLike) inRun++;
  }
  endRun();
  return words;
}

/** Returns the size of text in UTF-8, in bytes, without encoding it. */
export function utf8Length(text: string): number {
  let bytes = text.length;

  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit < 0x80) continue;
    // A surrogate pair is two units and four bytes; everything else from U+0800 on is one unit and three bytes.
    bytes += unit < 0x800 || (unit >= 0xd800 && unit <= 0xdfff) ? 1 : 2;
  }

  return bytes;
}

/** Returns the longest prefix of `text` that fits into `maxBytes` of UTF-8, without splitting a character. */
export function cutToBytes(text: string, maxBytes: number): string {
  if (utf8Length(text) <= maxBytes) return text;

  const bytes = new TextEncoder().encode(text);
  let end = maxBytes;
  // Bytes of the form 10xxxxxx continue a character. Step back to the first byte of one.
  while (end > 0 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end--;
  return new TextDecoder("utf-8", { fatal: false, ignoreBOM: true }).decode(bytes.subarray(0, end));
}

/** Returns whether a text has neither line breaks nor other control characters, such as NUL. Takes linear time. */
export const isOneLine = (text: string): boolean => !/[\p{Cc}\u2028\u2029]/u.test(text);

/** Returns `text`, or its first `max` characters (code points) and three dots if it is longer. */
export function preview(text: string, max: number): string {
  if (text.length <= max) return text;

  const characters = Array.from(text);
  return characters.length <= max ? text : `${characters.slice(0, max).join("")}...`;
}

/**
 * Returns the code units of `text` from `start` to `end`, or one less at each end that would fall within a pair of
 * surrogates, so that what is cut off is never half a character.
 */
export const sliceWhole = (text: string, start: number, end = text.length): string =>
  text.slice(splitsPair(text, start) ? start + 1 : start, splitsPair(text, end) ? end - 1 : end);

/** Whether the position `at` is between the two surrogates of one character. */
const splitsPair = (text: string, at: number): boolean =>
  at > 0 && !text.slice(at - 1, at).isWellFormed() && text.slice(at - 1, at + 1).isWellFormed();

/**
 * The characters that are attached to the one before them, or that decompose to such a character. The limit is that of
 * the Stream-Safe Text Format (UAX #15); no language comes near it.
 */
const MANY_MARKS = /[\p{M}\u0e33\u0eb3\uff9e\uff9f]{30}(?=[\p{M}\u0e33\u0eb3\uff9e\uff9f])/gu;
const JOINER = "\u034f";

/**
 * Returns a Unicode normalization form of a text. Anti-DoS: normalization sorts adjacent marks, which takes the square of
 * their number. So a combining grapheme joiner, which ends the sorting, follows each 30 of them. Takes linear time.
 */
export const normalized = (text: string, form: "NFC" | "NFKD"): string =>
  text.replaceAll(MANY_MARKS, `$&${JOINER}`).normalize(form);

/** Every character that ends a line in Unicode or in Python, and the page break. */
const BREAKS = "\n\v\f\r\u001c-\u001e\u0085\u2028\u2029";
const LINE_BREAK = new RegExp(`[${BREAKS}]`, "u");
const LINE_END = new RegExp(String.raw`\r\n|[${BREAKS}]`, "u");
/** Runs of white space and line breaks. `\s` omits some of the line breaks. */
const SPACES = new RegExp(`[\\s${BREAKS}]+`, "gu");

/** Returns the lines of a text, whatever ends them. */
export const linesOf = (text: string): readonly string[] => text.split(LINE_END);

/** Returns `text` on one line. Security: text with line breaks could forge further lines of the list that shows it. */
export function onOneLine(text: string): string {
  if (!LINE_BREAK.test(text)) return text.trim();
  return text.replaceAll(SPACES, (run) => (LINE_BREAK.test(run) ? " " : run)).trim();
}

/** Returns `text` for use inside parentheses: on one line, with its own parentheses replaced by square brackets. */
export const inParentheses = (text: string): string =>
  onOneLine(text).replaceAll("(", "[").replaceAll(")", "]");

/** Returns `text` for use inside square brackets: on one line, with its own ones replaced by parentheses. */
export const inBrackets = (text: string): string => onOneLine(text).replaceAll("[", "(").replaceAll("]", ")");

/** Returns a reason, such as "the file is empty", as a sentence. */
export const asSentence = (reason: string): string =>
  `${reason.slice(0, 1).toUpperCase()}${reason.slice(1)}${reason.endsWith(".") ? "" : "."}`;

/** Returns `text` without trailing `mark` characters. */
export function withoutTrailing(text: string, mark: string): string {
  let end = text.length;
  while (end > 0 && text[end - 1] === mark) end--;
  return text.slice(0, end);
}

interface JsonNode {
  readonly value: unknown;
  readonly key?: string | number;
  readonly parent?: JsonNode;
}

/**
 * Returns the path of a string in a JSON value that is not well-formed Unicode, or `undefined` if there is none. Anti-DoS: does
 * not recurse and stores one link per node, so that a deeply nested body costs no more than its size.
 */
export function findIllFormed(value: unknown): readonly (string | number)[] | undefined {
  const pending: JsonNode[] = [{ value }];

  for (let node = pending.pop(); node; node = pending.pop()) {
    const current = node.value;
    if (typeof current === "string" && !current.isWellFormed()) return pathOf(node);
    if (typeof current !== "object" || current === null) continue;

    for (const [key, child] of Object.entries(current)) {
      if (!key.isWellFormed()) return pathOf(node);
      pending.push({ value: child, key: Array.isArray(current) ? Number(key) : key, parent: node });
    }
  }

  return undefined;
}

function pathOf(node: JsonNode): readonly (string | number)[] {
  const path: (string | number)[] = [];
  for (let at: JsonNode | undefined = node; at?.key !== undefined; at = at.parent) path.push(at.key);
  return path.toReversed();
}

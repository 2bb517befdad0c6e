/** A piece of a line of Markdown. */
export type Inline =
  | { readonly type: "text"; readonly text: string }
  | { readonly type: "break" }
  | { readonly type: "code"; readonly text: string }
  | { readonly type: "strong" | "emphasis" | "deleted"; readonly children: readonly Inline[] }
  | { readonly type: "link"; readonly url: string; readonly children: readonly Inline[] }
  /** An image is never loaded: its address would tell its server who reads the answer, and could carry data away. */
  | { readonly type: "image"; readonly url: string; readonly text: string }
  /** `[1]`: a number that may stand for a passage. */
  | { readonly type: "reference"; readonly number: number };

/** Marks that are not closed, deeper than this, are text. Nobody reads so deep, and every level is one of the page's. */
const MAX_DEPTH = 8;
/** Longer addresses are text. */
const MAX_URL_CHARS = 2_000;

type Span = "strong" | "emphasis" | "deleted" | "link";

/** A mark that may turn out to open a span, and what has come since. */
interface Open {
  readonly span: Span;
  /** The text of the mark, which is shown if nothing closes it. */
  readonly mark: string;
  readonly isImage: boolean;
  readonly children: Inline[];
}

/**
 * Parses the marks of a paragraph: emphasis, code, links, images, addresses and references. HTML is text. Takes time in proportion to
 * the text, whatever is in it: every position is read a bounded number of times.
 */
export function parseInline(text: string): readonly Inline[] {
  return new InlineParser(text).parse();
}

class InlineParser {
  readonly #text: string;
  #at = 0;
  /** Where plain text begins that has not been written yet. */
  #plainFrom = 0;
  readonly #root: Inline[] = [];
  readonly #open: Open[] = [];
  /** How many marks of each kind are open, so that a mark without a partner is not looked for. */
  readonly #counts = new Map<string, number>();
  /** The positions of runs of backticks, by their length, the last one first. */
  readonly #backticks = new Map<number, number[]>();

  constructor(text: string) {
    this.#text = text;
    for (const { 0: run, index } of text.matchAll(/`+/gu)) {
      const positions = this.#backticks.get(run.length);
      if (positions) positions.push(index);
      else this.#backticks.set(run.length, [index]);
    }
    for (const positions of this.#backticks.values()) positions.reverse();
  }

  parse(): readonly Inline[] {
    while (this.#at < this.#text.length) this.#step();
    this.#flush();
    while (this.#open.length > 0) this.#abandon();
    return this.#root;
  }

  #step(): void {
    const char = this.#text[this.#at];
    switch (char) {
      case "\\":
        return this.#escape();
      case "\n":
        return this.#lineBreak();
      case "`":
        return this.#code();
      case "*":
      case "_":
      case "~":
        return this.#delimiter(char);
      case "!":
      case "[":
        return this.#bracket();
      case "]":
        return this.#closeBracket();
      case "h":
        return this.#address();
      default:
        this.#at++;
    }
  }

  /** Writes the plain text up to here. */
  #flush(to = this.#at): void {
    if (to > this.#plainFrom) this.#push({ type: "text", text: this.#text.slice(this.#plainFrom, to) });
    this.#plainFrom = this.#at;
  }

  #push(piece: Inline): void {
    (this.#open.at(-1)?.children ?? this.#root).push(piece);
  }

  /** Writes the text up to here, and a piece in place of the next characters. */
  #replace(length: number, piece: Inline | undefined): void {
    this.#flush();
    this.#at += length;
    this.#plainFrom = this.#at;
    if (piece) this.#push(piece);
  }

  #escape(): void {
    const next = this.#text[this.#at + 1] ?? "";
    if (/^[!-/:-@[-`{-~]$/u.test(next)) return this.#replace(2, { type: "text", text: next });
    this.#at++;
  }

  #lineBreak(): void {
    this.#replace(1, { type: "break" });
  }

  /** A code span ends at the next run of as many backticks. */
  #code(): void {
    let end = this.#at;
    while (this.#text[end] === "`") end++;
    const length = end - this.#at;
    const positions = this.#backticks.get(length) ?? [];
    while ((positions.at(-1) ?? Infinity) < end) positions.pop();
    const close = positions.at(-1);
    if (close === undefined) {
      this.#at = end;
      return;
    }
    const inside = this.#text.slice(end, close).replaceAll("\n", " ");
    const isPadded = inside.length > 2 && inside.startsWith(" ") && inside.endsWith(" ");
    this.#replace(close + length - this.#at, { type: "code", text: isPadded ? inside.slice(1, -1) : inside });
  }

  #delimiter(char: "*" | "_" | "~"): void {
    let length = 1;
    while (length < 3 && this.#text[this.#at + length] === char) length++;
    const before = this.#text[this.#at - 1] ?? " ";
    const after = this.#text[this.#at + length] ?? " ";
    const isSpaceBefore = /\s/u.test(before);
    const isSpaceAfter = /\s/u.test(after);
    const isInWord = char === "_" && isWordLike(before) && isWordLike(after);
    // A single tilde means "about", and what is between spaces is a multiplication or a list.
    if (isInWord || (isSpaceBefore && isSpaceAfter) || (char === "~" && length !== 2)) {
      this.#at += length;
      return;
    }
    const isInnermostSingle = this.#open.at(-1)?.mark === char;
    const both = isInnermostSingle ? [1, 2] : [2, 1];
    for (const size of length === 3 ? both : [length]) {
      const mark = char.repeat(size);
      if (!isSpaceBefore && this.#close(mark)) continue;
      if (isSpaceAfter || !this.#begin(spanOf(char, size), mark, false)) this.#at += size;
    }
  }

  /** Opens a span. Returns false if too many are open. */
  #begin(span: Span, mark: string, isImage: boolean): boolean {
    if (this.#open.length >= MAX_DEPTH) return false;
    this.#replace(mark.length, undefined);
    this.#open.push({ span, mark, isImage, children: [] });
    this.#counts.set(mark, (this.#counts.get(mark) ?? 0) + 1);
    return true;
  }

  /** Closes the innermost span with this mark. Returns false if there is none, or it would be empty. */
  #close(mark: string): boolean {
    if ((this.#counts.get(mark) ?? 0) === 0) return false;
    const isEmpty = this.#open.at(-1)?.mark === mark && this.#open.at(-1)?.children.length === 0;
    if (isEmpty && this.#plainFrom === this.#at) return false;
    this.#replace(mark.length, undefined);
    while (this.#open.at(-1)?.mark !== mark) this.#abandon();
    const { span, children } = this.#pop();
    // A link has its own way to close.
    if (span !== "link") this.#push({ type: span, children });
    return true;
  }

  #pop(): Open {
    const open = this.#open.pop();
    if (!open) throw new Error("No span is open.");
    this.#counts.set(open.mark, (this.#counts.get(open.mark) ?? 1) - 1);
    return open;
  }

  /** Shows the mark of the innermost span as text, because nothing has closed it. */
  #abandon(): void {
    const { mark, children } = this.#pop();
    this.#push({ type: "text", text: mark });
    for (const child of children) this.#push(child);
  }

  #bracket(): void {
    const isImage = this.#text[this.#at] === "!";
    if (isImage && this.#text[this.#at + 1] !== "[") {
      this.#at++;
      return;
    }
    const reference = isImage ? undefined : referenceAt(this.#text, this.#at);
    if (reference) return this.#replace(reference.length, { type: "reference", number: reference.number });
    const mark = isImage ? "![" : "[";
    if (!this.#begin("link", mark, isImage)) this.#at += mark.length;
  }

  #closeBracket(): void {
    const opener = this.#open.findLast(({ span }) => span === "link");
    const target = opener && addressIn(this.#text, this.#at + 1);
    const url = target && safeUrl(target.url);
    if (!opener || !target || url === undefined) {
      // All of it stays text if there is no address, or none that may be followed.
      this.#at += 1 + (target?.length ?? 0);
      this.#flush();
      if (opener) this.#abandonTo(opener);
      return;
    }
    this.#replace(target.length + 1, undefined);
    while (this.#open.at(-1) !== opener) this.#abandon();
    const { isImage, children } = this.#pop();
    if (isImage) this.#push({ type: "image", url, text: plainText(children) });
    else this.#push({ type: "link", url, children: withoutLinks(children) });
  }

  /** Shows the marks down to this one as text. Brackets that stayed open would keep others from being opened. */
  #abandonTo(opener: Open): void {
    while (this.#open.includes(opener)) this.#abandon();
  }

  /** An address in the text is a link. */
  #address(): void {
    const isInWord = isWordLike(this.#text[this.#at - 1] ?? " ");
    const begins =
      !isInWord &&
      (this.#text.startsWith("https://", this.#at) || this.#text.startsWith("http://", this.#at));
    const end = begins ? endOfAddress(this.#text, this.#at) : this.#at;
    const written = this.#text.slice(this.#at, end);
    const url = begins ? safeUrl(written) : undefined;
    // Links contain no links: within brackets, an address is text.
    const isInLink = this.#open.some(({ span }) => span === "link");
    if (url === undefined || isInLink) {
      this.#at = Math.max(end, this.#at + 1);
      return;
    }
    this.#replace(end - this.#at, { type: "link", url, children: [{ type: "text", text: written }] });
  }
}

const spanOf = (char: "*" | "_" | "~", size: number): Span =>
  char === "~" ? "deleted" : size === 2 ? "strong" : "emphasis";

const isWordLike = (char: string): boolean => /^[\p{L}\p{N}]$/u.test(char);

/** Reads `[12]` that is not the beginning of a link. */
function referenceAt(
  text: string,
  at: number,
): { readonly number: number; readonly length: number } | undefined {
  const found = /^\[(\d{1,4})\](?!\()/u.exec(text.slice(at, at + 8));
  return found ? { number: Number(found[1]), length: found[0].length } : undefined;
}

/**
 * Reads `(address)` or `(address "title")`. Brackets end it, so that however many of them there are, no character is read for two of
 * them.
 */
function addressIn(text: string, at: number): { readonly url: string; readonly length: number } | undefined {
  if (text[at] !== "(") return undefined;
  let depth = 1;
  let end = at + 1;
  for (; end < text.length && end - at <= MAX_URL_CHARS; end++) {
    const char = text[end];
    if (char === "\n" || char === "[" || char === "]" || char === "<") return undefined;
    if (char === "(") depth++;
    else if (char === ")" && --depth === 0) break;
  }
  if (depth > 0) return undefined;
  const [url = ""] = text
    .slice(at + 1, end)
    .trim()
    .split(/\s/u, 1);
  return { url, length: end + 1 - at };
}

function endOfAddress(text: string, from: number): number {
  let end = from;
  while (end < text.length && !/[\s<>"'`[\]{}|\\^*]/u.test(text[end] ?? " ")) end++;
  let closing = 0;
  while (end > from && /[.,;:!?)_~]/u.test(text[end - 1] ?? "")) {
    // A bracket belongs to the address if it was opened within it. Looked at once: sentences rarely end in several.
    if (text[end - 1] === ")" && closing++ === 0 && text.slice(from, end).includes("(")) break;
    end--;
  }
  return end;
}

/** Returns an address that may be followed, or undefined: only web pages and e-mail, and nothing that runs. */
export function safeUrl(address: string): string | undefined {
  // Not all browsers have `URL.parse`.
  if (address.length > MAX_URL_CHARS || !URL.canParse(address)) return undefined;
  const url = new URL(address);
  return /^(?:https?|mailto):$/u.test(url.protocol) ? url.href : undefined;
}

/** Returns the text of pieces, without their marks. */
export function plainText(pieces: readonly Inline[]): string {
  return pieces
    .map((piece) => {
      switch (piece.type) {
        case "text":
        case "code":
        case "image":
          return piece.text;
        case "break":
          return " ";
        case "reference":
          return `[${piece.number}]`;
        case "strong":
        case "emphasis":
        case "deleted":
        case "link":
          return plainText(piece.children);
      }
    })
    .join("");
}

/** Replaces links by their text: a link cannot be inside another. */
const withoutLinks = (pieces: readonly Inline[]): readonly Inline[] =>
  pieces.flatMap((piece): readonly Inline[] => {
    if (piece.type === "link") return piece.children;
    if (piece.type === "image") return [{ type: "text", text: piece.text }];
    return "children" in piece ? [{ ...piece, children: withoutLinks(piece.children) }] : [piece];
  });

import { sleep } from "../shared/async.ts";
import type { PageId } from "../shared/id-types.ts";
import { countWords, sliceWhole } from "../shared/text.ts";
import { markdownBlocks, type MarkdownBlock } from "./markdown-blocks.ts";
import type { Passage } from "./page-model.ts";

/** Raised whenever `passagesOf` returns other passages for the same text, so that indexes are built anew. */
export const PASSAGES_VERSION = 2;

/**
 * Measured on three sets of questions: passages of 120 words found the answer among the first five in .947, .960 and .989 of the
 * cases; windows of 200 words in .886, .900 and .979.
 */
const MAX_WORDS = 120;
/** Code is worth little in parts, so that it may be longer than text. */
const MAX_CODE_WORDS = 240;
/** A run without white space counts as one word, however long it is. */
const MAX_CHARS = 4_000;
/** A header that is longer is not repeated in each part of its table. */
const MAX_HEADER_WORDS = 60;

/**
 * Each passage repeats the headings above it, so that long ones would multiply the text. A heading that is longer is text, too; its
 * beginning stands above it. Titles of pages and documents are far shorter.
 */
const MAX_HEADING_CHARS = 300;

/** How many passages are made at once. */
const TURN_PASSAGES = 250;

const sentences = new Intl.Segmenter("en", { granularity: "sentence" });

/** A piece of text that is not divided further. */
interface Piece {
  readonly text: string;
  readonly words: number;
}

interface Section {
  readonly headings: readonly string[];
  readonly blocks: readonly Exclude<MarkdownBlock, { kind: "heading" }>[];
}

/**
 * Divides a page into passages: whole paragraphs of one section, together at most 120 words. A longer paragraph is divided at
 * sentences, a table between rows, with its header repeated, and code between lines. The same text has the same passages. Takes
 * linear time.
 */
export const passagesOf = (markdown: string, pageId: PageId): Passage[] => [...eachPassage(markdown, pageId)];

/** Like `passagesOf`, but lets other work have its turn in between. Ten megabytes take seconds. */
export async function passagesInTurns(markdown: string, pageId: PageId): Promise<Passage[]> {
  const passages: Passage[] = [];
  for (const passage of eachPassage(markdown, pageId)) {
    passages.push(passage);
    if (passages.length % TURN_PASSAGES === 0) await sleep(0);
  }
  return passages;
}

function* eachPassage(markdown: string, pageId: PageId): Generator<Passage> {
  const repeats = new Map<string, number>();
  let index = 0;
  for (const { headings, blocks } of sectionsOf(markdown)) {
    for (const text of joined(piecesOfAll(blocks))) {
      const hash = hashOf([...headings, text].join("\n"));
      const earlier = repeats.get(hash) ?? 0;
      repeats.set(hash, earlier + 1);
      const id = `${pageId}-${hash}${earlier === 0 ? "" : `-${earlier + 1}`}`;
      yield { id, pageId, index: index++, headings, text };
    }
  }
}

/** Returns the sections of a page. A heading without text is the text of its section. */
function sectionsOf(markdown: string): readonly Section[] {
  const sections: Section[] = [];
  const path: { readonly level: number; readonly text: string }[] = [];
  let blocks: Exclude<MarkdownBlock, { kind: "heading" }>[] = [];
  let isLeaf = false;

  const finish = (): void => {
    const headings = path.map(({ text }) => text);
    if (blocks.length > 0) sections.push({ headings, blocks });
    else if (isLeaf) sections.push(headingAlone(headings));
    blocks = [];
  };
  for (const block of markdownBlocks(markdown)) {
    if (block.kind !== "heading") {
      blocks.push(block);
      continue;
    }
    // A heading whose first content is a deeper heading is part of the path of what follows.
    const isDeeper = block.level > (path.at(-1)?.level ?? 0);
    if (!(isDeeper && blocks.length === 0)) finish();
    while ((path.at(-1)?.level ?? 0) >= block.level) path.pop();
    path.push({ level: block.level, text: sliceWhole(block.text, 0, MAX_HEADING_CHARS) });
    isLeaf = true;
    if (block.text.length > MAX_HEADING_CHARS) blocks.push({ kind: "paragraph", lines: [block.text] });
  }
  finish();
  return sections;
}

const headingAlone = (headings: readonly string[]): Section => ({
  headings: headings.slice(0, -1),
  blocks: [{ kind: "paragraph", lines: [headings.at(-1) ?? ""] }],
});

/** Joins pieces as long as they fit into a passage together. */
function* joined(pieces: Iterable<Piece>): Generator<string> {
  let [parts, words, chars]: [string[], number, number] = [[], 0, 0];
  for (const piece of pieces) {
    if (parts.length > 0 && (words + piece.words > MAX_WORDS || chars + piece.text.length > MAX_CHARS)) {
      yield parts.join("\n\n");
      [parts, words, chars] = [[], 0, 0];
    }
    parts.push(piece.text);
    words += piece.words;
    chars += piece.text.length;
  }
  if (parts.length > 0) yield parts.join("\n\n");
}

function* piecesOfAll(blocks: Section["blocks"]): Generator<Piece> {
  for (const block of blocks) yield* piecesOf(block);
}

/** Returns the pieces of a block that each fit into a passage. */
function* piecesOf(block: Exclude<MarkdownBlock, { kind: "heading" }>): Generator<Piece> {
  switch (block.kind) {
    case "code":
      for (const lines of groups(piecesOfLines(block.lines), MAX_CODE_WORDS))
        yield pieceOf(`${block.fence}${block.info}\n${lines}\n${block.fence}`);
      return;
    case "table":
      yield* tablePieces(block.header, block.rows);
      return;
    case "list":
      for (const lines of groups(piecesOfLines(block.lines), MAX_WORDS)) yield pieceOf(lines);
      return;
    default:
      yield* linePieces(block.lines.join("\n"));
  }
}

const pieceOf = (text: string): Piece => ({ text, words: countWords(text) });

/** Returns a text as a piece if it fits into a passage. The words of a text that is too long are not counted. */
function fitting(text: string): Piece | undefined {
  if (text.length > MAX_CHARS) return undefined;
  const piece = pieceOf(text);
  return piece.words <= MAX_WORDS ? piece : undefined;
}

function* tablePieces(header: readonly string[], rows: readonly string[]): Generator<Piece> {
  const head = header.join("\n");
  const headWords = countWords(head);
  const whole = fitting([...header, ...rows].join("\n"));
  if (whole) return yield whole;

  const isRepeated = headWords <= MAX_HEADER_WORDS && head.length <= MAX_CHARS / 2;
  const lines = isRepeated ? rows : [...header, ...rows];
  const room = isRepeated ? MAX_WORDS - headWords : MAX_WORDS;
  const chars = isRepeated ? MAX_CHARS - head.length : MAX_CHARS;
  for (const part of groups(piecesOfLines(lines), room, "\n", chars))
    yield pieceOf(isRepeated && head !== "" ? `${head}\n${part}` : part);
}

function* piecesOfLines(lines: readonly string[]): Generator<Piece> {
  for (const line of lines) yield* linePieces(line);
}

/** Returns a text, or its sentences if it does not fit into a passage. */
function* linePieces(text: string): Generator<Piece> {
  const whole = fitting(text);
  if (whole) yield whole;
  else for (const part of groups(sentencePieces(text), MAX_WORDS, "")) yield pieceOf(part);
}

/** Joins pieces to texts of at most `maxWords`. */
function* groups(
  pieces: Iterable<Piece>,
  maxWords: number,
  separator = "\n",
  maxChars = MAX_CHARS,
): Generator<string> {
  let [parts, words, chars]: [string[], number, number] = [[], 0, 0];
  const finished = (): readonly string[] => {
    const text = parts.join(separator);
    [parts, words, chars] = [[], 0, 0];
    return text.trim() === "" ? [] : [separator === "" ? text.trim() : text];
  };
  for (const piece of pieces) {
    if (words + piece.words > maxWords || chars + piece.text.length > maxChars) yield* finished();
    parts.push(piece.text);
    words += piece.words;
    chars += piece.text.length + separator.length;
  }
  yield* finished();
}

/** Returns the sentences of a text. One that does not fit into a passage is divided between words, or anywhere without them. */
function* sentencePieces(text: string): Generator<Piece> {
  for (const { segment } of sentences.segment(text)) {
    const whole = fitting(segment);
    if (whole) yield whole;
    else yield* wordPieces(segment);
  }
}

function* wordPieces(text: string): Generator<Piece> {
  for (const [run] of text.matchAll(/\S+\s*|\s+/gu)) {
    const whole = run.length <= MAX_CHARS ? pieceOf(run) : undefined;
    if (whole && whole.words <= 1) yield whole;
    else yield* runPieces(run);
  }
}

/** A run of characters of a script without spaces may be many words; it is divided into runs of this many characters. */
const RUN_CHARS = 100;

function* runPieces(run: string): Generator<Piece> {
  let [part, characters] = ["", 0];
  for (const character of run) {
    part += character;
    if (++characters % RUN_CHARS > 0) continue;
    yield pieceOf(part);
    part = "";
  }
  if (part !== "") yield pieceOf(part);
}

const PRIME = 0x1000193;

/** Returns a hash of text: two of 32 bits (FNV-1a with different beginnings), in hexadecimal. It tells the passages of a page apart. */
function hashOf(text: string): string {
  let [a, b] = [0x811c9dc5, 0x050c5d1f];
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    a = Math.imul(a ^ unit, PRIME);
    b = Math.imul(b ^ (unit + at), PRIME);
  }
  return [a, b].map((half) => (half >>> 0).toString(16).padStart(8, "0")).join("");
}

import type { PageId } from "../shared/id-types.ts";
import { countWords } from "../shared/text.ts";
import { markdownBlocks, type MarkdownBlock } from "./markdown-blocks.ts";
import type { Passage } from "./page-model.ts";

/** Raised whenever `passagesOf` returns other passages for the same text, so that indexes are built anew. */
export const PASSAGES_VERSION = 1;

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
export function passagesOf(markdown: string, pageId: PageId): Passage[] {
  const passages: Passage[] = [];
  const repeats = new Map<string, number>();
  for (const { headings, blocks } of sectionsOf(markdown)) {
    for (const text of joined(blocks.flatMap(piecesOf))) {
      const hash = hashOf([...headings, text].join("\n"));
      const earlier = repeats.get(hash) ?? 0;
      repeats.set(hash, earlier + 1);
      const id = `${pageId}-${hash}${earlier === 0 ? "" : `-${earlier + 1}`}`;
      passages.push({ id, pageId, index: passages.length, headings, text });
    }
  }
  return passages;
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
    path.push(block);
    isLeaf = true;
  }
  finish();
  return sections;
}

const headingAlone = (headings: readonly string[]): Section => ({
  headings: headings.slice(0, -1),
  blocks: [{ kind: "paragraph", lines: [headings.at(-1) ?? ""] }],
});

/** Joins pieces as long as they fit into a passage together. */
function joined(pieces: readonly Piece[]): readonly string[] {
  const texts: string[] = [];
  let [parts, words, chars]: [string[], number, number] = [[], 0, 0];
  for (const piece of pieces) {
    if (parts.length > 0 && (words + piece.words > MAX_WORDS || chars + piece.text.length > MAX_CHARS)) {
      texts.push(parts.join("\n\n"));
      [parts, words, chars] = [[], 0, 0];
    }
    parts.push(piece.text);
    words += piece.words;
    chars += piece.text.length;
  }
  if (parts.length > 0) texts.push(parts.join("\n\n"));
  return texts;
}

/** Returns the pieces of a block that each fit into a passage. */
function piecesOf(block: Exclude<MarkdownBlock, { kind: "heading" }>): readonly Piece[] {
  switch (block.kind) {
    case "code":
      return groups(block.lines.flatMap(linePieces), MAX_CODE_WORDS).map((lines) =>
        pieceOf(`${block.fence}${block.info}\n${lines}\n${block.fence}`),
      );
    case "table":
      return tablePieces(block.header, block.rows);
    case "list":
      return groups(block.lines.flatMap(linePieces), MAX_WORDS).map(pieceOf);
    default: {
      const text = block.lines.join("\n");
      return fits(pieceOf(text)) ? [pieceOf(text)] : groups(sentencePieces(text), MAX_WORDS, "").map(pieceOf);
    }
  }
}

const pieceOf = (text: string): Piece => ({ text, words: countWords(text) });

const fits = ({ text, words }: Piece): boolean => words <= MAX_WORDS && text.length <= MAX_CHARS;

function tablePieces(header: readonly string[], rows: readonly string[]): readonly Piece[] {
  const head = header.join("\n");
  const headWords = countWords(head);
  const whole = pieceOf([...header, ...rows].join("\n"));
  if (fits(whole)) return [whole];

  const isRepeated = headWords <= MAX_HEADER_WORDS && head.length <= MAX_CHARS / 2;
  const lines = isRepeated ? rows : [...header, ...rows];
  const room = isRepeated ? MAX_WORDS - headWords : MAX_WORDS;
  const chars = isRepeated ? MAX_CHARS - head.length : MAX_CHARS;
  return groups(lines.flatMap(linePieces), room, "\n", chars).map((part) =>
    pieceOf(isRepeated && head !== "" ? `${head}\n${part}` : part),
  );
}

/** Returns a line, or its sentences if it does not fit into a passage. */
function linePieces(line: string): readonly Piece[] {
  const whole = pieceOf(line);
  return fits(whole) ? [whole] : groups(sentencePieces(line), MAX_WORDS, "").map(pieceOf);
}

/** Joins pieces to texts of at most `maxWords`. */
function groups(
  pieces: readonly Piece[],
  maxWords: number,
  separator = "\n",
  maxChars = MAX_CHARS,
): readonly string[] {
  const texts: string[] = [];
  let [parts, words, chars]: [string[], number, number] = [[], 0, 0];
  const finish = (): void => {
    const text = parts.join(separator);
    if (text.trim() !== "") texts.push(separator === "" ? text.trim() : text);
    [parts, words, chars] = [[], 0, 0];
  };
  for (const piece of pieces) {
    if (words + piece.words > maxWords || chars + piece.text.length > maxChars) finish();
    parts.push(piece.text);
    words += piece.words;
    chars += piece.text.length + separator.length;
  }
  finish();
  return texts;
}

/** Returns the sentences of a text. One that does not fit into a passage is divided between words, or anywhere without them. */
const sentencePieces = (text: string): readonly Piece[] =>
  Array.from(sentences.segment(text), ({ segment }) => segment).flatMap((sentence) => {
    const whole = pieceOf(sentence);
    return fits(whole) ? [whole] : wordPieces(sentence);
  });

const wordPieces = (text: string): readonly Piece[] =>
  (text.match(/\S+\s*|\s+/gu) ?? []).flatMap((run) => {
    const whole = pieceOf(run);
    return whole.words <= 1 && run.length <= MAX_CHARS ? [whole] : runPieces(run);
  });

/** A run of characters of a script without spaces may be many words; it is divided into runs of this many characters. */
const RUN_CHARS = 100;

function runPieces(run: string): readonly Piece[] {
  const characters = Array.from(run);
  const pieces: Piece[] = [];
  for (let at = 0; at < characters.length; at += RUN_CHARS)
    pieces.push(pieceOf(characters.slice(at, at + RUN_CHARS).join("")));
  return pieces;
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

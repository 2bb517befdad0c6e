import { sliceWhole } from "../shared/text.ts";
import { passageOf, type PassageWords, passageScore } from "./passage.ts";

/** A file of a message, with the beginning of its text. */
export interface IndexedFile {
  readonly filename: string;
  readonly text: string;
}

/** The part of a file that matches a query. */
export interface FilePassage {
  readonly filename: string;
  readonly text: string;
}

/** How many characters of a message's files are indexed, shared among them. */
const MAX_CHARS = 100_000;
/** The length of the part that is shown, in characters. */
const PASSAGE_CHARS = 400;

/** Returns files with as much of their texts as is indexed. */
export function indexedFiles(files: readonly IndexedFile[]): readonly IndexedFile[] {
  let remaining = MAX_CHARS;
  return files.map(({ filename, text }, index) => {
    const indexed = sliceWhole(text, 0, Math.floor(remaining / (files.length - index)));
    remaining -= indexed.length;
    return { filename, text: indexed };
  });
}

/** Returns the part of a message's files that matches a query, if a file matches it better than the message itself. */
export function filePassageOf(
  content: string,
  files: readonly IndexedFile[],
  words: PassageWords,
): FilePassage | null {
  let most = files.length > 0 ? passageScore(content, words) : 0;
  let best: IndexedFile | undefined;
  for (const file of files) {
    const worth = passageScore(file.text, words);
    if (worth <= most) continue;
    most = worth;
    best = file;
  }
  return best ? { filename: best.filename, text: passageOf(best.text, words, PASSAGE_CHARS) } : null;
}

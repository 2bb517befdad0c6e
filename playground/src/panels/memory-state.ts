import type { MemoryBlockContent } from "../../../client/src/index.ts";
import { changedLines, countChanges, diffLines } from "./line-diff.ts";
import { counted } from "./formats.ts";

/** The lines of a block as they were last read, and what has changed since they were read before. */
export interface ShownContent {
  readonly lines: readonly string[];
  readonly words: number;
  readonly wordLimit: number;
  /** The entity tag of these lines, for changes that must not overwrite others. */
  readonly tag: string | null;
  /** The positions of the lines that the last change has added or replaced. */
  readonly changed: ReadonlySet<number>;
  /** The lines that the last change has removed. */
  readonly removed: readonly string[];
}

/** The contents of an agent's blocks, by name. Blocks whose lines were not read yet are absent. */
export type ShownContents = ReadonlyMap<string, ShownContent>;

/**
 * Returns the contents with those of a block that was read just now. Its lines are compared with those that were shown, so that
 * what has changed can be seen. If they are the same, what was marked stays marked.
 */
export function withContent(
  contents: ShownContents,
  { block_name: name, lines, word_count: words, word_limit: wordLimit }: MemoryBlockContent,
  tag: string | null,
): ShownContents {
  const before = contents.get(name);
  const isSame =
    before !== undefined &&
    before.lines.length === lines.length &&
    before.lines.every((line, index) => line === lines[index]);
  const marks =
    before === undefined
      ? { changed: new Set<number>(), removed: [] }
      : isSame
        ? { changed: before.changed, removed: before.removed }
        : marksOf(before.lines, lines);
  return new Map(contents).set(name, { lines, words, wordLimit, tag, ...marks });
}

/** Returns the contents without marks, as when a new turn begins. */
export function withoutMarks(contents: ShownContents): ShownContents {
  const isMarked = [...contents.values()].some(({ changed, removed }) => changed.size + removed.length > 0);
  if (!isMarked) return contents;
  return new Map(
    [...contents].map(([name, content]) => [name, { ...content, changed: new Set<number>(), removed: [] }]),
  );
}

/** Returns the contents without a block that does not exist any more. */
export function withoutBlock(contents: ShownContents, name: string): ShownContents {
  const rest = new Map(contents);
  rest.delete(name);
  return rest;
}

/** Returns what has changed in a block as a sentence that a screen reader announces; `undefined` if nothing has. */
export function changeSentence(name: string, { changed, removed }: ShownContent): string | undefined {
  const parts = [
    changed.size > 0 ? `${counted(changed.size, "line")} new` : "",
    removed.length > 0 ? `${counted(removed.length, "line")} removed` : "",
  ].filter((part) => part !== "");
  return parts.length > 0 ? `Memory block ${name} has changed: ${parts.join(", ")}.` : undefined;
}

/** Returns the lines of a text field: one line each, without blank ones, as the service stores them. */
export const linesOf = (text: string): string[] =>
  text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "");

/**
 * Returns how many words lines have. The service counts what stands between white space; scripts without spaces are counted there by
 * other rules, so that this is a preview only.
 */
export const countWords = (lines: readonly string[]): number =>
  lines.reduce((sum, line) => sum + (line.match(/\S+/gu)?.length ?? 0), 0);

/** Returns how a version differs from the one before it, in few characters: `+2 −1`. */
export function changeLabel(before: readonly string[], after: readonly string[]): string {
  const { added, removed } = countChanges(diffLines(before, after));
  if (added + removed === 0) return "no change";
  return [added > 0 ? `+${added}` : "", removed > 0 ? `−${removed}` : ""]
    .filter((part) => part !== "")
    .join(" ");
}

function marksOf(
  before: readonly string[],
  after: readonly string[],
): Pick<ShownContent, "changed" | "removed"> {
  const removed = diffLines(before, after).flatMap(({ kind, text }) => (kind === "removed" ? [text] : []));
  return { changed: changedLines(before, after), removed };
}

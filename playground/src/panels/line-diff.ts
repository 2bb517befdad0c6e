/** A line of a comparison: in both texts, in the earlier one only, or in the later one only. */
export interface DiffLine {
  readonly kind: "same" | "removed" | "added";
  readonly text: string;
}

/**
 * How many insertions and deletions a comparison looks for. It bounds the time, which is the number of lines multiplied by
 * this, and the memory, which is its square. Beyond it, everything between the common beginning and end counts as replaced.
 */
const MAX_EDITS = 400;

/**
 * Returns the lines of two texts in order, with as few lines removed and added as possible. Removed lines stand before the
 * lines that replace them. Takes time in proportion to the number of lines.
 */
export function diffLines(before: readonly string[], after: readonly string[]): readonly DiffLine[] {
  const shorter = Math.min(before.length, after.length);
  let start = 0;
  while (start < shorter && before[start] === after[start]) start += 1;
  let end = 0;
  while (end < shorter - start && before.at(-1 - end) === after.at(-1 - end)) end += 1;

  const removed = before.slice(start, before.length - end);
  const added = after.slice(start, after.length - end);
  return [
    ...before.slice(0, start).map(same),
    ...(shortestEdits(removed, added) ?? [...removed.map(asRemoved), ...added.map(asAdded)]),
    ...before.slice(before.length - end).map(same),
  ];
}

/** Returns the positions in `after` of the lines that `before` does not have at their place. */
export function changedLines(before: readonly string[], after: readonly string[]): ReadonlySet<number> {
  const changed = new Set<number>();
  let position = 0;
  for (const { kind } of diffLines(before, after)) {
    if (kind === "removed") continue;
    if (kind === "added") changed.add(position);
    position += 1;
  }
  return changed;
}

/** Returns how many lines were added and removed. */
export function countChanges(lines: readonly DiffLine[]): {
  readonly added: number;
  readonly removed: number;
} {
  const count = (kind: DiffLine["kind"]) => lines.filter((line) => line.kind === kind).length;
  return { added: count("added"), removed: count("removed") };
}

/** A line of a comparison as it is shown. */
export type ShownLine =
  | (DiffLine & {
      /** The line that this one replaces or is replaced by; `undefined` if there is none. */
      readonly partner: string | undefined;
    })
  /** Lines that are the same in both texts and are left out. */
  | { readonly kind: "folded"; readonly count: number };

/** How many lines that have not changed are shown around each change. */
const AROUND = 2;

/**
 * Returns a comparison as it is shown: in a group of removed lines and the added ones behind it, the first stands against the first,
 * and so on; and lines far from every change are left out.
 */
export function shownLines(lines: readonly DiffLine[]): readonly ShownLine[] {
  const groups = groupsOf(lines);
  return groups.flatMap(({ kind, members }, index): readonly ShownLine[] => {
    if (kind === "same") return foldedSame(members, index > 0, index < groups.length - 1);
    const neighbour = kind === "removed" ? groups[index + 1] : groups[index - 1];
    const partners = neighbour && neighbour.kind !== "same" ? neighbour.members : [];
    return members.map((text, place) => ({ kind, text, partner: partners[place] }));
  });
}

/** Lines of one kind that follow each other. */
interface Group {
  readonly kind: DiffLine["kind"];
  readonly members: string[];
}

function groupsOf(lines: readonly DiffLine[]): readonly Group[] {
  const groups: Group[] = [];
  for (const { kind, text } of lines) {
    const last = groups.at(-1);
    if (last?.kind === kind) last.members.push(text);
    else groups.push({ kind, members: [text] });
  }
  return groups;
}

/** Returns the lines of a group near the changes before and behind it. Leaves out two lines or more, or none. */
function foldedSame(members: readonly string[], isAfter: boolean, isBefore: boolean): readonly ShownLine[] {
  const shown = (text: string): ShownLine => ({ kind: "same", text, partner: undefined });
  const head = isAfter ? AROUND : 0;
  const tail = isBefore ? AROUND : 0;
  const count = members.length - head - tail;
  if (count < 2) return members.map(shown);
  return [
    ...members.slice(0, head).map(shown),
    { kind: "folded", count },
    ...members.slice(members.length - tail).map(shown),
  ];
}

/** Returns two texts word by word as one comparison. White space counts as words of its own, so that joining restores it. */
export const diffWords = (before: string, after: string): readonly DiffLine[] =>
  diffLines(wordsOf(before), wordsOf(after));

const wordsOf = (text: string): readonly string[] => text.match(/\s+|\S+/gu) ?? [];

const same = (text: string): DiffLine => ({ kind: "same", text });
const asRemoved = (text: string): DiffLine => ({ kind: "removed", text });
const asAdded = (text: string): DiffLine => ({ kind: "added", text });

/** Returns the shortest comparison (Myers 1986), or `undefined` if it takes more than `MAX_EDITS` edits. */
function shortestEdits(before: readonly string[], after: readonly string[]): readonly DiffLine[] | undefined {
  const limit = Math.min(before.length + after.length, MAX_EDITS);
  // By diagonal: how far into `before` the edits made so far lead. Diagonals go from -limit - 1 to limit + 1.
  const reach = new Int32Array(2 * limit + 3);
  const at = (diagonal: number): number => reach[diagonal + limit + 1] ?? 0;
  const rounds: Int32Array[] = [];
  for (let edits = 0; edits <= limit; edits += 1) {
    rounds.push(reach.slice());
    for (let diagonal = -edits; diagonal <= edits; diagonal += 2) {
      const isInsertion = insertsAt(at, diagonal, edits);
      let x = isInsertion ? at(diagonal + 1) : at(diagonal - 1) + 1;
      while (x < before.length && x - diagonal < after.length && before[x] === after[x - diagonal]) x += 1;
      reach[diagonal + limit + 1] = x;
      if (x >= before.length && x - diagonal >= after.length) return pathBack(before, after, rounds, limit);
    }
  }
  return undefined;
}

/** Returns whether the best way to a diagonal is an insertion on the diagonal above it. */
const insertsAt = (at: (diagonal: number) => number, diagonal: number, edits: number): boolean =>
  diagonal === -edits || (diagonal !== edits && at(diagonal - 1) < at(diagonal + 1));

/** Follows the edits from the end of both texts to their beginning. */
function pathBack(
  before: readonly string[],
  after: readonly string[],
  rounds: readonly Int32Array[],
  limit: number,
): readonly DiffLine[] {
  const lines: DiffLine[] = [];
  let x = before.length;
  let y = after.length;
  for (let edits = rounds.length - 1; edits > 0; edits -= 1) {
    const at = (diagonal: number): number => rounds[edits]?.[diagonal + limit + 1] ?? 0;
    const isInsertion = insertsAt(at, x - y, edits);
    const previous = isInsertion ? x - y + 1 : x - y - 1;
    const previousX = at(previous);
    const firstSame = isInsertion ? previousX : previousX + 1;
    while (x > firstSame) {
      x -= 1;
      y -= 1;
      lines.push(same(before[x] ?? ""));
    }
    if (isInsertion) {
      y -= 1;
      lines.push(asAdded(after[y] ?? ""));
    } else {
      x -= 1;
      lines.push(asRemoved(before[x] ?? ""));
    }
  }
  return [...before.slice(0, x).map(same), ...lines.toReversed()];
}

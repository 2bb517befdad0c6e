import type { SearchCriteria } from "./model.ts";

/** A place in the results of a search. */
export interface PagePosition {
  readonly offset: number;
  /** The name of the order that the first page has kept; see `SearchPages`. */
  readonly snapshot: string | undefined;
}

/** Reads a position that `nextPosition` has written; the beginning if there is none. */
export function positionOf(text: string | undefined): PagePosition {
  const [offset = "0", snapshot] = (text ?? "0").split("@", 2);
  return { offset: Number(offset), snapshot };
}

/** Returns the position of the next page, or `undefined` on the last one. */
export function nextPosition(
  { offset, snapshot: before }: PagePosition,
  limit: number,
  answer: { readonly hits: readonly unknown[]; readonly total: number; readonly snapshot?: string },
): string | undefined {
  const snapshot = answer.snapshot ?? before;
  // A page of a kept order lacks what has been removed since, so its length does not tell where it ends.
  const end = offset + (answer.snapshot === undefined ? answer.hits.length : limit);
  const isEmpty = answer.snapshot === undefined && answer.hits.length === 0;
  if (isEmpty || end >= answer.total) return undefined;
  return snapshot === undefined ? String(end) : `${end}@${snapshot}`;
}

/** Returns what a search looks for as a part of a cursor's scope. Cursors of a plain query stay valid. */
export const cursorSubject = ({ query, ...more }: SearchCriteria): string =>
  Object.keys(more).length === 0 ? query : `${query} ${JSON.stringify(more)}`;

/** Where a passage is on its page. A type alias, because rows need an implicit index signature. */
export type Located = {
  readonly position: number;
  readonly words: number;
  /** The headings above it. Passages of one section have the same. */
  readonly headings: string;
};

/** How many words a passage is shown with, its own included. Measured; see decision 0033. */
const WINDOW_WORDS = 240;
/** How many passages before and after one may be shown with it. */
export const WINDOW_REACH = 8;

/**
 * Returns the passages to show together with the one at `position`: the next ones and the ones before, in turn, as far as whole
 * ones fit, first those of its section. None of them is in `shown`. `rows` are in the order of the page.
 */
export function windowAround(
  rows: readonly Located[],
  position: number,
  shown: ReadonlySet<number>,
): readonly Located[] {
  const at = rows.findIndex((row) => row.position === position);
  const headings = rows[at]?.headings;
  let [from, to] = [at, at];
  let room = WINDOW_WORDS - (rows[at]?.words ?? 0);

  for (const isAllowed of [(row: Located) => row.headings === headings, () => true]) {
    const takes = (row: Located | undefined): boolean => {
      if (!row || row.words > room || shown.has(row.position) || !isAllowed(row)) return false;
      room -= row.words;
      return true;
    };
    for (let grows = true; grows;) {
      const [takesNext, takesPrevious] = [takes(rows[to + 1]), takes(rows[from - 1])];
      if (takesNext) to++;
      if (takesPrevious) from--;
      grows = takesNext || takesPrevious;
    }
  }
  return rows.slice(from, to + 1);
}

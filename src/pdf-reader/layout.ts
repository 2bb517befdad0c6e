/** A run of text on a page, as pdf.js reports it. */
export interface TextRun {
  readonly str: string;
  /** A transformation matrix: the last two numbers are where the run begins, in points from the lower left corner. */
  readonly transform: readonly number[];
  readonly width: number;
  readonly height: number;
  readonly hasEOL: boolean;
}

/** A line of a page. */
export interface Line {
  readonly text: string;
  /** The height of its base line above the bottom of the page, and of its letters, in points. */
  readonly y: number;
  readonly height: number;
}

/** Runs whose base lines differ by less than this share of their height are on one line. */
const SAME_LINE = 0.5;
/** A gap between runs that is wider than this share of their height is a space. */
const SPACE = 0.15;
/** A distance to the next line that is larger than this multiple of the usual one separates paragraphs. */
const PARAGRAPH_GAP = 1.35;
/** So is one that is larger than this multiple of the height of the letters, on pages where every line is a paragraph. */
const LINE_GAP = 2;
/** How many lines at the top and bottom of a page may be its header and footer. */
const EDGE_LINES = 2;
/** A header or footer repeats on this share of the pages, and on at least three. */
const REPEATED_SHARE = 0.5;
const MIN_REPEATS = 3;

/** Joins the runs of a page to lines, in the order in which the file has them. */
export function linesOf(runs: readonly TextRun[]): readonly Line[] {
  const lines: Line[] = [];
  let current: { text: string; y: number; height: number; end: number } | undefined;
  const finish = (): void => {
    const text = current?.text.replaceAll(/\s+/gu, " ").trim();
    if (current && text) lines.push({ text, y: current.y, height: current.height });
    current = undefined;
  };

  for (const { str, transform, width, height, hasEOL } of runs) {
    const [x, y] = [transform[4] ?? 0, transform[5] ?? 0];
    if (
      current &&
      str.trim() !== "" &&
      Math.abs(current.y - y) > SAME_LINE * Math.max(current.height, height)
    )
      finish();
    if (current === undefined) current = { text: str, y, height, end: x + width };
    else {
      const isApart = x - current.end > SPACE * current.height;
      current.text += `${isApart ? " " : ""}${str}`;
      current.end = x + width;
      current.height = Math.max(current.height, height);
    }
    if (hasEOL) finish();
  }
  finish();
  return lines;
}

/** Returns the pages without the lines at their edges that repeat, such as page numbers and the title of the document. */
export function withoutRepeatedLines(pages: readonly (readonly Line[])[]): readonly (readonly Line[])[] {
  const counts = new Map<string, number>();
  for (const lines of pages)
    for (const key of new Set(edgesOf(lines).map(keyOf))) counts.set(key, (counts.get(key) ?? 0) + 1);

  const most = Math.max(MIN_REPEATS, REPEATED_SHARE * pages.length);
  return pages.map((lines) => {
    const edges = new Set(edgesOf(lines).filter((line) => (counts.get(keyOf(line)) ?? 0) >= most));
    return lines.filter((line) => !edges.has(line));
  });
}

const edgesOf = (lines: readonly Line[]): readonly Line[] => [
  ...new Set([...lines.slice(0, EDGE_LINES), ...lines.slice(-EDGE_LINES)]),
];

/** Numbers differ from page to page; the place is the same. */
const keyOf = ({ text, y }: Line): string => `${text.replaceAll(/\d+/gu, "#")} ${Math.round(y / 4)}`;

/** Returns the text of a page: paragraphs, separated by empty lines, whose lines are joined. */
export function paragraphsOf(lines: readonly Line[]): string {
  const usual = usualDistance(lines);
  const paragraphs: string[] = [];
  let paragraph = "";
  for (const [at, line] of lines.entries()) {
    const before = lines[at - 1];
    const isNew = !before || isApart(before, line, usual);
    if (isNew && paragraph !== "") paragraphs.push(paragraph);
    paragraph = isNew ? line.text : joinedLine(paragraph, line.text);
  }
  if (paragraph !== "") paragraphs.push(paragraph);
  return paragraphs.join("\n\n");
}

/** A larger distance, another size of letters, or the beginning of another column separates paragraphs. */
function isApart(before: Line, line: Line, usual: number): boolean {
  const distance = before.y - line.y;
  const isOtherSize = Math.abs(before.height - line.height) > 0.2 * Math.max(before.height, line.height);
  return (
    distance <= 0 || distance > PARAGRAPH_GAP * usual || distance > LINE_GAP * line.height || isOtherSize
  );
}

/** Returns the median distance between lines, in points. */
function usualDistance(lines: readonly Line[]): number {
  const distances = lines.flatMap((line, at) => {
    const before = lines[at - 1];
    return before && before.y > line.y ? [before.y - line.y] : [];
  });
  return distances.toSorted((a, b) => a - b)[Math.floor((distances.length - 1) / 2)] ?? 0;
}

/** Joins a line to the one before. A hyphen between small letters divides a word. */
const joinedLine = (text: string, line: string): string =>
  /\p{Ll}[-\u00ad\u2010]$/u.test(text) && /^\p{Ll}/u.test(line)
    ? `${text.slice(0, -1)}${line}`
    : `${text} ${line}`;

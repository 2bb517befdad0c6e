/** Anti-DoS: quotations and lists that are nested deeper are written at this depth, so that no line repeats a long prefix. */
const MAX_NESTING = 8;

interface Nesting {
  /** What the first line of the container begins with, such as `- `, until it has been written. */
  marker: string | undefined;
  /** What its other lines begin with. */
  readonly indent: string;
  /** Whether no empty line separates it from the block before. */
  readonly isTight: boolean;
}

/** Writes blocks of Markdown, with the prefixes of the quotations and lists around them. Writes each line once. */
export class MarkdownLines {
  readonly #lines: string[] = [];
  readonly #nesting: Nesting[] = [];

  /** Writes a block after an empty line, or without one where a tight container begins. Empty text writes nothing. */
  block(text: string): void {
    if (text === "") return;
    const isTight = this.#nesting.some((nesting) => nesting.isTight && nesting.marker !== undefined);
    if (this.#lines.length > 0 && !isTight) this.#lines.push(this.#gap());
    for (const line of text.split("\n")) this.#lines.push(`${this.#prefix()}${line}`.trimEnd());
  }

  /**
   * Writes what `write` writes with a prefix: `marker` on its first line, and `indent` on the others. With `isTight`, no empty
   * line separates it from the block before.
   */
  nested(marker: string, indent: string, isTight: boolean, write: () => void): void {
    if (this.#nesting.length >= MAX_NESTING) return write();

    this.#nesting.push({ marker, indent, isTight });
    write();
    this.#nesting.pop();
  }

  toString(): string {
    return this.#lines.join("\n");
  }

  #prefix(): string {
    let prefix = "";
    for (const nesting of this.#nesting) {
      prefix += nesting.marker ?? nesting.indent;
      nesting.marker = undefined;
    }
    return prefix;
  }

  /** The prefix of an empty line between blocks: that of the containers that both are in. */
  #gap(): string {
    const begun = this.#nesting.filter(({ marker }) => marker === undefined);
    return begun
      .map(({ indent }) => indent)
      .join("")
      .trimEnd();
  }
}

/** Returns a text that Markdown does not take for a heading, a list item or another block. */
export const escapedBlock = (text: string): string =>
  text
    .replaceAll(/^(?=(?:#{1,6}|[-+*]|>)(?:\s|$))/gmu, "\\")
    .replaceAll(/^(\d{1,9})(?=[.)](?:\s|$))/gmu, "$1\\")
    .replaceAll(/^(?=```|~~~|\|)/gmu, "\\");

/** Returns a code block. The fence is longer than any run of backticks in the code. */
export function fencedCode(code: string, language: string): string {
  let longest = 2;
  for (const [run] of code.matchAll(/`{3,}/gu)) longest = Math.max(longest, run.length);
  const fence = "`".repeat(longest + 1);
  return `${fence}${language}\n${code}\n${fence}`;
}

/** Returns code within a line. */
export function inlineCode(code: string): string {
  if (code === "") return "";
  return code.includes("`") ? `\`\` ${code} \`\`` : `\`${code}\``;
}

/** Returns a table of GitHub Flavored Markdown. The first row is its header. Short rows are filled up. */
export function markdownTable(rows: readonly (readonly string[])[]): string {
  const [header, ...body] = rows;
  if (!header) return "";
  const columns = rows.reduce((most, row) => Math.max(most, row.length), 0);
  return [
    tableRow(header, columns),
    `|${" --- |".repeat(columns)}`,
    ...body.map((row) => tableRow(row, columns)),
  ].join("\n");
}

function tableRow(cells: readonly string[], columns: number): string {
  const filled = [...cells, ...Array.from<string>({ length: columns - cells.length }).fill("")];
  return `| ${filled.map((cell) => cell.replaceAll("\n", " ").replaceAll("|", "\\|")).join(" | ")} |`;
}

import { inBrackets } from "../../../shared/text.ts";
import { collapsed } from "../html/plain-text.ts";
import { childElements, type Element } from "../html/tree.ts";
import { escapedBlock, MarkdownLines, markdownTable } from "../markdown-lines.ts";
import {
  childOf,
  listOf,
  outlineLevel,
  valueOf,
  type ListReference,
  type Numberings,
  type Styles,
} from "./styles.ts";

export interface DocumentParts {
  readonly styles: Styles;
  readonly numberings: Numberings;
  /** The addresses of hyperlinks. */
  readonly targets: ReadonlyMap<string, string>;
  readonly notes: ReadonlyMap<string, Element>;
}

const MAX_COLUMNS = 50;
/** What is not part of the text as it stands: deletions of tracked changes, codes of fields, and properties. */
const LEFT_OUT = new Set(
  "w:del w:moveFrom w:delText w:instrText w:pPr w:tcPr w:sdtPr mc:Fallback".split(" "),
);

/** Returns the body of a document as Markdown. */
export function writeDocument(body: Element, parts: DocumentParts): string {
  const writer = new DocumentWriter(parts);
  writer.writeBlocks(body);
  writer.writeNotes();
  return writer.toString();
}

class DocumentWriter {
  readonly #parts: DocumentParts;
  readonly #lines = new MarkdownLines();
  /** The numbers of list items that were written last, by list and depth. */
  readonly #numbers = new Map<string, number>();
  /** The notes that the text refers to, in order. */
  readonly #notes: string[] = [];
  #isInList = false;

  constructor(parts: DocumentParts) {
    this.#parts = parts;
  }

  toString(): string {
    return this.#lines.toString();
  }

  writeBlocks(element: Element): void {
    for (const child of childElements(element)) {
      if (child.name === "w:p") this.#writeParagraph(child);
      else if (child.name === "w:tbl") this.#writeTable(child);
      else if (!LEFT_OUT.has(child.name)) this.writeBlocks(child);
    }
  }

  writeNotes(): void {
    for (const [at, key] of this.#notes.entries()) {
      const note = this.#parts.notes.get(key);
      const text = note ? tidy(this.#inline(note)).replaceAll("\n", " ") : "";
      if (text !== "") this.#lines.block(`[^${at + 1}]: ${text}`);
    }
  }

  #writeParagraph(paragraph: Element): void {
    const properties = childOf(paragraph, "w:pPr");
    const style = this.#parts.styles.get(valueOf(childOf(properties, "w:pStyle")) ?? "");
    const text = tidy(this.#inline(paragraph));
    if (text === "") return;

    const level = outlineLevel(properties) ?? style?.headingLevel;
    const list = listOf(properties) ?? style?.list;
    const isItem = level === undefined && list !== undefined && list.numbering !== "0";
    if (level !== undefined) this.#lines.block(`${"#".repeat(level)} ${text.replaceAll("\n", " ")}`);
    else if (isItem) this.#writeItem(text, list);
    else this.#lines.block(escapedBlock(text));
    this.#isInList = isItem;
  }

  #writeItem(text: string, list: ListReference): void {
    const key = `${list.numbering} ${list.depth}`;
    const number = (this.#numbers.get(key) ?? 0) + 1;
    this.#numbers.set(key, number);
    for (let deeper = list.depth + 1; deeper <= 8; deeper++)
      this.#numbers.delete(`${list.numbering} ${deeper}`);

    const indent = "   ".repeat(list.depth);
    const marker = `${indent}${this.#parts.numberings.has(key) ? `${number}.` : "-"} `;
    this.#lines.nested(marker, " ".repeat(marker.length), this.#isInList, () =>
      this.#lines.block(escapedBlock(text)),
    );
  }

  #writeTable(table: Element): void {
    const rows = [...childElements(table)].filter(({ name }) => name === "w:tr");
    this.#lines.block(
      markdownTable(rows.map((row) => this.#cellsOf(row)).filter((row) => row.some((cell) => cell !== ""))),
    );
    this.#isInList = false;
  }

  #cellsOf(row: Element): readonly string[] {
    const cells: string[] = [];
    for (const cell of childElements(row)) {
      if (cell.name !== "w:tc" || cells.length >= MAX_COLUMNS) continue;
      cells.push(tidy(this.#inline(cell)));
      const span = Number(valueOf(childOf(childOf(cell, "w:tcPr"), "w:gridSpan")) ?? "1");
      for (let column = 1; column < span && cells.length < MAX_COLUMNS; column++) cells.push("");
    }
    return cells;
  }

  /** Returns the text of an element. Paragraphs within it, such as those of a cell, end with a line break. */
  #inline(element: Element): string {
    let text = "";
    for (const child of childElements(element)) if (!LEFT_OUT.has(child.name)) text += this.#inlineOf(child);
    return text;
  }

  #inlineOf(element: Element): string {
    const { name, attributes } = element;
    switch (name) {
      case "w:t":
        return collapsed(element.children.filter((child) => typeof child === "string").join(""));
      case "w:tab":
        return " ";
      case "w:br":
      case "w:cr":
        return "\n";
      case "w:noBreakHyphen":
        return "-";
      case "w:p":
        return `${this.#inline(element)}\n`;
      case "w:hyperlink":
        return this.#link(element);
      case "w:footnoteReference":
        return this.#noteMark(`w:footnote ${attributes["w:id"]}`);
      case "w:endnoteReference":
        return this.#noteMark(`w:endnote ${attributes["w:id"]}`);
      case "wp:docPr": {
        const alt = collapsed(attributes["descr"] ?? "").trim();
        return alt === "" ? "" : `![${inBrackets(alt)}]()`;
      }
      default:
        return this.#inline(element);
    }
  }

  #link(element: Element): string {
    const text = this.#inline(element);
    const target = this.#parts.targets.get(element.attributes["r:id"] ?? "");
    if (target === undefined || text.trim() === "") return text;
    return `[${inBrackets(text)}](${target.replaceAll("(", "%28").replaceAll(")", "%29").replaceAll(" ", "%20")})`;
  }

  #noteMark(key: string): string {
    if (!this.#parts.notes.has(key)) return "";
    return `[^${this.#notes.push(key)}]`;
  }
}

const tidy = (text: string): string =>
  text
    .replaceAll(/ {2,}/gu, " ")
    .replaceAll(/ ?\n ?/gu, "\n")
    .replaceAll(/\n{2,}/gu, "\n")
    .trim();

import { escapedBlock, fencedCode, MarkdownLines } from "../markdown-lines.ts";
import type { Content } from "./main-content.ts";
import { isBlock, isHeading } from "./measure.ts";
import { textWithout, tidyLine, writeInline, type InlineContext } from "./write-inline.ts";
import { isLayout, rowsOf, writeTable } from "./write-table.ts";
import { childElements, type Element, type Node } from "./tree.ts";

const LANGUAGE_CLASS = /^(?:language|lang|highlight-source|highlight|brush|prism)[-:]([\w+#.-]{1,30})$/iu;
/** Classes of highlighters that are no languages. */
const NO_LANGUAGE = new Set(
  "default none text plain plaintext notranslate wrapper source code box".split(" "),
);

/** Returns the content of a page as Markdown. `resolve` makes its addresses absolute. */
export function writeMarkdown(content: Content, resolve: InlineContext["resolve"]): string {
  const writer = new Writer({ dropped: content.dropped, measures: content.measures, resolve });
  writer.writeBlocks(content.root.children);
  return writer.toString();
}

class Writer {
  readonly #context: InlineContext;
  readonly #lines = new MarkdownLines();

  constructor(context: InlineContext) {
    this.#context = context;
  }

  toString(): string {
    return this.#lines.toString();
  }

  /** Writes nodes as blocks. What is between blocks is a paragraph. */
  writeBlocks(nodes: readonly Node[]): void {
    let run: Node[] = [];
    for (const node of nodes) {
      if (typeof node === "string" || !this.#isContainer(node)) run.push(node);
      else if (!this.#context.dropped.has(node)) {
        this.#writeParagraphs(run);
        run = [];
        this.#writeBlock(node);
      }
    }
    this.#writeParagraphs(run);
  }

  #isContainer(element: Element): boolean {
    return (
      isBlock(element) || this.#context.measures.get(element)?.hasBlocks === true || element.name === "pre"
    );
  }

  #writeParagraphs(nodes: readonly Node[]): void {
    if (nodes.length === 0) return;
    const text = tidyLine(writeInline(nodes, this.#context));
    // Old pages separate paragraphs by two line breaks.
    for (const paragraph of text.split(/\n{2,}/u)) this.#lines.block(escapedBlock(paragraph));
  }

  #writeBlock(element: Element): void {
    if (isHeading(element) || element.attributes["role"] === "heading") return this.#writeHeading(element);
    switch (element.name) {
      case "ul":
      case "ol":
      case "menu":
        return this.#writeList(element);
      case "blockquote":
        return this.#lines.nested("> ", "> ", false, () => this.writeBlocks(element.children));
      case "pre":
        return this.#writeCode(element);
      case "table":
        return this.#writeTable(element);
      case "dt":
        return this.#writeTerm(element);
      case "dd":
        return this.#lines.nested(": ", "  ", true, () => this.writeBlocks(element.children));
      case "summary":
        return this.#writeTerm(element);
      case "hr":
        return;
      default:
        return this.writeBlocks(element.children);
    }
  }

  #writeHeading(element: Element): void {
    const stated = Number(element.attributes["aria-level"] ?? "2");
    const level = isHeading(element)
      ? Number(element.name.slice(1))
      : Math.min(6, Math.max(1, Math.trunc(stated) || 2));
    // Headings are the path of a passage, where addresses would only be in the way.
    const context = { ...this.#context, resolve: () => undefined };
    const text = tidyLine(writeInline(element.children, context)).replaceAll("\n", " ");
    if (text !== "") this.#lines.block(`${"#".repeat(level)} ${text}`);
  }

  #writeList(list: Element): void {
    let number = Number.parseInt(list.attributes["start"] ?? "1", 10) || 1;
    let isTight = false;
    for (const item of childElements(list)) {
      if (this.#context.dropped.has(item)) continue;
      if (item.name !== "li") {
        // A list that is directly in a list belongs to the item before.
        this.#lines.nested("  ", "  ", true, () => this.#writeBlock(item));
        continue;
      }
      const marker = list.name === "ol" ? `${number++}. ` : "- ";
      this.#lines.nested(marker, " ".repeat(marker.length), isTight, () => this.#writeItem(item));
      isTight = true;
    }
  }

  /** Writes an item. A list follows its text without an empty line. */
  #writeItem(item: Element): void {
    const nested = item.children.findIndex(
      (child) => typeof child !== "string" && /^[uo]l$/u.test(child.name),
    );
    if (nested === -1) return this.writeBlocks(item.children);
    this.writeBlocks(item.children.slice(0, nested));
    this.#lines.nested("", "", true, () => this.writeBlocks(item.children.slice(nested)));
  }

  #writeTerm(element: Element): void {
    if (this.#isFullOfBlocks(element)) return this.writeBlocks(element.children);
    const text = tidyLine(writeInline(element.children, this.#context)).replaceAll("\n", " ");
    this.#lines.block(text === "" ? "" : escapedBlock(text));
  }

  #isFullOfBlocks = (element: Element): boolean => this.#context.measures.get(element)?.hasBlocks === true;

  #writeCode(element: Element): void {
    const code = codeText(element, this.#context)
      .replaceAll(/\r\n?/gu, "\n")
      .replace(/^(?:[ \t]*\n)+/u, "");
    const trimmed = code.trimEnd();
    if (trimmed !== "") this.#lines.block(fencedCode(trimmed, languageOf(element)));
  }

  #writeTable(table: Element): void {
    const rows = rowsOf(table, this.#context);
    const caption = [...childElements(table)].find(({ name }) => name === "caption");
    if (caption && !this.#context.dropped.has(caption)) this.writeBlocks(caption.children);
    if (!isLayout(table, rows, this.#context)) return this.#lines.block(writeTable(rows, this.#context));
    for (const row of rows) this.writeBlocks(row.children);
  }
}

/** Returns the text of a code block. Some highlighters make an element of each line. */
function codeText(element: Element, context: InlineContext): string {
  let text = "";
  for (const child of element.children) {
    if (typeof child === "string") text += child;
    else if (!context.dropped.has(child)) {
      // Pages that offer code in several languages put several elements into one block.
      const isLine = isBlock(child) || (child.name === "code" && element.name === "pre");
      if (isLine && text !== "" && !text.endsWith("\n")) text += "\n";
      text += child.name === "br" ? "\n" : isLine ? codeText(child, context) : textWithout(child, context);
      if (isLine && !text.endsWith("\n")) text += "\n";
    }
  }
  return text;
}

/** Returns the language of a code block from its classes, those of its `<code>` and of the elements around it, or "". */
function languageOf(pre: Element): string {
  const code = [...childElements(pre)].find(({ name }) => name === "code");
  const around = [code, pre, pre.parent, pre.parent?.parent, pre.parent?.parent?.parent];
  for (const element of around) {
    if (!element) continue;
    const { attributes } = element;
    const stated = attributes["data-lang"] ?? attributes["data-language"];
    if (stated && /^[\w+#.-]{1,30}$/u.test(stated)) return stated.toLowerCase();
    // SyntaxHighlighter writes `brush: js;`.
    const classes = (attributes["class"] ?? "").replaceAll(/\bbrush: ?([\w+#.-]{1,30});?/giu, "brush:$1");
    for (const name of classes.split(/\s+/u)) {
      const language = LANGUAGE_CLASS.exec(name)?.[1]?.toLowerCase();
      if (language !== undefined && !NO_LANGUAGE.has(language)) return language;
    }
  }
  return "";
}

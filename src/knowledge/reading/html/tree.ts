import { Parser } from "htmlparser2";

/** An element with the attributes that reading a document needs. */
export interface Element {
  /** In lower case for HTML, and as written for XML. */
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: Node[];
  readonly parent: Element | null;
}

/** Text is a string: most nodes of a page are text, and an object for each would double the memory. */
export type Node = Element | string;

export interface Tree {
  readonly root: Element;
  /** How many `<script>` elements there were. They are not part of the tree. */
  readonly scripts: number;
  /** Whether the document had more nodes than are read. The rest was left out. */
  readonly isCut: boolean;
}

/** Anti-DoS: elements below this depth become siblings, so that everything that walks the tree may recurse. */
const MAX_DEPTH = 200;
/** Anti-DoS: memory. A page of 60,000 links fits. */
const MAX_HTML_NODES = 200_000;
const MAX_XML_NODES = 400_000;
const MAX_ATTRIBUTE_CHARS = 2_048;
/** The parser is fed in parts, so that it stops soon after the last node that is read. */
const PART_CHARS = 65_536;

/** Never text for a reader. Dropped while parsing, because scripts and styles are most of some pages. */
const NOT_CONTENT = new Set(
  "script style template svg iframe noframes object embed canvas audio video map datalist select".split(" "),
);

/** How the parts of a DOCX file look: half of its elements. */
const LOOKS = new Set(
  "w:rPr w:sectPr w:tblPr w:tblGrid w:trPr w:proofErr w:bookmarkStart w:bookmarkEnd mc:Fallback".split(" "),
);

const HTML_ATTRIBUTES = new Set([
  ..."id class role href src alt title name content property rel lang hidden style colspan rowspan start".split(
    " ",
  ),
  ..."alttext encoding itemprop data-lang data-language data-src data-target data-bs-target".split(" "),
  ..."aria-hidden aria-level aria-controls aria-expanded".split(" "),
]);

/** Returns the tree of an HTML document. Takes linear time and accepts any text. */
export const parseHtml = (text: string): Tree => parse(text, false);

/** Returns the tree of a part of a DOCX file, with all attributes and with names as written. Takes linear time. */
export const parseXml = (text: string): Tree => parse(text, true);

function parse(text: string, isXml: boolean): Tree {
  const builder = new TreeBuilder(isXml);
  for (let at = 0; at < text.length && !builder.isFull; at += PART_CHARS)
    builder.write(text.slice(at, at + PART_CHARS));
  return builder.finish();
}

class TreeBuilder {
  readonly #root: Element = { name: "", attributes: {}, children: [], parent: null };
  readonly #parser: DepthLimitedParser;
  readonly #left: ReadonlySet<string>;
  readonly #maxNodes: number;
  #current: Element = this.#root;
  #depth = 0;
  #nodes = 0;
  #scripts = 0;

  constructor(isXml: boolean) {
    this.#left = isXml ? LOOKS : NOT_CONTENT;
    this.#maxNodes = isXml ? MAX_XML_NODES : MAX_HTML_NODES;
    this.#parser = new DepthLimitedParser({
      isXml,
      isDeep: () => this.#depth >= MAX_DEPTH,
      onopentag: (name, attributes) => this.#open(name, isXml ? attributes : wanted(attributes)),
      onclosetag: () => this.#close(),
      ontext: (text) => this.#text(text),
    });
  }

  get isFull(): boolean {
    return this.#nodes >= this.#maxNodes;
  }

  write(text: string): void {
    this.#parser.write(text);
  }

  finish(): Tree {
    const isCut = this.isFull;
    this.#parser.end();
    return { root: this.#root, scripts: this.#scripts, isCut };
  }

  #open(name: string, attributes: Readonly<Record<string, string>>): void {
    const element: Element = { name, attributes, children: [], parent: this.#current };
    if (name === "script") this.#scripts++;
    if (!this.isFull && !this.#left.has(name)) this.#current.children.push(element);
    this.#nodes++;
    this.#depth++;
    this.#current = element;
  }

  #close(): void {
    if (!this.#current.parent) return;
    this.#depth--;
    this.#current = this.#current.parent;
  }

  #text(text: string): void {
    if (this.isFull) return;
    const { children } = this.#current;
    const last = children.at(-1);
    // The parser reports text in pieces: one for each entity and each part of the input.
    if (typeof last === "string") children[children.length - 1] = last + text;
    else {
      children.push(text);
      this.#nodes++;
    }
  }
}

function wanted(attributes: Readonly<Record<string, string>>): Record<string, string> {
  const kept: Record<string, string> = {};
  for (const name of Object.keys(attributes))
    if (HTML_ATTRIBUTES.has(name)) kept[name] = (attributes[name] ?? "").slice(0, MAX_ATTRIBUTE_CHARS);
  return kept;
}

type Events = NonNullable<ConstructorParameters<typeof Parser>[0]>;

interface DepthLimitedParserDeps extends Events {
  readonly isXml: boolean;
  /** Whether the next element would be at the greatest depth. */
  readonly isDeep: () => boolean;
}

/**
 * Anti-DoS: the parser keeps its open elements in an array and inserts each at the front, which takes the square of their number
 * where nobody closes them. This one treats whatever is opened at the greatest depth as empty.
 */
class DepthLimitedParser extends Parser {
  readonly #isDeep: () => boolean;
  /** How many elements of a name were treated as empty, whose closing tags are still to come. */
  readonly #skipped = new Map<string, number>();
  #state: "opening" | "opening deep" | "closing" = "opening";

  constructor({ isXml, isDeep, ...events }: DepthLimitedParserDeps) {
    super(events, { xmlMode: isXml });
    this.#isDeep = isDeep;
  }

  override onopentagname(start: number, end: number): void {
    this.#state = this.#isDeep() ? "opening deep" : "opening";
    super.onopentagname(start, end);
  }

  override onopentagend(end: number): void {
    super.onopentagend(end);
    this.#state = "opening";
  }

  override onclosetag(start: number, end: number): void {
    this.#state = "closing";
    super.onclosetag(start, end);
    this.#state = "opening";
  }

  protected override isVoidElement(name: string): boolean {
    if (super.isVoidElement(name)) return true;
    const skipped = this.#skipped.get(name) ?? 0;
    if (this.#state === "closing" && skipped > 0) this.#skipped.set(name, skipped - 1);
    return this.#state === "closing" ? skipped > 0 : this.#state === "opening deep";
  }
}

export function* childElements({ children }: Element): Generator<Element> {
  for (const child of children) if (typeof child !== "string") yield child;
}

import { inBrackets } from "../../../shared/text.ts";
import { inlineCode } from "../markdown-lines.ts";
import type { Content } from "./main-content.ts";
import { collapsed, plainText } from "./plain-text.ts";
import type { Element, Node } from "./tree.ts";

export interface InlineContext extends Pick<Content, "dropped" | "measures"> {
  readonly resolve: (href: string) => string | undefined;
}

/** Elements of a row that pages set apart by style, and not by a space. */
const SET_APART = new Set("a button label span time small strong".split(" "));
const FILE_NAME = /^\S+\.(?:jpe?g|png|gif|svg|webp|avif)$/iu;
const MAX_IMAGE_URL_CHARS = 300;

/** Returns nodes within a line as Markdown. `<br>` is a line break, and other white space is one space. */
export function writeInline(nodes: readonly Node[], context: InlineContext): string {
  let text = "";
  // Anti-DoS: looking at the end of `text` itself would copy all of it, for each of its elements.
  let before = "";
  for (const node of nodes) {
    if (typeof node === "string") {
      text += collapsed(node);
      before = "";
    } else if (!context.dropped.has(node)) {
      const inner = writeElement(node, context);
      const isSetApart = SET_APART.has(node.name);
      if (isSetApart && /[\p{L}\p{N})\]]$/u.test(before) && /^[\p{L}\p{N}[]/u.test(inner)) text += " ";
      text += inner;
      if (inner !== "") before = isSetApart ? inner.slice(-2) : "";
    }
  }
  return text;
}

/** Returns a line of Markdown: without white space at its ends, and at most one space in a row. */
export const tidyLine = (text: string): string =>
  text
    .replaceAll(/ {2,}/gu, " ")
    .replaceAll(/ ?\n ?/gu, "\n")
    .trim();

function writeElement(element: Element, context: InlineContext): string {
  switch (element.name) {
    case "br":
      return "\n";
    case "img":
      return writeImage(element, context);
    case "code":
    case "kbd":
    case "samp":
    case "tt":
      return inlineCode(collapsed(textWithout(element, context)).trim());
    case "math":
      return writeMath(element);
    case "a":
      return writeLink(element, context);
    case "sup":
    case "sub":
      return writeRaised(element, context);
    case "q":
      return `“${writeInline(element.children, context)}”`;
    case "rp":
      return "";
    default:
      return isBlockInside(element, context)
        ? ` ${writeInline(element.children, context)} `
        : writeInline(element.children, context);
  }
}

const isBlockInside = (element: Element, { measures }: InlineContext): boolean =>
  measures.get(element)?.hasBlocks === true || /^(?:div|p|li|td|th|dd|dt|tr|h[1-6])$/u.test(element.name);

function writeLink(element: Element, context: InlineContext): string {
  const text = writeInline(element.children, context);
  const href = element.attributes["href"];
  const url = href === undefined || href.startsWith("#") ? undefined : context.resolve(href);
  const label = tidyLine(text).replaceAll("\n", " ");
  if (url === undefined || label === "") return text;
  const link = label.includes("](") ? label : `[${inBrackets(label)}](${escapedUrl(url)})`;
  return `${text.startsWith(" ") ? " " : ""}${link}${text.endsWith(" ") ? " " : ""}`;
}

/** Parentheses would end the address, and an address has no spaces. */
const escapedUrl = (url: string): string => url.replaceAll("(", "%28").replaceAll(")", "%29");

/** Returns an image with an alternative text that says something, and nothing for other images. */
function writeImage({ attributes }: Element, { resolve }: InlineContext): string {
  const alt = collapsed(attributes["alt"] ?? "").trim();
  if (alt === "" || FILE_NAME.test(alt)) return "";
  const url = resolve(attributes["src"] ?? "") ?? resolve(attributes["data-src"] ?? "");
  // Addresses of image services are long, and say nothing to a reader.
  const isShown = url !== undefined && url.length <= MAX_IMAGE_URL_CHARS;
  return `![${inBrackets(alt)}](${isShown ? escapedUrl(url) : ""})`;
}

/** Returns a formula as TeX, if the page has it, and as text otherwise. */
function writeMath(element: Element): string {
  const tex = element.attributes["alttext"] ?? annotationOf(element);
  return tex === undefined ? collapsed(plainText(element)) : `$${collapsed(tex).trim()}$`;
}

function annotationOf(element: Element): string | undefined {
  for (const child of element.children) {
    if (typeof child === "string") continue;
    if (child.name === "annotation" && child.attributes["encoding"]?.includes("tex")) return plainText(child);
    const inner = annotationOf(child);
    if (inner !== undefined) return inner;
  }
  return undefined;
}

/** Keeps apart what is only raised, such as the exponent of `10^6`. */
function writeRaised(element: Element, context: InlineContext): string {
  const text = writeInline(element.children, context);
  return element.name === "sup" && /^\d+$/u.test(text) ? `^${text}` : text;
}

/** Returns the text of an element without what was dropped. */
export function textWithout(element: Element, context: Pick<InlineContext, "dropped">): string {
  let text = "";
  for (const child of element.children) {
    if (typeof child === "string") text += child;
    else if (!context.dropped.has(child)) text += child.name === "br" ? "\n" : textWithout(child, context);
  }
  return text;
}

import { countWords, onOneLine } from "../../../shared/text.ts";
import type { ReadDocument } from "../document.ts";
import { readHead, type Head } from "./head.ts";
import { findContent, type Content } from "./main-content.ts";
import { collapsed, plainText } from "./plain-text.ts";
import { parseHtml, childElements, type Element, type Tree } from "./tree.ts";
import { writeMarkdown } from "./write-markdown.ts";

/** A page with fewer words than this has almost no text. */
const FEW_WORDS = 20;
const DRAWN_BY_SCRIPT = "no readable text: probably drawn by script";
const TOO_MANY_ELEMENTS = "the page has more than 200,000 elements: what follows them was left out";

/**
 * Reads an HTML page that was fetched from `url`: the Markdown of its content without navigation, and what the page says about
 * itself. Takes linear time and accepts any text.
 */
export function readHtml(text: string, url: string | null): ReadDocument {
  const tree = parseHtml(text);
  const head = readHead(tree, url);
  const noscripts = findAll(head.body, "noscript");
  // A page may leave out the tags of its head and body.
  const titles = findAll(head.body, "title");
  const markdown = contentOf(head, new Set([...noscripts, ...titles]));
  const isEmpty = countWords(markdown) < FEW_WORDS;
  const instead = isEmpty ? textOfNoscripts(head, noscripts) : "";

  return {
    markdown: instead === "" ? markdown : instead,
    title: head.title,
    description: head.description,
    language: head.language,
    links: head.links,
    canonicalUrl: head.canonicalUrl,
    robots: head.robots,
    warning: warningOf(tree, isEmpty && instead === ""),
  };
}

function contentOf(head: Head, left: ReadonlySet<Element>): string {
  const content = findContent(head.body, head.heading, left);
  return withHeading(writeMarkdown(content, head.resolve), head, content);
}

/** Puts the page's heading before content that does not contain it, if the title confirms that it is not the site's name. */
function withHeading(markdown: string, { heading, title }: Head, { measures, root }: Content): string {
  const hasHeading = measures.get(root)?.hasTitle === true;
  if (hasHeading || markdown === "" || !heading || title === null) return markdown;
  const text = onOneLine(collapsed(plainText(heading)));
  return text === title ? `# ${title}\n\n${markdown}` : markdown;
}

/** Returns the text for browsers without scripts if it is more than the request to turn them on. */
function textOfNoscripts(head: Head, noscripts: readonly Element[]): string {
  const texts = noscripts.map((element) =>
    contentOf({ ...head, body: element, heading: undefined }, new Set()),
  );
  const text = texts.filter((each) => each !== "").join("\n\n");
  return countWords(text) < FEW_WORDS ? "" : text;
}

function findAll(element: Element, name: string, found: Element[] = []): readonly Element[] {
  for (const child of childElements(element)) {
    if (child.name === name) found.push(child);
    else findAll(child, name, found);
  }
  return found;
}

function warningOf(tree: Tree, isEmpty: boolean): string | null {
  if (isEmpty && tree.scripts > 0) return DRAWN_BY_SCRIPT;
  return tree.isCut ? TOO_MANY_ELEMENTS : null;
}

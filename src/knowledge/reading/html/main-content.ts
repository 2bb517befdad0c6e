import { findBoilerplate, isLegalLine } from "./boilerplate.ts";
import {
  isBlock,
  isHeading,
  isMain,
  linkDensity,
  measure,
  measureOf,
  proseChars,
  type Measure,
  type Measures,
} from "./measure.ts";
import { childElements, type Element } from "./tree.ts";

/** Which part of a document is its content. */
export interface Content {
  readonly root: Element;
  /** What is left out below `root`. */
  readonly dropped: ReadonlySet<Element>;
  readonly measures: Measures;
}

/** A `<main>` with less of the page's text is a frame for something else. */
const MAIN_SHARE = 0.2;
/** An `<article>` with this share of the text is the content; with less, it is one of several. */
const ARTICLE_SHARE = 0.6;
/** The search for the content goes into a child that holds this share of the text. */
const NARROWING_SHARE = 0.7;
/** A block next to the content that has so many characters of prose belongs to it. */
const JOINED_CHARS = 80;
const JOINED_LINK_DENSITY = 0.3;
const MOSTLY_LINKS = 0.5;
const NAVIGATION_LINKS = 3;
const NAVIGATION_LINK_DENSITY = 0.6;
/** The links of navigation are words; those of listings are titles. In characters. */
const NAVIGATION_LINK_CHARS = 25;
/** Paragraphs, lists and the like are content, and never a frame around it. */
const WHOLE = new Set("p pre blockquote h1 h2 h3 h4 h5 h6 a span li ul ol dl".split(" "));

/**
 * Returns the content of a document: its `<main>` or its only `<article>`, or otherwise the smallest element that holds most of
 * the text, together with the blocks of prose around it. Many similar blocks, such as the posts of a forum, stay together,
 * because no single one holds most of the text. `title` is the heading of the page; `left` are elements that are left out in any
 * case.
 */
export function findContent(body: Element, title: Element | undefined, left: ReadonlySet<Element>): Content {
  const dropped = findBoilerplate(body, measure(body, left, title), left);
  const measures = measure(body, dropped, title);

  const main = statedMain(body, measures);
  const scope = main ?? body;
  const article = onlyArticle(scope, measures);
  if (article) dropAround(article, scope, measures, dropped);
  else {
    narrow(scope, measures, dropped, main ? isMostlyProse : belongsToContent);
    if (!main) dropNavigation(scope, measures, dropped);
  }
  return { root: scope, dropped, measures };
}

/** Returns the largest `<main>` if it holds enough of the text. */
function statedMain(body: Element, measures: Measures): Element | undefined {
  const main = largest(outermost(body, isMain, measures), measures);
  const total = measureOf(measures, body).chars;
  return main && measureOf(measures, main).chars > MAIN_SHARE * total ? main : undefined;
}

/** Returns the `<article>` that holds most of the text, if there is one. */
function onlyArticle(scope: Element, measures: Measures): Element | undefined {
  const article = largest(outermost(scope, isArticle, measures), measures);
  return article && share(measures, article, scope) >= ARTICLE_SHARE ? article : undefined;
}

const isArticle = ({ name, attributes }: Element): boolean =>
  name === "article" || attributes["role"] === "article";

/** Returns the elements that match and are not inside of another match. */
function outermost(
  element: Element,
  matches: (element: Element) => boolean,
  measures: Measures,
  found: Element[] = [],
): readonly Element[] {
  for (const child of element.children) {
    if (typeof child === "string" || !measures.has(child)) continue;
    if (matches(child)) found.push(child);
    else outermost(child, matches, measures, found);
  }
  return found;
}

function largest(elements: readonly Element[], measures: Measures): Element | undefined {
  let best: Element | undefined;
  for (const element of elements)
    if (!best || measureOf(measures, element).chars > measureOf(measures, best).chars) best = element;
  return best;
}

/** Returns which share of the text of `whole` is in `part`. Links count only where almost everything is links. */
function share(measures: Measures, part: Element, whole: Element): number {
  const [inner, outer] = [measureOf(measures, part), measureOf(measures, whole)];
  const isProse = linkDensity(outer) < 0.7;
  const size = (of: Measure) => (isProse ? proseChars(of) : of.chars);
  return size(outer) === 0 ? 0 : size(inner) / size(outer);
}

type Belongs = (element: Element, measures: Measures) => boolean;

/** Follows the child that holds most of the text as long as there is one, and drops what is next to it and does not belong. */
function narrow(scope: Element, measures: Measures, dropped: Set<Element>, belongs: Belongs): void {
  for (let at = scope; ;) {
    const children = [...childElements(at)].filter((child) => measures.has(child));
    const next = largest(children, measures);
    if (!next || WHOLE.has(next.name) || share(measures, next, at) < NARROWING_SHARE) return;
    dropOthers(children, next, measures, dropped, belongs);
    at = next;
  }
}

/** Drops what is around an article within `scope` and does not belong to it. */
function dropAround(article: Element, scope: Element, measures: Measures, dropped: Set<Element>): void {
  for (let at = article; at !== scope && at.parent; at = at.parent) {
    const children = [...childElements(at.parent)].filter((child) => measures.has(child));
    dropOthers(children, at, measures, dropped, belongsToContent);
  }
}

function dropOthers(
  children: readonly Element[],
  kept: Element,
  measures: Measures,
  dropped: Set<Element>,
  belongs: Belongs,
): void {
  for (const child of children)
    if (child !== kept && isBlock(child) && !belongs(child, measures)) dropped.add(child);
}

function belongsToContent(element: Element, measures: Measures): boolean {
  const size = measureOf(measures, element);
  if (size.hasTitle || isHeading(element)) return true;
  if (linkDensity(size) > JOINED_LINK_DENSITY || isLegalLine(element)) return false;
  return proseChars(size) >= JOINED_CHARS || (element.name === "p" && proseChars(size) > 0);
}

/** Within a `<main>`, only lists of links are around the content. */
const isMostlyProse: Belongs = (element, measures) => {
  const size = measureOf(measures, element);
  return size.hasTitle || size.links < 2 || linkDensity(size) <= MOSTLY_LINKS;
};

/**
 * Drops blocks that consist of short links, such as menus that are not marked as such. A list that follows a heading or a
 * paragraph belongs to it.
 */
function dropNavigation(element: Element, measures: Measures, dropped: Set<Element>): void {
  let before: Element | undefined;
  for (const child of childElements(element)) {
    if (dropped.has(child)) continue;
    const isInText = before !== undefined && isText(before, measures) && /^[uod]l$/u.test(child.name);
    if (isBlock(child) && !isInText && isNavigation(measureOf(measures, child))) dropped.add(child);
    else dropNavigation(child, measures, dropped);
    before = child;
  }
}

const isText = (element: Element, measures: Measures): boolean =>
  (isHeading(element) || element.name === "p" || element.name === "pre") &&
  measureOf(measures, element).chars > 0;

const isNavigation = (size: Measure): boolean =>
  size.links >= NAVIGATION_LINKS * Math.max(1, size.headings) &&
  !size.hasTitle &&
  linkDensity(size) >= NAVIGATION_LINK_DENSITY &&
  size.linkChars / size.links < NAVIGATION_LINK_CHARS;

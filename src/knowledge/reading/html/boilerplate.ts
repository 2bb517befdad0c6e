import {
  isHeading,
  isMain,
  linkDensity,
  measureOf,
  proseChars,
  type Measure,
  type Measures,
} from "./measure.ts";
import { childElements, type Element } from "./tree.ts";

const words = (list: string): ReadonlySet<string> => new Set(list.split(" "));

const NAVIGATION_TAGS = words(
  "nav aside footer header menu dialog search input select textarea progress meter",
);
const NAVIGATION_ROLES = words(
  "navigation banner contentinfo complementary search menu menubar toolbar tablist dialog alertdialog tooltip",
);

/** Words of class names and ids of what surrounds the content of a page. */
const AROUND = words(
  [
    "breadcrumb breadcrumbs cookie cookies consent gdpr sidebar sidenav sidemenu navbar navbox navigation footer",
    "sharedaddy advert advertisement adsense ads sponsored popup modal lightbox skiplink pagination pager paginator",
    "toolbar masthead catlinks editsection noprint printfooter respond tableofcontents outbrain taboola prevnext",
    "tagcloud taglist offcanvas topbar backlinks",
  ].join(" "),
);
/** Words that pages also use for parts of their content. They count for short texts and where there are many links. */
const AROUND_IF_SHORT = words(
  [
    "share sharing social socials newsletter subscribe promo banner announcement toc related relatedposts recommended trending",
    "recommendations copyright feedback helpful skip backlink",
  ].join(" "),
);
/** Words that content uses, too. They count where most of the text is links. */
const AROUND_IF_LINKS = words(
  "nav menu submenu dropdown tags popular sitemap switcher secondary header search",
);
/** With `author`, the words of boxes that introduce who wrote an article. */
const AUTHOR_BOXES = words("box bio about card");
/** Readers' comments are not part of an article, but they are all that a page of comments has. */
const COMMENTS = words("comments commentlist disqus");
/** The numbers of lines beside code. */
const LINE_NUMBERS = words("linenos lineno linenodiv gutter");
/** Words before which a class name only states that something exists, such as `has-sidebar`. */
const STATES = words("has with no without is not show hide hides");
/** Notes within the content of documentation. */
const NOTES = words(
  "admonition note tip warning caution danger important info hint callout alert notice sidenote pullquote",
);
const HIDDEN_CLASSES = words("hidden d-none visually-hidden sr-only screen-reader-text visuallyhidden");
/** Words of parts that a click reveals, such as the answers of questions. */
const REVEALED = words("accordion collapse collapsible faq answer panel tab tabs toggle details expandable");

const HIDDEN_STYLE = /(?:display\s{0,9}:\s{0,9}none|visibility\s{0,9}:\s{0,9}hidden)/iu;
const LEGAL = /©|\(c\)\s{0,9}\d{4}|all rights reserved/iu;
const RELATED_HEADING =
  /^(?:related\b|read (?:more|next)|more (?:from|in|on|stories|articles|like this)|you (?:may|might) also|recommended|popular|trending|most (?:read|popular)|latest (?:news|posts|articles)|share this|see more)/iu;

/** What holds this share of a page's text is content, whatever it is called. */
const MAIN_SHARE = 0.4;
const COMMENTS_SHARE = 0.75;
const MOSTLY_LINKS = 0.5;
const MANY_LINKS = 0.3;
/** In characters without white space: about 30 words. */
const SHORT_CHARS = 200;
const SHORT_FORM_CHARS = 300;

/** Returns the elements that are not content: `left`, navigation, headers, footers, banners, and what nobody sees. */
export function findBoilerplate(body: Element, measures: Measures, left: ReadonlySet<Element>): Set<Element> {
  const dropped = new Set<Element>(left);
  const page: Page = {
    measures,
    prose: proseChars(measureOf(measures, body)),
    disclosures: findDisclosures(body, measures),
    textLinks: textLinkTargets(body, measures),
    wordsOf: wordReader(),
  };
  dropWithin(body, page, false, dropped);
  return dropped;
}

interface Page {
  readonly measures: Measures;
  /** The characters of the page's text that are not links. */
  readonly prose: number;
  readonly disclosures: Disclosures;
  /** What links that have a text lead to. */
  readonly textLinks: ReadonlySet<string>;
  /** Returns the words of an element's classes and id, such as `post`, `share` and `buttons` of `postShare-buttons`. */
  readonly wordsOf: (element: Element) => readonly string[];
}

function dropWithin(element: Element, page: Page, isInContent: boolean, dropped: Set<Element>): void {
  const isContent = isInContent || element.name === "article" || isMain(element);
  for (const child of element.children) {
    if (typeof child === "string" || dropped.has(child)) continue;
    if (isBoilerplate(child, page, isContent)) dropped.add(child);
    else dropWithin(child, page, isContent, dropped);
  }
}

function isBoilerplate(element: Element, page: Page, isInContent: boolean): boolean {
  if (element.name === "article" || element.name === "tbody" || isMain(element)) return false;
  const size = measureOf(page.measures, element);
  const names = page.wordsOf(element);
  if (isHidden(element, names, page)) return !isLargePart(size, page);
  if (isPermalink(element, names, page) || isReference(element, names)) return true;
  if (isPictureOfLink(element, size, page)) return true;
  if (names.some((word) => LINE_NUMBERS.has(word)) && /^[\s\d]*$/u.test(beginningOf(element))) return true;
  if (names.some((word) => COMMENTS.has(word))) return !isLargePart(size, page, COMMENTS_SHARE);
  if (element.name === "button") return !isQuestion(element, page);
  if (!isCalledBoilerplate(element, names, size, isInContent) && !isRelatedList(element, size)) return false;
  return !size.hasMain && !(size.hasTitle && element.name !== "nav") && !isLargePart(size, page);
}

const isLargePart = (size: Measure, page: Page, share = MAIN_SHARE): boolean =>
  proseChars(size) > share * page.prose;

function isCalledBoilerplate(
  element: Element,
  names: readonly string[],
  size: Measure,
  isInContent: boolean,
): boolean {
  const { name, attributes, parent } = element;
  if (NAVIGATION_ROLES.has(attributes["role"] ?? "") || NAVIGATION_TAGS.has(name)) {
    if (name === "aside" || attributes["role"] === "complementary")
      return !names.some((word) => NOTES.has(word));
    if (name === "header" || name === "footer") return !isInContent || isOutsideOfText(element, name, size);
    return true;
  }
  if (name === "pre" || name === "code" || isHeading(element)) return false;
  if (name === "form") return size.chars < SHORT_FORM_CHARS;
  if (names.some((word) => AROUND.has(word))) return true;
  if (names.includes("author") && names.some((word) => AUTHOR_BOXES.has(word))) return true;
  // Within a heading, a class such as `header` is about its look.
  if (parent !== null && isHeading(parent)) return false;
  const isShort = size.chars < SHORT_CHARS || linkDensity(size) > MANY_LINKS;
  if (isShort && names.some((word) => AROUND_IF_SHORT.has(word))) return true;
  return name !== "a" && linkDensity(size) > MOSTLY_LINKS && names.some((word) => AROUND_IF_LINKS.has(word));
}

/** Within content, headers hold titles, and footers of quotations name their source. */
const isOutsideOfText = ({ parent }: Element, name: "header" | "footer", size: Measure): boolean =>
  name === "footer" ? parent?.name !== "blockquote" : linkDensity(size) > MOSTLY_LINKS;

/** Whether an element is a list of links under a heading such as "Related articles". */
function isRelatedList(element: Element, size: Measure): boolean {
  if (element.name !== "section" && element.name !== "div") return false;
  if (size.links < 2 || linkDensity(size) < MOSTLY_LINKS) return false;
  return RELATED_HEADING.test(beginningOf(element).trim());
}

/** Whether a text is the legal line of a page. */
export const isLegalLine = (element: Element): boolean => LEGAL.test(beginningOf(element));

/** Returns the first 200 characters or so of an element's text. */
function beginningOf(element: Element): string {
  let text = "";
  for (const child of element.children) {
    if (text.length > 200) break;
    text += typeof child === "string" ? child.slice(0, 200) : ` ${beginningOf(child)}`;
  }
  return text;
}

function isHidden(element: Element, names: readonly string[], page: Page): boolean {
  const { attributes } = element;
  const isUnseen =
    (attributes["hidden"] !== undefined && attributes["hidden"] !== "until-found") ||
    attributes["aria-hidden"] === "true" ||
    HIDDEN_STYLE.test(attributes["style"] ?? "") ||
    isHiddenByClass(attributes["class"] ?? "");
  if (!isUnseen) return false;

  const isRevealed =
    page.disclosures.ids.has(attributes["id"] ?? "") ||
    page.disclosures.parts.has(element) ||
    attributes["role"] === "tabpanel" ||
    attributes["role"] === "region" ||
    names.some((word) => REVEALED.has(word));
  return !isRevealed;
}

function isHiddenByClass(className: string): boolean {
  const classes = className.split(/\s+/u);
  if (!classes.some((name) => HIDDEN_CLASSES.has(name))) return false;
  // Tailwind: `hidden md:block` is hidden on small screens only.
  return !classes.some((name) => /^\w+:(?:block|flex|grid|table|inline|contents)/u.test(name));
}

/** The sign after a heading that links to it, and the link that edits a section. */
function isPermalink(element: Element, names: readonly string[], { measures }: Page): boolean {
  const { name, attributes, children, parent } = element;
  if (name !== "a" || !attributes["href"]?.includes("#")) return false;
  const text = children.length === 1 && typeof children[0] === "string" ? children[0].trim() : undefined;
  if (text !== undefined && /^[#¶§🔗\u200b]?$/u.test(text)) return true;
  return (
    !isWholeOf(parent, element, measures) &&
    names.some((word) => word === "headerlink" || word === "permalink")
  );
}

/** The picture of a teaser, whose title leads to the same page: its alternative text repeats the title. */
const isPictureOfLink = ({ name, attributes }: Element, { chars }: Measure, { textLinks }: Page): boolean =>
  name === "a" && chars === 0 && textLinks.has(attributes["href"] ?? "");

function textLinkTargets(root: Element, measures: Measures, targets = new Set<string>()): Set<string> {
  for (const child of childElements(root)) {
    const href = child.attributes["href"];
    if (child.name === "a" && href !== undefined && measureOf(measures, child).chars > 0) targets.add(href);
    textLinkTargets(child, measures, targets);
  }
  return targets;
}

/** The number of a footnote in brackets. */
const isReference = ({ name }: Element, names: readonly string[]): boolean =>
  name === "sup" && (names.includes("reference") || names.includes("footnote"));

/** Whether a button is the heading of a part that it reveals, such as a question. */
const isQuestion = (button: Element, { disclosures, measures }: Page): boolean =>
  /^(?:h[1-6]|dt|summary)$/u.test(button.parent?.name ?? "")
    ? isWholeOf(button.parent, button, measures)
    : isDiscloser(button) &&
      (button.attributes["aria-controls"] !== undefined || disclosures.buttons.has(button));

const isDiscloser = ({ name, attributes }: Element): boolean =>
  name === "button" && attributes["aria-expanded"] !== undefined;

/** Whether an element has no text but that of one of its children. */
const isWholeOf = (element: Element | null, child: Element, measures: Measures): boolean =>
  element !== null && measureOf(measures, element).chars === measureOf(measures, child).chars;

/** The same classes are on many elements of a page. */
function wordReader(): Page["wordsOf"] {
  const known = new Map<string, readonly string[]>();
  return ({ attributes }) => {
    const names = `${attributes["class"] ?? ""} ${attributes["id"] ?? ""}`;
    let words = known.get(names);
    if (!words) known.set(names, (words = wordsIn(names)));
    return words;
  };
}

function wordsIn(names: string): readonly string[] {
  const found: string[] = [];
  for (const name of names.split(/\s+/u)) {
    // Tailwind's variants, such as `group-hover:menu`, describe a look.
    if (name === "" || name.includes(":")) continue;
    const parts = name
      .replaceAll(/(?<=[a-z])(?=[A-Z])/gu, "-")
      .toLowerCase()
      .split(/[^a-z]+/u);
    if (!STATES.has(parts[0] ?? "")) found.push(...parts);
  }
  return found;
}

/** The parts of a page that a click reveals. */
interface Disclosures {
  /** The ids of those that buttons and links name. */
  readonly ids: Set<string>;
  /** Texts that follow the button that reveals them, and these buttons. */
  readonly parts: Set<Element>;
  readonly buttons: Set<Element>;
}

function findDisclosures(
  root: Element,
  measures: Measures,
  found: Disclosures = { ids: new Set(), parts: new Set(), buttons: new Set() },
): Disclosures {
  const { attributes } = root;
  for (const target of [attributes["aria-controls"], attributes["data-target"], attributes["data-bs-target"]])
    if (target) found.ids.add(target.replace(/^#/u, ""));

  let button: Element | undefined;
  for (const child of childElements(root)) {
    const size = measureOf(measures, child);
    if (button && proseChars(size) > 0 && linkDensity(size) < MOSTLY_LINKS) {
      found.buttons.add(button);
      found.parts.add(child);
    }
    const [inner] = isHeading(child) ? childElements(child) : [child];
    button = inner && isDiscloser(inner) ? inner : undefined;
    findDisclosures(child, measures, found);
  }
  return found;
}

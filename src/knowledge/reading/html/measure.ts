import type { Element } from "./tree.ts";

/** How much text an element contains, and how much of it is links. Counted in characters without white space. */
export interface Measure {
  readonly chars: number;
  readonly linkChars: number;
  readonly links: number;
  readonly headings: number;
  /** Whether it contains the heading of the page, and whether it contains a `<main>`. */
  readonly hasTitle: boolean;
  readonly hasMain: boolean;
  /** Whether it contains an element that begins a new line, such as a paragraph. */
  readonly hasBlocks: boolean;
}

export type Measures = ReadonlyMap<Element, Measure>;

const NOTHING: Measure = {
  chars: 0,
  linkChars: 0,
  links: 0,
  headings: 0,
  hasTitle: false,
  hasMain: false,
  hasBlocks: false,
};

const BLOCKS = new Set([
  ..."address article aside blockquote body center dd details dialog dir div dl dt fieldset figcaption figure".split(
    " ",
  ),
  ..."footer form h1 h2 h3 h4 h5 h6 header hgroup hr html legend li main menu nav ol p pre search".split(" "),
  ..."section summary table tbody td tfoot th thead tr ul caption".split(" "),
]);

export const isBlock = (element: Element): boolean => BLOCKS.has(element.name);

export const isHeading = ({ name }: Element): boolean => /^h[1-6]$/u.test(name);

export const isMain = ({ name, attributes }: Element): boolean =>
  name === "main" || attributes["role"] === "main";

/** Measures every element below `root` that is not dropped. `title` is the heading of the page. Takes linear time. */
export function measure(root: Element, dropped: ReadonlySet<Element>, title: Element | undefined): Measures {
  const measures = new Map<Element, Measure>();

  const measureInto = (element: Element): Measure => {
    const isLink = element.name === "a" && element.attributes["href"] !== undefined;
    let [chars, linkChars, links, headings] = [0, 0, isLink ? 1 : 0, isHeading(element) ? 1 : 0];
    let [hasTitle, hasMain, hasBlocks] = [element === title, isMain(element), false];

    for (const child of element.children) {
      if (typeof child === "string") chars += visibleChars(child);
      else if (!dropped.has(child)) {
        const inner = measureInto(child);
        chars += inner.chars;
        linkChars += inner.linkChars;
        links += inner.links;
        headings += inner.headings;
        hasTitle ||= inner.hasTitle;
        hasMain ||= inner.hasMain;
        hasBlocks ||= inner.hasBlocks || isBlock(child);
      }
    }

    if (isLink) linkChars = chars;
    const result = { chars, linkChars, links, headings, hasTitle, hasMain, hasBlocks };
    measures.set(element, result);
    return result;
  };
  measureInto(root);
  return measures;
}

/** Returns the measure of an element, and zeros for one that was dropped. */
export const measureOf = (measures: Measures, element: Element): Measure => measures.get(element) ?? NOTHING;

/** Returns the share of an element's text that is links, from 0 to 1. */
export const linkDensity = ({ chars, linkChars }: Measure): number => (chars === 0 ? 0 : linkChars / chars);

export const proseChars = ({ chars, linkChars }: Measure): number => chars - linkChars;

function visibleChars(text: string): number {
  let count = 0;
  for (let at = 0; at < text.length; at++) if (text.charCodeAt(at) > 0x20) count++;
  return count;
}

import { childElements, parseXml, type Element } from "../html/tree.ts";

/** What a paragraph's style says about it. */
interface ParagraphStyle {
  /** 1 to 6 for a heading. */
  readonly headingLevel: number | undefined;
  readonly list: ListReference | undefined;
}

/** A level of a list: the number of its definition, and how deep it is nested, from 0. */
export interface ListReference {
  readonly numbering: string;
  readonly depth: number;
}

export type Styles = ReadonlyMap<string, ParagraphStyle>;

/** Which levels of which lists count, as `numbering depth`. The others have bullets. */
export type Numberings = ReadonlySet<string>;

/** Anti-DoS: styles that are based on each other in a circle. */
const MAX_BASES = 10;

/** Returns the element with this name directly below, or `undefined`. */
export function childOf(element: Element | undefined, name: string): Element | undefined {
  if (element) for (const child of childElements(element)) if (child.name === name) return child;
  return undefined;
}

export const valueOf = (element: Element | undefined): string | undefined => element?.attributes["w:val"];

/** Reads `word/styles.xml`. Headings are recognised by their outline level or name, which Word stores in English. */
export function readStyles(xml: string): Styles {
  const elements = new Map<string, Element>();
  const root = [...childElements(parseXml(xml).root)].find(({ name }) => name === "w:styles");
  for (const style of root ? childElements(root) : []) {
    const id = style.attributes["w:styleId"];
    if (style.name === "w:style" && id !== undefined) elements.set(id, style);
  }
  return new Map([...elements.keys()].map((id) => [id, styleOf(id, elements)]));
}

function styleOf(id: string, elements: ReadonlyMap<string, Element>): ParagraphStyle {
  let [headingLevel, list]: [number | undefined, ListReference | undefined] = [undefined, undefined];
  let style = elements.get(id);
  for (let bases = 0; style && bases < MAX_BASES; bases++) {
    const properties = childOf(style, "w:pPr");
    headingLevel ??= outlineLevel(properties) ?? levelByName(valueOf(childOf(style, "w:name")) ?? "");
    list ??= listOf(properties);
    style = elements.get(valueOf(childOf(style, "w:basedOn")) ?? "");
  }
  return { headingLevel, list };
}

/** Returns the heading level of a paragraph's or style's outline level: 1 for the outermost. Level 9 is body text. */
export function outlineLevel(properties: Element | undefined): number | undefined {
  const value = valueOf(childOf(properties, "w:outlineLvl"));
  const level = value === undefined ? Number.NaN : Number(value);
  return level >= 0 && level < 9 ? Math.min(6, level + 1) : undefined;
}

function levelByName(name: string): number | undefined {
  if (/^title$/iu.test(name)) return 1;
  const level = Number(/^heading ([1-9])$/iu.exec(name)?.[1]);
  return level >= 1 ? Math.min(6, level) : undefined;
}

/** Returns the list that paragraph properties name, or `undefined`. The numbering 0 takes a paragraph out of its style's list. */
export function listOf(properties: Element | undefined): ListReference | undefined {
  const numbers = childOf(properties, "w:numPr");
  const numbering = valueOf(childOf(numbers, "w:numId"));
  if (numbering === undefined) return undefined;
  const depth = Number(valueOf(childOf(numbers, "w:ilvl")) ?? "0");
  return { numbering, depth: depth >= 0 && depth <= 8 ? Math.trunc(depth) : 0 };
}

/** Reads `word/numbering.xml`. */
export function readNumberings(xml: string): Numberings {
  const root = [...childElements(parseXml(xml).root)].find(({ name }) => name === "w:numbering");
  const counted = new Set<string>();
  const definitions = new Map<string, readonly string[]>();
  for (const element of root ? childElements(root) : []) {
    const { attributes } = element;
    if (element.name === "w:abstractNum")
      definitions.set(attributes["w:abstractNumId"] ?? "", countedLevels(element));
    else if (element.name === "w:num")
      for (const level of definitions.get(valueOf(childOf(element, "w:abstractNumId")) ?? "") ?? [])
        counted.add(`${attributes["w:numId"]} ${level}`);
  }
  return counted;
}

function countedLevels(definition: Element): readonly string[] {
  const levels = [...childElements(definition)].filter(({ name }) => name === "w:lvl");
  const isCounted = (level: Element) =>
    !["bullet", "none"].includes(valueOf(childOf(level, "w:numFmt")) ?? "bullet");
  return levels.filter(isCounted).map(({ attributes }) => attributes["w:ilvl"] ?? "0");
}

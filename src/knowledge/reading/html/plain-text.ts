import type { Element } from "./tree.ts";

/** Returns the text of an element as it is written, without its markup. */
export function plainText(element: Element): string {
  let text = "";
  for (const child of element.children) text += typeof child === "string" ? child : plainText(child);
  return text;
}

/** Returns a text with its white space collapsed, and without characters that nobody sees. */
export const collapsed = (text: string): string =>
  text.replaceAll(/[\u00ad\u200b\u2060\ufeff\0]+/gu, "").replaceAll(/[ \t\r\n\f\v\u00a0]+/gu, " ");

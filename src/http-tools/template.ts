/** A part of a template: fixed text, or a place that an argument or a secret fills. */
export type TemplatePart =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "argument" | "secret"; readonly name: string };

/** `{{name}}` stands for an argument, `{{secrets.name}}` for a secret. All repetitions are bounded, so matching takes linear time. */
const PLACEHOLDER = /\{\{ {0,4}(secrets\.)?([A-Za-z_]\w{0,63}) {0,4}\}\}/gu;

/** Divides a template into its parts. Text in braces that is no placeholder stays text; see `hasStrayBraces`. */
export function partsOf(template: string): readonly TemplatePart[] {
  const parts: TemplatePart[] = [];
  let end = 0;
  for (const match of template.matchAll(PLACEHOLDER)) {
    const [whole, secret, name = ""] = match;
    if (match.index > end) parts.push({ kind: "text", text: template.slice(end, match.index) });
    parts.push({ kind: secret === undefined ? "argument" : "secret", name });
    end = match.index + whole.length;
  }
  if (end < template.length) parts.push({ kind: "text", text: template.slice(end) });
  return parts;
}

/** Whether a template has double braces that are no placeholder, which is most likely a spelling mistake. */
export const hasStrayBraces = (template: string): boolean =>
  partsOf(template).some((part) => part.kind === "text" && /\{\{|\}\}/u.test(part.text));

/** The placeholders of one kind in a template, each name once. */
export const namesIn = (template: string, kind: "argument" | "secret"): readonly string[] => [
  ...new Set(partsOf(template).flatMap((part) => (part.kind === kind ? [part.name] : []))),
];

/** What fills the places of a template: the arguments of a call, and the secrets of its tool. */
export interface Values {
  readonly arguments: Readonly<Record<string, unknown>>;
  readonly secrets: Readonly<Record<string, string>>;
}

/** Returns the value of a part as text. `undefined`: it is a place whose argument is absent or null. */
export function textOf(part: TemplatePart, values: Values): string | undefined {
  if (part.kind === "text") return part.text;
  return asText(valueOf(part, values));
}

/** Returns the value of a place: an argument of any type, or the text of a secret. */
export const valueOf = (
  { kind, name }: Exclude<TemplatePart, { readonly kind: "text" }>,
  values: Values,
): unknown => {
  const from: Readonly<Record<string, unknown>> = kind === "secret" ? values.secrets : values.arguments;
  return Object.hasOwn(from, name) ? from[name] : undefined;
};

/** Lists of simple values are joined by commas; everything else that is no simple value is JSON. */
function asText(value: unknown): string | undefined {
  if (value === undefined || value === null) return undefined;
  if (Array.isArray(value) && value.every(isSimple)) return value.map(String).join(",").toWellFormed();
  return (isSimple(value) ? String(value) : JSON.stringify(value)).toWellFormed();
}

const isSimple = (value: unknown): value is string | number | boolean =>
  typeof value === "string" || typeof value === "number" || typeof value === "boolean";

/**
 * Fills a template once: what a value contains is never read as a template. `encode` prepares each value for its place. Returns
 * `undefined` if the template has places and all of them are empty, so that the whole can be left out.
 */
export function fill(
  template: string,
  values: Values,
  encode: (text: string) => string = (text) => text,
): string | undefined {
  const parts = partsOf(template).map((part) => ({ part, text: textOf(part, values) }));
  const places = parts.filter(({ part }) => part.kind !== "text");
  if (places.length > 0 && places.every(({ text }) => text === undefined)) return undefined;
  return parts.map(({ part, text = "" }) => (part.kind === "text" ? text : encode(text))).join("");
}

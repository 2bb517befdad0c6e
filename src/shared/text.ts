/** Words as every limit here counts them: runs of characters between white space. */
export const countWords = (text: string): number => text.match(/\S+/gu)?.length ?? 0;

/** The bytes of a text in UTF-8, without encoding it. */
export function utf8Length(text: string): number {
  let bytes = text.length;

  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit < 0x80) continue;
    // A surrogate pair is two units and four bytes; everything else from U+0800 on is one unit and three bytes.
    bytes += unit < 0x800 || (unit >= 0xd800 && unit <= 0xdfff) ? 1 : 2;
  }

  return bytes;
}

/** The longest beginning of `text` that fits `maxBytes` of UTF-8, never cutting a character in two. */
export function cutToBytes(text: string, maxBytes: number): string {
  if (utf8Length(text) <= maxBytes) return text;

  const bytes = new TextEncoder().encode(text);
  let end = maxBytes;
  // Bytes of the form 10xxxxxx continue a character: step back to where one begins.
  while (end > 0 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end--;
  return new TextDecoder("utf-8", { fatal: false, ignoreBOM: true }).decode(bytes.subarray(0, end));
}

/** `text`, or its first `max` characters and three dots. Characters are code points. */
export function preview(text: string, max: number): string {
  if (text.length <= max) return text;

  const characters = Array.from(text);
  return characters.length <= max ? text : `${characters.slice(0, max).join("")}...`;
}

/**
 * At most `max` characters of `text`: from its beginning, or, where none of the words stands there, from shortly before the
 * first one that stands further behind. What is left out is told by three dots.
 */
export function excerpt(text: string, words: readonly string[], max: number): string {
  const characters = Array.from(text);
  if (characters.length <= max) return text;

  const inLowerCase = text.toLowerCase();
  const places = words.map((word) => inLowerCase.indexOf(word)).filter((place) => place >= 0);
  const first = Array.from(text.slice(0, Math.min(...places, text.length))).length;
  if (places.length === 0 || first < (max * 3) / 4) return preview(text, max);

  const from = Math.min(first - Math.floor(max / 4), characters.length - max);
  return `...${preview(characters.slice(from).join(""), max)}`;
}

/** `text` on one line, so that it can't pose as several lines of what it is shown in. */
export const onOneLine = (text: string): string => text.trim().replaceAll(/\s*[\r\n\u2028\u2029]+\s*/gu, " ");

/** Tags that structure what the model reads; text from outside must not be able to open or close one. */
const SECTION_TAG =
  /<(?=\s*(?:\/\s*)?(?:identity|persona|core_memory|memory_tools|memory_warning|conversation_summary|knowledge_base|context|attached_file|system|user|assistant|tool)\b)/giu;
/** Control tokens of chat templates, such as `<|im_start|>`: the bracket is what makes them. */
const TEMPLATE_TOKEN = /<(?=\|)/gu;

/**
 * Makes text from users, memory, files and documents safe to stand inside a section: it can't close the section, open
 * another one or fake a role. Everything else, code with angle brackets included, stays as it is.
 */
export const fence = (text: string): string =>
  text.replace(SECTION_TAG, "&lt;").replace(TEMPLATE_TOKEN, "&lt;");

interface JsonNode {
  readonly value: unknown;
  readonly key?: string | number;
  readonly parent?: JsonNode;
}

/**
 * The path of the first string in a JSON value that is not well-formed Unicode, or nothing. Walks without recursion
 * and keeps one link per node, so that a deeply nested body costs no more than its size.
 */
export function findIllFormed(value: unknown): readonly (string | number)[] | undefined {
  const pending: JsonNode[] = [{ value }];

  for (let node = pending.pop(); node; node = pending.pop()) {
    const current = node.value;
    if (typeof current === "string" && !current.isWellFormed()) return pathOf(node);
    if (typeof current !== "object" || current === null) continue;

    for (const [key, child] of Object.entries(current)) {
      if (!key.isWellFormed()) return pathOf(node);
      pending.push({ value: child, key: Array.isArray(current) ? Number(key) : key, parent: node });
    }
  }

  return undefined;
}

function pathOf(node: JsonNode): readonly (string | number)[] {
  const path: (string | number)[] = [];
  for (let at: JsonNode | undefined = node; at?.key !== undefined; at = at.parent) path.push(at.key);
  return path.toReversed();
}

/** How far into a document a `<meta charset>` is looked for, in bytes. Pages with long inline scripts state it late. */
const META_BYTES = 65_536;

/** Markup begins with ASCII, whose characters have one zero byte each in UTF-16. */
const UTF16_BEGINNINGS: readonly (readonly [label: string, hasZero: readonly boolean[]])[] = [
  ["utf-16le", [false, true, false, true]],
  ["utf-16be", [true, false, true, false]],
];

const BYTE_ORDER_MARKS: readonly (readonly [label: string, bytes: readonly number[]])[] = [
  ["utf-8", [0xef, 0xbb, 0xbf]],
  ["utf-16le", [0xff, 0xfe]],
  ["utf-16be", [0xfe, 0xff]],
];

const CHARSET = /charset\s{0,20}=\s{0,20}["']?\s{0,20}([\w.:-]{1,40})/iu;
const META = /<meta\s[^>]{0,500}?charset\s{0,20}=\s{0,20}["']?\s{0,20}([\w.:-]{1,40})/iu;
const XML_ENCODING = /^\s{0,100}<\?xml[^>]{0,200}?encoding\s{0,20}=\s{0,20}["']([\w.:-]{1,40})/iu;

/**
 * Returns the text of bytes. A byte order mark decides, or the zero bytes of UTF-16; then strict UTF-8, because almost no other text is valid UTF-8 by
 * accident; then the charset of the `Content-Type` header or of the document's own declaration; then windows-1252. A label that
 * the platform does not know is skipped. Text that is declared to be UTF-8 may have a few invalid bytes: a program has cut it
 * within a character. Never throws.
 */
export function decodeText(bytes: Uint8Array, contentType: string | null): string {
  const marked = BYTE_ORDER_MARKS.find(([, mark]) => mark.every((byte, at) => bytes[at] === byte));
  if (marked) return new TextDecoder(marked[0]).decode(bytes);
  const unmarked = UTF16_BEGINNINGS.find(([, zeros]) =>
    zeros.every((zero, at) => (bytes[at] === 0) === zero),
  );
  if (unmarked && bytes.length >= 4) return new TextDecoder(unmarked[0]).decode(bytes);

  const utf8 = decoded(bytes, "utf-8", true);
  if (utf8 !== undefined) return utf8;

  const beginning = new TextDecoder("windows-1252").decode(bytes.subarray(0, META_BYTES));
  const labels = [CHARSET.exec(contentType ?? ""), META.exec(beginning), XML_ENCODING.exec(beginning)];
  for (const label of labels) {
    // A declaration of UTF-16 cannot be read in the bytes that it describes.
    if (!label?.[1] || /^utf-?16/iu.test(label[1])) continue;
    const text = decoded(bytes, label[1], false);
    if (text === undefined || (/^utf-?8/iu.test(label[1]) && !isMostlyValid(text))) continue;
    return text;
  }
  return new TextDecoder("windows-1252").decode(bytes);
}

/** Whether a text that was decoded as UTF-8 has more characters outside of ASCII than invalid bytes. Other charsets have not. */
function isMostlyValid(text: string): boolean {
  let balance = 0;
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    if (unit > 0x7f) balance += unit === 0xfffd ? -1 : 1;
  }
  return balance > 0;
}

/** Returns the text, or `undefined` if the label is unknown or, with `fatal`, if the bytes are invalid. */
function decoded(bytes: Uint8Array, label: string, fatal: boolean): string | undefined {
  try {
    return new TextDecoder(label, { fatal, ignoreBOM: false }).decode(bytes);
  } catch {
    return undefined;
  }
}

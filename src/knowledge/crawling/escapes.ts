const encoder = new TextEncoder();

/** The characters that mean the same with and without percent-encoding (RFC 3986 §2.3). */
const UNRESERVED = /^[A-Za-z0-9._~-]$/u;

/**
 * Returns the path or query of a URL with one spelling for each character: unreserved characters plain, everything outside of
 * ASCII percent-encoded as UTF-8, and hexadecimal digits in upper case. Takes linear time.
 */
export function normalizeEscapes(text: string): string {
  let normal = "";
  for (let at = 0; at < text.length; at++) {
    const char = text[at] ?? "";
    const hex = char === "%" ? text.slice(at + 1, at + 3) : "";
    if (/^[\da-f]{2}$/iu.test(hex)) {
      const decoded = String.fromCharCode(Number.parseInt(hex, 16));
      normal += UNRESERVED.test(decoded) ? decoded : `%${hex.toUpperCase()}`;
      at += 2;
    } else if (char > "\u007f") {
      const whole = String.fromCodePoint(text.codePointAt(at) ?? 0);
      normal += percentEncoded(whole);
      at += whole.length - 1;
    } else {
      normal += char;
    }
  }
  return normal;
}

const percentEncoded = (text: string): string =>
  Array.from(encoder.encode(text), (byte) => `%${byte.toString(16).toUpperCase().padStart(2, "0")}`).join("");

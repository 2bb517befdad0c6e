/** The characters that mean the same with and without percent-encoding (RFC 3986 §2.3). */
const UNRESERVED = /^[A-Za-z0-9._~-]$/u;

/**
 * Returns the path or query of a URL with one spelling for each character: unreserved characters plain, everything outside of
 * ASCII percent-encoded as UTF-8, and hexadecimal digits in upper case. Takes linear time.
 */
export const normalizeEscapes = (text: string): string =>
  text.replaceAll(/%[\dA-Fa-f]{2}|[\u{80}-\u{10ffff}]+/gu, (found) => {
    // `encodeURIComponent` throws for half a surrogate pair.
    if (!found.startsWith("%")) return encodeURIComponent(found.toWellFormed());
    const decoded = String.fromCharCode(Number.parseInt(found.slice(1), 16));
    return UNRESERVED.test(decoded) ? decoded : found.toUpperCase();
  });

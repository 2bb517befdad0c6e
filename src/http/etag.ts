/** Returns whether a caller's `If-Match` header allows a write to the state with this entity tag. */
export type Precondition = (etag: string) => boolean;

/** Returns a strong entity tag. Drops characters that a header must not contain, because the text may come from the table. */
export const strongTag = (text: string): string => `"${text.replaceAll(/[^\w.:+-]/gu, "")}"`;

/** Parses an `If-Match` header. Without a header or with `*`, every state matches; otherwise only the listed tags do. */
export function ifMatch(header: string | undefined): Precondition {
  if (header === undefined || header.trim() === "*") return () => true;

  // Weak tags never match, because a write must know the exact state it changes (RFC 9110, section 13.1.1).
  const tags = new Set(header.split(",").map((tag) => tag.trim()));
  return (etag) => tags.has(etag);
}

/**
 * Returns whether an `If-None-Match` header contains the entity tag, so that the answer is a 304. Weak tags match, too (RFC
 * 9110, section 13.1.2).
 */
export function isKnown(header: string | undefined, etag: string): boolean {
  if (header === undefined) return false;
  return header.trim() === "*" || header.split(",").some((tag) => tag.trim().replace(/^W\//u, "") === etag);
}

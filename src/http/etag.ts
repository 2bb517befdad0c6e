/** What a caller's `If-Match` says of the state that a write is meant for. */
export type Precondition = (etag: string) => boolean;

/** A strong entity tag. The text comes from the table too: what could not stand in a header is left out. */
export const strongTag = (text: string): string => `"${text.replaceAll(/[^\w.:+-]/gu, "")}"`;

/** Whether a state is one that the caller means: any without the header or with `*`, else one whose tag it names. */
export function ifMatch(header: string | undefined): Precondition {
  if (header === undefined || header.trim() === "*") return () => true;

  // Weak tags are compared too, and match nothing: a write needs to know exactly what it changes.
  const tags = new Set(header.split(",").map((tag) => tag.trim()));
  return (etag) => tags.has(etag);
}

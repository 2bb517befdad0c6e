/** A document as it was fetched or uploaded. */
export interface DocumentSource {
  readonly bytes: Uint8Array;
  /** The value of the `Content-Type` header, or `null` if there was none. */
  readonly contentType: string | null;
  /** The address after all redirects. Relative links are resolved against it. `null` for an uploaded file. */
  readonly url: string | null;
  /** The name of an uploaded file, or `null`. Its ending says what the file is if `contentType` does not. */
  readonly fileName: string | null;
}

/** The text of a document as Markdown, and what a crawler needs to go on. */
export interface ReadDocument {
  /** Headings, paragraphs, lists, tables, code blocks and links. Empty if the document has no readable text. */
  readonly markdown: string;
  readonly title: string | null;
  readonly description: string | null;
  /** A BCP 47 language tag, if the document states one. */
  readonly language: string | null;
  /** Absolute `http:` and `https:` addresses in the order of the document, each once, at most 5,000. */
  readonly links: readonly string[];
  /** The absolute address of `rel=canonical`, or `null`. */
  readonly canonicalUrl: string | null;
  /** What `<meta name="robots">` asks for. */
  readonly robots: { readonly noindex: boolean; readonly nofollow: boolean };
  /** A sentence for the person who reads the job's report, such as "no readable text: probably drawn by script"; or `null`. */
  readonly warning: string | null;
}

/** Thrown for a document that cannot be read. The message is a sentence for people that says why. */
export class UnreadableDocument extends Error {
  override readonly name = "UnreadableDocument";
}

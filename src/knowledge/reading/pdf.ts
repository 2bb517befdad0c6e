import { withTimeout } from "../../shared/async.ts";
import { type ReadDocument, UnreadableDocument } from "./document.ts";
import { documentOf } from "./plain-text.ts";

/** What the Worker that reads PDF answers. */
export type PdfAnswer =
  | { readonly pages: readonly string[]; readonly title: string | null }
  | { readonly failure: PdfFailure };

type PdfFailure = "password" | "broken" | "too-many-pages";

/** The Worker that reads PDF: see `src/pdf-reader/`. */
export interface PdfReader {
  /** Returns the text of each page: paragraphs that are separated by empty lines. */
  read(bytes: Uint8Array): Promise<PdfAnswer>;
}

/** In bytes. */
const MAX_PDF_BYTES = 10_000_000;
/** In milliseconds. Three hundred pages take about five seconds. */
const READING_TIMEOUT_MS = 30_000;

const FAILURES: Readonly<Record<PdfFailure, string>> = {
  password: "The PDF is protected by a password. Remove the password and upload it again.",
  broken: "The PDF is damaged and cannot be read. Save it again and upload the new file.",
  "too-many-pages": "The PDF has more than 300 pages. Split it into several files.",
};
const NO_READER =
  "PDF files cannot be read by this service. Upload the document as DOCX, text or Markdown instead.";
const TOO_LARGE = "The PDF is larger than 10 MB. Split it into several files.";
const NO_ANSWER =
  "The PDF could not be read in 30 seconds. Split it into several files and upload them again.";
const SCANNED = "no readable text: the PDF consists of images, probably of scanned pages";

/**
 * Reads a PDF file with the Worker that does so. Each page has a heading, so that a citation names it. Throws
 * `UnreadableDocument` without that Worker, and for files that are too large, protected or damaged.
 */
export async function readPdf(bytes: Uint8Array, reader: PdfReader | undefined): Promise<ReadDocument> {
  if (!reader) throw new UnreadableDocument(NO_READER);
  if (bytes.byteLength > MAX_PDF_BYTES) throw new UnreadableDocument(TOO_LARGE);

  const answer = await answerOf(reader, bytes);
  if ("failure" in answer) throw new UnreadableDocument(FAILURES[answer.failure]);
  const pages = answer.pages.flatMap((text, at) => (text === "" ? [] : [`## Page ${at + 1}\n\n${text}`]));
  return documentOf(pages.join("\n\n"), answer.title, SCANNED);
}

async function answerOf(reader: PdfReader, bytes: Uint8Array): Promise<PdfAnswer> {
  try {
    return await withTimeout(READING_TIMEOUT_MS, () => reader.read(bytes));
  } catch (error) {
    // The platform ends a Worker that takes too much CPU time or memory, which arrives here as an error without a type.
    throw new UnreadableDocument(NO_ANSWER, { cause: error });
  }
}

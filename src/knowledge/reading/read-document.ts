import { decodeText } from "./charset.ts";
import { readCsv } from "./csv.ts";
import { type DocumentSource, type ReadDocument, UnreadableDocument } from "./document.ts";
import { kindOf, type DocumentKind } from "./document-kind.ts";
import { readDocx } from "./docx/read-docx.ts";
import { readHtml } from "./html/read-html.ts";
import { readMarkdown, readPlainText } from "./plain-text.ts";
import { readPdf, type PdfReader } from "./pdf.ts";

/** What reading a document may need. */
export interface ReadingDependencies {
  /** The Worker that reads PDF, if the deployment has one. */
  readonly pdfReader?: PdfReader | undefined;
}

const UNREADABLE: Readonly<Record<Exclude<DocumentKind, Readable>, string>> = {
  image: "Images cannot be read. Upload their text, for example as a DOCX or text file.",
  archive: "Archives cannot be read. Unpack it and upload the files one by one.",
  legacy: "Old Office files cannot be read. Save the document as DOCX, CSV or PDF and upload that.",
  protected: "The document is protected by a password. Remove the password and upload it again.",
  office: "Spreadsheets and presentations cannot be read. Save it as CSV or PDF and upload that.",
  media: "Audio and video cannot be read. Upload a transcript instead.",
  unknown: "This type of file cannot be read. Upload a Markdown, text, CSV, HTML, DOCX or PDF file instead.",
};

type Readable = "html" | "text" | "markdown" | "csv" | "docx" | "pdf";

/**
 * Reads a document as Markdown. Its type is recognised by its first bytes where these are unmistakable, then by its content type,
 * then by its file name. Throws `UnreadableDocument` for types that cannot be read and for broken files.
 */
export async function readDocument(
  source: DocumentSource,
  { pdfReader }: ReadingDependencies = {},
): Promise<ReadDocument> {
  const kind = kindOf(source);
  const text = () => decodeText(source.bytes, source.contentType);
  switch (kind) {
    case "html":
      return readHtml(text(), source.url);
    case "text":
      return readPlainText(text());
    case "markdown":
      return readMarkdown(text(), source.url);
    case "csv":
      return readCsv(text());
    case "docx":
      return readDocx(source.bytes);
    case "pdf":
      return await readPdf(source.bytes, pdfReader);
    default:
      throw new UnreadableDocument(UNREADABLE[kind]);
  }
}

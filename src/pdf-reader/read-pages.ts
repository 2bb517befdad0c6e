import { getDocumentProxy } from "unpdf";
import type { PdfAnswer } from "../knowledge/reading/pdf.ts";
import { linesOf, paragraphsOf, withoutRepeatedLines, type Line } from "./layout.ts";

const MAX_PAGES = 300;
/** Anti-DoS: memory. A dense page has 5,000 characters. */
const MAX_CHARS = 5_000_000;
const MAX_TITLE_CHARS = 300;

/** Returns the text of a PDF file page by page, or why it cannot be read. */
export async function readPdfPages(bytes: Uint8Array): Promise<PdfAnswer> {
  const document = await opened(bytes);
  if (typeof document === "string") return { failure: document };

  try {
    if (document.numPages > MAX_PAGES) return { failure: "too-many-pages" };
    const pages: (readonly Line[])[] = [];
    let left = MAX_CHARS;
    for (let number = 1; number <= document.numPages && left > 0; number++) {
      const page = await document.getPage(number);
      const { items } = await page.getTextContent();
      const lines = linesOf(items.filter((item) => "str" in item));
      left -= lines.reduce((sum, { text }) => sum + text.length, 0);
      pages.push(lines);
      page.cleanup();
    }
    return { pages: withoutRepeatedLines(pages).map(paragraphsOf), title: await titleOf(document) };
  } catch {
    // The library reports damage in many forms, all of which mean the same to whoever uploaded the file.
    return { failure: "broken" };
  } finally {
    await document.loadingTask.destroy();
  }
}

type PdfDocument = Awaited<ReturnType<typeof getDocumentProxy>>;

async function opened(bytes: Uint8Array): Promise<PdfDocument | "password" | "broken"> {
  try {
    return await getDocumentProxy(bytes);
  } catch (error) {
    return error instanceof Error && error.name === "PasswordException" ? "password" : "broken";
  }
}

async function titleOf(document: PdfDocument): Promise<string | null> {
  const { info } = await document.getMetadata();
  const title = "Title" in info && typeof info.Title === "string" ? info.Title.trim() : "";
  return title === "" ? null : title.slice(0, MAX_TITLE_CHARS).toWellFormed();
}

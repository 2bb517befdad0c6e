import { describe, expect, it } from "vitest";
import { UnreadableDocument } from "../../../src/knowledge/reading/document.ts";
import type { PdfAnswer, PdfReader } from "../../../src/knowledge/reading/pdf.ts";
import { readDocument } from "../../../src/knowledge/reading/read-document.ts";
import { readPdfPages } from "../../../src/pdf-reader/read-pages.ts";
import { utf8 } from "../../../src/shared/crypto.ts";
import { ENCRYPTED, pdfFile, type PdfLine } from "./pdf-file.ts";

/** The reader itself, without the Worker around it. */
const pdfReader: PdfReader = { read: readPdfPages };
const answering = (answer: PdfAnswer): PdfReader => ({ read: () => Promise.resolve(answer) });
const read = (bytes: Uint8Array, reader: PdfReader | undefined = pdfReader) =>
  readDocument(
    { bytes, contentType: "application/pdf", url: null, fileName: "a.pdf" },
    { pdfReader: reader },
  );

/** Lines that follow each other at the usual distance, from the top. */
const lines = (texts: readonly string[], top = 780): readonly PdfLine[] =>
  texts.map((text, at) => ({ text, y: top - 14 * at }));

describe("a PDF file", () => {
  it("has a heading per page, and paragraphs where the distance between lines is larger", async () => {
    const file = pdfFile([
      [...lines(["The first line of a paragraph", "goes on here."]), { text: "A second one.", y: 730 }],
      lines(["Another page."]),
    ]);

    expect((await read(file)).markdown).toBe(
      "## Page 1\n\nThe first line of a paragraph goes on here.\n\nA second one.\n\n## Page 2\n\nAnother page.",
    );
  });

  it("has a paragraph per line where all lines are far apart", async () => {
    const far = ["One.", "Two.", "Three."].map((text, at) => ({ text, y: 700 - 30 * at }));
    expect((await read(pdfFile([far]))).markdown).toBe("## Page 1\n\nOne.\n\nTwo.\n\nThree.");
  });

  it("has words that are divided at the end of a line in one piece", async () => {
    const { markdown } = await read(
      pdfFile([lines(["This is an exam-", "ple of a well-known E-", "Mail."])]),
    );
    expect(markdown).toContain("This is an example of a well-known E- Mail.");
  });

  it("has no headers, footers and page numbers that repeat", async () => {
    const page = (number: number) => [
      { text: "Annual report", y: 810 },
      { text: `Text ${"abcde"[number]}.`, y: 700 },
      { text: `Page ${number} of 5`, y: 30 },
    ];
    const { markdown } = await read(pdfFile([0, 1, 2, 3, 4].map(page)));

    expect(markdown).not.toContain("Annual report");
    expect(markdown).not.toContain("of 5");
    expect(markdown).toContain("## Page 5\n\nText e.");
  });

  it("has its title", async () => {
    expect((await read(pdfFile([lines(["Text."])], "Yearly figures"))).title).toBe("Yearly figures");
  });

  it("of scanned pages has a warning", async () => {
    expect(await read(pdfFile([[], []]))).toMatchObject({
      markdown: "",
      warning: "no readable text: the PDF consists of images, probably of scanned pages",
    });
  });
});

describe("a PDF file is refused", () => {
  const refusal = async (bytes: Uint8Array, reader?: PdfReader): Promise<string> => {
    const error = await read(bytes, reader).catch((error: unknown) => error);
    return error instanceof UnreadableDocument ? error.message : String(error);
  };
  const small = pdfFile([lines(["Text."])]);

  it("without the Worker that reads it", async () => {
    await expect(
      readDocument({ bytes: small, contentType: null, url: null, fileName: null }),
    ).rejects.toThrow(
      "PDF files cannot be read by this service. Upload the document as DOCX, text or Markdown instead.",
    );
  });

  it("if it is damaged", async () => {
    expect(await refusal(utf8("%PDF-1.7 and nothing else"))).toMatch(/^The PDF is damaged/u);
  });

  it("if it has more than 300 pages", async () => {
    const pages = Array.from({ length: 301 }, () => lines(["x"]));
    expect(await refusal(pdfFile(pages))).toMatch(/more than 300 pages/u);
  });

  it("if it has more than 10 MB, before it is sent to the Worker", async () => {
    const large = new Uint8Array(10_000_001);
    large.set(utf8("%PDF-1.4"));
    expect(await refusal(large, answering({ pages: ["never"], title: null }))).toMatch(/larger than 10 MB/u);
  });

  it("if it has a password", async () => {
    const file = pdfFile([lines(["Text."])], "", ENCRYPTED);
    expect(await refusal(file)).toMatch(/protected by a password/u);
  });

  it("if the Worker fails or is ended", async () => {
    const failing: PdfReader = {
      read: () => Promise.reject(new Error("Worker exceeded its CPU time limit.")),
    };
    expect(await refusal(small, failing)).toMatch(/could not be read in 30 seconds/u);
  });
});

import { utf8 } from "../../../src/shared/crypto.ts";

/** A line of text and its place on a page, in points from the lower left corner. */
export interface PdfLine {
  readonly text: string;
  readonly y: number;
  readonly x?: number;
  readonly size?: number;
}

/** An entry of the trailer that says that a password protects the file. No password is the right one. */
export const ENCRYPTED = `/Encrypt << /Filter /Standard /V 1 /R 2 /P -4 /O <${"5a".repeat(32)}> /U <${"a5".repeat(32)}> >> /ID [<01> <01>]`;

/** Returns a PDF file with these lines on its pages, a document title, and further entries of its trailer. */
export function pdfFile(pages: readonly (readonly PdfLine[])[], title = "", trailer = ""): Uint8Array {
  const streams = pages.map((lines) => lines.map(operatorsOf).join("\n"));
  const first = 4;
  const objects = [
    "<< /Type /Catalog /Pages 2 0 R >>",
    `<< /Type /Pages /Count ${pages.length} /Kids [${pages.map((_, at) => `${first + 2 * at} 0 R`).join(" ")}] >>`,
    "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
    ...streams.flatMap((stream, at) => [
      `<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Resources << /Font << /F1 3 0 R >> >> /Contents ${first + 1 + 2 * at} 0 R >>`,
      `<< /Length ${stream.length} >>\nstream\n${stream}\nendstream`,
    ]),
    `<< /Title (${title}) >>`,
  ];
  return utf8(fileOf(objects, trailer));
}

const operatorsOf = ({ text, x = 50, y, size = 12 }: PdfLine): string =>
  `BT /F1 ${size} Tf 1 0 0 1 ${x} ${y} Tm (${text.replaceAll(/[()\\]/gu, "\\$&")}) Tj ET`;

/** Returns the file with its table of objects. The last object is the document's information. */
function fileOf(objects: readonly string[], trailer: string): string {
  let file = "%PDF-1.4\n";
  const offsets = objects.map((object, at) => {
    const offset = file.length;
    file += `${at + 1} 0 obj\n${object}\nendobj\n`;
    return `${String(offset).padStart(10, "0")} 00000 n \n`;
  });
  const start = file.length;
  const size = objects.length + 1;
  return `${file}xref\n0 ${size}\n0000000000 65535 f \n${offsets.join("")}trailer\n<< /Size ${size} /Root 1 0 R /Info ${objects.length} 0 R ${trailer} >>\nstartxref\n${start}\n%%EOF\n`;
}

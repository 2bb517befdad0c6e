import { strToU8, zipSync, type Zippable } from "fflate";

const NAMESPACES =
  'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"';

/** The parts of a DOCX file that a test is about. */
export interface DocxParts {
  readonly body: string;
  readonly styles?: string;
  readonly numbering?: string;
  readonly relations?: string;
  readonly footnotes?: string;
  readonly title?: string;
}

/** Returns a DOCX file as Word would pack it. */
export function docxFile({ body, styles, numbering, relations, footnotes, title }: DocxParts): Uint8Array {
  const part = (name: string, content: string) =>
    strToU8(
      `<?xml version="1.0" encoding="UTF-8" standalone="yes"?><w:${name} ${NAMESPACES}>${content}</w:${name}>`,
    );
  const files: Zippable = {
    "[Content_Types].xml": strToU8("<Types/>"),
    "word/document.xml": part("document", `<w:body>${body}<w:sectPr/></w:body>`),
    ...(styles !== undefined && { "word/styles.xml": part("styles", styles) }),
    ...(numbering !== undefined && { "word/numbering.xml": part("numbering", numbering) }),
    ...(footnotes !== undefined && { "word/footnotes.xml": part("footnotes", footnotes) }),
    ...(relations !== undefined && {
      "word/_rels/document.xml.rels": strToU8(`<Relationships>${relations}</Relationships>`),
    }),
    ...(title !== undefined && {
      "docProps/core.xml": strToU8(`<cp:coreProperties><dc:title>${title}</dc:title></cp:coreProperties>`),
    }),
  };
  return zipSync(files);
}

/** Returns a paragraph with one run of text. `properties` are elements of its `w:pPr`. */
export const paragraph = (text: string, properties = ""): string =>
  `<w:p><w:pPr>${properties}</w:pPr><w:r><w:rPr><w:b/></w:rPr><w:t xml:space="preserve">${text}</w:t></w:r></w:p>`;

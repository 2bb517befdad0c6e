import { zipSync } from "fflate";
import { describe, expect, it } from "vitest";
import { UnreadableDocument } from "../../../src/knowledge/reading/document.ts";
import { readDocx } from "../../../src/knowledge/reading/docx/read-docx.ts";
import { utf8 } from "../../../src/shared/crypto.ts";
import { docxFile, paragraph } from "./docx-file.ts";

const markdownOf = (body: string) => readDocx(docxFile({ body })).markdown;

describe("a DOCX file", () => {
  it("has headings by the outline level or the name of their style, in any language", () => {
    const styles = `<w:style w:styleId="berschrift1"><w:name w:val="heading 1"/></w:style>
      <w:style w:styleId="Kapitel"><w:name w:val="Kapitel"/><w:pPr><w:outlineLvl w:val="1"/></w:pPr></w:style>
      <w:style w:styleId="Abschnitt"><w:name w:val="Abschnitt"/><w:basedOn w:val="Kapitel"/></w:style>
      <w:style w:styleId="Kreis"><w:name w:val="Kreis"/><w:basedOn w:val="Kreis"/></w:style>`;
    const styled = (style: string) => paragraph(style, `<w:pStyle w:val="${style}"/>`);
    const body = ["berschrift1", "Kapitel", "Abschnitt", "Kreis"].map(styled).join("");

    expect(readDocx(docxFile({ body, styles })).markdown).toBe(
      "# berschrift1\n\n## Kapitel\n\n## Abschnitt\n\nKreis",
    );
  });

  it("has bulleted and numbered lists, nested and counted", () => {
    const level = (depth: number, format: string) =>
      `<w:lvl w:ilvl="${depth}"><w:numFmt w:val="${format}"/></w:lvl>`;
    const numbering = `<w:abstractNum w:abstractNumId="7">${level(0, "decimal")}${level(1, "bullet")}</w:abstractNum>
      <w:num w:numId="2"><w:abstractNumId w:val="7"/></w:num>`;
    const item = (text: string, depth: number) =>
      paragraph(text, `<w:numPr><w:ilvl w:val="${depth}"/><w:numId w:val="2"/></w:numPr>`);
    const body = item("one", 0) + item("a", 1) + item("two", 0) + paragraph("Text");

    expect(readDocx(docxFile({ body, numbering })).markdown).toBe("1. one\n   - a\n2. two\n\nText");
  });

  it("has tables, with cells that span columns", () => {
    const cell = (text: string, span = 1) =>
      `<w:tc><w:tcPr><w:gridSpan w:val="${span}"/></w:tcPr>${paragraph(text)}${paragraph("2")}</w:tc>`;
    const row = (...cells: string[]) => `<w:tr>${cells.join("")}</w:tr>`;

    expect(markdownOf(`<w:tbl>${row(cell("A"), cell("B|C"))}${row(cell("both", 2))}</w:tbl>`)).toBe(
      "| A 2 | B\\|C 2 |\n| --- | --- |\n| both 2 |  |",
    );
  });

  it("has links and footnotes", () => {
    const body = `<w:p><w:hyperlink r:id="r1"><w:r><w:t>the site</w:t></w:r></w:hyperlink><w:r><w:t xml:space="preserve"> and more</w:t></w:r><w:r><w:footnoteReference w:id="3"/></w:r></w:p>`;
    const relations = '<Relationship Id="r1" Target="https://a.example/b" TargetMode="External"/>';
    const footnotes = `<w:footnote w:type="separator" w:id="0">${paragraph("line")}</w:footnote><w:footnote w:id="3">${paragraph(" A note. ")}</w:footnote>`;

    expect(readDocx(docxFile({ body, relations, footnotes })).markdown).toBe(
      "[the site](https://a.example/b) and more[^1]\n\n[^1]: A note.",
    );
  });

  it("has no text that a tracked change deletes, and the text that one inserts", () => {
    const run = (text: string, tag = "w:t") => `<w:r><${tag}>${text}</${tag}></w:r>`;
    const body = `<w:p>${run("Keep")}<w:del>${run("old", "w:delText")}</w:del><w:ins>${run(" new")}</w:ins><w:moveFrom>${run("moved")}</w:moveFrom></w:p>`;

    expect(markdownOf(body)).toBe("Keep new");
  });

  it("has tabs as spaces, line breaks, and text of content controls", () => {
    const body = `<w:p><w:r><w:t>a</w:t><w:tab/><w:t>b</w:t><w:br/><w:t>c</w:t></w:r></w:p><w:sdt><w:sdtContent>${paragraph("d")}</w:sdtContent></w:sdt>`;
    expect(markdownOf(body)).toBe("a b\nc\n\nd");
  });

  it("has the title of its properties, or its first heading", () => {
    expect(readDocx(docxFile({ body: paragraph("x"), title: "Report" })).title).toBe("Report");
    expect(readDocx(docxFile({ body: paragraph("Top", '<w:outlineLvl w:val="0"/>') })).title).toBe("Top");
  });

  it("without text has a warning", () => {
    expect(readDocx(docxFile({ body: "" }))).toMatchObject({
      markdown: "",
      warning: "no readable text: the document is empty or consists of images",
    });
  });
});

describe("a DOCX file is refused", () => {
  const sentenceOf = (bytes: Uint8Array): string => {
    try {
      readDocx(bytes);
    } catch (error) {
      if (error instanceof UnreadableDocument) return error.message;
      throw error;
    }
    return "";
  };

  it("if it unpacks to more than 50 MB, whatever it states", () => {
    const bomb = zipSync({ "word/document.xml": new Uint8Array(60_000_000) });

    expect(bomb.byteLength).toBeLessThan(100_000);
    expect(sentenceOf(bomb)).toMatch(/more than 50 MB/u);
  });

  it("if it is damaged", () => {
    const file = docxFile({ body: paragraph("text ".repeat(1_000)) });
    const damaged = file.map((byte, at) => (at > 60 && at < file.byteLength / 2 ? byte ^ 0x55 : byte));

    expect(sentenceOf(damaged)).toMatch(/damaged|no document/u);
    expect(sentenceOf(utf8("PK\u0003\u0004 and nothing else"))).toMatch(/damaged|no document/u);
  });

  it("if it has no document in it", () => {
    expect(sentenceOf(zipSync({ "a.txt": utf8("text") }))).toMatch(/no document/u);
  });

  it("does not unpack what it does not read", () => {
    const file = zipSync({ "word/media/huge.bmp": new Uint8Array(60_000_000), "a.txt": utf8("text") });
    expect(sentenceOf(file)).toMatch(/no document/u);
  });
});

import { describe, expect, it } from "vitest";
import { UnreadableDocument, type DocumentSource } from "../../../src/knowledge/reading/document.ts";
import { readDocument } from "../../../src/knowledge/reading/read-document.ts";
import { fromHex, utf8 } from "../../../src/shared/crypto.ts";

const source = (content: string | Uint8Array, given: Partial<DocumentSource> = {}): DocumentSource => ({
  bytes: typeof content === "string" ? utf8(content) : content,
  contentType: null,
  fileName: null,
  url: null,
  ...given,
});
const read = (content: string | Uint8Array, given: Partial<DocumentSource> = {}) =>
  readDocument(source(content, given));

describe("a document is recognised", () => {
  const HTML = "<!doctype html><title>T</title><h1>Heading</h1><p>Text</p>";

  it.each([
    ["its content type", { contentType: "text/html; charset=utf-8" }],
    ["its file name", { fileName: "page.HTM" }],
    [
      "its file name, if the content type is unspecific",
      { fileName: "a.html", contentType: "application/octet-stream" },
    ],
    ["the ending of its address", { url: "https://a.example/b.html?c=d" }],
    ["its beginning", {}],
  ])("as HTML by %s", async (_name, given) => {
    expect((await read(HTML, given)).markdown).toBe("# Heading\n\nText");
  });

  it("as Markdown by its file name, although the content type says text", async () => {
    const { markdown, title } = await read("---\ntitle: 'Guide'\n---\n\n# Setup\n\n* one\n", {
      contentType: "text/plain",
      fileName: "guide.md",
    });

    expect(markdown).toBe("# Setup\n\n* one");
    expect(title).toBe("Guide");
  });

  it("as text otherwise, whose lines are not taken for Markdown", async () => {
    expect((await read("# 1\r\n\r\n\r\nTwo \x07\n", { fileName: "a.txt" })).markdown).toBe("\\# 1\n\nTwo");
    expect((await read("Just text.")).markdown).toBe("Just text.");
  });

  it("as CSV by its content type", async () => {
    expect((await read("a,b\n1,2", { contentType: "text/csv" })).markdown).toBe("a: 1\nb: 2");
  });
});

describe("a document is refused with a sentence that says what to do:", () => {
  it.each([
    ["an image", "89504e470d0a1a0a", {}, /^Images cannot be read\./u],
    ["an image by its content type", "0001", { contentType: "image/heic" }, /^Images cannot be read\./u],
    ["an archive", "504b0304140000", { fileName: "a.zip" }, /Unpack it/u],
    ["a compressed file", "1f8b0800", {}, /Unpack it/u],
    ["an old Office file", "d0cf11e0a1b11ae1", { fileName: "a.doc" }, /Save the document as DOCX/u],
    ["a DOCX file with a password", "d0cf11e0a1b11ae1", { fileName: "a.docx" }, /protected by a password/u],
    ["a spreadsheet", "504b0304140000", { fileName: "a.xlsx" }, /Save it as CSV or PDF/u],
    ["a film", "0000001866747970", { contentType: "video/mp4" }, /transcript/u],
    ["bytes that are no text", "00010203", { fileName: "a.txt" }, /^This type of file cannot be read\./u],
    ["an unknown type", "7b7d", { contentType: "application/json" }, /^This type of file cannot be read\./u],
  ])("%s", async (_name, hex, given, sentence) => {
    const refused = read(fromHex(hex), given);

    await expect(refused).rejects.toThrow(UnreadableDocument);
    await expect(refused).rejects.toThrow(sentence);
  });
});

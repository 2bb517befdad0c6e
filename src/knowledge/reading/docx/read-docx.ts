import { UnreadableDocument, type ReadDocument } from "../document.ts";
import { plainText } from "../html/plain-text.ts";
import { childElements, parseXml, type Element } from "../html/tree.ts";
import { documentOf } from "../plain-text.ts";
import { readNumberings, readStyles, childOf } from "./styles.ts";
import { unzipTexts } from "./unzip.ts";
import { writeDocument } from "./write-document.ts";

const PARTS = {
  document: "word/document.xml",
  styles: "word/styles.xml",
  numbering: "word/numbering.xml",
  relations: "word/_rels/document.xml.rels",
  footnotes: "word/footnotes.xml",
  endnotes: "word/endnotes.xml",
  properties: "docProps/core.xml",
} as const;

const NO_DOCUMENT = "The file has no document in it. Save it as DOCX again and upload the new file.";
const EMPTY = "no readable text: the document is empty or consists of images";
const CUT = "the document has more than 400,000 elements: what follows them was left out";
const MAX_TITLE_CHARS = 300;

/**
 * Reads a DOCX file: headings, paragraphs, lists, tables, links and footnotes. Text that tracked changes delete is left out. Throws
 * `UnreadableDocument` if the file is damaged, unpacks to too much or has no document.
 */
export function readDocx(bytes: Uint8Array): ReadDocument {
  const parts = unzipTexts(bytes, new Set(Object.values(PARTS)));
  const part = (name: keyof typeof PARTS): string => parts.get(PARTS[name]) ?? "";
  const tree = parseXml(part("document"));
  const body = childOf(childOf(tree.root, "w:document"), "w:body");
  if (!body) throw new UnreadableDocument(NO_DOCUMENT);

  const markdown = writeDocument(body, {
    styles: readStyles(part("styles")),
    numberings: readNumberings(part("numbering")),
    targets: targetsOf(part("relations")),
    notes: new Map([...notesOf(part("footnotes"), "w:footnote"), ...notesOf(part("endnotes"), "w:endnote")]),
  });
  const read = documentOf(markdown, titleOf(part("properties"), markdown), EMPTY);
  return tree.isCut ? { ...read, warning: CUT } : read;
}

/** Returns the addresses of hyperlinks by the ids of their relations. */
function targetsOf(xml: string): ReadonlyMap<string, string> {
  const targets = new Map<string, string>();
  const root = childOf(parseXml(xml).root, "Relationships");
  for (const { attributes } of root ? childElements(root) : []) {
    const target = attributes["Target"] ?? "";
    if (attributes["TargetMode"] === "External" && /^https?:/iu.test(target))
      targets.set(attributes["Id"] ?? "", target);
  }
  return targets;
}

/** Returns the notes by kind and id, such as `w:footnote 1`. Word's own notes, which draw lines, have a type. */
function notesOf(xml: string, kind: "w:footnote" | "w:endnote"): ReadonlyMap<string, Element> {
  const notes = new Map<string, Element>();
  const root = childOf(parseXml(xml).root, `${kind}s`);
  for (const note of root ? childElements(root) : [])
    if (note.name === kind && note.attributes["w:type"] === undefined)
      notes.set(`${kind} ${note.attributes["w:id"]}`, note);
  return notes;
}

function titleOf(xml: string, markdown: string): string | null {
  const title = childOf(childOf(parseXml(xml).root, "cp:coreProperties"), "dc:title");
  const stated = title === undefined ? "" : plainText(title).trim();
  const heading = /^# (\S[^\n]{0,299})/mu.exec(markdown)?.[1];
  return (stated === "" ? heading : stated.slice(0, MAX_TITLE_CHARS).toWellFormed()) ?? null;
}

import type { DocumentSource } from "./document.ts";

/** What a document is: one of the types that can be read, or the reason why it cannot. */
export type DocumentKind =
  | "html"
  | "text"
  | "markdown"
  | "csv"
  | "docx"
  | "pdf"
  | "image"
  | "archive"
  | "legacy"
  | "protected"
  | "office"
  | "media"
  | "unknown";

const DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document";

const BY_CONTENT_TYPE: ReadonlyMap<string, DocumentKind> = new Map([
  ["text/html", "html"],
  ["application/xhtml+xml", "html"],
  ["text/plain", "text"],
  ["text/markdown", "markdown"],
  ["text/x-markdown", "markdown"],
  ["text/csv", "csv"],
  ["text/tab-separated-values", "csv"],
  ["application/csv", "csv"],
  ["application/pdf", "pdf"],
  [DOCX, "docx"],
  ["application/msword", "legacy"],
  ["application/vnd.ms-excel", "legacy"],
  ["application/vnd.ms-powerpoint", "legacy"],
  ["application/zip", "archive"],
  ["application/gzip", "archive"],
]);

const BY_ENDING: ReadonlyMap<string, DocumentKind> = new Map([
  ["html", "html"],
  ["htm", "html"],
  ["xhtml", "html"],
  ["txt", "text"],
  ["text", "text"],
  ["log", "text"],
  ["md", "markdown"],
  ["markdown", "markdown"],
  ["csv", "csv"],
  ["tsv", "csv"],
  ["pdf", "pdf"],
  ["docx", "docx"],
  ["doc", "legacy"],
  ["xls", "legacy"],
  ["ppt", "legacy"],
  ["xlsx", "office"],
  ["pptx", "office"],
  ["odt", "office"],
  ["zip", "archive"],
]);

/** The first bytes of files that are no text, as Latin-1. */
const MAGIC: readonly (readonly [bytes: string, kind: DocumentKind])[] = [
  ["%PDF-", "pdf"],
  ["PK\x03\x04", "archive"],
  ["PK\x05\x06", "archive"],
  ["\xd0\xcf\x11\xe0", "legacy"],
  ["\x1f\x8b", "archive"],
  ["7z\xbc\xaf", "archive"],
  ["Rar!", "archive"],
  ["\x89PNG", "image"],
  ["\xff\xd8\xff", "image"],
  ["GIF8", "image"],
  ["II*\0", "image"],
  ["MM\0*", "image"],
  ["OggS", "media"],
  ["ID3", "media"],
];
/** Types that servers send for files that they do not know. */
const UNSPECIFIC = new Set(["", "application/octet-stream", "binary/octet-stream", "text/plain"]);
const HTML_BEGINNING = /^(?:\ufeff|\s){0,1000}(?:<!doctype html|<html[\s>]|<head[\s>]|<body[\s>])/iu;

/** Recognises a document by its first bytes, content type and file name. */
export function kindOf({ bytes, contentType, fileName, url }: DocumentSource): DocumentKind {
  const type = (contentType ?? "").split(";", 1)[0]?.trim().toLowerCase() ?? "";
  const ending = endingOf(fileName ?? pathOf(url));
  const byEnding = BY_ENDING.get(ending);
  const stated = BY_CONTENT_TYPE.get(type) ?? byFamily(type);

  const beginning = latin1(bytes.subarray(0, 1_100));
  const magic = MAGIC.find(([start]) => beginning.startsWith(start))?.[1];
  if (magic === "archive" && beginning.startsWith("PK")) return zipKind(byEnding, stated, bytes);
  // Office puts a document with a password into a file of the old type.
  if (magic === "legacy" && (byEnding === "docx" || stated === "docx")) return "protected";
  if (magic !== undefined) return magic;

  if (!UNSPECIFIC.has(type) && stated !== undefined) return textKind(stated, bytes);
  if (byEnding !== undefined) return textKind(byEnding, bytes);
  if (HTML_BEGINNING.test(beginning)) return "html";
  return isText(bytes) && (stated === "text" || UNSPECIFIC.has(type)) ? "text" : "unknown";
}

function byFamily(type: string): DocumentKind | undefined {
  if (type.startsWith("image/")) return "image";
  if (type.startsWith("audio/") || type.startsWith("video/")) return "media";
  if (type.startsWith("application/vnd.openxmlformats") || type.startsWith("application/vnd.oasis"))
    return "office";
  return undefined;
}

/** A DOCX file is a ZIP archive. Its directory of entries, at the end, names its main part. */
function zipKind(
  byEnding: DocumentKind | undefined,
  stated: DocumentKind | undefined,
  bytes: Uint8Array,
): DocumentKind {
  if (byEnding === "docx" || stated === "docx") return "docx";
  if (byEnding === "office" || stated === "office") return "office";
  return latin1(bytes.subarray(-65_536)).includes("word/document.xml") ? "docx" : "archive";
}

/** What is said to be text, but has zero bytes, is not. Files that have a signature are recognised without it. */
function textKind(kind: DocumentKind, bytes: Uint8Array): DocumentKind {
  if (kind === "pdf" || kind === "docx") return kind;
  const isReadable = kind === "html" || kind === "text" || kind === "markdown" || kind === "csv";
  return isReadable && kind !== "html" && !isText(bytes) ? "unknown" : kind;
}

/** Text has no zero bytes in its first 1,000 bytes, except in UTF-16 with a byte order mark. */
function isText(bytes: Uint8Array): boolean {
  const isUtf16 = (bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff);
  return isUtf16 || !bytes.subarray(0, 1_000).includes(0);
}

const latin1 = (bytes: Uint8Array): string => {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return text;
};

function endingOf(name: string): string {
  const dot = name.lastIndexOf(".");
  return dot === -1 ? "" : name.slice(dot + 1).toLowerCase();
}

const pathOf = (url: string | null): string => (url === null ? "" : (URL.parse(url)?.pathname ?? ""));

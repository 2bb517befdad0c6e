import { AppError } from "../shared/errors.ts";

/** One part of a `multipart/form-data` body. */
export interface Part {
  /** The name of the form's field. */
  readonly name: string;
  /** The name of the file, or `null` if the part is not a file. */
  readonly fileName: string | null;
  /** The part's own `Content-Type`, or `null`. */
  readonly contentType: string | null;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** In bytes. Browsers write less than a kilobyte per part. */
const MAX_HEADER_BYTES = 8 * 1024;
/** RFC 2046 §5.1.1: a boundary has 1 to 70 of these characters. */
const BOUNDARY = /;\s*boundary=(?:"([\w'()+,./:=? -]{1,70})"|([\w'()+,./:=?-]{1,70}))(?:\s*;|\s*$)/iu;

const TAB = 9;
const LF = 10;
const CR = 13;
const SPACE = 32;
const DASH = 45;

/**
 * Reads a `multipart/form-data` body (RFC 7578), which its route has limited in size. Parts share the memory of the body. Throws
 * `malformed-request` if the body is not well-formed, and `payload-too-large` if it has more than `maxParts` parts. Takes linear
 * time.
 */
export function readMultipart(
  bytes: Uint8Array<ArrayBuffer>,
  contentType: string | undefined,
  maxParts: number,
): readonly Part[] {
  const delimiter = new TextEncoder().encode(`--${boundaryOf(contentType)}`);
  const parts: Part[] = [];

  let at = startsWith(bytes, delimiter, 0) ? delimiter.length : afterNext(bytes, delimiter, 0);
  while (!(bytes[at] === DASH && bytes[at + 1] === DASH)) {
    if (parts.length === maxParts)
      throw new AppError("payload-too-large", `A request may contain at most ${maxParts} files.`);

    const from = endOfLine(bytes, at);
    const next = afterNext(bytes, delimiter, from);
    parts.push(readPart(bytes.subarray(from, next - delimiter.length - 2)));
    at = next;
  }
  return parts;
}

function boundaryOf(contentType: string | undefined): string {
  const isMultipart = contentType !== undefined && /^multipart\/form-data\s*;/iu.test(contentType);
  const [, quoted, plain] = (isMultipart && BOUNDARY.exec(contentType)) || [];
  const boundary = quoted ?? plain;
  if (boundary === undefined)
    throw new AppError("malformed-request", "Send the files as `multipart/form-data` with a boundary.");
  return boundary;
}

/** Returns the position after the next delimiter, which begins a line. */
function afterNext(bytes: Uint8Array, delimiter: Uint8Array, from: number): number {
  for (let at = bytes.indexOf(CR, from); at !== -1; at = bytes.indexOf(CR, at + 1))
    if (bytes[at + 1] === LF && isDelimiter(bytes, delimiter, at + 2)) return at + 2 + delimiter.length;
  throw malformed();
}

/** Returns whether a line is the delimiter, and not only text that begins like it. */
function isDelimiter(bytes: Uint8Array, delimiter: Uint8Array, at: number): boolean {
  if (!startsWith(bytes, delimiter, at)) return false;
  const next = bytes[at + delimiter.length];
  return next === CR || next === DASH || next === SPACE || next === TAB;
}

/** Returns the position after the line break that ends the line of a delimiter. */
function endOfLine(bytes: Uint8Array, from: number): number {
  let at = from;
  while (bytes[at] === SPACE || bytes[at] === TAB) at++;
  if (bytes[at] !== CR || bytes[at + 1] !== LF) throw malformed();
  return at + 2;
}

function readPart(part: Uint8Array<ArrayBuffer>): Part {
  const end = endOfHeader(part);
  const header = new TextDecoder("utf-8", { fatal: false, ignoreBOM: true }).decode(part.subarray(0, end));
  const headers = new Map(header.split("\r\n").map(nameAndValue));

  const disposition = headers.get("content-disposition") ?? "";
  const name = parameter(disposition, "name");
  if (!/^form-data\s*;/iu.test(disposition) || name === null) throw malformed();
  return {
    name,
    fileName: parameter(disposition, "filename"),
    contentType: headers.get("content-type") ?? null,
    bytes: part.subarray(end + 4),
  };
}

/** Returns the position of the empty line that ends the header. */
function endOfHeader(part: Uint8Array): number {
  const limit = Math.min(part.length - 4, MAX_HEADER_BYTES);
  for (let at = part.indexOf(CR); at !== -1 && at <= limit; at = part.indexOf(CR, at + 1))
    if (part[at + 1] === LF && part[at + 2] === CR && part[at + 3] === LF) return at;
  throw malformed();
}

function nameAndValue(line: string): readonly [string, string] {
  const colon = line.indexOf(":");
  if (colon < 1) throw malformed();
  return [line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim()];
}

/** Returns a parameter of a `Content-Disposition`, in which browsers encode quotation marks and line breaks (RFC 7578 §2). */
function parameter(disposition: string, name: "name" | "filename"): string | null {
  const pattern = new RegExp(`;\\s*${name}=(?:"([^"]*)"|([^\\s";]+))`, "iu");
  const [, quoted, plain] = pattern.exec(disposition) ?? [];
  const text = quoted ?? plain;
  return text === undefined ? null : text.replaceAll(/%0D%0A|%0D|%0A/giu, " ").replaceAll(/%22/gu, '"');
}

function startsWith(bytes: Uint8Array, prefix: Uint8Array, at: number): boolean {
  for (let index = 0; index < prefix.length; index++) if (bytes[at + index] !== prefix[index]) return false;
  return true;
}

const malformed = (): AppError =>
  new AppError("malformed-request", "The body is not well-formed `multipart/form-data`.");

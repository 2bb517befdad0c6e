import type * as z from "zod";
import { type Attachment, Attachments } from "./attachments.ts";

/** A file that is part of a message, as clients of other protocols send it. */
export interface InlineFile {
  /** Where the file is in the request, for errors. */
  readonly path: readonly (string | number)[];
  /** A `data:` URL, or base64. */
  readonly data: string;
  /** The name; if absent, one that fits the media type. */
  readonly filename?: string | null | undefined;
  /** If absent, the media type of the `data:` URL. */
  readonly mediaType?: string | null | undefined;
}

/** The extensions of files that come without a name, by media type. Other types of text become `.txt`. */
const EXTENSIONS: ReadonlyMap<string, string> = new Map([
  ["text/markdown", "md"],
  ["text/csv", "csv"],
  ["text/html", "html"],
  ["text/xml", "xml"],
  ["application/xml", "xml"],
  ["application/json", "json"],
]);

/** No scheme that clients send is longer. */
const MAX_SCHEME_CHARS = 20;
/** Longer beginnings are no media type with parameters. */
const MAX_HEADER_CHARS = 500;

const NO_TEXT = "The file must be a text file: images, audio and other binary files are not supported.";
const NO_DATA = "The file must be a data: URL. Files at other addresses are not fetched.";

/** Returns the files of a message as attachments. Adds an issue to the context for each that is none. */
export function attachmentsFrom(files: readonly InlineFile[], context: z.RefinementCtx): Attachment[] {
  const read = files.map((file) => ({ file, attachment: readInlineFile(file) }));
  for (const { file, attachment } of read) {
    if (!("problem" in attachment)) continue;
    context.addIssue({ code: "custom", message: attachment.problem, path: [...file.path] });
  }

  const inputs = read.flatMap(({ file, attachment }) =>
    "problem" in attachment ? [] : [{ file, attachment }],
  );
  const checked = Attachments.safeParse(inputs.map(({ attachment }) => attachment));
  if (checked.success) return checked.data;
  for (const { path, message } of checked.error.issues) {
    const at = inputs[Number(path[0])]?.file.path ?? files[0]?.path ?? [];
    context.addIssue({ code: "custom", message, path: [...at] });
  }
  return [];
}

/** Returns the name and the text of a file, or what is wrong with it. Takes linear time. */
export function readInlineFile({
  data,
  filename,
  mediaType,
}: Omit<InlineFile, "path">):
  | { readonly filename: string; readonly content: string }
  | { readonly problem: string } {
  const url = splitDataUrl(data);
  if (!url) return { problem: NO_DATA };

  const type = (mediaType ?? url.type).toLowerCase();
  const bytes = url.isBase64 ? fromBase64(url.body) : fromPercent(url.body);
  if (!bytes) return { problem: "The file can't be decoded." };
  const content = textOf(bytes);
  if (content === undefined || /^(?:image|audio|video|font)\//u.test(type)) return { problem: NO_TEXT };
  return { filename: nameOf(filename, type), content };
}

/** Returns the parts of a data URL or of base64, or `undefined` for other URLs. */
function splitDataUrl(url: string) {
  const scheme = /^[a-z][a-z0-9+.-]*:/iu.exec(url.slice(0, MAX_SCHEME_CHARS))?.[0];
  if (scheme === undefined) return { type: "", isBase64: true, body: url };
  if (scheme.toLowerCase() !== "data:") return undefined;
  const comma = url.slice(0, MAX_HEADER_CHARS).indexOf(",");
  if (comma < 0) return undefined;
  const [type = "", ...parameters] = url.slice("data:".length, comma).split(";");
  const isBase64 = parameters.some((parameter) => parameter.trim().toLowerCase() === "base64");
  return { type: type.trim(), isBase64, body: url.slice(comma + 1) };
}

function nameOf(filename: string | null | undefined, type: string): string {
  const given = filename?.trim() ?? "";
  return given === "" ? `file.${EXTENSIONS.get(type) ?? "txt"}` : given;
}

function fromBase64(text: string): Uint8Array | undefined {
  try {
    return Uint8Array.from(atob(text), (char) => char.charCodeAt(0));
  } catch {
    return undefined;
  }
}

function fromPercent(text: string): Uint8Array | undefined {
  try {
    return new TextEncoder().encode(decodeURIComponent(text));
  } catch {
    return undefined;
  }
}

/** Returns bytes as text, or `undefined` if they are not UTF-8, or hold a NUL, which no text has. */
function textOf(bytes: Uint8Array): string | undefined {
  try {
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: false }).decode(bytes);
    return text.includes("\0") ? undefined : text;
  } catch {
    return undefined;
  }
}

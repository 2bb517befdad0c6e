import { readBounded } from "./bounded-body.ts";
import { type Failed, failed } from "./polite-fetcher.ts";

/** The size limit of a page, in bytes after decompression. What is beyond it is not read. */
const MAX_PAGE_BYTES = 2 * 1024 * 1024;

/** The content types that crawls read. Other files can be uploaded. */
const READABLE_TYPES = ["text/html", "application/xhtml+xml", "text/plain", "text/markdown"];

export const PAGE_ACCEPT =
  "text/html, application/xhtml+xml, text/markdown;q=0.9, text/plain;q=0.8, */*;q=0.1";

/** A page as it was fetched. */
export interface PageContent {
  readonly bytes: Uint8Array;
  /** Whether the page was longer than 2 MB, so that only its beginning was read. */
  readonly isCut: boolean;
  readonly contentType: string | null;
  readonly etag: string | null;
  readonly lastModified: string | null;
  /** What the header `X-Robots-Tag` asks of all crawlers. */
  readonly robots: { readonly noindex: boolean; readonly nofollow: boolean };
}

/** Reads the body of a page. */
export async function readPage({ body, headers }: Response, url: string): Promise<PageContent | Failed> {
  const contentType = headers.get("content-type");
  if (!isReadable(contentType)) {
    await body?.cancel();
    return failed("content-type", url, typeSentence(contentType));
  }
  return {
    ...(await readBounded(body, MAX_PAGE_BYTES)),
    contentType,
    etag: headers.get("etag"),
    lastModified: headers.get("last-modified"),
    robots: robotsTagOf(headers.get("x-robots-tag") ?? ""),
  };
}

/** A page without a content type is read: its bytes show what it is. */
function isReadable(contentType: string | null): boolean {
  const type = mediaTypeOf(contentType);
  return type === undefined || READABLE_TYPES.includes(type);
}

const mediaTypeOf = (contentType: string | null): string | undefined =>
  contentType?.split(";", 1)[0]?.trim().toLowerCase() || undefined;

function typeSentence(contentType: string | null): string {
  // What a server sends is shown only if it looks like a media type.
  const type = mediaTypeOf(contentType) ?? "";
  const name = /^[\w.+-]{1,60}\/[\w.+-]{1,60}$/u.test(type)
    ? `A file of the type ${type}`
    : "This kind of file";
  return `${name} is not read by crawls. Upload it instead.`;
}

/** Directives for one crawler, such as `googlebot: noindex`, do not count. */
function robotsTagOf(header: string): PageContent["robots"] {
  const directives = header
    .toLowerCase()
    .split(",")
    .map((directive) => directive.trim());
  const asks = (name: string) => directives.includes(name) || directives.includes("none");
  return { noindex: asks("noindex"), nofollow: asks("nofollow") };
}

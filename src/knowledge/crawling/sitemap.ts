import { Gunzip } from "fflate";
import { Parser } from "htmlparser2";
import { boundedBody } from "./bounded-body.ts";

/** The limits of sitemaps.org, in bytes after decompression and in addresses. */
const MAX_SITEMAP_BYTES = 50 * 1024 * 1024;
export const MAX_SITEMAP_URLS = 50_000;
/** Longer addresses are not crawled. */
const MAX_URL_CHARS = 2_000;
/** Real sitemaps and feeds nest no deeper. */
const MAX_DEPTH = 50;

const GZIP_MAGIC = [0x1f, 0x8b];

/** The addresses in a sitemap, as they are written. Relative ones are meant relative to the sitemap. */
export interface Sitemap {
  readonly pages: readonly string[];
  /** Other sitemaps, if this is an index. */
  readonly sitemaps: readonly string[];
  /** Why it was not read to its end, or `null`. A sentence for people. */
  readonly warning: string | null;
}

/**
 * Reads a sitemap while it arrives: XML, an index of sitemaps, RSS, Atom, or text with one address on each line; compressed or not.
 * Anti-DoS: stops at 50 MB after decompression, or at 50,000 addresses, and holds nothing but the addresses in memory.
 */
export async function readSitemap(body: ReadableStream<Uint8Array>): Promise<Sitemap> {
  const reader = new SitemapReader();
  try {
    const decoder = new TextDecoder();
    let bytes = 0;
    for await (const piece of withoutGzip(boundedBody(body, MAX_SITEMAP_BYTES))) {
      bytes += piece.length;
      if (bytes > MAX_SITEMAP_BYTES) return reader.end("It is longer than 50 MB; the rest was not read.");
      reader.write(decoder.decode(piece, { stream: true }));
      if (reader.isFull) return reader.end("It has more than 50,000 addresses; the rest was not read.");
      if (reader.isNoSitemap) return reader.end("It is a web page, not a sitemap.");
    }
    return reader.end(bytes === MAX_SITEMAP_BYTES ? "It is longer than 50 MB; the rest was not read." : null);
  } catch {
    // What arrived before the failure is good: sitemaps are lists.
    return reader.end("It broke off or is damaged; the rest was not read.");
  }
}

/**
 * Unpacks a body that begins with gzip's magic bytes: servers that send `.gz` files do not state an encoding. Anti-DoS: unpacks a
 * few kilobytes at a time, because a gzip bomb grows a thousandfold.
 */
async function* withoutGzip(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, void> {
  let head = new Uint8Array();
  let unpacker: Unpacker | undefined;
  let isPlain = false;

  for await (const piece of pieces) {
    if (!isPlain && !unpacker) {
      head = joined(head, piece);
      if (head.length < GZIP_MAGIC.length) continue;
      if (GZIP_MAGIC.every((byte, at) => head[at] === byte)) unpacker = new Unpacker();
      else isPlain = true;
    }
    const bytes = head.length > 0 ? head : piece;
    head = new Uint8Array();
    if (unpacker) yield* unpacker.unpacked(bytes);
    else yield bytes;
  }
  if (head.length > 0) yield head;
  unpacker?.end();
}

/** The compressed bytes that are unpacked at once: at most 16 MB come out of them. */
const UNPACK_BYTES = 16 * 1024;

/** Unpacks gzip piece by piece. Throws for damaged data. */
class Unpacker {
  readonly #out: Uint8Array[] = [];
  readonly #gunzip = new Gunzip((bytes) => void this.#out.push(bytes));

  *unpacked(bytes: Uint8Array): Generator<Uint8Array, void, void> {
    for (let at = 0; at < bytes.length; at += UNPACK_BYTES) {
      this.#gunzip.push(bytes.subarray(at, at + UNPACK_BYTES));
      yield* this.#out.splice(0);
    }
  }

  /** Throws if the data broke off. */
  end(): void {
    this.#gunzip.push(new Uint8Array(), true);
  }
}

function joined(first: Uint8Array, second: Uint8Array): Uint8Array<ArrayBuffer> {
  const both = new Uint8Array(first.length + second.length);
  both.set(first);
  both.set(second, first.length);
  return both;
}

/** Collects addresses from a text that arrives in pieces. */
class SitemapReader {
  readonly #pages: string[] = [];
  readonly #sitemaps: string[] = [];
  readonly #xml = new Parser(this.#handler(), { xmlMode: true });
  /** The open elements, outermost first, without namespace prefixes and in lower case. */
  readonly #open: string[] = [];
  /** The text of the element that holds an address. */
  #text = "";
  /** Known once something other than white space has arrived. */
  #format: "xml" | "text" | undefined;
  #line = "";
  #isNoSitemap = false;

  get isFull(): boolean {
    return this.#pages.length + this.#sitemaps.length >= MAX_SITEMAP_URLS;
  }

  get isNoSitemap(): boolean {
    return this.#isNoSitemap;
  }

  write(text: string): void {
    this.#format ??= formatOf(text);
    if (this.#format === "xml") this.#xml.write(text);
    else this.#writeLines(text);
  }

  end(warning: string | null): Sitemap {
    if (this.#format === "text") this.#addLine(this.#line);
    const nothing = this.#pages.length + this.#sitemaps.length === 0 ? "It has no addresses." : null;
    return { pages: this.#pages, sitemaps: this.#sitemaps, warning: warning ?? nothing };
  }

  #writeLines(text: string): void {
    const [first = "", ...more] = text.split(/[\r\n]/u);
    this.#line = `${this.#line}${first}`.slice(0, MAX_URL_CHARS + 1);
    for (const line of more) {
      this.#addLine(this.#line);
      this.#line = line;
    }
  }

  /** Lists in plain text have whole addresses, one on each line. Other lines are those of an error page. */
  #addLine(line: string): void {
    if (/^\s*https?:\/\//iu.test(line)) this.#add(this.#pages, line);
  }

  #handler() {
    return {
      onopentag: (tag: string, attributes: Record<string, string>) =>
        this.#opened(localName(tag), attributes),
      ontext: (text: string) => {
        if (this.#holdsAddress && this.#text.length <= MAX_URL_CHARS) this.#text += text;
      },
      onclosetag: () => this.#closed(),
    };
  }

  #opened(tag: string, attributes: Record<string, string>): void {
    if (this.#open.length === 0 && tag === "html") this.#isNoSitemap = true;
    if (this.#open.length >= MAX_DEPTH) this.#isNoSitemap = true;
    if (this.#isNoSitemap) return;

    const isAtomLink = tag === "link" && this.#open.at(-1) === "entry";
    const { href, rel = "alternate" } = attributes;
    if (isAtomLink && href !== undefined && rel === "alternate") this.#add(this.#pages, href);
    this.#open.push(tag);
    this.#text = "";
  }

  #closed(): void {
    if (this.#holdsAddress)
      this.#add(this.#open.at(-2) === "sitemap" ? this.#sitemaps : this.#pages, this.#text);
    this.#open.pop();
    this.#text = "";
  }

  /** Whether the innermost element is `url > loc`, `sitemap > loc`, or RSS's `item > link`. */
  get #holdsAddress(): boolean {
    const [parent, tag] = this.#open.slice(-2);
    return (
      (tag === "loc" && (parent === "url" || parent === "sitemap")) || (tag === "link" && parent === "item")
    );
  }

  #add(list: string[], text: string): void {
    const address = text.trim();
    if (address !== "" && address.length <= MAX_URL_CHARS && !this.isFull) list.push(address);
  }
}

const localName = (tag: string): string => tag.slice(tag.indexOf(":") + 1).toLowerCase();

/** XML begins with `<`, and everything else is a list of addresses. */
function formatOf(text: string): "xml" | "text" | undefined {
  const start = text.replace(/^\uFEFF/u, "").trimStart();
  if (start === "") return undefined;
  return start.startsWith("<") ? "xml" : "text";
}

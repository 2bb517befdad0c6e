import { DAY_MS, ttlAfter } from "../shared/clock.ts";
import {
  type CrawlJobId,
  crawlJobIdOf,
  type KnowledgeBaseId,
  type PageId,
  pageIdOf,
} from "../shared/id-types.ts";
import { count, idAfter, keyOf, optionalCount, optionalText, text } from "../table/fields.ts";
import { knowledgeBasePartition } from "../table/keys.ts";
import type { Item, Key } from "../table/marshal.ts";
import type { NewPage, Page, PageChange } from "./page-model.ts";

/** In bytes. Leaves room for the other attributes of an item, whose limit is 400 KB. */
const PART_BYTES = 350 * 1024;
/** The largest compressed text of a page, in bytes. Its parts take part in one transaction, whose limit is 4 MB. */
export const MAX_PACKED_BYTES = 3 * 1024 * 1024;
/** How long parts stay that no page refers to. The save that wrote them has ended long before. */
const PART_LIFETIME_MS = DAY_MS;
/** How long a removal can be read by the index. An index that is older finds that its counts differ. */
const TOMBSTONE_LIFETIME_MS = 30 * DAY_MS;
/** Pages that were stored before the attribute existed were counted by this version of `passagesOf`. */
const FIRST_PASSAGES_VERSION = 1;

export const PAGE_PREFIX = "Page#";
const PART_PREFIX = "PagePart#";
const CHANGE_PREFIX = "Change#";
const VERSION_DIGITS = 12;

/** Everything of a page but its text. Lists read only these. */
export const PAGE_ATTRIBUTES = [
  "pk",
  "sk",
  "page_id",
  "url",
  "file_name",
  "title",
  "description",
  "language",
  "etag",
  "last_modified",
  "markdown_hash",
  "word_count",
  "chunk_count",
  "passages_version",
  "version",
  "missed_crawls",
  "missed_by",
  "index_error",
  "created_at",
  "updated_at",
] as const;

/** Where the compressed text of a page is: in its own item, or in parts that have items of their own. */
export interface PartsRef {
  /** The version of the page that the parts were written for, and the hash of its text. */
  readonly revision: string;
  readonly count: number;
}

/** A page as it is stored. */
export interface StoredPage extends Page {
  /** The crawl that did not find the page, if the latest one did not. */
  readonly missedBy: CrawlJobId | null;
  /** The compressed text, or `undefined` if it is in parts. */
  readonly packed: Uint8Array<ArrayBuffer> | undefined;
  readonly parts: PartsRef | undefined;
  /** The parts of the text that this one has replaced, in case they could not be removed. */
  readonly staleParts: PartsRef | undefined;
}

/** The compressed text of a page. */
export interface PackedText {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** SHA-256 of the Markdown, in hexadecimal. */
  readonly hash: string;
  readonly wordCount: number;
  readonly chunkCount: number;
  readonly passagesVersion: number;
}

export const pageKey = (kbId: KnowledgeBaseId, pageId: PageId): Key => ({
  pk: knowledgeBasePartition(kbId),
  sk: `${PAGE_PREFIX}${pageId}`,
});

export const partKeys = (
  kbId: KnowledgeBaseId,
  pageId: PageId,
  { revision, count }: PartsRef,
): readonly Key[] =>
  Array.from({ length: count }, (_, index) => ({
    pk: knowledgeBasePartition(kbId),
    sk: `${PART_PREFIX}${pageId}#${revision}#${String(index).padStart(2, "0")}`,
  }));

/** The key of the item that finds a page by the hash of its text. Several pages may have the same text. */
export const hashKey = (kbId: KnowledgeBaseId, hash: string, pageId: PageId): Key => ({
  pk: knowledgeBasePartition(kbId),
  sk: `${hashPrefix(hash)}${pageId}`,
});

export const hashPrefix = (hash: string): string => `PageHash#${hash}#`;

export const changeKey = (kbId: KnowledgeBaseId, version: number): Key => ({
  pk: knowledgeBasePartition(kbId),
  sk: changeSortKey(version),
});

/** The sort keys of all changes after a version. */
export const changesAfter = (version: number) =>
  ({ between: [changeSortKey(version + 1), `${CHANGE_PREFIX}~`] }) as const;

const changeSortKey = (version: number): string =>
  `${CHANGE_PREFIX}${String(version).padStart(VERSION_DIGITS, "0")}`;

/** Splits a text that does not fit into the item of its page. Returns `undefined` if it fits. */
export function partsOf(packed: PackedText, version: number): PartsRef | undefined {
  if (packed.bytes.byteLength <= PART_BYTES) return undefined;
  return {
    // Two saves that compete for a version share parts only if their texts are the same.
    revision: `${version}-${packed.hash.slice(0, 16)}`,
    count: Math.ceil(packed.bytes.byteLength / PART_BYTES),
  };
}

/** Returns the items of the parts. They expire unless the transaction that stores the page removes their `ttl`. */
export const partItems = (
  kbId: KnowledgeBaseId,
  pageId: PageId,
  packed: PackedText,
  parts: PartsRef,
  nowMs: number,
): readonly Item[] =>
  partKeys(kbId, pageId, parts).map((key, index) => ({
    ...key,
    entity_type: "PagePart",
    packed: packed.bytes.slice(index * PART_BYTES, (index + 1) * PART_BYTES),
    ttl: ttlAfter(nowMs, PART_LIFETIME_MS),
  }));

/** Converts a page to its stored item. */
export const pageItem = (kbId: KnowledgeBaseId, page: StoredPage): Item => ({
  ...pageKey(kbId, page.id),
  entity_type: "KnowledgePage",
  page_id: page.id,
  url: page.url,
  file_name: page.fileName,
  title: page.title,
  description: page.description,
  language: page.language,
  etag: page.etag,
  last_modified: page.lastModified,
  markdown_hash: page.markdownHash,
  word_count: page.wordCount,
  chunk_count: page.chunkCount,
  passages_version: page.passagesVersion,
  version: page.version,
  missed_crawls: page.missedCrawls,
  missed_by: page.missedBy,
  index_error: page.indexError,
  created_at: page.createdAt,
  updated_at: page.updatedAt,
  ...(page.packed && { packed: page.packed }),
  ...(page.parts && { part_revision: page.parts.revision, part_count: page.parts.count }),
  ...(page.staleParts && { stale_revision: page.staleParts.revision, stale_count: page.staleParts.count }),
});

/** Reads a page from its stored item, whose text may have been left out. */
export function storedPageFrom(item: Item): StoredPage {
  const missedBy = optionalText(item, "missed_by");
  return {
    id: pageIdOf(text(item, "page_id") || idAfter(item, PAGE_PREFIX)),
    url: optionalText(item, "url"),
    fileName: optionalText(item, "file_name"),
    title: optionalText(item, "title"),
    description: optionalText(item, "description"),
    language: optionalText(item, "language"),
    etag: optionalText(item, "etag"),
    lastModified: optionalText(item, "last_modified"),
    markdownHash: text(item, "markdown_hash"),
    wordCount: count(item, "word_count"),
    chunkCount: count(item, "chunk_count"),
    passagesVersion: optionalCount(item, "passages_version") ?? FIRST_PASSAGES_VERSION,
    version: count(item, "version"),
    missedCrawls: count(item, "missed_crawls"),
    missedBy: missedBy === null ? null : crawlJobIdOf(missedBy),
    indexError: optionalText(item, "index_error"),
    createdAt: text(item, "created_at"),
    updatedAt: text(item, "updated_at"),
    packed: packedIn(item),
    parts: partsIn(item, "part"),
    staleParts: partsIn(item, "stale"),
  };
}

/** Returns the compressed text in an item of a page or of a part of one. */
export function packedIn(item: Item): Uint8Array<ArrayBuffer> | undefined {
  const bytes = item["packed"];
  return bytes instanceof Uint8Array ? new Uint8Array(bytes) : undefined;
}

/** Returns whether an item is a part of the text of a page. */
export const isPagePart = (item: Item): boolean => keyOf(item).sk.startsWith(PART_PREFIX);

function partsIn(item: Item, name: "part" | "stale"): PartsRef | undefined {
  const revision = optionalText(item, `${name}_revision`);
  return revision === null ? undefined : { revision, count: count(item, `${name}_count`) };
}

/** Returns the item that tells the index of a page that was stored or replaced. */
export const changeItem = (kbId: KnowledgeBaseId, pageId: PageId, version: number): Item => ({
  ...changeKey(kbId, version),
  entity_type: "PageChange",
  kind: "saved",
  page_id: pageId,
});

/** Returns the item that tells the index of a page that was removed. */
export const tombstone = (kbId: KnowledgeBaseId, pageId: PageId, version: number, nowMs: number): Item => ({
  ...changeItem(kbId, pageId, version),
  kind: "removed",
  ttl: ttlAfter(nowMs, TOMBSTONE_LIFETIME_MS),
});

export const changeFrom = (item: Item): PageChange => ({
  kind: text(item, "kind") === "removed" ? "removed" : "saved",
  version: Number(keyOf(item).sk.slice(CHANGE_PREFIX.length)),
  pageId: pageIdIn(item),
});

/** Returns the page that an item of `hashKey` or `changeKey` points to. */
export const pageIdIn = (item: Item): PageId => pageIdOf(text(item, "page_id"));

/** Returns what the index and lists show of a page, without its text. */
export const toPage = ({
  missedBy: _by,
  packed: _packed,
  parts: _parts,
  staleParts: _stale,
  ...page
}: StoredPage): Page => page;

/** Returns whether a page is stored with this text and these details, so that the index has nothing to learn. */
export const isSamePage = (stored: StoredPage, page: NewPage, { hash }: PackedText): boolean =>
  stored.markdownHash === hash &&
  stored.title === page.title &&
  stored.description === page.description &&
  stored.language === page.language;

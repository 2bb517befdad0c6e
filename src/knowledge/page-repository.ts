import type { CrawlJobId, KnowledgeBaseId, PageId } from "../shared/id-types.ts";
import { countPages, type PageUse } from "../plans/model.ts";
import type { TableClient } from "../table/client.ts";
import { absent, all, any, type Condition, equals, present } from "../table/expressions.ts";
import { knowledgeBasePartition } from "../table/keys.ts";
import type { Item } from "../table/marshal.ts";
import type { WriteAction } from "../table/requests.ts";
import { hasPagesLeft, reservationKey } from "./budget-model.ts";
import {
  isActive,
  isActiveBase,
  keyOfBase,
  type KnowledgeBaseRef,
  type PageCounts,
  pageCountsFrom,
} from "./model.ts";
import type { PageChange } from "./page-model.ts";
import {
  changeFrom,
  changeItem,
  changeKey,
  changesAfter,
  hashKey,
  hashPrefix,
  packedIn,
  pageIdIn,
  PAGE_ATTRIBUTES,
  PAGE_PREFIX,
  pageItem,
  pageKey,
  type PackedText,
  partItems,
  partKeys,
  type PartsRef,
  type StoredPage,
  storedPageFrom,
  tombstone,
} from "./stored-page-model.ts";

/** How many parts of a text are written at once. A Worker may have six connections waiting for an answer. */
const PARALLEL_PARTS = 3;

/** The positions of writes in the transaction that stores or removes a page. */
const BASE = 0;
const PAGE = 1;
const PAYMENT = 2;

/** A base and one of its pages at one time. Writes are refused if either has changed since. */
export interface PageState {
  readonly counts: PageCounts;
  readonly page: StoredPage | undefined;
}

/** How a page is paid for: from what a job has reserved, as an upload of a month with this limit, or not at all. */
export type Payment =
  | { readonly kind: "reservation"; readonly jobId: CrawlJobId }
  | { readonly kind: "month"; readonly use: PageUse; readonly limit: number | null }
  | { readonly kind: "none" };

/** When a write takes place, as it is stored and in milliseconds since the epoch. */
export interface WriteTime {
  readonly timestamp: string;
  readonly nowMs: number;
}

/** What a crawl notes about a page whose text is the same. */
export type PageNotes = Pick<StoredPage, "etag" | "lastModified" | "missedCrawls" | "missedBy">;

/** `changed`: the base or the page was changed since it was read. Read them again and retry. */
export type WriteResult = "written" | "changed" | "unpaid";

/** A part of the changes of a base. */
export interface ChangesPart {
  readonly changes: readonly PageChange[];
  readonly hasMore: boolean;
}

/** Stores the pages of knowledge bases. Every change of a page also changes the base's counts and writes a change for the index. */
export class PageRepository {
  readonly #table: TableClient;

  constructor({ table }: { readonly table: TableClient }) {
    this.#table = table;
  }

  /** Returns the counts and one page of a base, or `undefined` if the base does not exist or is deleted. */
  async state(base: KnowledgeBaseRef, pageId: PageId): Promise<PageState | undefined> {
    const [found, page] = await this.#table.batchGet([keyOfBase(base), pageKey(base.kbId, pageId)]);
    if (!found || !isActive(found)) return undefined;
    return { counts: pageCountsFrom(found), page: page && storedPageFrom(page) };
  }

  /** Returns the counts of a base, or `undefined` if it does not exist or is deleted. */
  async counts(base: KnowledgeBaseRef): Promise<PageCounts | undefined> {
    const found = await this.#table.get(keyOfBase(base));
    return found && isActive(found) ? pageCountsFrom(found) : undefined;
  }

  /** Returns a page, or `undefined` if there is none. */
  async find(kbId: KnowledgeBaseId, pageId: PageId): Promise<StoredPage | undefined> {
    const item = await this.#table.get(pageKey(kbId, pageId));
    return item && storedPageFrom(item);
  }

  /** Returns the compressed text of a page, or `undefined` if some of its parts are gone because the page was replaced. */
  async text(kbId: KnowledgeBaseId, page: StoredPage): Promise<Uint8Array<ArrayBuffer> | undefined> {
    if (page.packed) return page.packed;
    if (!page.parts) return undefined;

    const items = await this.#table.batchGet(partKeys(kbId, page.id, page.parts));
    const parts = items.flatMap((item) => (item && packedIn(item)) ?? []);
    return parts.length === page.parts.count ? joined(parts) : undefined;
  }

  /** Returns a page whose text has this hash, or `undefined` if there is none. */
  async findByHash(kbId: KnowledgeBaseId, hash: string): Promise<StoredPage | undefined> {
    const range = { beginsWith: hashPrefix(hash) };
    const { items } = await this.#table.queryPage(knowledgeBasePartition(kbId), { range, limit: 1 });
    return items[0] && this.find(kbId, pageIdIn(items[0]));
  }

  /** Returns a part of the pages without their texts, in the order of their ids. */
  async list(kbId: KnowledgeBaseId, limit: number, after: PageId | undefined) {
    const { items, next } = await this.#table.queryPage(knowledgeBasePartition(kbId), {
      range: { beginsWith: PAGE_PREFIX },
      attributes: PAGE_ATTRIBUTES,
      limit,
      after: after && pageKey(kbId, after).sk,
    });
    return { pages: items.map(storedPageFrom), hasMore: next !== undefined };
  }

  /** Returns what changed after a version, oldest first. */
  async changes(kbId: KnowledgeBaseId, version: number, limit: number): Promise<ChangesPart> {
    const { items, next } = await this.#table.queryPage(knowledgeBasePartition(kbId), {
      range: changesAfter(version),
      limit,
    });
    return { changes: items.map(changeFrom), hasMore: next !== undefined };
  }

  /**
   * Stores a page in one transaction, as the next version of the base. Its parts are written before and expire if the transaction
   * is refused. Returns `unpaid` if the payment is refused: then nothing is stored.
   */
  async save(
    base: KnowledgeBaseRef,
    { counts, page: old }: PageState,
    page: StoredPage,
    packed: PackedText,
    payment: Payment,
    time: WriteTime,
  ): Promise<WriteResult> {
    const { kbId } = base;
    if (page.parts) await this.#writeParts(partItems(kbId, page.id, packed, page.parts, time.nowMs));

    const paid = paymentWrite(kbId, payment);
    const added = { pages: old ? 0 : 1, chunks: page.chunkCount - (old?.chunkCount ?? 0) };
    const refusal = await this.#table.transactOrRefusal([
      countWrite(base, counts, added, time),
      { put: pageItem(kbId, page), if: isUnchanged(old) },
      ...(paid ? [paid] : []),
      { put: changeItem(kbId, page.id, page.version) },
      ...(old ? [{ remove: changeKey(kbId, old.version) }] : []),
      ...(old && old.markdownHash !== page.markdownHash
        ? [{ remove: hashKey(kbId, old.markdownHash, page.id) }]
        : []),
      { put: { ...hashKey(kbId, page.markdownHash, page.id), entity_type: "PageHash", page_id: page.id } },
      ...(page.parts ? partKeys(kbId, page.id, page.parts) : []).map((update) => ({
        update,
        changes: { remove: ["ttl"] },
        if: present("pk"),
      })),
    ]);
    if (!refusal) return "written";
    const isOutdated = refusal.has(BASE) || refusal.has(PAGE) || !paid;
    return !isOutdated && refusal.has(PAYMENT) ? "unpaid" : "changed";
  }

  /** Removes a page in one transaction, as the next version of the base. */
  async remove(
    base: KnowledgeBaseRef,
    { counts }: PageState,
    page: StoredPage,
    time: WriteTime,
  ): Promise<WriteResult> {
    const { kbId } = base;
    const isRemoved = await this.#table.tryTransact([
      countWrite(base, counts, { pages: -1, chunks: -page.chunkCount }, time),
      { remove: pageKey(kbId, page.id), if: isUnchanged(page) },
      { put: tombstone(kbId, page.id, counts.version + 1, time.nowMs) },
      { remove: changeKey(kbId, page.version) },
      { remove: hashKey(kbId, page.markdownHash, page.id) },
    ]);
    return isRemoved ? "written" : "changed";
  }

  /** Changes attributes of a page that the index does not read. Returns false if the page has changed since it was read. */
  annotate(kbId: KnowledgeBaseId, page: StoredPage, notes: PageNotes): Promise<boolean> {
    const set = {
      etag: notes.etag,
      last_modified: notes.lastModified,
      missed_crawls: notes.missedCrawls,
      missed_by: notes.missedBy,
    };
    return this.#table.tryUpdate(pageKey(kbId, page.id), { set }, isUnchanged(page));
  }

  /**
   * Changes how many passages a page has, and with it the count of its base, in one transaction. Returns false if the page has
   * changed since it was read, or its base is being deleted. The index learns nothing new, so no version is raised.
   */
  recount(
    base: KnowledgeBaseRef,
    { id, version, chunkCount }: Pick<StoredPage, "id" | "version" | "chunkCount">,
    counted: Pick<StoredPage, "chunkCount" | "passagesVersion">,
    { timestamp }: WriteTime,
  ): Promise<boolean> {
    return this.#table.tryTransact([
      {
        update: keyOfBase(base),
        // The time is what entity tags are made of.
        changes: { add: { chunk_count: counted.chunkCount - chunkCount }, set: { updated_at: timestamp } },
        if: isActiveBase,
      },
      {
        update: pageKey(base.kbId, id),
        changes: { set: { chunk_count: counted.chunkCount, passages_version: counted.passagesVersion } },
        if: all(equals("version", version), equals("chunk_count", chunkCount)),
      },
    ]);
  }

  /** Notes why a version of a page can't be indexed, or with null that it can. Returns false if the page has changed since. */
  noteIndexError(
    kbId: KnowledgeBaseId,
    { id, version }: Pick<StoredPage, "id" | "version">,
    indexError: string | null,
  ): Promise<boolean> {
    const changes = { set: { index_error: indexError } };
    return this.#table.tryUpdate(pageKey(kbId, id), changes, equals("version", version));
  }

  /** Removes parts that no page refers to. */
  removeParts(kbId: KnowledgeBaseId, pageId: PageId, parts: readonly PartsRef[]): Promise<void> {
    const keys = parts.flatMap((each) => partKeys(kbId, pageId, each));
    return this.#table.batchWrite(keys.map((remove) => ({ remove })));
  }

  /** A part that is there already has the same content: its key names the version and the hash of the text. */
  async #writeParts(items: readonly Item[]): Promise<void> {
    for (let from = 0; from < items.length; from += PARALLEL_PARTS)
      await Promise.all(
        items.slice(from, from + PARALLEL_PARTS).map((item) => this.#table.tryPut(item, absent("pk"))),
      );
  }
}

/** The write of the base, in every transaction that changes a page. It makes the versions of changes unique. */
const countWrite = (
  base: KnowledgeBaseRef,
  { version }: PageCounts,
  added: { readonly pages: number; readonly chunks: number },
  { timestamp }: WriteTime,
): WriteAction => ({
  update: keyOfBase(base),
  changes: {
    add: { page_count: added.pages, chunk_count: added.chunks },
    set: { page_version: version + 1, updated_at: timestamp },
  },
  if: all(isActiveBase, version === 0 ? isFirst : equals("page_version", version)),
});

/** Bases of the legacy Python service have no version. */
const isFirst: Condition = any(absent("page_version"), equals("page_version", 0));

/** The count is compared as well, because `recount` changes it without a new version, and other writes add the difference to it. */
const isUnchanged = (page: StoredPage | undefined): Condition =>
  page
    ? all(
        equals("version", page.version),
        equals("missed_crawls", page.missedCrawls),
        equals("chunk_count", page.chunkCount),
      )
    : absent("pk");

function paymentWrite(kbId: KnowledgeBaseId, payment: Payment): WriteAction | undefined {
  if (payment.kind === "none") return undefined;
  if (payment.kind === "month") return countPages(payment.use, 1, payment.limit);
  return {
    update: reservationKey(kbId, payment.jobId),
    changes: { add: { left: -1 } },
    if: hasPagesLeft,
  };
}

function joined(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((sum, { byteLength }) => sum + byteLength, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.byteLength;
  }
  return whole;
}

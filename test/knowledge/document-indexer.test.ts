import { expect, it } from "vitest";
import { DocumentIndexer } from "../../src/knowledge/document-indexer.ts";
import type { FullPage, Page, PageChange, PageFeed, Passage } from "../../src/knowledge/page-model.ts";
import { PassageIndex } from "../../src/search/passage-index.ts";
import { notFound } from "../../src/shared/errors.ts";
import { accountEmailOf, knowledgeBaseIdOf, type PageId, pageIdOf } from "../../src/shared/id-types.ts";
import { found, withPassages } from "../search/passages.ts";

const base = { accountEmail: accountEmailOf("owner@example.com"), kbId: knowledgeBaseIdOf("kb") };

/** Each line of a page is a passage, and identified by its text. */
const linesOf = (markdown: string, pageId: PageId): readonly Passage[] =>
  markdown.split("\n").map((text, index) => ({ id: `${pageId}-${text}`, pageId, index, headings: [], text }));

/** A knowledge base in memory. */
class FakeBase implements PageFeed {
  readonly #pages = new Map<PageId, FullPage>();
  readonly #changes = new Map<PageId, PageChange>();
  #version = 0;
  isGone = false;
  reads = 0;
  /** Runs after the next read of changes, before its answer arrives. */
  meanwhile: (() => void) | undefined;
  unreadable: PageId | undefined;
  /** Pages whose text can't be unpacked. */
  readonly damaged = new Set<PageId>();
  /** Runs whenever a page is unpacked. */
  onText: ((pageId: PageId) => void | Promise<void>) | undefined;
  /** How often each page was read, without its text, and which was unpacked. */
  readonly loaded: PageId[] = [];
  readonly unpacked: PageId[] = [];
  /** What the counts are wrong by. */
  miscounted = 0;
  /** Until it is resolved, no changes are answered. */
  held: Promise<void> | undefined;

  save(name: string, markdown: string, passagesVersion = 1, chunkCount?: number): void {
    const pageId = pageIdOf(name);
    const version = ++this.#version;
    this.#changes.set(pageId, { kind: "saved", version, pageId });
    const details = { description: null, language: null, etag: null, lastModified: null, markdownHash: "" };
    this.#pages.set(pageId, {
      ...details,
      id: pageId,
      url: `https://example.com/${name}`,
      fileName: null,
      title: null,
      markdown,
      version,
      wordCount: 0,
      chunkCount: chunkCount ?? linesOf(markdown, pageId).length,
      passagesVersion,
      missedCrawls: 0,
      indexError: null,
      createdAt: "",
      updatedAt: "",
    });
  }

  remove(name: string): void {
    const pageId = pageIdOf(name);
    this.#pages.delete(pageId);
    this.#changes.set(pageId, { kind: "removed", version: ++this.#version, pageId });
  }

  /** Removes a page without a trace, as if its tombstone had expired. */
  lose(name: string): void {
    this.#pages.delete(pageIdOf(name));
    this.#changes.delete(pageIdOf(name));
  }

  async changes(_base: object, version: number, limit: number) {
    this.reads++;
    await this.held;
    if (this.isGone) throw notFound("Knowledge base");
    const newer = [...this.#changes.values()]
      .filter((change) => change.version > version)
      .toSorted((a, b) => a.version - b.version);
    this.meanwhile?.();
    this.meanwhile = undefined;
    return { changes: newer.slice(0, limit), hasMore: newer.length > limit, ...this.counts };
  }

  get counts() {
    const pages = [...this.#pages.values()];
    return {
      totalPages: pages.length,
      totalChunks: pages.reduce((sum, { chunkCount }) => sum + chunkCount, 0) + this.miscounted,
    };
  }

  async totals() {
    if (this.isGone) throw notFound("Knowledge base");
    return this.counts;
  }

  async packed(_base: object, pageId: PageId) {
    this.loaded.push(pageId);
    if (pageId === this.unreadable) throw new Error("The page can't be read.");
    const full = this.#pages.get(pageId);
    if (!full) return undefined;
    const { markdown, ...page } = full;
    const text = async () => {
      this.unpacked.push(pageId);
      await this.onText?.(pageId);
      if (this.damaged.has(pageId)) throw new TypeError("The text is damaged.");
      return markdown;
    };
    return { ...page, text };
  }

  readonly indexErrors = new Map<PageId, string | null>();

  async noteIndexError(_base: object, { id }: Page, indexError: string | null) {
    this.indexErrors.set(id, indexError);
    const page = this.#pages.get(id);
    if (page) this.#pages.set(id, { ...page, indexError });
  }

  async recount(_base: object, { id, version }: Page, chunkCount: number) {
    const page = this.#pages.get(id);
    if (page?.version === version) this.#pages.set(id, { ...page, chunkCount, passagesVersion: 1 });
  }
}

const indexerOf = (index: PassageIndex, feed: PageFeed, flush = () => Promise.resolve()) =>
  new DocumentIndexer({ index, feed, base, passagesOf: linesOf, passagesVersion: 1, flush });

const indexed = <T>(use: (pages: FakeBase, sync: () => Promise<void>, state: IndexState) => Promise<T>) =>
  withPassages((index, storage) => {
    const pages = new FakeBase();
    const indexer = indexerOf(index, pages);
    const textsOf = (query: string) => found(index, query).map(({ text }) => text);
    const restarted = () => indexerOf(new PassageIndex({ storage, passagesVersion: 1 }), pages);
    return use(pages, () => indexer.sync(), { index, indexer, textsOf, restarted });
  });

interface IndexState {
  readonly index: PassageIndex;
  readonly indexer: DocumentIndexer;
  readonly textsOf: (query: string) => readonly string[];
  /** Returns an indexer that knows what is stored only, as after the end of the process. */
  readonly restarted: () => DocumentIndexer;
}

const lines = (count: number, word: string): string =>
  Array.from({ length: count }, (_, n) => `${word} ${word}${n}`).join("\n");

/** Reads what is indexed of a page: the texts in the order of the page. */
const textOf = (index: PassageIndex, name: string) =>
  index.read(pageIdOf(name), 0, 10_000_000)?.passages.map(({ position, text }) => [position, text]);

const numbered = (text: string) => text.split("\n").map((line, position) => [position, line]);

it("finds what was saved, replaced and removed since the last read, and reads once if nothing was", () =>
  indexed(async (pages, sync, { textsOf }) => {
    pages.save("one", "The old harbour");
    pages.save("two", "The old pier");
    await sync();
    pages.save("one", "The new harbour\nand its crane");
    pages.remove("two");
    await sync();

    expect(textsOf("harbour crane").toSorted()).toEqual(["The new harbour"]);
    expect(textsOf("pier")).toEqual([]);
    pages.reads = 0;
    await sync();
    expect(pages.reads).toBe(1);
  }));

it("builds a large index in several steps, and says so until it is complete", () =>
  indexed(async (pages, sync, { index, indexer, textsOf }) => {
    for (let n = 0; n < 250; n++) pages.save(`page-${n}`, `Text number${n}`);

    await sync();
    expect(indexer.isBuilding).toBe(true);
    expect(index.pages).toBe(100);
    await sync();
    await sync();
    expect(indexer.isBuilding).toBe(false);
    expect(textsOf("number249")).toEqual(["Text number249"]);
  }));

it("leaves large pages to the next step, so that a search waits a limited time", () =>
  indexed(async (pages, sync, { index, indexer, textsOf }) => {
    const text = Array.from({ length: 2_000 }, (_, line) => `Line ${line}`).join("\n");
    for (const name of ["one", "two", "three"]) pages.save(name, `${name}\n${text}`);
    pages.remove("two");

    await sync();
    expect([index.pages, indexer.isBuilding]).toEqual([2, true]);
    await sync();

    expect([index.pages, indexer.isBuilding]).toEqual([2, false]);
    expect(textsOf("one two three").toSorted()).toEqual(["one", "three"]);
  }));

it("holds few pages in memory at a time, and keeps what it has indexed when a later page can't be read", () =>
  indexed(async (pages, sync, { index, textsOf }) => {
    for (let n = 0; n < 30; n++) pages.save(`page-${n}`, `Text number${n}`);
    pages.unreadable = pageIdOf("page-20");

    await expect(sync()).rejects.toThrow("can't be read");
    expect(index.pages).toBeGreaterThan(10);
    pages.unreadable = undefined;
    await sync();

    expect(index.pages).toBe(30);
    expect(textsOf("number20")).toEqual(["Text number20"]);
  }));

it("is built again if it has a page that the base no longer has", () =>
  indexed(async (pages, sync, { indexer, textsOf }) => {
    pages.save("one", "The harbour");
    pages.save("two", "The pier");
    await sync();
    pages.lose("one");

    await sync();
    expect(indexer.isBuilding).toBe(true);
    await sync();

    expect(textsOf("harbour")).toEqual([]);
    expect(textsOf("pier")).toEqual(["The pier"]);
    expect(indexer.isBuilding).toBe(false);
  }));

it("is built again only once if the counts of the base stay wrong", () =>
  indexed(async (pages, sync, { indexer, textsOf }) => {
    pages.save("one", "The harbour");
    pages.miscounted = 3;
    await sync();
    await sync();
    await sync();

    expect(indexer.isBuilding).toBe(false);
    expect(textsOf("harbour")).toEqual(["The harbour"]);
  }));

it("is not built again because a page was saved between the changes and the counts", () =>
  indexed(async (pages, sync, { indexer, textsOf }) => {
    pages.save("one", "The harbour");
    pages.meanwhile = () => pages.save("two", "The pier");

    await sync();

    expect(indexer.isBuilding).toBe(false);
    expect(textsOf("harbour pier").toSorted()).toEqual(["The harbour", "The pier"]);
  }));

it("treats a page that is gone by the time it is read as removed", () =>
  indexed(async (pages, sync, { index }) => {
    pages.save("one", "The harbour");
    pages.meanwhile = () => pages.remove("one");

    await sync();

    expect(index).toMatchObject({ pages: 0, stored: 0 });
  }));

it("fails with not-found if the base is gone", () =>
  indexed(async (pages, sync) => {
    pages.isGone = true;

    await expect(sync()).rejects.toMatchObject({ code: "not-found" });
  }));

it("divides one large page between steps, and can be searched meanwhile", () =>
  indexed(async (pages, sync, { index, indexer, textsOf }) => {
    const text = lines(7_000, "gull");
    pages.save("large", text);
    pages.save("small", "The harbour");

    await sync();
    expect(index.stored).toBe(3_000);
    expect(indexer.state).toEqual({ indexedPages: 1, totalPages: 2 });
    expect(index.partial).toMatchObject({ indexed: 3_000, total: 7_000 });
    expect(textsOf("gull2999")).toEqual(["gull gull2999"]);
    expect(textsOf("gull3000 harbour")).toEqual([]);
    await sync();
    await sync();

    expect(indexer.state).toBeUndefined();
    expect(index.partial).toBeUndefined();
    expect(textOf(index, "large")).toEqual(numbered(text));
    expect(textsOf("harbour")).toEqual(["The harbour"]);
    // Its text was unpacked and divided once for all steps.
    expect(pages.unpacked).toEqual([pageIdOf("large"), pageIdOf("small")]);
  }));

it("resumes a large page after the end of the process, without a passage twice or one too many", () =>
  indexed(async (pages, sync, { index, restarted }) => {
    const text = lines(7_000, "gull");
    pages.save("large", text);
    await sync();
    const places = index.idsAt([{ place: 1, score: 0 }]);

    await restarted().sync();
    await restarted().sync();

    expect(index.changesUntil).toBe(1);
    expect(textOf(index, "large")).toEqual(numbered(text));
    // What was indexed before was not indexed again.
    expect(index.idsAt([{ place: 1, score: 0 }])).toEqual(places);
    expect(index.stored).toBe(7_000);
  }));

it("begins a page anew that was replaced while it was indexed, and never shows both versions", () =>
  indexed(async (pages, sync, { index, indexer, textsOf }) => {
    pages.save("large", lines(7_000, "gull"));
    await sync();
    const second = `The harbour\n${lines(4_000, "tern")}`;
    pages.save("large", second);

    await sync();
    expect(textOf(index, "large")).toEqual(numbered(second).slice(0, 3_000));
    expect(textsOf("gull5")).toEqual([]);
    await sync();

    expect(indexer.isBuilding).toBe(false);
    expect(textOf(index, "large")).toEqual(numbered(second));
    expect(index.stored).toBe(4_001);
  }));

it("forgets a page that was removed while it was indexed", () =>
  indexed(async (pages, sync, { index, indexer }) => {
    pages.save("large", lines(7_000, "gull"));
    await sync();
    pages.remove("large");
    await sync();

    expect(index).toMatchObject({ pages: 0, stored: 0, partial: undefined });
    expect(indexer.isBuilding).toBe(false);
  }));

it("shows what stays of a page in its new order as soon as its first part is indexed", () =>
  indexed(async (pages, sync, { index }) => {
    const rows = lines(6_000, "gull").split("\n");
    pages.save("large", rows.join("\n"));
    await sync();
    await sync();
    expect(index.stored).toBe(6_000);
    const shorter = ["The harbour", ...rows.slice(0, 4_000)];
    pages.save("large", shorter.join("\n"));
    await sync();

    expect(index.partial).toMatchObject({ indexed: 3_000, total: 4_001 });
    expect(textOf(index, "large")).toEqual(numbered(shorter.join("\n")));
  }));

it("answers from what is indexed when the wait is over, but only to who has the base", () =>
  indexed(async (pages, sync, { index, indexer }) => {
    pages.save("one", "The harbour");
    await sync();
    const held = Promise.withResolvers<void>();
    pages.held = held.promise;
    pages.save("two", "The pier");

    await indexer.catchUp(1);
    expect(indexer.state).toEqual({ indexedPages: 1, totalPages: 2 });
    pages.isGone = true;
    await expect(indexer.catchUp(1)).rejects.toMatchObject({ code: "not-found" });
    pages.isGone = false;
    held.resolve();
    await indexer.rest();

    expect(indexer.state).toBeUndefined();
    expect(index.pages).toBe(2);
  }));

it("leaves out a page that ends the process whenever it is indexed, after three attempts, and no other page", () =>
  indexed(async (pages, _sync, { index, textsOf, restarted }) => {
    for (let n = 0; n < 8; n++) pages.save(`page-${n}`, `Text number${n}`);
    const poison = pageIdOf("page-3");
    // The process ends: nothing that comes after this happens.
    const dead = Promise.withResolvers<void>();
    let deaths = 0;
    pages.onText = (pageId) => {
      if (pageId !== poison) return undefined;
      deaths++;
      dead.resolve();
      return new Promise(() => undefined);
    };

    for (let attempt = 1; attempt <= 3; attempt++) {
      void restarted().sync();
      await expect.poll(() => deaths).toBe(attempt);
    }
    const last = restarted();
    await last.sync();

    expect(deaths).toBe(3);
    expect(last.isBuilding).toBe(false);
    expect(index.attempts.leftOut).toBe(1);
    expect([...pages.indexErrors]).toEqual([[poison, expect.stringContaining("failed three times")]]);
    expect(textsOf("number3")).toEqual([]);
    for (const n of [0, 1, 2, 4, 5, 6, 7]) expect(textsOf(`number${n}`)).toEqual([`Text number${n}`]);
    expect(index.pages).toBe(8);
  }));

it("leaves out a page whose text is damaged, and indexes it as soon as it is replaced", () =>
  indexed(async (pages, sync, { index, indexer, textsOf }) => {
    pages.save("one", "The harbour");
    pages.save("two", "The pier");
    pages.damaged.add(pageIdOf("one"));

    for (let attempt = 1; attempt <= 3; attempt++) {
      await sync();
      expect(indexer.isBuilding).toBe(true);
    }
    await sync();
    expect([index.attempts.leftOut, indexer.isBuilding]).toEqual([1, false]);
    expect(textsOf("harbour pier")).toEqual(["The pier"]);
    pages.damaged.clear();
    pages.save("one", "The new harbour");
    await sync();

    expect([index.attempts.leftOut, indexer.isBuilding]).toEqual([0, false]);
    expect(textsOf("harbour")).toEqual(["The new harbour"]);
  }));

it("counts no attempt for a page that another one kept from being reached", () =>
  indexed(async (pages, sync, { index }) => {
    pages.save("one", "The harbour");
    pages.save("two", "The pier");
    pages.damaged.add(pageIdOf("one"));

    await sync();

    expect(index.attempts.of(pageIdOf("one"))).toMatchObject({ attempts: 1 });
    expect(index.attempts.of(pageIdOf("two"))).toBeUndefined();
  }));

it("corrects the counts of pages that another version of the division has counted, and is not built again for it", () =>
  indexed(async (pages, sync, { index, indexer, textsOf }) => {
    pages.save("one", "The harbour\nand its crane", 0, 1);
    pages.save("two", "The pier", 0, 9);

    await sync();

    expect(pages.counts).toEqual({ totalPages: 2, totalChunks: 3 });
    expect([indexer.isBuilding, index.rebuiltFor]).toEqual([false, undefined]);
    expect(textsOf("crane")).toEqual(["and its crane"]);
  }));

it("makes sure that an attempt can't be forgotten before it unpacks a text", () =>
  withPassages(async (index) => {
    const pages = new FakeBase();
    const order: unknown[] = [];
    const indexer = indexerOf(index, pages, async () => {
      order.push(index.attempts.of(pageIdOf("one")));
    });
    pages.onText = () => void order.push("text");
    pages.save("one", "The harbour");

    await indexer.sync();

    expect(order).toEqual([{ version: 1, attempts: 1 }, "text"]);
    expect(index.attempts.of(pageIdOf("one"))).toBeUndefined();
  }));

import { expect, it } from "vitest";
import { DocumentIndexer } from "../../src/knowledge/document-indexer.ts";
import type { FullPage, PageChange, PageFeed, Passage } from "../../src/knowledge/page-model.ts";
import { notFound } from "../../src/shared/errors.ts";
import { accountEmailOf, knowledgeBaseIdOf, type PageId, pageIdOf } from "../../src/shared/id-types.ts";
import { found, withPassages } from "../search/passages.ts";

const base = { accountEmail: accountEmailOf("owner@example.com"), kbId: knowledgeBaseIdOf("kb") };

/** Each line of a page is a passage. */
const linesOf = (markdown: string, pageId: PageId): readonly Passage[] =>
  markdown
    .split("\n")
    .map((text, index) => ({ id: `${pageId}-${index}`, pageId, index, headings: [], text }));

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
  /** What the counts are wrong by. */
  miscounted = 0;

  save(name: string, markdown: string): void {
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
      chunkCount: linesOf(markdown, pageId).length,
      missedCrawls: 0,
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

  changes(_base: object, version: number, limit: number) {
    this.reads++;
    if (this.isGone) return Promise.reject(notFound("Knowledge base"));
    const newer = [...this.#changes.values()]
      .filter((change) => change.version > version)
      .toSorted((a, b) => a.version - b.version);
    this.meanwhile?.();
    this.meanwhile = undefined;
    const pages = [...this.#pages.values()];
    return Promise.resolve({
      changes: newer.slice(0, limit),
      hasMore: newer.length > limit,
      totalPages: pages.length,
      totalChunks: pages.reduce((sum, { chunkCount }) => sum + chunkCount, 0) + this.miscounted,
    });
  }

  find(_base: object, pageId: PageId) {
    if (pageId === this.unreadable) return Promise.reject(new Error("The page can't be read."));
    return Promise.resolve(this.#pages.get(pageId));
  }
}

const indexed = <T>(use: (pages: FakeBase, sync: () => Promise<void>, state: IndexState) => Promise<T>) =>
  withPassages((index) => {
    const pages = new FakeBase();
    const indexer = new DocumentIndexer({ index, feed: pages, base, passagesOf: linesOf });
    const textsOf = (query: string) => found(index, query).map(({ text }) => text);
    return use(pages, () => indexer.sync(), { index, indexer, textsOf });
  });

interface IndexState {
  readonly index: { readonly stored: number; readonly pages: number };
  readonly indexer: DocumentIndexer;
  readonly textsOf: (query: string) => readonly string[];
}

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

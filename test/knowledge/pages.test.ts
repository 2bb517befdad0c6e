import { beforeAll, describe, expect, it } from "vitest";
import type { KnowledgeBaseRef } from "../../src/knowledge/model.ts";
import { pageIdFor } from "../../src/knowledge/page-id.ts";
import type { PageChange } from "../../src/knowledge/page-model.ts";
import { signUp, table } from "../support/app.ts";
import { databaseRequests, endFaults, injectFault } from "../support/control.ts";
import {
  createBase,
  incompressible,
  newJobId,
  pageAt,
  pagesUsed,
  pageServices,
  storedBase,
  storedIn,
} from "../support/knowledge.ts";
import { PASSAGES_VERSION } from "../../src/knowledge/passages.ts";

const UPLOAD = { jobId: null };
const words = (count: number, word = "word") => Array.from({ length: count }, () => word).join(" ");

let services: Awaited<ReturnType<typeof pageServices>>;
beforeAll(async () => {
  services = await pageServices();
});

/** Everything that the index learns, in order. */
async function allChanges(base: KnowledgeBaseRef, from = 0, limit = 100): Promise<readonly PageChange[]> {
  const all: PageChange[] = [];
  for (let version = from; ; version = all.at(-1)?.version ?? from) {
    const { changes, hasMore } = await services.pageService.changes(base, version, limit);
    all.push(...changes);
    if (!hasMore) return all;
  }
}

/** Expects that the counts are those of the pages that are there, and that nothing else is stored. */
async function expectExact(base: KnowledgeBaseRef): Promise<void> {
  const [item, pages, parts, hashes, changes] = await Promise.all([
    storedBase(base),
    storedIn(base, "Page#"),
    storedIn(base, "PagePart#"),
    storedIn(base, "PageHash#"),
    storedIn(base, "Change#"),
  ]);
  const sum = (name: string) => pages.reduce((total, page) => total + Number(page[name]), 0);
  expect([item?.["page_count"], item?.["chunk_count"]]).toEqual([pages.length, sum("chunk_count")]);
  // Parts that no page refers to expire.
  const lasting = parts.filter((part) => part["ttl"] === undefined);
  expect(lasting).toHaveLength(pages.reduce((total, page) => total + Number(page["part_count"] ?? 0), 0));
  expect(hashes).toHaveLength(pages.length);
  const saved = changes.filter(({ kind }) => kind === "saved");
  expect(new Set(saved.map((change) => change["page_id"]))).toEqual(
    new Set(pages.map((page) => page["page_id"])),
  );
  expect(saved).toHaveLength(pages.length);
  for (const page of pages) {
    const found = await services.pageService.find(
      base,
      await pageIdFor({ url: String(page["url"]), fileName: null }),
    );
    expect(found?.markdownHash).toBe(page["markdown_hash"]);
  }
}

const newBase = async () => createBase(await signUp());

describe("saving a page", () => {
  it("stores, replaces or leaves it, and keeps what is told of it", async () => {
    const base = await newBase();
    const { pageService: pages } = services;
    const page = pageAt("/a", "# A\n\nFirst text.", { etag: '"1"', description: "About A" });

    expect(await pages.save(base, page, UPLOAD)).toBe("stored");
    expect(await pages.save(base, page, UPLOAD)).toBe("unchanged");
    expect(await pages.save(base, { ...page, markdown: "# A\n\nSecond text." }, UPLOAD)).toBe("replaced");

    const id = await pageIdFor(page);
    expect(await pages.find(base, id)).toMatchObject({
      ...page,
      id,
      markdown: "# A\n\nSecond text.",
      chunkCount: 1,
      missedCrawls: 0,
      version: 2,
    });
    expect(await pages.findByUrl(base, "https://example.com/a")).toMatchObject({ id, title: "Page /a" });
    expect(await pages.findByUrl(base, "https://example.com/b")).toBeUndefined();
    expect(await pagesUsed(base.accountEmail)).toBe(2);
    await expectExact(base);
  });

  it("finds a page by the hash of its text, also if several have that text", async () => {
    const base = await newBase();
    const { pageService: pages } = services;
    await pages.save(base, pageAt("/a", "Same text."), UPLOAD);
    await pages.save(base, pageAt("/b", "Same text."), UPLOAD);
    const stored = await pages.findByUrl(base, "https://example.com/a");
    const hash = stored?.markdownHash ?? "";

    await pages.remove(base, await pageIdFor(pageAt("/a", "")));
    expect((await pages.findByHash(base, hash))?.url).toBe("https://example.com/b");
    await pages.save(base, pageAt("/b", "Other text."), UPLOAD);
    expect(await pages.findByHash(base, hash)).toBeUndefined();
  });

  it("tells the index of a new title, and counts nothing for it", async () => {
    const base = await newBase();
    const { pageService: pages } = services;
    await pages.save(base, pageAt("/a", "Text."), UPLOAD);

    expect(await pages.save(base, pageAt("/a", "Text.", { title: "New" }), UPLOAD)).toBe("unchanged");

    expect((await pages.findByUrl(base, "https://example.com/a"))?.title).toBe("New");
    expect((await allChanges(base)).map(({ version }) => version)).toEqual([2]);
    expect(await pagesUsed(base.accountEmail)).toBe(1);
  });

  it("keeps the validators of an unchanged page, and tells the index nothing", async () => {
    const base = await newBase();
    const { pageService: pages } = services;
    await pages.save(base, pageAt("/a", "Text.", { etag: '"1"' }), UPLOAD);

    expect(await pages.save(base, pageAt("/a", "Text.", { etag: '"2"' }), UPLOAD)).toBe("unchanged");

    expect((await pages.findByUrl(base, "https://example.com/a"))?.etag).toBe('"2"');
    expect(await allChanges(base, 1)).toEqual([]);
  });

  it("cuts details that are too long for an item, and drops half characters", async () => {
    const base = await newBase();
    const { pageService: pages } = services;
    const title = `\ud800${"t".repeat(500)}\nsecond line`;
    const page = pageAt("/a", "Half \ud800 a character.", { title, etag: "e".repeat(600) });

    expect(await pages.save(base, page, UPLOAD)).toBe("stored");

    expect(await pages.findByUrl(base, "https://example.com/a")).toMatchObject({
      title: `\ufffd${"t".repeat(299)}`,
      etag: null,
    });
  });

  it("stores a text of several parts as a whole, and replaces and removes all of it", async () => {
    const base = await newBase();
    const { pageService: pages } = services;
    const [first, second] = [incompressible(1_200_000), incompressible(700_000)];
    const id = await pageIdFor(pageAt("/a", ""));

    expect(await pages.save(base, pageAt("/a", first), UPLOAD)).toBe("stored");
    expect((await pages.find(base, id))?.markdown).toBe(first);
    await expectExact(base);

    expect(await pages.save(base, pageAt("/a", second), UPLOAD)).toBe("replaced");
    expect((await pages.find(base, id))?.markdown).toBe(second);
    await expectExact(base);

    expect(await pages.save(base, pageAt("/a", "Short."), UPLOAD)).toBe("replaced");
    expect(await storedIn(base, "PagePart#")).toEqual([]);
    await pages.save(base, pageAt("/a", first), UPLOAD);
    expect(await pages.remove(base, id)).toBe(true);
    expect(await storedIn(base, "PagePart#")).toEqual([]);
    await expectExact(base);
  });

  it("refuses a text above 3 MB compressed, and stores nothing of it", async () => {
    const base = await newBase();

    expect(await services.pageService.save(base, pageAt("/a", incompressible(4_400_000)), UPLOAD)).toBe(
      "too-large",
    );

    expect(await storedIn(base)).toEqual([]);
    expect(await pagesUsed(base.accountEmail)).toBe(0);
  });

  it("answers `gone` for a base that is absent, deleted or another account's", async () => {
    const [client, stranger] = await Promise.all([signUp(), signUp()]);
    const [base, deleted] = await Promise.all([createBase(client), createBase(client)]);
    await client("DELETE", `/knowledge-bases/${deleted.kbId}`);
    const foreign = { ...base, accountEmail: stranger.email };

    for (const place of [deleted, foreign])
      expect(await services.pageService.save(place, pageAt("/a", "Text."), UPLOAD)).toBe("gone");

    expect([await storedIn(deleted), await storedIn(base)]).toEqual([[], []]);
  });
});

describe("concurrent writes", () => {
  it("keep the counts exact, and every page whole", async () => {
    const base = await newBase();
    const { pageService: pages } = services;
    const save = (path: string, count: number) =>
      pages.save(base, pageAt(path, `# ${path}\n\n${words(count)}`), UPLOAD);
    await Promise.all([save("/0", 300), save("/1", 10)]);

    await Promise.all([
      ...[2, 3, 4].map((index) => save(`/${index}`, 100 * index)),
      save("/0", 500),
      save("/0", 40),
      pageIdFor(pageAt("/1", "")).then((id) => pages.remove(base, id)),
    ]);

    await expectExact(base);
    expect((await pages.list(base, 100, undefined)).pages).toHaveLength(4);
    expect((await storedBase(base))?.["page_version"]).toBe(8);
  });

  it("of the same page end with one of its texts", async () => {
    const base = await newBase();
    const texts = [incompressible(500_000), incompressible(800_000), "Short."];

    const outcomes = await Promise.all(
      texts.map((text) => services.pageService.save(base, pageAt("/a", text), UPLOAD)),
    );

    expect(outcomes.toSorted()).toEqual(["replaced", "replaced", "stored"]);
    const page = await services.pageService.find(base, await pageIdFor(pageAt("/a", "")));
    expect(texts).toContain(page?.markdown);
    await expectExact(base);
  });

  it("leave nothing behind if the base is deleted meanwhile", async () => {
    const client = await signUp();
    const base = await createBase(client);
    const saves = Array.from({ length: 6 }, (_, index) =>
      services.pageService.save(base, pageAt(`/${index}`, words(50)), UPLOAD),
    );

    const deletion = client("DELETE", `/knowledge-bases/${base.kbId}`);

    expect((await deletion).status).toBe(204);
    for (const outcome of await Promise.all(saves)) expect(["stored", "gone"]).toContain(outcome);
    expect(await storedIn(base)).toEqual([]);
  });
});

describe("missing a page", () => {
  it("removes it at the second crawl in a row that does not find it", async () => {
    const base = await newBase();
    const { pageService: pages } = services;
    await pages.save(base, pageAt("/a", "Text."), UPLOAD);
    const id = await pageIdFor(pageAt("/a", ""));
    const [first, second] = [newJobId(), newJobId()];

    expect([await pages.miss(base, id, first), await pages.miss(base, id, first)]).toEqual([false, false]);
    expect((await pages.find(base, id))?.missedCrawls).toBe(1);
    expect([await pages.miss(base, id, second), await pages.miss(base, id, second)]).toEqual([true, true]);

    expect(await pages.find(base, id)).toBeUndefined();
    expect(await allChanges(base, 1)).toMatchObject([{ kind: "removed", pageId: id, version: 2 }]);
    await expectExact(base);
  });

  it.each(["save", "confirm"] as const)("is forgiven by a crawl that finds it: %s", async (how) => {
    const base = await newBase();
    const { pageService: pages } = services;
    const page = pageAt("/a", "Text.");
    await pages.save(base, page, UPLOAD);
    const id = await pageIdFor(page);
    await pages.miss(base, id, newJobId());

    if (how === "save") expect(await pages.save(base, page, UPLOAD)).toBe("unchanged");
    else await pages.confirm(base, id);

    expect((await pages.find(base, id))?.missedCrawls).toBe(0);
    expect(await pages.miss(base, id, newJobId())).toBe(false);
  });
});

describe("counting passages again", () => {
  /** Stores a page as if an earlier division of texts had found so many passages in it. */
  async function plantCounted(base: KnowledgeBaseRef, path: string, markdown: string, chunks: number) {
    const { pageService: pages } = services;
    await pages.save(base, pageAt(path, markdown), UPLOAD);
    const page = (await pages.findByUrl(base, `https://example.com${path}`)) ?? expect.fail();
    const pageKey = { pk: `KnowledgeBase#${base.kbId}`, sk: `Page#${page.id}` };
    await table.update(pageKey, { set: { chunk_count: chunks, passages_version: 0 } });
    const baseKey = { pk: `User#${base.accountEmail}`, sk: `KnowledgeBase#${base.kbId}` };
    const counted = Number((await storedBase(base))?.["chunk_count"]);
    await table.update(baseKey, { set: { chunk_count: counted + chunks - page.chunkCount } });
    return { ...page, chunkCount: chunks, passagesVersion: 0 };
  }

  it("makes the counts of pages and bases exact when the index is built with a new division", async () => {
    const client = await signUp();
    const base = await createBase(client);
    await plantCounted(base, "/a", "# A\n\nFirst.\n\n# B\n\nSecond.", 7);
    await plantCounted(base, "/b", "# A\n\nOnly.", 1);
    const view = async () => (await client("GET", `/knowledge-bases/${base.kbId}`)).body.total_chunks;
    expect(await view()).toBe(8);

    const { body } = await client("POST", `/knowledge-bases/${base.kbId}/search`, { query: "second" });

    expect(body.notes).toEqual([]);
    expect(await view()).toBe(3);
    await expectExact(base);
    expect((await storedIn(base, "Page#")).map((page) => page["passages_version"])).toEqual([
      PASSAGES_VERSION,
      PASSAGES_VERSION,
    ]);
  });

  it("shows with a page why it can't be indexed, until it is replaced", async () => {
    const client = await signUp();
    const base = await createBase(client);
    const { pageService: pages } = services;
    await pages.save(base, pageAt("/a", "Text."), UPLOAD);
    const page = (await pages.findByUrl(base, "https://example.com/a")) ?? expect.fail();
    const shown = async () =>
      (await client("GET", `/knowledge-bases/${base.kbId}/pages`)).body.items[0].index_error;
    expect(await shown()).toBeNull();

    await pages.noteIndexError(base, page, "It is too long.");
    expect(await shown()).toBe("It is too long.");
    await pages.save(base, pageAt("/a", "Other text."), UPLOAD);
    expect(await shown()).toBeNull();
    // The earlier version has nothing to say about this one.
    await pages.noteIndexError(base, page, "It is too long.");
    expect(await shown()).toBeNull();
  });

  it("tries a page again that could not be indexed if the same text is stored again, at no cost", async () => {
    const client = await signUp();
    const base = await createBase(client);
    const { pageService: pages } = services;
    await pages.save(base, pageAt("/a", "Text."), UPLOAD);
    const page = (await pages.findByUrl(base, "https://example.com/a")) ?? expect.fail();
    await pages.noteIndexError(base, page, "It is too long.");

    expect(await pages.save(base, pageAt("/a", "Text."), UPLOAD)).toBe("unchanged");

    expect(await pages.findByUrl(base, "https://example.com/a")).toMatchObject({ indexError: null });
    expect((await allChanges(base, page.version)).map(({ pageId }) => pageId)).toEqual([page.id]);
    expect(await pagesUsed(client.email)).toBe(1);
    await expectExact(base);
  });

  it("leaves out a page of whose text a part is lost, and finds the others", async () => {
    const client = await signUp();
    const base = await createBase(client);
    const { pageService: pages } = services;
    await pages.save(base, pageAt("/long", incompressible(900_000)), UPLOAD);
    await pages.save(base, pageAt("/short", "The ferry sails at six."), UPLOAD);
    const [part] = await storedIn(base, "PagePart#");
    await table.remove({ pk: String(part?.["pk"]), sk: String(part?.["sk"]) });

    const search = async () =>
      (await client("POST", `/knowledge-bases/${base.kbId}/search`, { query: "ferry" })).body;
    await expect.poll(async () => (await search()).notes).toEqual(["pages-left-out"]);

    expect(await search()).toMatchObject({ total: 1, indexing: null });
    const { body } = await client("GET", `/knowledge-bases/${base.kbId}/pages`);
    const errors = Object.fromEntries(
      body.items.map((page: Record<string, unknown>) => [page["url"], page["index_error"]]),
    );
    expect(errors).toEqual({
      "https://example.com/long": expect.stringContaining("indexing it failed three times"),
      "https://example.com/short": null,
    });
  });

  it("does nothing for a page that has changed since, and nothing the second time", async () => {
    const base = await newBase();
    const { pageService: pages } = services;
    const read = await plantCounted(base, "/a", "Text.", 5);

    await pages.recount(base, read, 1);
    await pages.recount(base, read, 1);
    await expectExact(base);
    const old = await plantCounted(base, "/a", "Other text.", 4);
    await pages.save(base, pageAt("/a", "# A\n\nNew.\n\n# B\n\nText."), UPLOAD);
    await pages.recount(base, old, 1);

    await expectExact(base);
    expect((await storedBase(base))?.["chunk_count"]).toBe(2);
  });

  it("stays exact if the page is replaced or removed at the same time", async () => {
    const base = await newBase();
    const { pageService: pages } = services;
    const [a, b] = [await plantCounted(base, "/a", "Text.", 5), await plantCounted(base, "/b", "Text b.", 9)];

    await Promise.all([
      pages.recount(base, a, 1),
      pages.save(base, pageAt("/a", "# A\n\nNew.\n\n# B\n\nText."), UPLOAD),
      pages.recount(base, b, 1),
      pages.remove(base, b.id),
    ]);

    await expectExact(base);
    expect((await storedBase(base))?.["chunk_count"]).toBe(2);
  });
});

describe("the changes of a base", () => {
  it("name each page once, in the order of the latest versions, part by part", async () => {
    const base = await newBase();
    const { pageService: pages } = services;
    for (const path of ["/a", "/b", "/c"]) await pages.save(base, pageAt(path, `Text of ${path}.`), UPLOAD);
    await pages.save(base, pageAt("/a", "New text."), UPLOAD);
    const ids = await Promise.all(["/a", "/b", "/c"].map((path) => pageIdFor(pageAt(path, ""))));
    await pages.remove(base, ids[1] ?? expect.fail());

    const expected = [
      { kind: "saved", version: 3, pageId: ids[2] },
      { kind: "saved", version: 4, pageId: ids[0] },
      { kind: "removed", version: 5, pageId: ids[1] },
    ];
    expect(await allChanges(base)).toEqual(expected);
    expect(await allChanges(base, 0, 1)).toEqual(expected);
    expect(await allChanges(base, 3)).toEqual(expected.slice(1));
    expect(await pages.changes(base, 5, 10)).toEqual({
      changes: [],
      hasMore: false,
      totalPages: 2,
      totalChunks: 2,
    });
  });

  it("are complete although the latest one is a removal that has expired", async () => {
    const base = await newBase();
    const { pageService: pages } = services;
    await pages.save(base, pageAt("/a", "Text."), UPLOAD);
    await pages.remove(base, await pageIdFor(pageAt("/a", "")));
    const [tombstone] = await storedIn(base, "Change#");
    await table.update({ pk: String(tombstone?.["pk"]), sk: String(tombstone?.["sk"]) }, { set: { ttl: 1 } });

    expect(await pages.changes(base, 1, 10)).toEqual({
      changes: [],
      hasMore: false,
      totalPages: 0,
      totalChunks: 0,
    });
  });

  it("are refused for a base of another account and for a deleted one", async () => {
    const [client, stranger] = await Promise.all([signUp(), signUp()]);
    const base = await createBase(client);
    const changes = (of: KnowledgeBaseRef) => services.pageService.changes(of, 0, 10);

    await expect(changes({ ...base, accountEmail: stranger.email })).rejects.toThrow(
      "Knowledge base not found",
    );
    await client("DELETE", `/knowledge-bases/${base.kbId}`);
    await expect(changes(base)).rejects.toThrow("Knowledge base not found");
  });
});

describe("a save that fails at one of its requests", () => {
  /** How many requests the save of a page in parts makes. */
  const REQUESTS = 5;
  const numbers = Array.from({ length: REQUESTS }, (_, index) => index);
  const failure = { kind: "answer", status: 500, body: { __type: "x#InternalServerError" } } as const;
  /** As many attempts as the client of the table makes. */
  const ATTEMPTS = 4;

  async function prepared() {
    const base = await newBase();
    const texts = [incompressible(400_000), incompressible(900_000)] as const;
    await services.pageService.save(base, pageAt("/a", texts[0]), UPLOAD);
    return { base, texts, id: await pageIdFor(pageAt("/a", "")) };
  }

  it("is tested at each of them", async () => {
    const { base, texts } = await prepared();
    const requests = () => databaseRequests(base.kbId, base.accountEmail);
    const before = (await requests()).length;

    await services.pageService.save(base, pageAt("/a", texts[1]), UPLOAD);

    expect(await requests()).toHaveLength(before + REQUESTS);
  });

  it.each(numbers)(
    "shows the old text or the new one, and ends whole when it is repeated (%i)",
    async (nth) => {
      const { base, texts, id } = await prepared();
      const match = [base.kbId, base.accountEmail];
      await injectFault({ match, after: nth, times: ATTEMPTS, fault: failure });

      const outcome = await services.pageService
        .save(base, pageAt("/a", texts[1]), UPLOAD)
        .catch(() => "failed");
      await endFaults();

      const shown = (await services.pageService.find(base, id))?.markdown;
      expect(outcome === "failed" ? texts : [texts[1]]).toContain(shown);
      const expected = shown === texts[1] ? "unchanged" : "replaced";
      expect(await services.pageService.save(base, pageAt("/a", texts[1]), UPLOAD)).toBe(expected);
      expect((await services.pageService.find(base, id))?.markdown).toBe(texts[1]);
      expect(await pagesUsed(base.accountEmail)).toBe(2);

      // What could not be removed goes with the next version.
      await services.pageService.save(base, pageAt("/a", "Short."), UPLOAD);
      await expectExact(base);
    },
  );

  it.each(numbers)("has one effect if the answer to request %i is lost", async (nth) => {
    const { base, texts, id } = await prepared();
    const match = [base.kbId, base.accountEmail];
    await injectFault({ match, after: nth, fault: { kind: "lose-answer" } });

    expect(await services.pageService.save(base, pageAt("/a", texts[1]), UPLOAD)).toBe("replaced");

    expect((await services.pageService.find(base, id))?.markdown).toBe(texts[1]);
    expect(await pagesUsed(base.accountEmail)).toBe(2);
    await expectExact(base);
  });
});

import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect, inject, it } from "vitest";
import { DocumentIndex } from "../../src/knowledge/document-index.ts";
import type { KnowledgeBaseRef } from "../../src/knowledge/model.ts";
import { signUp } from "../support/app.ts";
import { embeddingModel } from "../support/control.ts";
import { createBase, pageAt, pageServices } from "../support/knowledge.ts";
import { EMBEDDINGS_KEY } from "../search/embedded.ts";

/** Uses the index of a base as a deployment with this embedding model would. */
const withIndex = <T>(base: KnowledgeBaseRef, model: string, use: (index: DocumentIndex) => Promise<T>) =>
  runInDurableObject(env.DOCUMENT_INDEX.getByName(base.kbId), (_, state) => {
    const settings = {
      EMBEDDINGS_URL: inject("embeddings"),
      EMBEDDINGS_API_KEY: EMBEDDINGS_KEY,
      EMBEDDINGS_MODEL: model,
      EMBEDDINGS_DIMENSIONS: "8",
    };
    return use(new DocumentIndex(state, { ...env, ...settings }));
  });

const searchWith = (base: KnowledgeBaseRef, model: string, query: string) =>
  withIndex(base, model, async (index) => {
    const reply = await index.search({ ...base, query, limit: 5, isCompared: false });
    if ("error" in reply) throw new Error(reply.error.message);
    return reply.answer;
  });

async function baseWith(pages: Readonly<Record<string, string>>): Promise<KnowledgeBaseRef> {
  const base = await createBase(await signUp());
  const { pageService } = await pageServices();
  for (const [path, markdown] of Object.entries(pages))
    await pageService.save(base, pageAt(path, markdown, { title: null }), { jobId: null });
  return base;
}

const embedded = async (model: ReturnType<typeof embeddingModel>) =>
  (await model.requests()).flatMap(({ body }) => body.input);

it("finds a passage by its meaning where the deployment has embeddings", async () => {
  const model = embeddingModel();
  const base = await baseWith({ "/feline": "My feline", "/quay": "The quay", "/clinic": "The clinic" });

  const { hits, notes } = await searchWith(base, model.name, "cat");

  expect(hits[0]).toMatchObject({ text: "My feline" });
  expect(notes).toEqual([]);
});

it("embeds a passage once, however often its page is saved around it", async () => {
  const model = embeddingModel();
  const base = await baseWith({ "/feline": "# Pets\n\nMy feline\n\n# More\n\nThe quay" });
  await searchWith(base, model.name, "cat");
  const { pageService } = await pageServices();
  await pageService.save(
    base,
    pageAt("/feline", "# Pets\n\nMy feline\n\n# More\n\nThe pier", { title: null }),
    { jobId: null },
  );

  await searchWith(base, model.name, "cat");

  expect((await embedded(model)).filter((text) => text === "My feline")).toHaveLength(1);
});

it("answers by words, with a note, while the embeddings server fails", async () => {
  const model = embeddingModel();
  await model.setFault({ kind: "status", status: 500 });
  const base = await baseWith({ "/feline": "My feline", "/quay": "The quay" });

  const { hits, notes } = await searchWith(base, model.name, "quay");

  expect(hits).toMatchObject([{ text: "The quay" }]);
  expect(notes).toEqual(["embeddings-failed"]);
});

it("embeds the pages of a base that nobody has searched only when somebody does, and later ones when they are stored", async () => {
  const model = embeddingModel();
  const base = await baseWith({ "/feline": "My feline" });
  const indexSoon = () =>
    withIndex(base, model.name, async (index) => {
      await index.wake(base);
      await index.alarm();
    });

  await indexSoon();
  expect(await embedded(model)).toEqual([]);
  await searchWith(base, model.name, "cat");
  const { pageService } = await pageServices();
  await pageService.save(base, pageAt("/quay", "The quay", { title: null }), { jobId: null });
  await indexSoon();

  expect((await embedded(model)).toSorted()).toEqual(["My feline", "The quay", "cat"]);
});

import { env, runInDurableObject } from "cloudflare:test";
import { expect, it } from "vitest";
import { VectorStore } from "../../src/search/vector-store.ts";
import { createVectorTables } from "../../src/search/vector-tables.ts";

const INDEX = { revision: 1, texts: { table: "texts", key: "sort_key" } };

/** Numbers from -1 to 1 that look random and are the same in each run. */
const noise = (count: number, seed: number): Float32Array =>
  Float32Array.from({ length: count }, (_, index) => Math.sin(seed * 7.13 + index * 12.9898) % 1);

const product = (a: Float32Array, b: Float32Array): number =>
  a.reduce((sum, value, index) => sum + value * (b[index] ?? 0), 0);

const cosine = (a: Float32Array, b: Float32Array): number =>
  product(a, b) / Math.sqrt(product(a, a) * product(b, b));

/** Runs `work` with a store of these vectors. The place of the first one is 1. */
async function withVectors<T>(vectors: readonly Float32Array[], work: (store: VectorStore) => T): Promise<T> {
  const object = env.SEARCH_INDEX.get(env.SEARCH_INDEX.newUniqueId());
  return runInDurableObject(object, (_instance, { storage }) => {
    storage.sql.exec("CREATE TABLE texts (sort_key TEXT PRIMARY KEY, place INTEGER, content TEXT)");
    createVectorTables(storage.sql);
    storage.sql.exec("INSERT OR REPLACE INTO vector_state VALUES ('embedder', 'test')");
    for (const index of vectors.keys())
      storage.sql.exec("INSERT INTO texts VALUES (?, ?, '')", `Text#${index}`, index + 1);
    const store = new VectorStore({ storage, index: INDEX, table: "vectors", embedderId: "test" });
    store.put(vectors.map((vector, index) => ({ sortKey: `Text#${index}`, vector })));
    return work(store);
  });
}

it.each([1, 2, 3, 4, 5, 7, 8, 9])("computes the cosine of each of %i vectors", async (count) => {
  for (const dimensions of [3, 8, 13]) {
    const query = noise(dimensions, 99);
    // Near enough to the query that all are among the matches.
    const vectors = Array.from({ length: count }, (_, index) =>
      noise(dimensions, index + 1).map((value, at) => (query[at] ?? 0) + value / 4),
    );

    const { near } = await withVectors(vectors, (store) => store.similarTo(query));

    const found = near.toSorted((a, b) => a.place - b.place).map(({ score }) => score);
    expect(found).toHaveLength(count);
    // Numbers are stored with one byte, which changes a cosine by about a hundredth.
    for (const [index, score] of found.entries())
      expect(Math.abs(score - cosine(query, vectors[index] ?? query))).toBeLessThan(0.02);
  }
});

it("computes the cosines of more vectors than are read at a time", async () => {
  const query = noise(8, 99);
  const vectors = Array.from({ length: 1_030 }, (_, index) => noise(8, index + 1));
  vectors[1_027] = query;

  const { near, deviations } = await withVectors(vectors, (store) => store.similarTo(query));

  expect(deviations.size).toBe(1_030);
  expect(near[0]?.place).toBe(1_028);
  expect(near[0]?.score).toBeGreaterThan(0.99);
});

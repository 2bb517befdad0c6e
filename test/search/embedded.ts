import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { inject } from "vitest";
import type {
  MemoryIndexStatus,
  MemorySearchAnswer,
  MemorySearchRequest,
  RecallAnswer,
  RecallRequest,
} from "../../src/search/model.ts";
import type { Reply } from "../../src/shared/durable-reply.ts";
import { SearchIndex } from "../../src/search/search-index.ts";
import { HOUR_MS } from "../../src/shared/clock.ts";
import { accountEmailOf } from "../../src/shared/id-types.ts";
import type { testMemory } from "./memories.ts";

export const EMBEDDINGS_KEY = "key-of-the-embeddings-server";

/** What an index belongs to, such as the result of `testMemory` or `testTalks`. */
type Indexed = Pick<ReturnType<typeof testMemory>, "agentId" | "userId" | "index">;

interface Asking {
  readonly search: (
    query: string,
    limit?: number,
    offset?: number,
    criteria?: Partial<MemorySearchRequest>,
  ) => Promise<MemorySearchAnswer>;
  readonly recall: (query: string, limit: number, more?: Partial<RecallRequest>) => Promise<RecallAnswer>;
  readonly find: (query: string) => Promise<readonly string[]>;
  readonly status: () => Promise<MemoryIndexStatus>;
  readonly alarm: () => Promise<void>;
}

/** Opens a memory's index as a deployment with this embedding model would, on the same storage each time. */
export const withModel = <T>(
  memory: Indexed,
  model: string,
  use: (index: Asking) => Promise<T>,
  more: Partial<Env> = {},
): Promise<T> =>
  withSettings(
    memory,
    {
      EMBEDDINGS_URL: inject("embeddings"),
      EMBEDDINGS_API_KEY: EMBEDDINGS_KEY,
      EMBEDDINGS_MODEL: model,
      EMBEDDINGS_DIMENSIONS: "8",
      ...more,
    },
    use,
  );

/** Opens an index as a deployment with these settings would, on the same storage each time. */
export function withSettings<T>(
  { index: indexOf, agentId, userId }: Indexed,
  settings: object,
  use: (index: Asking) => Promise<T>,
): Promise<T> {
  return runInDurableObject(indexOf(), async (_, state) => {
    ringLater(state.storage);
    const index = new SearchIndex(state, { ...env, ...settings });
    const owner = { agentId, userId, accountEmail: accountEmailOf(userId) };
    const search: Asking["search"] = async (query, limit = 10, offset = 0, criteria = {}) =>
      answerOf(await index.search({ ...owner, query, limit, offset, ...criteria }));
    const recall: Asking["recall"] = async (query, limit, more = {}) =>
      answerOf(await index.recall({ ...owner, conversationsOf: userId, query, limit, offset: 0, ...more }));
    const find: Asking["find"] = async (query) => (await search(query)).hits.map(({ content }) => content);
    const status: Asking["status"] = async () => answerOf(await index.status(owner));
    return use({ search, recall, find, status, alarm: () => index.alarm() });
  });
}

/**
 * Lets the alarm of an object ring an hour late. The object itself has other settings than the index under test, and its alarm would
 * take the work that the index has left.
 */
function ringLater(storage: DurableObjectStorage): void {
  const setAlarm = storage.setAlarm.bind(storage);
  const later = (at: number | Date): Promise<void> => setAlarm(Number(at) + HOUR_MS);
  Object.defineProperty(storage, "setAlarm", { value: later, configurable: true });
}

function answerOf<T>(reply: Reply<T>): T {
  if ("error" in reply) throw new Error(reply.error.message);
  return reply.answer;
}

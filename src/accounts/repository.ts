import { AGENT_PREFIX } from "../agents/model.ts";
import type { TableClient } from "../table/client.ts";
import { DELETING } from "../table/deletion.ts";
import { ConditionFailed } from "../table/errors.ts";
import { present } from "../table/expressions.ts";
import { userPartition } from "../table/keys.ts";
import type { Item, Key } from "../table/marshal.ts";
import { behind, type Behind, LEADING_ATTRIBUTES, partitionOf, rootsOf } from "./model.ts";

/** Marks an item that is emptied and swept behind, so that the first sweep does not go there twice. */
const SWEPT = "swept_at";
/** Items that are looked up by their keys are handed on in portions of so many. */
const KEYS_AT_ONCE = 500;

/** Without `ttl` among them no item counts as expired. */
const TRACE = ["pk", "sk", ...LEADING_ATTRIBUTES, DELETING, SWEPT] as const;

/** Everything in the table that belongs to an account, whichever feature has written it. */
export class AccountItems {
  readonly #table: TableClient;

  constructor(table: TableClient) {
    this.#table = table;
  }

  /** All items of an account, portion by portion: never more than a few pages stand in memory. */
  async *pages(email: string): AsyncGenerator<readonly Item[], void, void> {
    // Many items lead to one memory: an agent's, and its conversations.
    const memories = new Set<string>();
    for (const root of rootsOf(email)) yield* this.#pagesBehind(email, root, memories);
  }

  /** The items of a partition, by their keys and what leads on; those whose time is over as well. */
  traces(partition: string): AsyncGenerator<readonly Item[], void, void> {
    return this.#table.pages(partition, { attributes: TRACE });
  }

  /** The same for an account's agents. */
  agentTraces(email: string): AsyncGenerator<readonly Item[], void, void> {
    return this.#table.pages(userPartition(email), {
      range: { beginsWith: AGENT_PREFIX },
      attributes: TRACE,
    });
  }

  /** Makes an item absent to everybody: nothing can join it from here on. */
  async close(key: Key, at: string): Promise<void> {
    await unlessGone(this.#table.update(key, { set: { [DELETING]: at } }, present("pk")));
  }

  /** Leaves nothing of an item but its key. */
  async empty(key: Key, at: string): Promise<void> {
    await unlessGone(this.#table.put({ ...key, [DELETING]: at, [SWEPT]: at }, present("pk")));
  }

  remove(keys: readonly Key[]): Promise<void> {
    const distinct = new Map(keys.map((key) => [JSON.stringify([key.pk, key.sk]), key]));
    return this.#table.batchWrite([...distinct.values()].map((key) => ({ remove: key })));
  }

  async *#pagesBehind(
    email: string,
    partition: string,
    memories: Set<string>,
  ): AsyncGenerator<readonly Item[], void, void> {
    for await (const page of this.#table.pages(partition)) {
      yield page;
      // The page itself is let go before what is behind it is read.
      const leads = await Promise.all(page.map((item) => behind(email, item)));
      yield* this.#itemsOf(leads.flatMap(({ keys }) => keys));
      for (const next of leads.flatMap((lead) => partitionsOf(lead, memories)))
        yield* this.#pagesBehind(email, next, memories);
    }
  }

  async *#itemsOf(keys: readonly Key[]): AsyncGenerator<readonly Item[], void, void> {
    for (let from = 0; from < keys.length; from += KEYS_AT_ONCE) {
      const items = await this.#table.batchGet(keys.slice(from, from + KEYS_AT_ONCE));
      yield items.filter((item) => item !== undefined);
    }
  }
}

/** All partitions behind an item, but for memories that were come upon before. */
function partitionsOf(lead: Behind, known: Set<string>): readonly string[] {
  const memories = lead.memories.map(partitionOf).filter((memory) => !known.has(memory));
  for (const memory of memories) known.add(memory);
  return [...lead.partitions, ...memories];
}

export const isSwept = (item: Item): boolean => item[SWEPT] !== undefined;

async function unlessGone(write: Promise<unknown>): Promise<void> {
  try {
    await write;
  } catch (error) {
    if (!(error instanceof ConditionFailed)) throw error;
  }
}

import type { AccountEmail } from "../shared/id-types.ts";
import type { TableClient } from "../table/client.ts";
import { DELETING } from "../table/deletion.ts";
import { present } from "../table/expressions.ts";
import { AGENT_PREFIX, userPartition } from "../table/keys.ts";
import type { Item, Key } from "../table/marshal.ts";
import { dependentsOf, type Dependents, LEADING_ATTRIBUTES, partitionOf, rootsOf } from "./model.ts";

/** Marks an emptied item whose dependents are removed, so that the first sweep does not visit it twice. */
const SWEPT = "swept_at";
/** How many items are looked up by key at a time. */
const KEYS_AT_ONCE = 500;

/** `ttl` is not among them, so that expired items are returned, too. */
const TRACE = ["pk", "sk", ...LEADING_ATTRIBUTES, DELETING, SWEPT] as const;

/** Reads and removes all items of an account, whichever feature wrote them. */
export class AccountItems {
  readonly #table: TableClient;

  constructor({ table }: { readonly table: TableClient }) {
    this.#table = table;
  }

  /** Yields all items of an account, page by page. Never holds more than a few pages in memory. */
  async *pages(accountEmail: AccountEmail): AsyncGenerator<readonly Item[], void, void> {
    // Several items lead to the same memory: the agent and each of its conversations.
    const memories = new Set<string>();
    for (const root of rootsOf(accountEmail)) yield* this.#pagesWithDependents(accountEmail, root, memories);
  }

  /** Yields the items of a partition with only the attributes a sweep needs, including expired items. */
  traces(partition: string): AsyncGenerator<readonly Item[], void, void> {
    return this.#table.pages(partition, { attributes: TRACE });
  }

  /** Like `traces`, for the agents of an account. */
  agentTraces(accountEmail: AccountEmail): AsyncGenerator<readonly Item[], void, void> {
    return this.#table.pages(userPartition(accountEmail), {
      range: { beginsWith: AGENT_PREFIX },
      attributes: TRACE,
    });
  }

  /** Marks an item as being deleted: reads skip it, and nothing new can be attached to it. An absent item is no error. */
  async close(key: Key, at: string): Promise<void> {
    await this.#table.tryUpdate(key, { set: { [DELETING]: at } }, present("pk"));
  }

  /** Removes all content of an item but its key and the deletion marks. An absent item is no error. */
  async empty(key: Key, at: string): Promise<void> {
    await this.#table.tryPut({ ...key, [DELETING]: at, [SWEPT]: at }, present("pk"));
  }

  remove(keys: readonly Key[]): Promise<void> {
    const distinct = new Map(keys.map((key) => [JSON.stringify([key.pk, key.sk]), key]));
    return this.#table.batchWrite([...distinct.values()].map((key) => ({ remove: key })));
  }

  async *#pagesWithDependents(
    accountEmail: AccountEmail,
    partition: string,
    memories: Set<string>,
  ): AsyncGenerator<readonly Item[], void, void> {
    for await (const page of this.#table.pages(partition)) {
      yield page;
      // Only keys are kept from here on, so that the page can be freed before its dependents are read.
      const leads = await Promise.all(page.map((item) => dependentsOf(accountEmail, item)));
      yield* this.#itemsOf(leads.flatMap(({ keys }) => keys));
      for (const next of leads.flatMap((lead) => partitionsOf(lead, memories)))
        yield* this.#pagesWithDependents(accountEmail, next, memories);
    }
  }

  async *#itemsOf(keys: readonly Key[]): AsyncGenerator<readonly Item[], void, void> {
    for (let from = 0; from < keys.length; from += KEYS_AT_ONCE) {
      const items = await this.#table.batchGet(keys.slice(from, from + KEYS_AT_ONCE));
      yield items.filter((item) => item !== undefined);
    }
  }
}

/** Returns the dependent partitions of an item, except for memories already in `known`. */
function partitionsOf(lead: Dependents, known: Set<string>): readonly string[] {
  const memories = lead.memories.map(partitionOf).filter((memory) => !known.has(memory));
  for (const memory of memories) known.add(memory);
  return [...lead.partitions, ...memories];
}

export const isSwept = (item: Item): boolean => item[SWEPT] !== undefined;

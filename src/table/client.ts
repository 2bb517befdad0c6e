/**
 * A small hand-written client of one DynamoDB table over signed HTTP. It is not a wrapper around the AWS SDK, which this service
 * does not use.
 *
 * Verbs of `TableClient`: `get`, `getBeside`, `batchGet`, `query`, `pages` and `queryPage` read; `put`, `update`, `remove`, `transact`,
 * `batchWrite` and `removePartition` write. If a condition does not hold, these throw. `tryPut`, `tryUpdate`, `tryRemove` and
 * `tryTransact` return false instead; `putOrRefusal`, `updateOrRefusal` and `transactOrRefusal` return what was found.
 *
 * Users of this folder need five files: this one for the verbs, `requests.ts` for what they take and return, `keys.ts` for
 * shared keys and prefixes, `expressions.ts` for conditions and changes, and `errors.ts` for what a verb throws. `list.ts`,
 * `cursor.ts`, `fields.ts` and `deletion.ts` are helpers on top of it for repositories; `transport.ts` (signing, retries) and
 * `marshal.ts` (the wire format) are internal.
 */
import { sleep } from "../shared/async.ts";
import type { DeletionGuard } from "./deletion.ts";
import { isSameValue } from "./equal.ts";
import { ItemTooLarge, type Refusal, TableUnavailable, TransactionRefused } from "./errors.ts";
import { type Changes, type Condition, keyFields, queryFields, writeFields } from "./expressions.ts";
import { keyOf } from "./fields.ts";
import { type AttributeMap, type Item, itemBytes, type Key, marshal, unmarshal } from "./marshal.ts";
import { assertApplied, attributesOf, holds, refusalOf, rejected } from "./outcome.ts";
import type { BatchAction, Page, PageOptions, QueryOptions, WriteAction, WriteOutcome } from "./requests.ts";
import { SharedReads } from "./shared-reads.ts";
import { OperationFailed, type Send } from "./transport.ts";

/** DynamoDB's limit on the size of an item, including attribute names. */
const MAX_ITEM_BYTES = 400 * 1024;
const MAX_BATCH_GET = 100;
const MAX_BATCH_WRITE = 25;
/** DynamoDB's limit on the number of actions in a transaction. */
export const MAX_TRANSACTION = 100;
/** A Worker may have six connections waiting for an answer. This leaves two for other requests. */
const PARALLEL_BATCHES = 4;
/** How often unprocessed requests of a batch are sent before the batch fails. */
const BATCH_ROUNDS = 8;
const BATCH_WAIT_MS = 50;
const BATCH_WAIT_MAX_MS = 2_000;

export interface TableClientDeps {
  readonly send: Send;
  readonly table: string;
  /** Returns milliseconds since the epoch. Decides which items have expired by their `ttl`. */
  readonly now: () => number;
  readonly sleep?: (ms: number) => Promise<void>;
}

/**
 * Reads and writes the table. Reads are strongly consistent and omit items whose `ttl` has passed. Writes are safe to retry after
 * a lost answer: a retry recognises the effect of the first attempt. Create one client per request, because reads that share a
 * request (`getBeside`) must belong to the same caller.
 *
 * Every method throws `TableUnavailable` if the table does not answer in time and `TableRejected` if a request is invalid, in
 * addition to the errors named at each method.
 */
export class TableClient {
  readonly #send: Send;
  readonly #table: string;
  readonly #now: () => number;
  readonly #sleep: (ms: number) => Promise<void>;
  readonly #shared = new SharedReads((keys) => this.#getAll(keys));

  constructor({ send, table, now, sleep: pause = sleep }: TableClientDeps) {
    this.#send = send;
    this.#table = table;
    this.#now = now;
    this.#sleep = pause;
  }

  /** Returns the item with this key, or `undefined` if there is none. */
  async get(key: Key): Promise<Item | undefined> {
    const [item] = await this.#shared.read([key]);
    return item;
  }

  /**
   * Like `get`, but shares the request of the next `get` of this client if that begins in the same task. Use it for an item that the
   * caller needs later than the next one.
   */
  getBeside(key: Key): Promise<Item | undefined> {
    return this.#shared.join(key);
  }

  /** Returns the items with these keys, in the order of the keys, with `undefined` for absent ones. Keys may repeat. */
  async batchGet(keys: readonly Key[]): Promise<readonly (Item | undefined)[]> {
    const wanted = [...new Map(keys.map((key) => [keyText(key), key])).values()];
    const found = new Map<string, Item>();

    for (const chunk of chunks(wanted, MAX_BATCH_GET)) {
      await this.#untilDone("BatchGetItem", chunk.map(keyFields), async (pending) => {
        const request = { [this.#table]: { Keys: pending, ConsistentRead: true } };
        const answer = await this.#send("BatchGetItem", { RequestItems: request });

        for (const item of this.#aliveAll(ofTable(answer["Responses"], this.#table)))
          found.set(keyText(item), item);
        const rest = ofTable(answer["UnprocessedKeys"], this.#table);
        // DynamoDB's wire format: `UnprocessedKeys` has the shape of `RequestItems`.
        return (rest as { Keys?: AttributeMap[] } | undefined)?.Keys ?? [];
      });
    }

    return keys.map((key) => found.get(keyText(key)));
  }

  /** Returns all items of a partition, or of a range of it, in any number of pages. */
  async query(partition: string, options: QueryOptions = {}): Promise<readonly Item[]> {
    const items: Item[] = [];
    for await (const page of this.pages(partition, options)) items.push(...page);
    return items;
  }

  /** Like `query`, page by page (up to 1 MB each), for ranges that may not fit into memory. */
  async *pages(partition: string, options: QueryOptions = {}): AsyncGenerator<readonly Item[], void, void> {
    let after: string | undefined;
    do {
      const page: Page = await this.#page(partition, { ...options, after });
      yield page.items;
      after = page.next;
    } while (after !== undefined);
  }

  /** Returns one page of a partition, or of a range of it. */
  queryPage(partition: string, options: PageOptions): Promise<Page> {
    return this.#page(partition, options);
  }

  /**
   * Stores an item, replacing any item with the same key. Throws `ConditionFailed` with the existing item if the condition does
   * not hold, and `ItemTooLarge` above 400 KB.
   */
  async put(item: Item, condition?: Condition): Promise<void> {
    assertApplied(await this.#put(item, condition));
  }

  /** Like `put`, but returns false if the condition does not hold. */
  async tryPut(item: Item, condition: Condition): Promise<boolean> {
    return (await this.#put(item, condition)).applied;
  }

  /** Like `put`, but returns the existing item if the condition does not hold. */
  putOrRefusal(item: Item, condition: Condition): Promise<WriteOutcome> {
    return this.#put(item, condition);
  }

  /**
   * Changes attributes of one item and returns the changed item. Without a condition, creates the item if it is absent. Throws
   * `ConditionFailed` if the condition does not hold. For counters use `transact`: a retried counter would count twice.
   */
  async update(key: Key, changes: Changes, condition?: Condition): Promise<Item> {
    return assertApplied(await this.#update(key, changes, condition));
  }

  /** Like `update`, but returns whether the condition held. */
  async tryUpdate(key: Key, changes: Changes, condition: Condition): Promise<boolean> {
    return (await this.#update(key, changes, condition)).applied;
  }

  /** Like `update`, but returns the existing item if the condition does not hold. */
  updateOrRefusal(key: Key, changes: Changes, condition: Condition): Promise<WriteOutcome> {
    return this.#update(key, changes, condition);
  }

  /** Removes an item. An absent item is no error, unless the condition requires it. Throws `ConditionFailed`. */
  async remove(key: Key, condition?: Condition): Promise<void> {
    assertApplied(await this.#remove(key, condition));
  }

  /** Like `remove`, but returns false if the condition does not hold. */
  async tryRemove(key: Key, condition: Condition): Promise<boolean> {
    return (await this.#remove(key, condition)).applied;
  }

  /**
   * Applies all of 1 to 100 writes, or none. Throws `TransactionRefused` with the positions of the failed conditions and the
   * existing items. All attempts share one client request token, so a lost answer can't apply anything twice.
   */
  async transact(actions: readonly WriteAction[]): Promise<void> {
    const refusal = await this.transactOrRefusal(actions);
    if (refusal) throw new TransactionRefused(refusal);
  }

  /** Like `transact`, but returns false if a condition does not hold. */
  async tryTransact(actions: readonly WriteAction[]): Promise<boolean> {
    return (await this.transactOrRefusal(actions)) === undefined;
  }

  /** Like `transact`, but returns the failed conditions, or `undefined` if all writes were applied. */
  async transactOrRefusal(actions: readonly WriteAction[]): Promise<Refusal | undefined> {
    if (actions.length === 0 || actions.length > MAX_TRANSACTION)
      throw new RangeError(`A transaction has 1 to ${MAX_TRANSACTION} actions, not ${actions.length}.`);

    const input = {
      TransactItems: actions.map((action) => this.#transactItem(action)),
      ClientRequestToken: crypto.randomUUID(),
    };
    try {
      await this.#send("TransactWriteItems", input);
      return undefined;
    } catch (error) {
      const refusal = refusalOf(error);
      if (refusal) return refusal;
      throw rejected(error);
    }
  }

  /**
   * Removes any number of items of something that is being deleted, in transactions with its guard. Returns false if the deletion has
   * ended; then nothing more is removed. Pass the keys of one page: its 1 MB fit into a transaction, which has 4 MB.
   */
  async removeGuarded(keys: readonly Key[], guard: DeletionGuard): Promise<boolean> {
    for (const chunk of chunks(keys, MAX_TRANSACTION - 1))
      if (!(await this.tryTransact([guard, ...chunk.map((key) => ({ remove: key }))]))) return false;
    return true;
  }

  /** Applies any number of unconditional writes, 25 per request, and resends what DynamoDB leaves unprocessed. */
  async batchWrite(actions: readonly BatchAction[]): Promise<void> {
    const requests = actions.map((action) =>
      "put" in action
        ? { PutRequest: { Item: this.#fitting(action.put) } }
        : { DeleteRequest: { Key: keyFields(action.remove) } },
    );

    for (const group of chunks([...chunks(requests, MAX_BATCH_WRITE)], PARALLEL_BATCHES))
      await Promise.all(group.map((batch) => this.#writeBatch(batch)));
  }

  /**
   * Removes all items of a partition, including expired ones. Returns false if it had more than `maxItems`, so that it takes
   * another call. Callers must prevent writes to the partition in the meantime. With the guard of a deletion, does nothing if that has
   * ended.
   */
  async removePartition(partition: string, maxItems: number, guard?: DeletionGuard): Promise<boolean> {
    let left = maxItems;

    // Without the `ttl` attribute, expired items are returned, too.
    for await (const page of this.pages(partition, { attributes: ["pk", "sk"] })) {
      const keys = page.map(keyOf);
      if (!guard) await this.batchWrite(keys.map((key) => ({ remove: key })));
      else if (!(await this.removeGuarded(keys, guard))) return true;
      left -= page.length;
      if (left < 0) return false;
    }
    return true;
  }

  async #getAll(keys: readonly Key[]): Promise<readonly (Item | undefined)[]> {
    const [key] = keys;
    if (!key || keys.length > 1) return this.batchGet(keys);

    const { Item: found } = await this.#call("GetItem", { Key: keyFields(key), ConsistentRead: true });
    return [this.#alive(found)];
  }

  async #page(partition: string, options: Partial<PageOptions>): Promise<Page> {
    const { range, newestFirst = false, attributes, limit, after } = options;
    const answer = await this.#call("Query", {
      ...queryFields(partition, range, attributes),
      ScanIndexForward: !newestFirst,
      ConsistentRead: true,
      ...(limit !== undefined && { Limit: limit }),
      ...(after !== undefined && { ExclusiveStartKey: keyFields({ pk: partition, sk: after }) }),
    });

    const last = answer["LastEvaluatedKey"];
    const next = last ? keyOf(unmarshal(attributesOf(last))).sk : undefined;
    return { items: this.#aliveAll(answer["Items"]), next };
  }

  async #call(operation: string, input: object): Promise<Record<string, unknown>> {
    try {
      return await this.#send(operation, { TableName: this.#table, ...input });
    } catch (error) {
      throw rejected(error);
    }
  }

  async #put(item: Item, condition?: Condition): Promise<WriteOutcome> {
    const input = { Item: this.#fitting(item), ...writeFields(condition) };
    const applied = (stored: Item | undefined) => stored !== undefined && isSameValue(stored, item);
    return this.#conditional("PutItem", input, applied);
  }

  #update(key: Key, changes: Changes, condition?: Condition): Promise<WriteOutcome> {
    const input = { Key: keyFields(key), ReturnValues: "ALL_NEW", ...writeFields(condition, changes) };
    const applied = (stored: Item | undefined) => stored !== undefined && holds(stored, changes);
    return this.#conditional("UpdateItem", input, applied);
  }

  #remove(key: Key, condition?: Condition): Promise<WriteOutcome> {
    const input = { Key: keyFields(key), ...writeFields(condition) };
    return this.#conditional("DeleteItem", input, (stored) => stored === undefined);
  }

  /**
   * Sends a write that returns the existing item if its condition fails. After a lost answer, that item may be the effect of
   * the first attempt, which `applied` recognises. The item of the outcome is empty if DynamoDB returns none.
   */
  async #conditional(
    operation: string,
    input: object,
    applied: (stored: Item | undefined) => boolean,
  ): Promise<WriteOutcome> {
    try {
      const request = { TableName: this.#table, ...input, ReturnValuesOnConditionCheckFailure: "ALL_OLD" };
      const { Attributes } = await this.#send(operation, request);
      return { applied: true, item: Attributes ? unmarshal(attributesOf(Attributes)) : {} };
    } catch (error) {
      if (!(error instanceof OperationFailed) || error.type !== "ConditionalCheckFailedException")
        throw rejected(error);

      const found = error.body["Item"];
      const stored = found === undefined ? undefined : unmarshal(attributesOf(found));
      if (error.attempts > 1 && applied(stored)) return { applied: true, item: stored ?? {} };
      return { applied: false, item: stored };
    }
  }

  #writeBatch(requests: readonly object[]): Promise<void> {
    return this.#untilDone("BatchWriteItem", requests, async (pending) => {
      const answer = await this.#send("BatchWriteItem", { RequestItems: { [this.#table]: pending } });
      // DynamoDB's wire format: `UnprocessedItems` has the shape of `RequestItems`.
      return (ofTable(answer["UnprocessedItems"], this.#table) ?? []) as object[];
    });
  }

  async #untilDone<Request>(
    operation: string,
    requests: readonly Request[],
    send: (pending: readonly Request[]) => Promise<readonly Request[]>,
  ): Promise<void> {
    let pending = requests;

    for (let round = 0; pending.length > 0; round++) {
      if (round === BATCH_ROUNDS)
        throw new TableUnavailable(new Error(`${operation} left ${pending.length} requests undone.`));
      if (round > 0)
        await this.#sleep(Math.random() * Math.min(BATCH_WAIT_MS * 2 ** round, BATCH_WAIT_MAX_MS));

      try {
        pending = await send(pending);
      } catch (error) {
        throw rejected(error);
      }
    }
  }

  #transactItem(action: WriteAction): object {
    const common = { TableName: this.#table, ReturnValuesOnConditionCheckFailure: "ALL_OLD" };

    if ("put" in action)
      return { Put: { ...common, Item: this.#fitting(action.put), ...writeFields(action.if) } };
    if ("update" in action)
      return {
        Update: { ...common, Key: keyFields(action.update), ...writeFields(action.if, action.changes) },
      };
    if ("remove" in action)
      return { Delete: { ...common, Key: keyFields(action.remove), ...writeFields(action.if) } };
    return { ConditionCheck: { ...common, Key: keyFields(action.check), ...writeFields(action.if) } };
  }

  #fitting(item: Item): AttributeMap {
    assertFits(item);
    return marshal(item);
  }

  #alive(found: unknown): Item | undefined {
    if (found === undefined || found === null) return undefined;

    const item = unmarshal(attributesOf(found));
    const ttl = item["ttl"];
    return typeof ttl === "number" && ttl * 1000 <= this.#now() ? undefined : item;
  }

  #aliveAll(found: unknown): readonly Item[] {
    if (!Array.isArray(found)) return [];
    return found.map((attributes) => this.#alive(attributes)).filter((item) => item !== undefined);
  }
}

/** Throws `ItemTooLarge` if an item exceeds 400 KB. For updates, because only the caller knows the whole item. */
export function assertFits(item: Item): void {
  const bytes = itemBytes(item);
  if (bytes > MAX_ITEM_BYTES) throw new ItemTooLarge(bytes, MAX_ITEM_BYTES);
}

/** Returns the member of a batch answer for this table. */
const ofTable = (answer: unknown, table: string): unknown =>
  typeof answer === "object" && answer !== null
    ? Object.entries(answer).find(([name]) => name === table)?.[1]
    : undefined;

const keyText = (key: Item | Key): string => JSON.stringify([key.pk, key.sk]);

function* chunks<T>(all: readonly T[], size: number): Generator<readonly T[], void, void> {
  for (let start = 0; start < all.length; start += size) yield all.slice(start, start + size);
}

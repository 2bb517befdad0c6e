import { isSameValue } from "./equal.ts";
import {
  ConditionFailed,
  ItemTooLarge,
  TableRejected,
  TableUnavailable,
  TransactionRefused,
} from "./errors.ts";
import {
  type Changes,
  type Condition,
  type CountingChanges,
  keyFields,
  queryFields,
  type SortKeyRange,
  writeFields,
} from "./expressions.ts";
import { keyOf } from "./fields.ts";
import { type AttributeMap, type Item, itemBytes, type Key, marshal, unmarshal } from "./marshal.ts";
import { cancellationReasons, OperationFailed, type Send } from "./transport.ts";

/** DynamoDB's limit on an item, names included. */
const MAX_ITEM_BYTES = 400 * 1024;
const MAX_BATCH_GET = 100;
const MAX_BATCH_WRITE = 25;
const MAX_TRANSACTION = 100;
/** Of the six connections that a Worker may have waiting, these leave two to other requests. */
const PARALLEL_BATCHES = 4;
/** How often what a batch left undone is sent again before the batch counts as failed. */
const BATCH_ROUNDS = 8;
const BATCH_WAIT_MS = 50;
const BATCH_WAIT_MAX_MS = 2_000;

/** One write of a transaction. Each may state a condition; `check` is a condition alone. */
export type WriteAction =
  | { readonly put: Item; readonly if?: Condition }
  | { readonly update: Key; readonly changes: CountingChanges; readonly if?: Condition }
  | { readonly remove: Key; readonly if?: Condition }
  | { readonly check: Key; readonly if: Condition };

/** One write of a batch. Batches have no conditions: they are for removing what is doomed, and for filling tables. */
export type BatchAction = { readonly put: Item } | { readonly remove: Key };

export interface QueryOptions {
  readonly range?: SortKeyRange;
  /** Descending sort keys instead of ascending ones. */
  readonly newestFirst?: boolean;
  /** Only these attributes; all where nothing is said. */
  readonly attributes?: readonly string[];
}

export interface PageOptions extends QueryOptions {
  /** At most so many items are read; expired ones among them are left out, so a page may hold fewer. */
  readonly limit: number;
  /** The sort key to go on behind; from the beginning where nothing is said. */
  readonly after?: string | undefined;
}

/** A page of a query; `next` is the sort key to go on behind, or nothing at the end. */
export interface Page {
  readonly items: readonly Item[];
  readonly next: string | undefined;
}

export interface TableClientOptions {
  readonly send: Send;
  readonly table: string;
  /** Milliseconds since the epoch; decides which items have outlived their `ttl`. */
  readonly now: () => number;
  readonly sleep?: (ms: number) => Promise<void>;
}

/**
 * The single table, over DynamoDB's HTTP interface. Reads are consistent and leave out items whose `ttl` has passed.
 * Writes survive a lost answer: a repeat recognises the effect of the first attempt.
 */
export class TableClient {
  readonly #send: Send;
  readonly #table: string;
  readonly #now: () => number;
  readonly #sleep: (ms: number) => Promise<void>;

  constructor({ send, table, now, sleep = defaultSleep }: TableClientOptions) {
    this.#send = send;
    this.#table = table;
    this.#now = now;
    this.#sleep = sleep;
  }

  /** The item of a key, or nothing. */
  async get(key: Key): Promise<Item | undefined> {
    const { Item: found } = await this.#call("GetItem", { Key: keyFields(key), ConsistentRead: true });
    return this.#alive(found);
  }

  /** The items of many keys, in the order of the keys; nothing where there is none. Keys may repeat. */
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

  /** All items of a partition's range, however many pages they take. */
  async query(partition: string, options: QueryOptions = {}): Promise<readonly Item[]> {
    const items: Item[] = [];
    for await (const page of this.pages(partition, options)) items.push(...page);
    return items;
  }

  /** The same, page by page (up to 1 MB each), for ranges that should not stand in memory at once. */
  async *pages(partition: string, options: QueryOptions = {}): AsyncGenerator<readonly Item[], void, void> {
    let after: string | undefined;
    do {
      const page: Page = await this.#page(partition, { ...options, after });
      yield page.items;
      after = page.next;
    } while (after !== undefined);
  }

  /** One page of a partition's range. */
  queryPage(partition: string, options: PageOptions): Promise<Page> {
    return this.#page(partition, options);
  }

  /** Stores a whole item. Throws `ConditionFailed` with the item that stood in the way. */
  async put(item: Item, condition?: Condition): Promise<void> {
    await this.#conditional(
      "PutItem",
      { Item: this.#fitting(item), ...writeFields(condition) },
      (stored) => stored !== undefined && isSameValue(stored, item),
    );
  }

  /**
   * Changes attributes of one item and gives the item as it then is. Without a condition an absent item comes into
   * being. Counters have no place here: see `transact`.
   */
  async update(key: Key, changes: Changes, condition?: Condition): Promise<Item> {
    const input = { Key: keyFields(key), ReturnValues: "ALL_NEW", ...writeFields(condition, changes) };
    const answer = await this.#conditional(
      "UpdateItem",
      input,
      (stored) => stored !== undefined && holds(stored, changes),
    );
    // An update that its own first attempt had already made answers with the stored item instead.
    return "stored" in answer ? answer.stored : unmarshal(attributesOf(answer.output["Attributes"]));
  }

  /** Removes an item; one that is not there is no error, unless the condition says so. */
  async remove(key: Key, condition?: Condition): Promise<void> {
    const input = { Key: keyFields(key), ...writeFields(condition) };
    await this.#conditional("DeleteItem", input, (stored) => stored === undefined);
  }

  /**
   * Makes all writes or none. Throws `TransactionRefused`, which tells by position which conditions did not hold and
   * gives back the items in their way. One token covers every attempt, so a lost answer can't apply anything twice.
   */
  async transact(actions: readonly WriteAction[]): Promise<void> {
    if (actions.length === 0 || actions.length > MAX_TRANSACTION)
      throw new RangeError(`A transaction has 1 to ${MAX_TRANSACTION} actions, not ${actions.length}.`);

    const input = {
      TransactItems: actions.map((action) => this.#transactItem(action)),
      ClientRequestToken: crypto.randomUUID(),
    };
    try {
      await this.#send("TransactWriteItems", input);
    } catch (error) {
      throw transactionError(error);
    }
  }

  /** Makes many unconditional writes, 25 at a time, repeating what DynamoDB leaves undone. */
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
   * Removes everything in a partition, expired items included; false where more than `maxItems` stood there, so that
   * it takes another call. Nothing may be added to the partition meanwhile.
   */
  async removePartition(partition: string, maxItems: number): Promise<boolean> {
    let left = maxItems;

    // Without the `ttl` attribute no item counts as expired.
    for await (const page of this.pages(partition, { attributes: ["pk", "sk"] })) {
      await this.batchWrite(page.map((item) => ({ remove: keyOf(item) })));
      left -= page.length;
      if (left < 0) return false;
    }
    return true;
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

  /**
   * A write whose refusal names the item in its way. After a lost answer the item in the way may be our own first
   * attempt's effect, which `applied` recognises.
   */
  async #conditional(operation: string, input: object, applied: (stored: Item | undefined) => boolean) {
    try {
      const request = { TableName: this.#table, ...input, ReturnValuesOnConditionCheckFailure: "ALL_OLD" };
      return { output: await this.#send(operation, request) };
    } catch (error) {
      if (!(error instanceof OperationFailed) || error.type !== "ConditionalCheckFailedException")
        throw rejected(error);

      const found = error.body["Item"];
      const stored = found === undefined ? undefined : unmarshal(attributesOf(found));
      if (error.attempts > 1 && applied(stored)) return { stored: stored ?? {} };
      throw new ConditionFailed(stored);
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

/** Throws `ItemTooLarge` for an item that DynamoDB would not store; for updates, whose whole only the caller knows. */
export function assertFits(item: Item): void {
  const bytes = itemBytes(item);
  if (bytes > MAX_ITEM_BYTES) throw new ItemTooLarge(bytes, MAX_ITEM_BYTES);
}

function transactionError(error: unknown): unknown {
  if (!(error instanceof OperationFailed) || error.type !== "TransactionCanceledException")
    return rejected(error);

  const reasons = cancellationReasons(error.body);
  const failed = reasons
    .map(({ Code, Item: found }, index) => ({
      Code,
      index,
      item: found ? unmarshal(attributesOf(found)) : undefined,
    }))
    .filter(({ Code }) => Code === "ConditionalCheckFailed");
  if (failed.length === 0) return rejected(error);
  return new TransactionRefused(new Map(failed.map(({ index, item }) => [index, item])));
}

/** What the table refused as invalid is our mistake; everything else passes through. */
const rejected = (error: unknown): unknown =>
  error instanceof OperationFailed ? new TableRejected(error.type, error.message) : error;

/** Whether an item already shows what these changes would make of it. */
function holds(stored: Item, changes: Changes): boolean {
  return (
    Object.entries(changes.set ?? {}).every(([name, value]) => isSameValue(stored[name], value)) &&
    (changes.remove ?? []).every((name) => !Object.hasOwn(stored, name))
  );
}

/** DynamoDB's wire format states that items, keys and attributes are maps of typed values. */
const attributesOf = (found: unknown): AttributeMap => found as AttributeMap;

/** The member of a batch answer that belongs to our table. */
const ofTable = (answer: unknown, table: string): unknown =>
  typeof answer === "object" && answer !== null
    ? Object.entries(answer).find(([name]) => name === table)?.[1]
    : undefined;

const keyText = (key: Item | Key): string => JSON.stringify([key.pk, key.sk]);

function* chunks<T>(all: readonly T[], size: number): Generator<readonly T[], void, void> {
  for (let start = 0; start < all.length; start += size) yield all.slice(start, start + size);
}

const defaultSleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

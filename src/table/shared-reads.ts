import type { Item, Key } from "./marshal.ts";

/** Reads the items with these keys, in their order. */
type Read = (keys: readonly Key[]) => Promise<readonly (Item | undefined)[]>;

interface PendingRead {
  readonly key: Key;
  readonly resolve: (item: Item | undefined) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Lets a read share the request of another one that is about to begin. A request to the table costs more CPU than anything else in
 * most calls of the API.
 */
export class SharedReads {
  readonly #read: Read;
  #pending: readonly PendingRead[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(read: Read) {
    this.#read = read;
  }

  /** Reads an item together with the next `read`, or alone if none begins in the current task. */
  join(key: Key): Promise<Item | undefined> {
    const { promise, resolve, reject } = Promise.withResolvers<Item | undefined>();
    this.#pending = [...this.#pending, { key, resolve, reject }];
    // A failure reaches the pending reads, so that it needs no handler here.
    this.#timer ??= setTimeout(() => void this.read([]).catch(() => undefined), 0);
    return promise;
  }

  /** Reads the items with these keys, and those of all pending reads, in one request. */
  async read(keys: readonly Key[]): Promise<readonly (Item | undefined)[]> {
    const pending = this.#takePending();
    try {
      const items = await this.#read([...keys, ...pending.map(({ key }) => key)]);
      for (const [index, { resolve }] of pending.entries()) resolve(items[keys.length + index]);
      return items;
    } catch (error) {
      for (const { reject } of pending) reject(error);
      throw error;
    }
  }

  #takePending(): readonly PendingRead[] {
    const pending = this.#pending;
    this.#pending = [];
    if (this.#timer !== undefined) clearTimeout(this.#timer);
    this.#timer = undefined;
    return pending;
  }
}

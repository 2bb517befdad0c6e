/** A part of a list. */
export interface Page<Item> {
  readonly items: readonly Item[];
  /** The cursor of the next page; null on the last one. */
  readonly next_cursor: string | null;
  readonly has_more: boolean;
}

/**
 * A list of the API, which is read page by page as it is needed.
 *
 * @example
 * for await (const conversation of client.conversations.list()) console.log(conversation.title);
 */
export class Pages<Item> implements AsyncIterable<Item> {
  readonly #load: (cursor: string | undefined) => Promise<Page<Item>>;

  /** @internal */
  constructor(load: (cursor: string | undefined) => Promise<Page<Item>>) {
    this.#load = load;
  }

  /** Reads one page: the first one, or the one that a `next_cursor` leads to. Throws like `AgentBuilder.request`. */
  async page(cursor?: string | null): Promise<Page<Item>> {
    return await this.#load(cursor ?? undefined);
  }

  /** Yields the pages, each when it is asked for. */
  async *pages(): AsyncGenerator<Page<Item>, void, void> {
    let cursor: string | null = null;
    do {
      const page: Page<Item> = await this.page(cursor);
      yield page;
      cursor = page.next_cursor;
    } while (cursor !== null);
  }

  /** Reads all items, of which there may be many. */
  async all(): Promise<Item[]> {
    const items: Item[] = [];
    for await (const item of this) items.push(item);
    return items;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Item, void, void> {
    for await (const { items } of this.pages()) yield* items;
  }
}

import { conversationKey } from "../conversations/model.ts";
import { homeKey, spaceOfMemory } from "../end-users/model.ts";
import { notFound } from "../shared/errors.ts";
import type { TableClient, WriteAction } from "../table/client.ts";
import { isLive } from "../table/deletion.ts";
import { TransactionRefused } from "../table/errors.ts";
import { absent, all, equals, present } from "../table/expressions.ts";
import { optionalCount } from "../table/fields.ts";
import { memoryPartition } from "../table/keys.ts";
import {
  asDefined,
  type ContentChange,
  contentWrite,
  importOf,
  isUnversioned,
  unchangedSince,
} from "./block-writes.ts";
import { warningKey } from "./capacity-model.ts";
import {
  type Block,
  type BlockContent,
  type BlockDefinition,
  blocksFrom,
  contentFrom,
  contentKey,
  CORE_MEMORY_RANGE,
  customBlocksKey,
  definitionAttributes,
  type DefinitionChanges,
  definitionFrom,
  definitionItem,
  definitionKey,
  EMPTY,
  type MemoryOwner,
} from "./model.ts";
import { type Author, versionFrom, versionPrefix } from "./version-model.ts";

/** Either the content as saved, or what others had made of the block meanwhile; nothing if they have deleted it. */
export type SaveOutcome = { readonly saved: BlockContent } | { readonly current: Block | undefined };

/** How often a change looks for the number that its version gets. One look is enough unless others write as well. */
const NUMBERINGS = 4;

/** Where the count of blocks that were made stands among the actions that make one. */
const CREATIONS = 2;
/** Where the actions of a change stand in their transaction. */
const AGENT = 0;
const DEFINITION = 1;
const CONTENT = 2;

export class MemoryRepository {
  readonly #table: TableClient;

  constructor(table: TableClient) {
    this.#table = table;
  }

  /** The core memory blocks by name; none where the memory was never begun. */
  async blocks(owner: MemoryOwner): Promise<readonly Block[]> {
    const items = await this.#table.query(memoryPartition(owner.agentId, owner.userId), {
      range: CORE_MEMORY_RANGE,
    });
    return blocksFrom(owner, items);
  }

  /** How often custom blocks have been made. Read before the blocks, it tells whether these are still all of them. */
  async creations(owner: MemoryOwner): Promise<number> {
    const item = await this.#table.get(customBlocksKey(owner));
    return (item && optionalCount(item, "creations")) ?? 0;
  }

  /** Begins a memory with these blocks. Blocks that are there already stay as they are, whoever made them. */
  async begin(
    owner: MemoryOwner,
    agentOwner: string,
    definitions: readonly BlockDefinition[],
  ): Promise<void> {
    try {
      await this.#table.transact([
        ...definitions.map((definition) => ({ put: definitionItem(owner, definition), if: absent("pk") })),
        standing(owner, agentOwner),
      ]);
    } catch (error) {
      // Begun by another request at the same time, or the agent has just gone: nothing to do in either case.
      if (!(error instanceof TransactionRefused)) throw error;
    }
  }

  /**
   * Makes a block, empty; gives `"taken"` where another one has its name, and nothing where others have been made since
   * there were so many `creations`. Where the name has a history, that it is empty now becomes the next version.
   * `creationId` lets a repeat of the same request find its own work.
   */
  async create(
    owner: MemoryOwner,
    agentOwner: string,
    definition: BlockDefinition,
    creationId: string | undefined,
    creations: number,
  ): Promise<Block | "taken" | undefined> {
    const { name, createdAt } = definition;
    const item = {
      ...definitionItem(owner, definition),
      ...(creationId !== undefined && { creation_id: creationId }),
    };
    const author: Author = { by: "user" };

    return this.#untilNumbered(async () => {
      const [last, left] = await Promise.all([
        this.#lastVersion(owner, name),
        this.#table.get(contentKey(owner, name)),
      ]);
      const content = left ? contentFrom(left) : EMPTY;
      const change = { block: { ...definition, content }, lines: [], changedAt: createdAt, author };
      const emptied = last > 0 || left ? contentWrite(owner, change, last) : undefined;

      try {
        await this.#table.transact([
          standing(owner, agentOwner),
          { put: item, if: absent("pk") },
          {
            update: customBlocksKey(owner),
            changes: { add: { creations: 1 }, set: { updated_at: createdAt } },
            if: creations === 0 ? absent("creations") : equals("creations", creations),
          },
          ...(emptied?.actions ?? []),
        ]);
        return { ...definition, content: emptied?.saved ?? EMPTY };
      } catch (error) {
        if (!(error instanceof TransactionRefused)) throw error;
        if (error.failed.has(AGENT)) throw notFound("Agent");
        const standingItem = error.failed.get(DEFINITION);
        if (!standingItem && error.failed.has(CREATIONS)) return undefined;
        if (!standingItem) throw error;
        const isOurs = creationId !== undefined && standingItem["creation_id"] === creationId;
        return isOurs ? { ...definitionFrom(standingItem), content: EMPTY } : "taken";
      }
    });
  }

  /** Changes a definition if the block is still as it was read; false if it is not. */
  async define(
    owner: MemoryOwner,
    agentOwner: string,
    block: Block,
    changes: DefinitionChanges,
    changedAt: string,
  ): Promise<boolean> {
    const set = { ...definitionAttributes(changes), updated_at: changedAt };
    return this.#tried(
      this.#table.transact([
        standing(owner, agentOwner),
        {
          update: definitionKey(owner, block.name),
          changes: { set },
          if: all(present("pk"), asDefined(block)),
        },
        { check: contentKey(owner, block.name), if: unchangedSince(block.content.revision) },
      ]),
    );
  }

  /**
   * Removes a block and its content, if it is still as it was read; false if it is not. Its versions stay. Content that
   * no version tells of becomes one first.
   */
  async remove(owner: MemoryOwner, agentOwner: string, block: Block, removedAt: string): Promise<boolean> {
    const { name, content } = block;
    const last = isUnversioned(content) ? await this.#lastVersion(owner, name) : 0;

    return this.#tried(
      this.#table.transact([
        standing(owner, agentOwner),
        { remove: definitionKey(owner, name), if: asDefined(block) },
        { remove: contentKey(owner, name), if: unchangedSince(content.revision) },
        { remove: warningKey(owner, name) },
        ...importOf(owner, block, last, removedAt),
      ]),
    );
  }

  /**
   * Saves a block's content and the version that tells of it, if the block is still what the change was made from, and
   * the agent still stands. One request, unless a writer that knows no versions has dropped the block's number.
   */
  async saveContent(owner: MemoryOwner, agentOwner: string, change: ContentChange): Promise<SaveOutcome> {
    const { block, conversationId } = change;
    const inConversation: readonly WriteAction[] =
      conversationId === undefined
        ? []
        : [{ check: conversationKey(spaceOfMemory(owner, agentOwner), conversationId), if: isLive }];
    let last: number | undefined = block.content.revision?.version ?? 0;

    return this.#untilNumbered(async () => {
      const { saved, actions } = contentWrite(
        owner,
        change,
        last ?? (await this.#lastVersion(owner, block.name)),
      );
      last = undefined;

      try {
        await this.#table.transact([
          standing(owner, agentOwner),
          { check: definitionKey(owner, block.name), if: asDefined(block) },
          ...actions,
          ...inConversation,
          ...(change.along?.(saved) ?? []),
        ]);
        return { saved };
      } catch (error) {
        if (!(error instanceof TransactionRefused)) throw error;
        if (error.failed.has(AGENT)) throw notFound("Agent");
        if (inConversation.length > 0 && error.failed.has(CONTENT + actions.length))
          throw notFound("Conversation");
        if (error.failed.has(DEFINITION) || error.failed.has(CONTENT))
          return { current: blockInTheWay(block, error) };
        throw error;
      }
    });
  }

  /** The number of the newest version under a name; 0 where there is none. */
  async #lastVersion(owner: MemoryOwner, name: string): Promise<number> {
    const range = { beginsWith: versionPrefix(owner, name) };
    const { items } = await this.#table.queryPage(memoryPartition(owner.agentId, owner.userId), {
      range,
      newestFirst: true,
      limit: 1,
    });
    const [newest] = items;
    return newest ? versionFrom(newest).version : 0;
  }

  /** Makes an attempt again that was refused for nothing but a number that is taken. */
  async #untilNumbered<T>(attempt: () => Promise<T>): Promise<T> {
    for (let left = NUMBERINGS - 1; ; left--) {
      try {
        return await attempt();
      } catch (error) {
        if (!(error instanceof TransactionRefused) || left === 0) throw error;
      }
    }
  }

  /** Whether a transaction was made; false where others were faster. Throws a 404 where the agent has gone. */
  async #tried(transaction: Promise<void>): Promise<boolean> {
    try {
      await transaction;
      return true;
    } catch (error) {
      if (!(error instanceof TransactionRefused)) throw error;
      if (error.failed.has(AGENT)) throw notFound("Agent");
      return false;
    }
  }
}

const standing = (owner: MemoryOwner, agentOwner: string): WriteAction => ({
  check: homeKey(spaceOfMemory(owner, agentOwner), owner.agentId),
  if: isLive,
});

/** The block as others have made it, as far as it stood in a transaction's way; nothing where they have deleted it. */
function blockInTheWay(block: Block, { failed }: TransactionRefused): Block | undefined {
  const definition = failed.get(DEFINITION);
  if (failed.has(DEFINITION) && !definition) return undefined;

  const content = failed.get(CONTENT);
  const current = failed.has(CONTENT) ? (content ? contentFrom(content) : EMPTY) : block.content;
  return { ...block, ...(definition && definitionFrom(definition)), content: current };
}

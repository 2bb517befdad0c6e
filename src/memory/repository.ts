import type { AccountEmail } from "../shared/id-types.ts";
import { scopeOfMemory, homeKey, conversationKey } from "../access/access-scope.ts";
import { notFound } from "../shared/errors.ts";
import type { TableClient } from "../table/client.ts";
import type { WriteAction } from "../table/requests.ts";
import { isLive } from "../table/deletion.ts";
import { type Refusal, TransactionRefused } from "../table/errors.ts";
import { absent, all, equals, present } from "../table/expressions.ts";
import { optionalCount } from "../table/fields.ts";
import { memoryPartition } from "../table/keys.ts";
import {
  asDefined,
  type ContentChange,
  contentWrite,
  importOf,
  isUnversioned,
  markRestored,
  unchangedSince,
} from "./block-version-writes.ts";
import { warningKey } from "./capacity-model.ts";
import { NO_RECORD, type RecordChange } from "./change-records.ts";
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

/** The saved content, or, if the block was changed concurrently, the current block; `undefined` if it was deleted. */
export type SaveOutcome = { readonly saved: BlockContent } | { readonly current: Block | undefined };

/** How often a change tries to get a version number. One attempt is enough unless others write concurrently. */
const NUMBERINGS = 4;

/** The index of the creation counter in the transaction of `create`. */
const CREATIONS = 2;
/** The indexes of the actions in the transactions below. */
const AGENT = 0;
const DEFINITION = 1;
const CONTENT = 2;

/** Core memory blocks in the table: a definition and a content item each, written together with their versions. */
export class MemoryRepository {
  readonly #table: TableClient;

  constructor({ table }: { readonly table: TableClient }) {
    this.#table = table;
  }

  /** Returns the core memory blocks, sorted by name; empty if the memory does not exist yet. */
  async blocks(owner: MemoryOwner): Promise<readonly Block[]> {
    const items = await this.#table.query(memoryPartition(owner.agentId, owner.userId), {
      range: CORE_MEMORY_RANGE,
    });
    return blocksFrom(owner, items);
  }

  /** Returns how many custom blocks were ever created. Read it before the blocks, to detect blocks created since. */
  async creations(owner: MemoryOwner): Promise<number> {
    const item = await this.#table.get(customBlocksKey(owner));
    return (item && optionalCount(item, "creations")) ?? 0;
  }

  /** Creates a memory with these blocks. Does nothing if one of them exists already or the agent is gone. */
  async begin(
    owner: MemoryOwner,
    accountEmail: AccountEmail,
    definitions: readonly BlockDefinition[],
  ): Promise<void> {
    // If refused, another request has created the memory, or the agent was just deleted. Both need no action.
    await this.#table.tryTransact([
      ...definitions.map((definition) => ({ put: definitionItem(owner, definition), if: absent("pk") })),
      agentIsLive(owner, accountEmail),
    ]);
  }

  /**
   * Creates an empty block. Returns `"taken"` if another block has its name, and `undefined` if blocks were created
   * since `creations` was read. If the name has earlier versions, the empty content becomes the next one. A repeated
   * request with the same `creationId` gets the block that it has created. Throws `not-found` if the agent is gone.
   */
  async create(
    owner: MemoryOwner,
    accountEmail: AccountEmail,
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

    return this.#retryTakenNumber<Block | "taken" | undefined>(async () => {
      const [last, leftover] = await Promise.all([
        this.#lastVersion(owner, name),
        this.#table.get(contentKey(owner, name)),
      ]);
      const content = leftover ? contentFrom(leftover) : EMPTY;
      const change = { block: { ...definition, content }, lines: [], changedAt: createdAt, author };
      const emptied = last > 0 || leftover ? contentWrite(owner, change, last) : undefined;

      const refusal = await this.#table.transactOrRefusal([
        agentIsLive(owner, accountEmail),
        { put: item, if: absent("pk") },
        {
          update: customBlocksKey(owner),
          changes: { add: { creations: 1 }, set: { updated_at: createdAt } },
          if: creations === 0 ? absent("creations") : equals("creations", creations),
        },
        ...(emptied?.actions ?? []),
      ]);
      if (!refusal) return { result: { ...definition, content: emptied?.saved ?? EMPTY } };
      if (refusal.has(AGENT)) throw notFound("Agent");
      const existing = refusal.get(DEFINITION);
      if (!existing) return refusal.has(CREATIONS) ? { result: undefined } : { refusal };
      const isOurs = creationId !== undefined && existing["creation_id"] === creationId;
      return { result: isOurs ? { ...definitionFrom(existing), content: EMPTY } : "taken" };
    });
  }

  /** Changes a definition. Returns false if the block was changed since. Throws `not-found` if the agent is gone. */
  async define(
    owner: MemoryOwner,
    accountEmail: AccountEmail,
    block: Block,
    changes: DefinitionChanges,
    changedAt: string,
  ): Promise<boolean> {
    const set = { ...definitionAttributes(changes), updated_at: changedAt };
    return this.#isWritten([
      agentIsLive(owner, accountEmail),
      {
        update: definitionKey(owner, block.name),
        changes: { set },
        if: all(present("pk"), asDefined(block)),
      },
      { check: contentKey(owner, block.name), if: unchangedSince(block.content.revision) },
    ]);
  }

  /**
   * Removes a block and its content. Returns false if it was changed since it was read. Its versions are kept, and
   * unversioned content is saved as a version. Throws `not-found` if the agent is gone.
   */
  async remove(
    owner: MemoryOwner,
    accountEmail: AccountEmail,
    block: Block,
    removedAt: string,
    record: RecordChange = NO_RECORD,
  ): Promise<boolean> {
    const { name, content } = block;
    const last = isUnversioned(content) ? await this.#lastVersion(owner, name) : 0;

    return this.#isWritten([
      agentIsLive(owner, accountEmail),
      { remove: definitionKey(owner, name), if: asDefined(block) },
      { remove: contentKey(owner, name), if: unchangedSince(content.revision) },
      { remove: warningKey(owner, name) },
      ...importOf(owner, block, last, removedAt),
      ...record(owner, { action: "removed", subject: { block: name }, by: "user", runId: null }),
    ]);
  }

  /**
   * Saves a block's content and its version, if the block is unchanged since it was read. Takes one request, unless a
   * writer without versions has removed the block's version number. Throws `not-found` if the agent, the conversation
   * or the version to restore is gone.
   */
  async saveContent(
    owner: MemoryOwner,
    accountEmail: AccountEmail,
    change: ContentChange,
  ): Promise<SaveOutcome> {
    const { block, conversationId, restores, author, record = NO_RECORD } = change;
    const runId = "runId" in author ? author.runId : null;
    const inConversation: readonly WriteAction[] =
      conversationId === undefined
        ? []
        : [{ check: conversationKey(scopeOfMemory(owner, accountEmail), conversationId), if: isLive }];
    const restoredMark =
      restores === undefined ? [] : [markRestored(owner, block.name, restores, change.changedAt)];
    // At least `restores`, even if the block's number is lower: a transaction can't write the same version twice.
    let last: number | undefined = Math.max(block.content.revision?.version ?? 0, restores ?? 0);

    return this.#retryTakenNumber<SaveOutcome>(async () => {
      const { saved, actions } = contentWrite(
        owner,
        change,
        last ?? (await this.#lastVersion(owner, block.name)),
      );
      last = undefined;

      const refusal = await this.#table.transactOrRefusal([
        agentIsLive(owner, accountEmail),
        { check: definitionKey(owner, block.name), if: asDefined(block) },
        ...actions,
        ...inConversation,
        ...restoredMark,
        ...(change.alongside?.(saved) ?? []),
        ...record(owner, {
          action: "updated",
          subject: { block: block.name, version: saved.revision.version },
          by: author.by,
          runId,
        }),
      ]);
      if (!refusal) return { result: { saved } };
      if (refusal.has(AGENT)) throw notFound("Agent");
      if (inConversation.length > 0 && refusal.has(CONTENT + actions.length)) throw notFound("Conversation");
      if (restores !== undefined && refusal.has(CONTENT + actions.length + inConversation.length))
        throw notFound(`Version ${restores} of memory block '${block.name}'`);
      return refusal.has(DEFINITION) || refusal.has(CONTENT)
        ? { result: { current: currentBlock(block, refusal) } }
        : { refusal };
    });
  }

  /** Returns the number of the newest version under a name; 0 if there is none. */
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

  /** Repeats an attempt that was refused, which means that its version number was taken concurrently. */
  async #retryTakenNumber<T>(attempt: () => Promise<Attempt<T>>): Promise<T> {
    for (let left = NUMBERINGS - 1; ; left--) {
      const outcome = await attempt();
      if ("result" in outcome) return outcome.result;
      if (left === 0) throw new TransactionRefused(outcome.refusal);
    }
  }

  /** Returns false if a concurrent change refused the transaction. Throws `not-found` if the agent is gone. */
  async #isWritten(actions: readonly WriteAction[]): Promise<boolean> {
    const refusal = await this.#table.transactOrRefusal(actions);
    if (refusal?.has(AGENT)) throw notFound("Agent");
    return refusal === undefined;
  }
}

/** Checks that the agent exists and is not being deleted. */
const agentIsLive = (owner: MemoryOwner, accountEmail: AccountEmail): WriteAction => ({
  check: homeKey(scopeOfMemory(owner, accountEmail), owner.agentId),
  if: isLive,
});

/** The result of an attempt, or the refusal of a transaction whose version number was taken concurrently. */
type Attempt<T> = { readonly result: T } | { readonly refusal: Refusal };

/** Returns the current block, as far as its failed conditions show it; `undefined` if it was deleted. */
function currentBlock(block: Block, failed: Refusal): Block | undefined {
  const definition = failed.get(DEFINITION);
  if (failed.has(DEFINITION) && !definition) return undefined;

  const content = failed.get(CONTENT);
  const current = failed.has(CONTENT) ? (content ? contentFrom(content) : EMPTY) : block.content;
  return { ...block, ...(definition && definitionFrom(definition)), content: current };
}

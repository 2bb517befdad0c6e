import { notFound } from "../shared/errors.ts";
import { agentKey } from "../agents/model.ts";
import { assertFits, type TableClient } from "../table/client.ts";
import { isLive } from "../table/deletion.ts";
import { TransactionRefused } from "../table/errors.ts";
import { absent, all, any, type Condition, equals } from "../table/expressions.ts";
import { memoryPartition } from "../table/keys.ts";
import {
  type Block,
  type BlockContent,
  type BlockDefinition,
  type BlockRevision,
  blocksFrom,
  contentFrom,
  contentItem,
  contentKey,
  CORE_MEMORY_RANGE,
  definitionItem,
  type MemoryOwner,
} from "./model.ts";

/** A block's new content, and the content it was made from. */
export interface ContentChange {
  readonly name: string;
  readonly lines: readonly string[];
  readonly base: BlockContent;
  readonly changedAt: string;
}

/** Either the content as saved, or what somebody else had made of it meanwhile. */
export type SaveOutcome = { readonly saved: BlockContent } | { readonly current: BlockContent };

const CONTENT_WRITE = 0;

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

  /** Begins a memory with these blocks. Blocks that are there already stay as they are, whoever made them. */
  async begin(
    owner: MemoryOwner,
    agentOwner: string,
    definitions: readonly BlockDefinition[],
  ): Promise<void> {
    try {
      await this.#table.transact([
        ...definitions.map((definition) => ({ put: definitionItem(owner, definition), if: absent("pk") })),
        { check: agentKey(agentOwner, owner.agentId), if: isLive },
      ]);
    } catch (error) {
      // Begun by another request at the same time, or the agent has just gone: nothing to do in either case.
      if (!(error instanceof TransactionRefused)) throw error;
    }
  }

  /** Saves a block's content if it is still what the change was made from, and the agent still stands. */
  async saveContent(owner: MemoryOwner, agentOwner: string, change: ContentChange): Promise<SaveOutcome> {
    const { name, lines, base, changedAt } = change;
    const revision = { version: (base.revision?.version ?? 0) + 1, updatedAt: changedAt };
    const saved = { lines, createdAt: base.createdAt || changedAt, revision };
    const { pk: _pk, sk: _sk, created_at, ...attributes } = contentItem(owner, name, saved);
    assertFits(contentItem(owner, name, saved));

    try {
      await this.#table.transact([
        {
          update: contentKey(owner, name),
          changes: { set: attributes, setIfAbsent: { created_at: created_at ?? changedAt } },
          if: unchangedSince(base.revision),
        },
        { check: agentKey(agentOwner, owner.agentId), if: isLive },
      ]);
      return { saved };
    } catch (error) {
      if (!(error instanceof TransactionRefused)) throw error;
      if (!error.failed.has(CONTENT_WRITE)) throw notFound("Agent");

      const current = error.failed.get(CONTENT_WRITE);
      return { current: current ? contentFrom(current) : { lines: [], createdAt: "", revision: undefined } };
    }
  }
}

/** Holds while nobody has written the block since; writers that know no versions change the time. */
function unchangedSince(revision: BlockRevision | undefined): Condition {
  if (!revision) return absent("pk");
  if (revision.version > 0) return equals("version", revision.version);

  const { updatedAt } = revision;
  const sameTime =
    updatedAt === null
      ? any(absent("updated_at"), equals("updated_at", null))
      : equals("updated_at", updatedAt);
  return all(absent("version"), sameTime);
}

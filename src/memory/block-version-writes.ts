import type { ConversationId } from "../shared/id-types.ts";
import { assertFits } from "../table/client.ts";
import type { WriteAction } from "../table/requests.ts";
import { absent, all, any, type Condition, equals, present } from "../table/expressions.ts";
import {
  type Block,
  type BlockContent,
  type BlockDefinition,
  type BlockRevision,
  contentItem,
  contentKey,
  type MemoryOwner,
} from "./model.ts";
import type { RecordChange } from "./change-records.ts";
import { type Author, RESTORED, versionItem, versionKey } from "./version-model.ts";

/** A block's new content, and the block that it is based on. */
export interface ContentChange {
  readonly block: Block;
  readonly lines: readonly string[];
  readonly changedAt: string;
  readonly author: Author;
  /** The conversation in which an agent makes the change. If it is gone, the change is refused. */
  readonly conversationId?: ConversationId;
  /** The version whose lines are restored. If it is gone, the change is refused. */
  readonly restores?: number;
  /** Actions to write in the same transaction. They must not have conditions. */
  readonly alongside?: (saved: SavedContent) => readonly WriteAction[];
  /** Records the change for the account's webhooks. */
  readonly record?: RecordChange;
}

/** Content that has been saved with a version. */
type SavedContent = BlockContent & { readonly revision: BlockRevision };

/** Returns the actions that write a block's content, and the content as saved. `last` is the newest version. */
export function contentWrite(
  owner: MemoryOwner,
  { block, lines, changedAt, author, restores }: ContentChange,
  last: number,
) {
  const { name, content } = block;
  const imported = importOf(owner, block, last, changedAt);
  const version = last + imported.length + 1;
  const revision = { version, updatedAt: changedAt };
  const saved = { lines, createdAt: content.createdAt || changedAt, revision };
  const item = contentItem(owner, name, saved);
  const { pk: _pk, sk: _sk, created_at, ...attributes } = item;
  assertFits(item);

  const actions: readonly WriteAction[] = [
    {
      update: contentKey(owner, name),
      changes: { set: attributes, setIfAbsent: { created_at: created_at ?? changedAt } },
      if: unchangedSince(content.revision),
    },
    ...imported,
    {
      put: versionItem(owner, name, { version, lines, author, createdAt: changedAt, restores }),
      if: absent("pk"),
    },
  ];
  return { saved, actions };
}

/** Marks a version as restored, so that thinning keeps it. */
export const markRestored = (
  owner: MemoryOwner,
  name: string,
  version: number,
  restoredAt: string,
): WriteAction => ({
  update: versionKey(owner, name, version),
  changes: { set: { [RESTORED]: restoredAt } },
  if: present("pk"),
});

/** Returns the action that saves unversioned content as a version before its first change; none if it is versioned. */
export function importOf(
  owner: MemoryOwner,
  { name, content }: Block,
  last: number,
  changedAt: string,
): readonly WriteAction[] {
  if (!isUnversioned(content)) return [];

  const createdAt = content.revision?.updatedAt || content.createdAt || changedAt;
  const imported = { version: last + 1, lines: content.lines, author: { by: "import" }, createdAt } as const;
  return [{ put: versionItem(owner, name, imported), if: absent("pk") }];
}

/** Returns whether content was last written by a writer without versions, such as the legacy Python service. */
export const isUnversioned = ({ revision }: BlockContent): boolean => revision?.version === 0;

/** The condition that a definition is unchanged. Default blocks may be edited before their definition is stored. */
export function asDefined({ isDefault, updatedAt }: BlockDefinition): Condition {
  return isDefault ? sameTime(updatedAt) : all(present("pk"), sameTime(updatedAt));
}

/** The condition that a block's content is unchanged. Writers without versions change only the time. */
export function unchangedSince(revision: BlockRevision | undefined): Condition {
  if (!revision) return absent("pk");
  if (revision.version > 0) return equals("version", revision.version);
  return all(present("pk"), absent("version"), sameTime(revision.updatedAt));
}

const sameTime = (updatedAt: string | null): Condition =>
  updatedAt === null
    ? any(absent("updated_at"), equals("updated_at", null))
    : equals("updated_at", updatedAt);

import { assertFits, type WriteAction } from "../table/client.ts";
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
import { type Author, versionItem } from "./version-model.ts";

/** A block's new content, and the block that it was made from. */
export interface ContentChange {
  readonly block: Block;
  readonly lines: readonly string[];
  readonly changedAt: string;
  readonly author: Author;
  /** The conversation in which an agent makes the change: a change in one that is gone is not made. */
  readonly conversationId?: string;
  /** What is written together with the change, without conditions of its own. */
  readonly along?: (saved: SavedContent) => readonly WriteAction[];
}

/** Content that a version tells of. */
type SavedContent = BlockContent & { readonly revision: BlockRevision };

/** What a change of a block's content writes; `last` is the number of the newest version. */
export function contentWrite(
  owner: MemoryOwner,
  { block, lines, changedAt, author }: ContentChange,
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
    { put: versionItem(owner, name, { version, lines, author, createdAt: changedAt }), if: absent("pk") },
  ];
  return { saved, actions };
}

/** Keeps content that no version tells of as one, before it is changed for the first time. */
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

/** Whether content was last written by a writer that knows no versions. */
export const isUnversioned = ({ revision }: BlockContent): boolean => revision?.version === 0;

/** Holds while nobody has changed or deleted the block. Default blocks may be edited before they are stored. */
export function asDefined({ isDefault, updatedAt }: BlockDefinition): Condition {
  return isDefault ? sameTime(updatedAt) : all(present("pk"), sameTime(updatedAt));
}

/** Holds while nobody has written the block since; writers that know no versions change the time. */
export function unchangedSince(revision: BlockRevision | undefined): Condition {
  if (!revision) return absent("pk");
  if (revision.version > 0) return equals("version", revision.version);
  return all(present("pk"), absent("version"), sameTime(revision.updatedAt));
}

const sameTime = (updatedAt: string | null): Condition =>
  updatedAt === null
    ? any(absent("updated_at"), equals("updated_at", null))
    : equals("updated_at", updatedAt);

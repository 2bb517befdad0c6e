import { countWords } from "../shared/text.ts";
import { count, flag, optionalCount, optionalText, renamed, text, texts } from "../table/fields.ts";
import { memoryPartition } from "../table/keys.ts";
import type { Item, Key } from "../table/marshal.ts";

/** Whose memory: an agent's memory of one user. */
export interface MemoryOwner {
  readonly agentId: string;
  readonly userId: string;
}

/** What a block is for, and how much it may hold. */
export interface BlockDefinition {
  readonly name: string;
  readonly description: string;
  readonly wordLimit: number;
  readonly isDefault: boolean;
  readonly createdAt: string;
  /** Null while nobody has changed it. */
  readonly updatedAt: string | null;
}

/** What may be changed of a definition; absent members stay as they are. */
export type DefinitionChanges = Partial<Pick<BlockDefinition, "description" | "wordLimit">>;

/** The state of a block's content that a write was based on. */
export interface BlockRevision {
  /** The number of the version that tells of it; 0 where another writer of the table, who knows none, was the last. */
  readonly version: number;
  readonly updatedAt: string | null;
}

/** What stands in a block; `revision` is nothing while it was never written. */
export interface BlockContent {
  readonly lines: readonly string[];
  readonly createdAt: string;
  readonly revision: BlockRevision | undefined;
}

/** A core memory block with its content. */
export interface Block extends BlockDefinition {
  readonly content: BlockContent;
}

/** Words per block where nothing else was said. */
export const DEFAULT_WORD_LIMIT = 5_000;

/** The blocks every memory begins with. */
const DEFAULT_BLOCKS = [
  { name: "human", description: "Facts about the user" },
  { name: "persona", description: "Your traits and characteristics" },
] as const;

const DEFINITION_PREFIX = "MemoryBlockDef#";
const CONTENT_PREFIX = "CoreMemory#";

/** Whether only a default block may have this name. */
export const isReservedName = (name: string): boolean => DEFAULT_BLOCKS.some((block) => block.name === name);

/** The sort keys that hold core memory: warnings, contents and definitions, and nothing else. */
export const CORE_MEMORY_RANGE = { between: ["CapacityWarning#", `${DEFINITION_PREFIX}~`] } as const;

export const blockId = ({ agentId, userId }: MemoryOwner, name: string): string =>
  `${agentId}:${userId}:${name}`;

export const definitionKey = (owner: MemoryOwner, name: string): Key => ({
  pk: memoryPartition(owner.agentId, owner.userId),
  sk: `${DEFINITION_PREFIX}${blockId(owner, name)}`,
});

export const contentKey = (owner: MemoryOwner, name: string): Key => ({
  pk: memoryPartition(owner.agentId, owner.userId),
  sk: `${CONTENT_PREFIX}${blockId(owner, name)}`,
});

/** Tells blocks that are made at the same time of each other; it lies behind everything that a turn reads. */
export const customBlocksKey = (owner: MemoryOwner): Key => ({
  pk: memoryPartition(owner.agentId, owner.userId),
  sk: "MemoryBlocks#custom",
});

/** The definitions that a new memory begins with. */
export const defaultDefinitions = (createdAt: string): readonly BlockDefinition[] =>
  DEFAULT_BLOCKS.map((block) => ({
    ...block,
    wordLimit: DEFAULT_WORD_LIMIT,
    isDefault: true,
    createdAt,
    updatedAt: null,
  }));

/** Attribute names of what may be changed of a definition, by member. */
const CHANGEABLE = {
  description: "description",
  wordLimit: "word_limit",
} as const satisfies Record<keyof DefinitionChanges, string>;

/** Changes of a definition as attributes of the stored item. */
export const definitionAttributes = (changes: DefinitionChanges): Item => renamed(changes, CHANGEABLE);

export const definitionItem = (owner: MemoryOwner, definition: BlockDefinition): Item => ({
  ...definitionKey(owner, definition.name),
  agent_id: owner.agentId,
  user_id: owner.userId,
  block_id: blockId(owner, definition.name),
  block_name: definition.name,
  description: definition.description,
  word_limit: definition.wordLimit,
  is_default: definition.isDefault,
  created_at: definition.createdAt,
});

/** A block's content as it is stored after a write. */
export const contentItem = (
  owner: MemoryOwner,
  name: string,
  content: {
    readonly lines: readonly string[];
    readonly createdAt: string;
    readonly revision: BlockRevision;
  },
): Item => ({
  ...contentKey(owner, name),
  agent_id: owner.agentId,
  user_id: owner.userId,
  block_id: blockId(owner, name),
  block_name: name,
  lines: content.lines,
  word_count: wordsIn(content.lines),
  created_at: content.createdAt,
  updated_at: content.revision.updatedAt,
  version: content.revision.version,
});

export const definitionFrom = (item: Item): BlockDefinition => ({
  name: text(item, "block_name"),
  description: text(item, "description"),
  wordLimit: count(item, "word_limit", DEFAULT_WORD_LIMIT),
  isDefault: flag(item, "is_default"),
  createdAt: text(item, "created_at"),
  updatedAt: optionalText(item, "updated_at"),
});

export const contentFrom = (item: Item): BlockContent => ({
  lines: texts(item, "lines"),
  createdAt: text(item, "created_at"),
  revision: { version: optionalCount(item, "version") ?? 0, updatedAt: text(item, "updated_at") || null },
});

/** The content of a block that was never written. */
export const EMPTY: BlockContent = { lines: [], createdAt: "", revision: undefined };

/** The blocks among the items of `CORE_MEMORY_RANGE`, by name; none where the memory was never begun. */
export function blocksFrom(owner: MemoryOwner, items: readonly Item[]): readonly Block[] {
  const contents = new Map(items.map((item) => [text(item, "sk"), item]));

  return items
    .filter((item) => text(item, "sk").startsWith(DEFINITION_PREFIX))
    .map((item) => {
      const definition = definitionFrom(item);
      const content = contents.get(contentKey(owner, definition.name).sk);
      return { ...definition, content: content ? contentFrom(content) : EMPTY };
    });
}

/** The blocks of a memory that is just beginning. */
export const emptyBlocks = (definitions: readonly BlockDefinition[]): readonly Block[] =>
  definitions.map((definition) => ({ ...definition, content: EMPTY }));

/** Words in a block: the sum over its lines. */
export const wordsIn = (lines: readonly string[]): number =>
  lines.reduce((sum, line) => sum + countWords(line), 0);

/**
 * A block's name as models write it, brought to its stored form: `"Human - Facts about the user"` → `human`,
 * `"My Custom Block"` → `my_custom_block`.
 */
export function normalizeBlockName(name: string): string {
  const [head = ""] = name.split(" - ", 1);
  return head
    .trim()
    .toLowerCase()
    .replaceAll(/[\s-]+/gu, "_")
    .replaceAll(/[^a-z0-9_]/gu, "")
    .replaceAll(/_+/gu, "_")
    .replaceAll(/^_|_$/gu, "");
}

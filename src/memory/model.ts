import type { AgentId } from "../shared/id-types.ts";
import { countWords } from "../shared/text.ts";
import { count, flag, optionalCount, optionalText, renamed, text, texts } from "../table/fields.ts";
import { memoryPartition } from "../table/keys.ts";
import type { Item, Key } from "../table/marshal.ts";

/** Identifies a memory: an agent's memory of one user. */
export interface MemoryOwner {
  readonly agentId: AgentId;
  readonly userId: string;
}

/** A block's purpose and its limit. */
export interface BlockDefinition {
  readonly name: string;
  readonly description: string;
  readonly wordLimit: number;
  readonly isDefault: boolean;
  readonly createdAt: string;
  /** Null if the definition was never changed. */
  readonly updatedAt: string | null;
}

/** The members of a definition that callers can change, and the names of their attributes. */
const CHANGEABLE = { description: "description", wordLimit: "word_limit" } as const;

/** The changes of a definition. Absent members keep their values. */
export type DefinitionChanges = Partial<Pick<BlockDefinition, keyof typeof CHANGEABLE>>;

/** Identifies a state of a block's content, for conditional writes. */
export interface BlockRevision {
  /** The version's number; 0 if it was last written by a writer without versions, such as the legacy Python service. */
  readonly version: number;
  readonly updatedAt: string | null;
}

/** A block's lines. `revision` is `undefined` if they were never written. */
export interface BlockContent {
  readonly lines: readonly string[];
  readonly createdAt: string;
  readonly revision: BlockRevision | undefined;
}

/** A core memory block with its content. */
export interface Block extends BlockDefinition {
  readonly content: BlockContent;
}

/** The default word limit of a block. */
export const DEFAULT_WORD_LIMIT = 5_000;

/** The blocks that every new memory has. */
const DEFAULT_BLOCKS = [
  { name: "human", description: "Facts about the user" },
  { name: "persona", description: "Your traits and characteristics" },
] as const;

const DEFINITION_PREFIX = "MemoryBlockDef#";
const CONTENT_PREFIX = "CoreMemory#";

/** Returns whether the name is reserved for a default block. */
export const isReservedName = (name: string): boolean => DEFAULT_BLOCKS.some((block) => block.name === name);

/** The range of sort keys with exactly the items of core memory: warnings, contents and definitions. */
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

/** The key of the counter that detects concurrently created blocks. It is outside the range that a turn reads. */
export const customBlocksKey = (owner: MemoryOwner): Key => ({
  pk: memoryPartition(owner.agentId, owner.userId),
  sk: "MemoryBlocks#custom",
});

/** Returns the definitions of a new memory. */
export const defaultDefinitions = (createdAt: string): readonly BlockDefinition[] =>
  DEFAULT_BLOCKS.map((block) => ({
    ...block,
    wordLimit: DEFAULT_WORD_LIMIT,
    isDefault: true,
    createdAt,
    updatedAt: null,
  }));

/** Returns changes of a definition as attributes of the stored item. */
export const definitionAttributes = (changes: DefinitionChanges): Item => renamed(changes, CHANGEABLE);

export const definitionItem = (owner: MemoryOwner, definition: BlockDefinition): Item => ({
  ...definitionKey(owner, definition.name),
  agent_id: owner.agentId,
  user_id: owner.userId,
  block_id: blockId(owner, definition.name),
  block_name: definition.name,
  ...definitionAttributes(definition),
  is_default: definition.isDefault,
  created_at: definition.createdAt,
});

/** Returns the item that stores a block's content. */
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

/** Returns the blocks among the items of `CORE_MEMORY_RANGE`, sorted by name; none if the memory does not exist yet. */
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

/** Returns the blocks of a new memory. */
export const emptyBlocks = (definitions: readonly BlockDefinition[]): readonly Block[] =>
  definitions.map((definition) => ({ ...definition, content: EMPTY }));

/** Returns the number of words in all lines. */
export const wordsIn = (lines: readonly string[]): number =>
  lines.reduce((sum, line) => sum + countWords(line), 0);

/**
 * Converts a block's name from the form in which models write it to the stored form:
 * `"Human - Facts about the user"` → `human`,
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

import { countBurst } from "../access/burst-limit.ts";
import { NOBODYS_ID } from "../http/schemas.ts";
import type { Block } from "../memory/model.ts";
import { toMemoryView } from "../memory/archival-view.ts";
import { contentTag } from "../memory/view.ts";
import { criteriaFromQuery } from "../search/schemas.ts";
import { notFound } from "../shared/errors.ts";
import { isPlausibleId } from "../shared/ids.ts";
import type { McpCall } from "./access.ts";

/** What `memory_search` looks for. */
export interface SearchInput {
  readonly query: string;
  readonly limit: number;
  readonly after?: string | undefined;
  readonly before?: string | undefined;
}

/** Returns the best matches among the archival memories. Throws `AppError`. */
export async function searchMemories({ c, agent }: McpCall, { limit, ...parameters }: SearchInput) {
  await countBurst(c, "costly");
  const { deps, scope } = c.var;
  const criteria = criteriaFromQuery(parameters);
  const { hits, total, notes } = await deps.archivalService.search(
    scope,
    agent.id,
    criteria,
    limit,
    undefined,
  );
  const items = hits.map(({ memoryId, content, createdAt, occurredAt, score }) => ({
    memory_id: memoryId,
    content,
    created_at: createdAt,
    ...(occurredAt !== null && { occurred_at: occurredAt }),
    score,
  }));
  return { items, total, notes: [...notes] };
}

/** Stores an archival memory, or finds the one with this content. The result does not repeat what is stored. Throws `AppError`. */
export async function addMemory(
  { c, agent }: McpCall,
  input: { readonly content: string; readonly occurredAt: string | null },
) {
  const { deps, scope } = c.var;
  const { memory, created } = await deps.archivalService.insert(scope, agent.id, input);
  return { memory_id: memory.id, created };
}

/** Returns a whole archival memory. Throws `not-found` if there is none with this id. */
export async function readMemory({ c, agent }: McpCall, memoryId: string) {
  const { deps, scope } = c.var;
  const id = isPlausibleId(memoryId) ? memoryId : NOBODYS_ID;
  return toMemoryView(await deps.archivalService.get(scope, agent.id, id));
}

/** Returns all blocks of core memory with their lines. Throws `AppError`. */
export async function readBlocks({ c, agent }: McpCall) {
  const { deps, scope } = c.var;
  return { blocks: (await deps.memoryService.blocks(scope, agent.id)).map(toBlock) };
}

/** Returns the block of this name. Throws `not-found` if there is none. */
export const readBlock = ({ c, agent }: McpCall, name: string): Promise<Block> =>
  c.var.deps.memoryService.block(c.var.scope, agent.id, name);

/**
 * Replaces the lines of a block. The result does not repeat them. Throws `precondition-failed` if the block has changed since
 * the caller read it, and `not-found` if there is none.
 */
export async function editBlock(
  { c, agent }: McpCall,
  {
    block,
    lines,
    version,
  }: { readonly block: string; readonly lines: readonly string[]; readonly version: string },
) {
  const { deps, scope } = c.var;
  const isExpected = (content: Block["content"]) => versionOf(content) === version;
  // A malformed name is answered like an unknown one.
  if (block === "") throw notFound("Memory block");
  const edited = await deps.memoryService.replaceLines(scope, agent.id, block, lines, isExpected);
  return { block: edited.name, version: versionOf(edited.content) };
}

const toBlock = ({ name, description, wordLimit, content }: Block) => ({
  block: name,
  description,
  word_limit: wordLimit,
  version: versionOf(content),
  lines: [...content.lines],
});

/** The entity tag without its quotation marks, which models tend to lose. */
const versionOf = (content: Block["content"]): string => contentTag(content).replaceAll('"', "");

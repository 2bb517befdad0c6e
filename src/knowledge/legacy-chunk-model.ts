import { count, idAfter, optionalText, text } from "../table/fields.ts";
import type { KnowledgeBaseId } from "../shared/id-types.ts";
import { knowledgeBasePartition } from "../table/keys.ts";
import type { Item, Key } from "../table/marshal.ts";

export const CHUNK_PREFIX = "Chunk#";

/** A part of a page as the legacy Python service stored it. This service derives passages from pages and stores no chunks. */
export interface LegacyChunk {
  readonly id: string;
  readonly sourceUrl: string;
  readonly pageTitle: string | null;
  readonly index: number;
  readonly content: string;
  readonly wordCount: number;
  readonly parentId: string | null;
  readonly level: number;
  readonly createdAt: string;
}

export const chunkKey = (kbId: KnowledgeBaseId, id: string): Key => ({
  pk: knowledgeBasePartition(kbId),
  sk: `${CHUNK_PREFIX}${id}`,
});

export const legacyChunkFrom = (item: Item): LegacyChunk => ({
  id: text(item, "chunk_id") || idAfter(item, CHUNK_PREFIX),
  sourceUrl: text(item, "source_url"),
  pageTitle: optionalText(item, "page_title"),
  index: count(item, "chunk_index"),
  content: text(item, "content"),
  wordCount: count(item, "word_count"),
  parentId: optionalText(item, "parent_chunk_id"),
  level: count(item, "level"),
  createdAt: text(item, "created_at"),
});

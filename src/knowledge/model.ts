import {
  type AccountEmail,
  accountEmailOf,
  type KnowledgeBaseId,
  knowledgeBaseIdOf,
} from "../shared/id-types.ts";
import { DELETING, isBeingDeleted } from "../table/deletion.ts";
import { absent, all, any, type Condition, differs, present } from "../table/expressions.ts";
import { count, idAfter, optionalText, text } from "../table/fields.ts";
import { KNOWLEDGE_BASE_PREFIX, knowledgeBaseKey, userPartition } from "../table/keys.ts";
import type { Item, Key } from "../table/marshal.ts";

/** The crawl jobs of a base, in its partition. The partition of a job has its sort key as its name. */
export const CRAWL_JOB_PREFIX = "CrawlJob#";

/** How many knowledge bases an account may have, on every plan. */
export const MAX_KNOWLEDGE_BASES = 100;
export const MAX_NAME_CHARS = 200;
export const MAX_DESCRIPTION_CHARS = 2_000;

/** A knowledge base: pages and files that agents can search. */
export interface KnowledgeBase {
  readonly id: KnowledgeBaseId;
  readonly accountEmail: AccountEmail;
  readonly name: string;
  readonly description: string | null;
  /** The number of stored pages and files. */
  readonly totalPages: number;
  /** The number of passages of all pages. */
  readonly totalChunks: number;
  /** The number of vectors that the legacy Python service stored elsewhere; 0 on all newer bases. */
  readonly totalVectors: number;
  /** Only on bases of the legacy Python service. */
  readonly pineconeNamespace: string | null;
  readonly status: "active" | "deleted";
  readonly createdAt: string;
  readonly updatedAt: string | null;
}

/** Which knowledge base, and whose. */
export interface KnowledgeBaseRef {
  readonly accountEmail: AccountEmail;
  readonly kbId: KnowledgeBaseId;
}

/** The members that an update may change. Absent ones keep their values. */
export type KnowledgeBaseChanges = Partial<Pick<KnowledgeBase, "name" | "description">>;

/** The pages of a base as this service counts them, without those of the legacy Python service. */
export interface PageCounts {
  readonly pages: number;
  readonly chunks: number;
  /** Rises by one with every change of a page. */
  readonly version: number;
}

export const keyOfBase = ({ accountEmail, kbId }: KnowledgeBaseRef): Key =>
  knowledgeBaseKey(accountEmail, kbId);

/** The key of the item whose `version` rises with every creation, so that concurrent ones cannot exceed the ceiling. */
export const creationsKey = (accountEmail: AccountEmail): Key => ({
  pk: userPartition(accountEmail),
  sk: "KnowledgeBaseCreations",
});

/** Holds if the base exists and is not deleted. */
export const isActiveBase: Condition = all(
  present("pk"),
  absent(DELETING),
  any(absent("status"), differs("status", "deleted")),
);

/** Converts a new knowledge base, which has no pages, to its stored item. */
export const knowledgeBaseItem = (base: KnowledgeBase): Item => ({
  ...knowledgeBaseKey(base.accountEmail, base.id),
  entity_type: "KnowledgeBase",
  kb_id: base.id,
  name: base.name,
  description: base.description,
  page_count: 0,
  chunk_count: 0,
  page_version: 0,
  status: base.status,
  created_by: base.accountEmail,
  created_at: base.createdAt,
  updated_at: base.updatedAt,
});

/** Reads a knowledge base from its stored item. The legacy Python service counted pages under other names. */
export function knowledgeBaseFrom(item: Item): KnowledgeBase {
  const { pages, chunks } = pageCountsFrom(item);
  return {
    id: knowledgeBaseIdOf(text(item, "kb_id") || idAfter(item, KNOWLEDGE_BASE_PREFIX)),
    accountEmail: accountEmailOf(text(item, "created_by")),
    name: text(item, "name"),
    description: optionalText(item, "description"),
    totalPages: count(item, "total_pages") + pages,
    totalChunks: count(item, "total_chunks") + chunks,
    totalVectors: count(item, "total_vectors"),
    pineconeNamespace: optionalText(item, "pinecone_namespace"),
    status: isActive(item) ? "active" : "deleted",
    createdAt: text(item, "created_at"),
    updatedAt: optionalText(item, "updated_at"),
  };
}

export const pageCountsFrom = (item: Item): PageCounts => ({
  pages: count(item, "page_count"),
  chunks: count(item, "chunk_count"),
  version: count(item, "page_version"),
});

/** Returns whether a stored base is not deleted; the same as `isActiveBase`. */
export const isActive = (item: Item): boolean => !isBeingDeleted(item) && item["status"] !== "deleted";

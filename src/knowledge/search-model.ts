import type { SearchEvidence } from "../search/model.ts";
import type { FoundPassage, PageReading, PassageHit, TermUse } from "../search/passage-model.ts";
import type { KnowledgeBaseId, PageId } from "../shared/id-types.ts";
import type { KnowledgeBaseRef } from "./model.ts";

/** What a search of knowledge bases looks for. */
export interface SoughtPassages {
  readonly query: string;
  /** Further questions of the same search. Their results are merged with those of `query`. */
  readonly queries?: readonly string[];
}

/** A search in one knowledge base. */
export interface DocumentSearchRequest extends KnowledgeBaseRef, SoughtPassages {
  /** How many results to return, best first. */
  readonly limit: number;
  /** Whether the results are going to be compared with those of other bases. Takes a pass over the matches of each word. */
  readonly isCompared: boolean;
}

/** How far the pages of a base are indexed. */
export interface IndexingState {
  /** How many pages searches find, including one that is indexed in part. */
  readonly indexedPages: number;
  readonly totalPages: number;
}

/** The best results of a search in one knowledge base. */
export interface DocumentSearchAnswer {
  readonly hits: readonly PassageHit[];
  /** The number of results that a larger limit would return. */
  readonly total: number;
  readonly evidence: SearchEvidence;
  /** How the words of the questions are used, to compare the results with those of other bases; empty if they are not. */
  readonly uses: readonly TermUse[];
  /**
   * Machine-readable remarks: `index-building`, `index-rebuilt` once, `nothing-stored`, `nothing-matched`, `pages-left-out`, and on
   * embeddings.
   */
  readonly notes: readonly string[];
  /** How far the pages are indexed, or null if all of them are. */
  readonly indexing: IndexingState | null;
}

/** A request for one passage. */
export interface PassageRequest extends KnowledgeBaseRef {
  readonly passageId: string;
}

/** A request for the passages of a page, from a position on (0 is the first). */
export interface PageReadRequest extends KnowledgeBaseRef {
  readonly pageId: PageId;
  readonly from: number;
  /** The most characters of passages to return. At least one passage is returned. */
  readonly maxChars: number;
}

/** The indexes of knowledge bases. All methods throw `not-found` if the account has no such base. */
export interface DocumentIndexes {
  search(request: DocumentSearchRequest, timeoutMs?: number): Promise<DocumentSearchAnswer>;
  /** Returns a passage, or null if its page has changed or is gone. Throws `unavailable` while the index is being built. */
  passage(request: PassageRequest): Promise<FoundPassage | null>;
  /** Returns a part of a page, or null if there is no such page. */
  read(request: PageReadRequest, timeoutMs?: number): Promise<PageReading | null>;
  /** Removes the index of a base. Its pages, which are the source of truth, are not changed. */
  forget(kbId: KnowledgeBaseId): Promise<void>;
  /** Says that pages have changed, so that they are indexed before the next search. If it fails, the next search indexes them. */
  wake(base: KnowledgeBaseRef): Promise<void>;
}

import type { PageId } from "../shared/id-types.ts";
import type { PageVersion } from "./page-attempts.ts";

/** A passage of a page that is to be indexed. */
export interface IndexedPassage {
  /** Unique in the knowledge base. */
  readonly id: string;
  /** The headings above it, outermost first. */
  readonly headings: readonly string[];
  readonly text: string;
}

/** A page that is to be indexed, with its passages in the order of the page. */
export interface IndexedPage {
  readonly pageId: PageId;
  readonly version: number;
  readonly url: string | null;
  readonly title: string | null;
  readonly passages: readonly IndexedPassage[];
}

/** A page of which only the first passages are indexed so far, because it has too many for one step. */
export interface PartialPage extends PageVersion {
  /** How many passages are indexed. */
  readonly indexed: number;
  /** How many passages the page has. */
  readonly total: number;
}

/** A passage with what surrounds it on its page. */
export interface FoundPassage {
  readonly passageId: string;
  readonly pageId: PageId;
  /** The position on the page, from 0. */
  readonly position: number;
  readonly url: string | null;
  readonly title: string | null;
  readonly headings: readonly string[];
  /** The passage alone, in Markdown. */
  readonly text: string;
  /** The passage with its surroundings: up to 240 words, or the passage if it is longer. */
  readonly content: string;
  /** The address of the page with a text fragment that scrolls to the passage; null for an uploaded file. */
  readonly citationUrl: string | null;
}

/** A passage as it is read with its page. */
export type ReadPassage = Pick<FoundPassage, "passageId" | "position" | "headings" | "text">;

/** A part of a page. */
export interface PageReading extends Pick<FoundPassage, "url" | "title"> {
  readonly passages: readonly ReadPassage[];
  /** How many passages the page has, those included that are not indexed yet. */
  readonly total: number;
}

export interface PassageHit extends FoundPassage {
  readonly score: number;
}

/** How many passages of a base contain a word of a query, and which of the hits do (by their positions among the hits). */
export interface TermUse {
  readonly question: number;
  readonly match: string;
  readonly passages: number;
  readonly hits: readonly number[];
}

import { AppError } from "../shared/errors.ts";
import type { AccountEmail, KnowledgeBaseId, RunId } from "../shared/id-types.ts";
import type { FoundPassage, PageReading, ReadPassage } from "../search/passage-model.ts";
import type { Citation, KnowledgeSource } from "./citation-model.ts";
import { type KnowledgeAnswer, type KnowledgeHit, searchBases } from "./knowledge-search.ts";
import type { DocumentIndexes, SoughtPassages } from "./search-model.ts";

/** Which knowledge bases a turn may search, and for whom. */
export interface KnowledgePlace {
  /** The account that owns the agent and the bases. */
  readonly accountEmail: AccountEmail;
  readonly kbIds: readonly KnowledgeBaseId[];
  readonly runId: RunId;
}

/** Something with the number by which an answer refers to it. */
export interface Numbered<Found> {
  readonly found: Found;
  readonly citation: Citation;
}

/** The results of a search with their numbers. */
export interface NumberedAnswer extends Omit<KnowledgeAnswer, "hits"> {
  readonly hits: readonly Numbered<KnowledgeHit>[];
}

/** A part of a page, each passage with its number. */
export interface NumberedReading extends Omit<PageReading, "passages"> {
  readonly passages: readonly Numbered<ReadPassage>[];
}

/** A page that was found in a turn, and the position of the passage that was found. */
interface FoundPlace extends KnowledgeSource {
  readonly position: number;
}

/** How long a turn waits for a knowledge base, in milliseconds. */
const TOOL_MS = 8_000;
/** A memory names at most so many pages that were read before it was written, the last ones. */
const MAX_SOURCES = 10;

interface KnowledgeReaderDeps {
  readonly place: KnowledgePlace;
  readonly indexes: Pick<DocumentIndexes, "search" | "read">;
  /** What the turn has cited before it paused. Absent at its beginning. */
  readonly cited?: readonly Citation[] | undefined;
}

/**
 * Searches and reads the knowledge bases of an agent, for one turn. Callers pass no ids of bases, so they can't reach others.
 * Numbers the passages that it returns; the same passage keeps its number.
 */
export class KnowledgeReader {
  readonly #place: KnowledgePlace;
  readonly #indexes: KnowledgeReaderDeps["indexes"];
  readonly #citations = new Map<string, Citation>();
  readonly #found = new Map<number, FoundPlace>();
  readonly #sources = new Map<string, KnowledgeSource>();

  constructor({ place, indexes, cited = [] }: KnowledgeReaderDeps) {
    this.#place = place;
    this.#indexes = indexes;
    for (const citation of cited) this.#remember(citation);
  }

  /** The pages that this turn has read, the last ones if there are many. Memories that are written afterwards name them. */
  get sources(): readonly KnowledgeSource[] {
    return [...this.#sources.values()].slice(-MAX_SOURCES);
  }

  /** Returns what a search finds, best first, or `undefined` if the search fails: a turn can continue without it. */
  async search(sought: SoughtPassages, limit: number): Promise<NumberedAnswer | undefined> {
    try {
      const answer = await searchBases(this.#indexes, this.#place, sought, limit, TOOL_MS);
      return {
        ...answer,
        hits: answer.hits.map((hit) => ({ found: hit, citation: this.#cite(hit.kbId, hit) })),
      };
    } catch (thrown) {
      this.#warn("Searching the knowledge bases of an agent failed.", thrown);
      return undefined;
    }
  }

  /**
   * Returns a part of the page of a result, at most about `maxChars` characters of it. `from` is the position of the first passage,
   * by default that of the result. Returns `undefined` if there is no result with this number or its page is gone, and null
   * if it can't be read.
   */
  async read(
    n: number,
    from: number | undefined,
    maxChars: number,
  ): Promise<NumberedReading | undefined | null> {
    const place = this.#found.get(n);
    if (!place) return undefined;

    const { accountEmail } = this.#place;
    const { kbId, pageId, position } = place;
    try {
      const request = { accountEmail, kbId, pageId, from: from ?? position, maxChars };
      const page = await this.#indexes.read(request, TOOL_MS);
      if (!page) return undefined;
      const { url, title, passages } = page;
      const cited = passages.map((passage) => ({
        found: passage,
        citation: this.#cite(kbId, { ...passage, pageId, url, title }),
      }));
      return { ...page, passages: cited };
    } catch (thrown) {
      const error = AppError.from(thrown);
      if (error.code === "not-found") return undefined;
      this.#warn("Reading a page of a knowledge base failed.", error);
      return null;
    }
  }

  #cite(
    kbId: KnowledgeBaseId,
    passage: Pick<FoundPassage, "passageId" | "pageId" | "position" | "url" | "title" | "headings">,
  ): Citation {
    const { passageId, pageId, position, url, title, headings } = passage;
    const source = { kbId, pageId, url, title };
    const page = `${kbId}/${pageId}`;
    // Moves a page that is read again to the end.
    this.#sources.delete(page);
    this.#sources.set(page, source);

    const key = `${kbId}/${passageId}`;
    const known = this.#citations.get(key);
    if (known) return known;
    const n = Math.max(0, ...this.#found.keys()) + 1;
    const citation = { n, ...source, heading: headings.at(-1) ?? null, passageId };
    this.#citations.set(key, citation);
    this.#found.set(n, { ...source, position });
    return citation;
  }

  /** Keeps the number of a passage. Where it stands in its page is not known any more, so reading on begins with the page. */
  #remember(citation: Citation): void {
    const { n, kbId, pageId, url, title, passageId } = citation;
    const source = { kbId, pageId, url, title };
    this.#sources.set(`${kbId}/${pageId}`, source);
    this.#citations.set(`${kbId}/${passageId}`, citation);
    this.#found.set(n, { ...source, position: 0 });
  }

  #warn(message: string, error: unknown): void {
    console.warn({ message, runId: this.#place.runId, error: String(error) });
  }
}

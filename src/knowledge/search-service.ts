import { CANDIDATES } from "../search/passage-index.ts";
import type { FoundPassage } from "../search/passage-model.ts";
import { AppError } from "../shared/errors.ts";
import type { AccountEmail, AgentId, KnowledgeBaseId } from "../shared/id-types.ts";
import { type KnowledgeAnswer, searchBases } from "./knowledge-search.ts";
import type { KnowledgeBase, KnowledgeBaseRef } from "./model.ts";
import type { DocumentIndexes, SoughtPassages } from "./search-model.ts";

/** The part of the service of knowledge bases that is needed here. Throws `not-found` for a base that the account does not have. */
interface Bases {
  active(accountEmail: AccountEmail, kbId: KnowledgeBaseId): Promise<unknown>;
}

/** Returns the bases that an agent is linked to. Throws `not-found` if the account has no such agent. */
interface Links {
  list(accountEmail: AccountEmail, agentId: AgentId): Promise<readonly KnowledgeBase[]>;
}

/** Writes and reads cursors that are valid for one list only. */
interface PageCursors {
  write(cursorScope: string, position: string): Promise<string>;
  read(cursorScope: string, cursor: string | undefined): Promise<string | undefined>;
}

/** A page of search results. `nextCursor` is null on the last page. */
export interface KnowledgePage extends KnowledgeAnswer {
  readonly nextCursor: string | null;
}

interface KnowledgeSearchServiceDeps {
  readonly bases: Bases;
  readonly links: Links;
  readonly indexes: DocumentIndexes;
  readonly cursors: PageCursors;
}

/** Searches knowledge bases for their owner. */
export class KnowledgeSearchService {
  readonly #bases: Bases;
  readonly #links: Links;
  readonly #indexes: DocumentIndexes;
  readonly #cursors: PageCursors;

  constructor({ bases, links, indexes, cursors }: KnowledgeSearchServiceDeps) {
    this.#bases = bases;
    this.#links = links;
    this.#indexes = indexes;
    this.#cursors = cursors;
  }

  /** Returns a page of what a search finds in a base, best first. Throws `not-found` if the account has no such base. */
  async search(
    { accountEmail, kbId }: KnowledgeBaseRef,
    sought: SoughtPassages,
    limit: number,
    cursor: string | undefined,
  ): Promise<KnowledgePage> {
    await this.#bases.active(accountEmail, kbId);
    return this.#page({ accountEmail, kbIds: [kbId] }, `base ${kbId}`, sought, limit, cursor);
  }

  /** Returns a page of what a search finds in all bases of an agent. Throws `not-found` if the account has no such agent. */
  async searchForAgent(
    accountEmail: AccountEmail,
    agentId: AgentId,
    sought: SoughtPassages,
    limit: number,
    cursor: string | undefined,
  ): Promise<KnowledgePage> {
    const bases = await this.#links.list(accountEmail, agentId);
    const kbIds = bases.filter(({ status }) => status === "active").map(({ id }) => id);
    return this.#page({ accountEmail, kbIds }, `agent ${agentId}`, sought, limit, cursor);
  }

  /** Returns a passage with its surroundings. Throws `not-found` if there is no such base, or the passage is gone. */
  async passage(base: KnowledgeBaseRef, passageId: string): Promise<FoundPassage> {
    await this.#bases.active(base.accountEmail, base.kbId);
    const passage = await this.#indexes.passage({ ...base, passageId });
    if (passage) return passage;
    throw new AppError(
      "not-found",
      "There is no such passage: its page has changed since, or was removed. Search again.",
    );
  }

  /** All pages are ranked anew, so a page may repeat or skip a result if the knowledge base changes between two requests. */
  async #page(
    place: { readonly accountEmail: AccountEmail; readonly kbIds: readonly KnowledgeBaseId[] },
    name: string,
    sought: SoughtPassages,
    limit: number,
    cursor: string | undefined,
  ): Promise<KnowledgePage> {
    const cursorScope = `search of ${place.accountEmail} in ${name} for ${JSON.stringify(sought)}`;
    const offset = Number((await this.#cursors.read(cursorScope, cursor)) ?? 0);
    const end = Math.min(offset + limit, CANDIDATES);
    const answer = await searchBases(this.#indexes, place, sought, end);
    const hasMore = end < Math.min(answer.total, CANDIDATES);
    return {
      ...answer,
      hits: answer.hits.slice(offset),
      nextCursor: hasMore ? await this.#cursors.write(cursorScope, String(end)) : null,
    };
  }
}

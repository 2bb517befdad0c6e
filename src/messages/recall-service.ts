import type { AccountEmail, AgentId } from "../shared/id-types.ts";
import { memoryUserId, type AccessScope, scopeName } from "../access/access-scope.ts";
import { cursorSubject, nextPosition, positionOf } from "../search/page-position.ts";
import { bestOf, markBest, relativeScores, splitBest } from "../search/relative-scores.ts";
import type { MessageSearch, RecallAnswer, SearchCriteria } from "../search/model.ts";

/** The part of the agent service that is needed here. `get` throws `not-found` if the account has no such agent. */
interface RecallAgents {
  get(accountEmail: AccountEmail, agentId: AgentId): Promise<unknown>;
}

/** Writes and reads cursors that are valid for one list only. */
interface PageCursors {
  write(cursorScope: string, position: string): Promise<string>;
  read(cursorScope: string, cursor: string | undefined): Promise<string | undefined>;
}

/** A page of search results. `nextCursor` is null on the last page. */
export interface RecalledPage extends RecallAnswer {
  readonly nextCursor: string | null;
}

interface RecallServiceDeps {
  readonly agents: RecallAgents;
  readonly search: MessageSearch;
  readonly cursors: PageCursors;
}

/** Searches all messages between an agent and the user of an access scope. */
export class RecallService {
  readonly #agents: RecallAgents;
  readonly #search: MessageSearch;
  readonly #cursors: PageCursors;

  constructor({ agents, search, cursors }: RecallServiceDeps) {
    this.#agents = agents;
    this.#search = search;
    this.#cursors = cursors;
  }

  /**
   * Returns a page of the messages that a search finds, best first. An empty query returns all messages, newest first.
   * Throws `not-found` if there is no such agent.
   */
  async search(
    scope: AccessScope,
    agentId: AgentId,
    criteria: SearchCriteria,
    limit: number,
    cursor: string | undefined,
  ): Promise<RecalledPage> {
    const cursorScope = `recall of ${scopeName(scope)} with ${agentId} for ${cursorSubject(criteria)}`;
    const [position] = await Promise.all([
      this.#cursors.read(cursorScope, cursor),
      this.#agents.get(scope.accountEmail, agentId),
    ]);

    const marked = splitBest(position);
    const at = positionOf(marked.position);
    const { accountEmail } = scope;
    const where = { agentId, userId: memoryUserId(scope), accountEmail, conversationsOf: scopeName(scope) };
    const answer = await this.#search.recall({ ...where, ...criteria, limit, ...at });
    const next = nextPosition(at, limit, answer);
    const best = bestOf(marked.best, answer.hits);
    const nextCursor =
      next === undefined ? null : await this.#cursors.write(cursorScope, markBest(best, next));
    return { ...answer, hits: relativeScores(answer.hits, best), nextCursor };
  }
}

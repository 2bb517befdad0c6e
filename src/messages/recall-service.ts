import { personIn, type Space, spaceName } from "../users/space.ts";
import type { MessageSearch, RecallAnswer } from "../search/model.ts";

/** What of agents is needed here. Throws a 404 where the owner has no such agent. */
interface RecallAgents {
  get(owner: string, agentId: string): Promise<unknown>;
}

/** Writes and reads cursors that are bound to a list. */
interface PageCursors {
  write(scope: string, position: string): Promise<string>;
  read(scope: string, cursor: string | undefined): Promise<string | undefined>;
}

/** A page of what was found; `nextCursor` is null at the end. */
export interface RecalledPage extends RecallAnswer {
  readonly nextCursor: string | null;
}

/** All that was said in a space between an agent and the person there, to be searched. */
export class RecallService {
  readonly #agents: RecallAgents;
  readonly #search: MessageSearch;
  readonly #cursors: PageCursors;

  constructor(agents: RecallAgents, search: MessageSearch, cursors: PageCursors) {
    this.#agents = agents;
    this.#search = search;
    this.#cursors = cursors;
  }

  /** A page of what a query finds, best first; everything, newest first, where nothing is asked. */
  async search(
    space: Space,
    agentId: string,
    query: string,
    limit: number,
    cursor: string | undefined,
  ): Promise<RecalledPage> {
    const scope = `recall of ${spaceName(space)} with ${agentId} for ${query}`;
    const [position] = await Promise.all([
      this.#cursors.read(scope, cursor),
      this.#agents.get(space.owner, agentId),
    ]);

    const offset = Number(position ?? 0);
    const where = { agentId, userId: personIn(space), conversationsOf: spaceName(space) };
    const answer = await this.#search.recall({ ...where, query, limit, offset });
    const end = offset + answer.hits.length;
    const hasMore = answer.hits.length > 0 && end < answer.total;
    return { ...answer, nextCursor: hasMore ? await this.#cursors.write(scope, String(end)) : null };
  }
}

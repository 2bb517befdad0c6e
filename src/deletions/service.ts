import type { AccessScope } from "../access/access-scope.ts";
import type { AccountEmail, AgentId, ConversationId, KnowledgeBaseId } from "../shared/id-types.ts";
import type { DeletionGuard, PartialDeletion } from "./model.ts";
import type { PartialDeletionRepository } from "./repository.ts";
import type { DeletionRunnerClient } from "./runner-client.ts";

/** When a deletion is looked after whose request has not ended it, in milliseconds. Longer than the requests of a first part take. */
const WATCH_MS = 2 * 60_000;

interface PartialDeletionServiceDeps {
  readonly deletions: Pick<PartialDeletionRepository, "find" | "isStored">;
  readonly agents: {
    remove(accountEmail: AccountEmail, id: AgentId, begun: DeletionGuard): Promise<boolean>;
  };
  readonly endUsers: {
    remove(accountEmail: AccountEmail, agentId: AgentId, id: string, begun: DeletionGuard): Promise<boolean>;
  };
  readonly conversations: {
    remove(
      scope: AccessScope,
      id: ConversationId,
      guards: { readonly begun: DeletionGuard },
    ): Promise<"absent" | "unfinished" | "done">;
  };
  readonly knowledgeBases: {
    remove(base: { readonly accountEmail: AccountEmail; readonly kbId: KnowledgeBaseId }): Promise<boolean>;
  };
  readonly runners: Pick<DeletionRunnerClient, "keep">;
  /** Keeps a request alive for work that continues after its answer. */
  readonly later: (work: Promise<void>) => void;
}

/** Makes sure that a deletion that has begun ends, however many parts it takes. */
export class PartialDeletionService {
  readonly #deps: PartialDeletionServiceDeps;

  constructor(deps: PartialDeletionServiceDeps) {
    this.#deps = deps;
  }

  /**
   * Removes the first part by `remove`, which returns whether nothing is left, and has the rest removed afterwards, even if this request
   * ends before its answer. Returns whether nothing is left. Throws what `remove` throws, and `unavailable` if it is not sure that the
   * rest will be removed.
   */
  async begin(
    accountEmail: AccountEmail,
    deletion: PartialDeletion,
    remove: () => Promise<boolean>,
  ): Promise<boolean> {
    const { runners, later } = this.#deps;
    // The answer does not wait for it. Nearly all deletions have ended when the runner looks.
    later(this.#watch(accountEmail, deletion).catch(notWatched));
    if (await remove()) return true;
    await runners.keep(accountEmail, deletion, 0);
    return false;
  }

  /** Removes one part, as much as a request would. Returns whether nothing is left. */
  async continue(accountEmail: AccountEmail, deletion: PartialDeletion): Promise<boolean> {
    const { deletions, agents, endUsers, conversations, knowledgeBases } = this.#deps;
    const begun = await deletions.find(accountEmail, deletion);
    if (!begun) return true;

    switch (deletion.kind) {
      case "agent":
        return agents.remove(accountEmail, deletion.agentId, begun);
      case "end-user":
        return endUsers.remove(accountEmail, deletion.endUser.agentId, deletion.endUser.id, begun);
      case "conversation": {
        const { endUser, conversationId } = deletion;
        const scope = { accountEmail, endUser };
        return (await conversations.remove(scope, conversationId, { begun })) !== "unfinished";
      }
      case "knowledge-base":
        return knowledgeBases.remove({ accountEmail, kbId: deletion.kbId });
    }
  }

  /** Requests for what does not exist leave nothing to look after, however many there are. */
  async #watch(accountEmail: AccountEmail, deletion: PartialDeletion): Promise<void> {
    const { deletions, runners } = this.#deps;
    if (await deletions.isStored(accountEmail, deletion))
      await runners.keep(accountEmail, deletion, WATCH_MS);
  }
}

function notWatched(error: unknown): void {
  console.warn({
    message: "If its request dies, a deletion must be asked for again to go on.",
    error: String(error),
  });
}

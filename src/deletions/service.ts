import type { AccessScope } from "../access/access-scope.ts";
import type { AccountEmail, AgentId, ConversationId, KnowledgeBaseId } from "../shared/id-types.ts";
import type { PartialDeletion } from "./model.ts";
import type { PartialDeletionRepository } from "./repository.ts";

interface PartialDeletionServiceDeps {
  readonly deletions: PartialDeletionRepository;
  readonly agents: { remove(accountEmail: AccountEmail, id: AgentId): Promise<boolean> };
  readonly endUsers: { remove(accountEmail: AccountEmail, agentId: AgentId, id: string): Promise<boolean> };
  readonly conversations: {
    remove(scope: AccessScope, id: ConversationId): Promise<"absent" | "unfinished" | "done">;
  };
  readonly knowledgeBases: {
    remove(base: { readonly accountEmail: AccountEmail; readonly kbId: KnowledgeBaseId }): Promise<boolean>;
  };
}

/** Continues deletions that took more than one request. */
export class PartialDeletionService {
  readonly #deps: PartialDeletionServiceDeps;

  constructor({ deletions, agents, endUsers, conversations, knowledgeBases }: PartialDeletionServiceDeps) {
    this.#deps = { deletions, agents, endUsers, conversations, knowledgeBases };
  }

  /** Removes one part, as much as a request would. Returns whether nothing is left. */
  async continue(accountEmail: AccountEmail, deletion: PartialDeletion): Promise<boolean> {
    const { deletions, agents, endUsers, conversations, knowledgeBases } = this.#deps;
    if (!(await deletions.isUnfinished(accountEmail, deletion))) return true;

    switch (deletion.kind) {
      case "agent":
        return agents.remove(accountEmail, deletion.agentId);
      case "end-user":
        return endUsers.remove(accountEmail, deletion.endUser.agentId, deletion.endUser.id);
      case "conversation": {
        const { endUser, conversationId } = deletion;
        return (await conversations.remove({ accountEmail, endUser }, conversationId)) !== "unfinished";
      }
      case "knowledge-base":
        return knowledgeBases.remove({ accountEmail, kbId: deletion.kbId });
    }
  }
}

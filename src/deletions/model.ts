import { conversationKey, endUserKey, type EndUserRef } from "../access/access-scope.ts";
import type { AccountEmail, AgentId, ConversationId, KnowledgeBaseId } from "../shared/id-types.ts";
import { agentKey, knowledgeBaseKey } from "../table/keys.ts";
import type { DeletionGuard } from "../table/deletion.ts";
import type { Key } from "../table/marshal.ts";

export type { DeletionGuard };

/** Something of an account whose deletion has begun and takes more than one request. */
export type PartialDeletion =
  | { readonly kind: "agent"; readonly agentId: AgentId }
  | { readonly kind: "end-user"; readonly endUser: EndUserRef }
  | {
      readonly kind: "conversation";
      /** Null for a conversation of the account's owner. */
      readonly endUser: EndUserRef | null;
      readonly conversationId: ConversationId;
    }
  | { readonly kind: "knowledge-base"; readonly kbId: KnowledgeBaseId };

/** The deletions that a removal belongs to. Each may have ended; then nothing is removed. */
export interface RemovalGuards {
  /** The deletion of what the thing belongs to: the thing is removed only as a part of it. */
  readonly within?: DeletionGuard | undefined;
  /** The deletion of the thing itself: it is only continued, and none begins. */
  readonly begun?: DeletionGuard | undefined;
}

/** Returns the key of the item that is marked until everything that depends on it is removed. */
export function markedKey(accountEmail: AccountEmail, deletion: PartialDeletion): Key {
  switch (deletion.kind) {
    case "agent":
      return agentKey(accountEmail, deletion.agentId);
    case "end-user":
      return endUserKey(deletion.endUser);
    case "conversation":
      return conversationKey({ accountEmail, endUser: deletion.endUser }, deletion.conversationId);
    case "knowledge-base":
      return knowledgeBaseKey(accountEmail, deletion.kbId);
  }
}

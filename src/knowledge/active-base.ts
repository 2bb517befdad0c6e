import type { Context } from "hono";
import type { UserEnv } from "../access/env.ts";
import type { KnowledgeBaseId } from "../shared/id-types.ts";
import type { KnowledgeBaseRef } from "./model.ts";

/**
 * Returns the knowledge base that a request is about. Throws `not-found` if the caller's account has no such base or it is deleted.
 * Security: every route about the pages, jobs or passages of a base calls this first, because their items do not name the account.
 */
export async function activeBase(c: Context<UserEnv>, kbId: KnowledgeBaseId): Promise<KnowledgeBaseRef> {
  const { deps, scope } = c.var;
  await deps.knowledgeBaseService.active(scope.accountEmail, kbId);
  return { accountEmail: scope.accountEmail, kbId };
}

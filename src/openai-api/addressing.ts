import type { Context } from "hono";
import { type AccessScope, type EndUserRef, reaches } from "../access/access-scope.ts";
import type { Scope } from "../access/caller.ts";
import type { UserEnv } from "../access/env.ts";
import { requirePermission } from "../access/require-access.ts";
import type { Agent } from "../agents/model.ts";
import { isSameName } from "../agents/name.ts";
import { AppError, notFound } from "../shared/errors.ts";
import { type AgentId, agentIdOf, type ConversationId, type RunId } from "../shared/id-types.ts";
import type { ResponseRef } from "../wires/response-id.ts";

/** The headers that say where the run of an answer is found. */
export const idsOf = (conversationId: ConversationId, runId: RunId): Record<string, string> => ({
  "X-Conversation-Id": conversationId,
  "X-Run-Id": runId,
});

/** Returns whether two access scopes of one account are about the same person: an end user, or the owner if there is none. */
export const isSamePerson = (a: EndUserRef | null | undefined, b: EndUserRef | null | undefined): boolean =>
  (a?.agentId ?? null) === (b?.agentId ?? null) && (a?.id ?? null) === (b?.id ?? null);

/** Returns the agents that the caller may use. */
export async function agentsOf({ var: { deps, scope } }: Context<UserEnv>): Promise<readonly Agent[]> {
  return (await deps.agents.list(scope.accountEmail)).filter(({ id }) => reaches(scope, id));
}

export const isCalled =
  (model: string) =>
  ({ id, name }: Agent): boolean =>
    id === model || isSameName(name, model);

/**
 * Returns the agent that a request calls its model, by id or by name. Throws `not-found` if the caller may use no such agent. An id
 * is not looked up: the run reads its agent anyway.
 */
export async function agentOf(c: Context<UserEnv>, model: string): Promise<AgentId> {
  const agentId = UUID.test(model) ? agentIdOf(model) : (await agentsOf(c)).find(isCalled(model))?.id;
  if (agentId === undefined || !reaches(c.var.scope, agentId)) throw notFound("Agent");
  return agentId;
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/u;

/**
 * Returns whose conversations and memory a request uses. Security: `user` only chooses among what the caller may use anyway, and
 * never says who the caller is. An end user can name nobody else; a program needs the scope for end users. An empty `user` is refused:
 * it comes from an application that does not know whom it serves, and that person must not get the caller's own memory.
 */
export async function scopeOf(
  { var: { caller, deps, scope } }: Context<UserEnv>,
  agentId: AgentId,
  user: string | undefined,
  member = "user",
): Promise<AccessScope> {
  if (user === undefined) return scope;
  if (caller.kind === "end-user") {
    if (user === caller.id) return scope;
    throw new AppError("forbidden", `This token is for another end user than \`${member}\` names.`);
  }
  requirePermission(["user", "end-users:write"], caller);
  return deps.endUserService.open(scope.accountEmail, { agentId, id: user }, member);
}

/**
 * Returns the scope of an existing response. `permission` is what an API key needs if it is an end user's. Throws `not-found` if the
 * caller can't have such a response; whether there is one, the run tells.
 */
export async function scopeOfResponse(
  { var: { caller, deps, scope } }: Context<UserEnv>,
  { endUser }: ResponseRef,
  permission: Scope,
): Promise<AccessScope> {
  if (caller.kind === "end-user" && !isSamePerson(scope.endUser, endUser)) throw notFound("Response");
  if (caller.kind === "end-user" || !endUser) return scope;
  if (!reaches(scope, endUser.agentId)) throw notFound("Response");
  requirePermission(["user", permission], caller);
  return deps.endUserService.scope(scope.accountEmail, endUser.agentId, endUser.id);
}

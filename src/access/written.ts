import type { Context } from "hono";
import * as z from "zod";
import { SCOPES, type Scope } from "./caller.ts";
import type { UserEnv } from "./env.ts";
import { AppError } from "../shared/errors.ts";
import { accessOfRequest } from "./require-access.ts";

/**
 * The schema of the answer to a write: the entity as it now is or, for an API key that may write but not read it, a reference
 * with ids, states and times only. Otherwise a write would reveal what others have stored.
 */
export const writtenAs = <V extends z.ZodType, R extends z.ZodType>(view: V, reference: R) =>
  z
    .union([view, reference])
    .describe("An API key without the matching read scope gets ids, states and times only.");

/** Returns the answer to a write: the view if the caller may read it, or else the members of the reference. */
export const written = <V, R extends z.ZodType>(
  c: Context<UserEnv>,
  view: V,
  reference: R,
): V | z.output<R> => (mayRead(c) ? view : reference.parse(view));

/**
 * Refuses an API key that may write but not read what this route writes, for an answer that has no form for such keys. Throws
 * `forbidden`.
 */
export function requireReadAccess(c: Context<UserEnv>): void {
  if (!mayRead(c)) throw new AppError("forbidden", "This API key may start this, but not read what happens.");
}

/** Returns whether the caller may read what this route writes. People and end users always may: the data is their own. */
export function mayRead(c: Context<UserEnv>): boolean {
  const { caller, scope } = c.var;
  if (caller.kind !== "key") return true;

  const access = accessOfRequest(c);
  const needed = SCOPES.filter((scope) => access?.includes(scope)).map(readScopeOf);
  if (scope.endUser) needed.push("end-users:read");
  return needed.length > 0 && needed.every((scope) => caller.scopes.includes(scope));
}

/** Returns `agents:read` for `agents:write` and for `agents:read`. */
function readScopeOf(scope: Scope): Scope {
  const [area] = scope.split(":");
  const read = SCOPES.find((candidate) => candidate === `${area}:read`);
  if (!read) throw new Error(`There is no scope that reads what ${scope} writes.`);
  return read;
}

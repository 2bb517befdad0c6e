import { zValidator } from "@hono/zod-validator";
import type { Context, ValidationTargets } from "hono";
import type * as z from "zod";
import { AppError, invalidInput } from "../shared/errors.ts";
import { findIllFormed } from "../shared/text.ts";
import { reaches, type Space } from "../users/space.ts";
import type { UserEnv } from "./env.ts";
import { documented } from "./openapi.ts";
import { NOBODYS_ID } from "./schemas.ts";

/**
 * Validates one part of the request; the same schema becomes that part of the route's description. Failures name paths
 * and reasons, never the values.
 */
export function validate<T extends keyof ValidationTargets, S extends z.ZodType>(target: T, schema: S) {
  const middleware = zValidator(target, schema, (result, c) => {
    if (target === "json") requireJson(c.req.header("content-type"));
    if (!result.success) throw invalidInput(target, result.error.issues);

    const illFormed = findIllFormed(result.data);
    if (illFormed) {
      const path = illFormed.slice(0, MAX_PATH);
      throw invalidInput(target, [{ path, message: "Not well-formed Unicode", code: "custom" }]);
    }
    if (target === "param") confine(result.data, (c as Context<UserEnv>).var.space);
  });
  return documented(middleware, { kind: "input", target, schema });
}

/** An agent that the caller does not reach is read as one that nobody has, so that both are answered alike. */
function confine(params: unknown, space: Space | undefined): void {
  if (!space?.agentIds || typeof params !== "object" || params === null || !("agentId" in params)) return;
  if (!reaches(space, String(params.agentId))) params.agentId = NOBODYS_ID;
}

/** A body can nest deeper than an answer should be long. */
const MAX_PATH = 20;

function requireJson(contentType: string | undefined): void {
  if (contentType !== undefined && /^application\/([a-z.-]+\+)?json\b/iu.test(contentType)) return;
  throw new AppError("malformed-request", "Send the body as JSON, with `content-type: application/json`.");
}

import { zValidator } from "@hono/zod-validator";
import type { ValidationTargets } from "hono";
import type * as z from "zod";
import { AppError, invalidInput } from "../shared/errors.ts";
import { findIllFormed } from "../shared/text.ts";
import { documented } from "./openapi.ts";

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
  });
  return documented(middleware, { kind: "input", target, schema });
}

/** A body can nest deeper than an answer should be long. */
const MAX_PATH = 20;

function requireJson(contentType: string | undefined): void {
  if (contentType !== undefined && /^application\/([a-z.-]+\+)?json\b/iu.test(contentType)) return;
  throw new AppError("malformed-request", "Send the body as JSON, with `content-type: application/json`.");
}

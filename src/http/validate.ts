import { zValidator } from "@hono/zod-validator";
import type { Env, MiddlewareHandler, ValidationTargets } from "hono";
import { createMiddleware } from "hono/factory";
import type * as z from "zod";
import { AppError, invalidInput, type Issue } from "../shared/errors.ts";
import { hasFewValues } from "../shared/json.ts";
import { shortened } from "../shared/unknown-names.ts";
import { describeViolation, nameIn } from "../shared/violations.ts";
import { findIllFormed } from "../shared/text.ts";
import { documented } from "./openapi.ts";

/** What clients may send as one part of a request. A query holds text only, so never `null`. */
type Sent<T extends keyof ValidationTargets, In> = T extends "query"
  ? { [K in keyof In]: Exclude<In[K], null> }
  : In;

/**
 * Returns a middleware that validates one part of the request. The same schema documents that part in the OpenAPI
 * document. The middleware throws `validation-failed` with the path and reason of each error, never with a value.
 */
export function validate<T extends keyof ValidationTargets, S extends z.ZodType>(target: T, schema: S) {
  // Narrows the input type for Hono's typed client only. At run time any input may arrive.
  const sent = schema as z.ZodType<z.output<S>, Sent<T, z.input<S>>>;
  const middleware = zValidator(
    target,
    sent,
    (result, c) => {
      if (target === "json") requireJson(c.req.header("content-type"));
      if (!result.success) throw invalidInput(target, result.error.issues.map(withName));

      const illFormed = findIllFormed(result.data);
      if (illFormed) {
        const path = illFormed.slice(0, MAX_PATH);
        throw invalidInput(target, [
          { path, message: `${nameIn({ path })} is not well-formed Unicode.`, code: "custom" },
        ]);
      }
    },
    {
      validationFunction: (checked, value) => {
        if (!hasFewValues(value, MAX_VALUES)) throw invalidInput(target, [TOO_MANY_VALUES]);
        return checked.safeParseAsync(value, { error: describeViolation });
      },
    },
  );
  return documented(middleware, { kind: "input", target, schema });
}

/** Like `validate("json", schema)`, for a request that may also have no body or an empty one, which counts as `{}`. */
export function validateOptionalBody<S extends z.ZodType<object>>(schema: S) {
  const validateBody: MiddlewareHandler = validate("json", schema);
  const middleware = createMiddleware<Env, string, { in: { json?: z.input<S> }; out: { json: z.output<S> } }>(
    async (c, next) => {
      if (c.req.raw.body !== null && (await c.req.text()) !== "") return validateBody(c, next);
      c.req.addValidatedData("json", await schema.parseAsync({}));
      return next();
    },
  );
  return documented(middleware, { kind: "input", target: "json", schema, isOptional: true });
}

/** The path of an unknown member is its own, not that of the object that contains it. */
const withName = (issue: z.core.$ZodIssue): Issue =>
  issue.code === "unrecognized_keys"
    ? { ...issue, path: [...issue.path, ...issue.keys.slice(0, 1).map(shortened)] }
    : issue;

/**
 * The longest list that a route takes has 50,000 elements, the lines of a memory block. Anti-DoS: Zod finds all wrong elements of a list
 * before it refuses it, and fails itself with more than about 120,000 of them.
 */
const MAX_VALUES = 100_000;

const TOO_MANY_VALUES: Issue = {
  path: [],
  message: `It must have at most ${MAX_VALUES.toLocaleString("en")} values.`,
  code: "custom",
};

/** Members of a path in an error. A body may nest far deeper, and an answer should stay short. */
const MAX_PATH = 20;

function requireJson(contentType: string | undefined): void {
  if (contentType !== undefined && /^application\/([a-z.-]+\+)?json\b/iu.test(contentType)) return;
  throw new AppError("malformed-request", "Send the body as JSON, with `content-type: application/json`.");
}

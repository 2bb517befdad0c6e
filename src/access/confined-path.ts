import type { MiddlewareHandler } from "hono";
import { createMiddleware } from "hono/factory";
import type * as z from "zod";
import { documented } from "../http/openapi.ts";
import { validate } from "../http/validate.ts";
import type { AccessScope } from "./access-scope.ts";
import type { UserEnv } from "./env.ts";

/** A kind of middleware that confines callers to what their scope reaches. */
export interface PathConfinement<Path> {
  /** Returns whether a handler is such a middleware. */
  readonly confines: (handler: object) => boolean;
  /** Returns the middleware that validates a path by a schema and confines it; mount it after `requireAccess`. */
  readonly validatePath: <S extends z.ZodType<Path, Readonly<Record<string, string>>>>(
    schema: S,
  ) => MiddlewareHandler<UserEnv, string, { in: { param: z.input<S> }; out: { param: z.output<S> } }>;
}

/**
 * Creates a kind of middleware that validates paths. `absent` returns the members that lead outside the scope, with ids that nothing
 * has: the same handler then answers, so that a caller can't tell whether what is outside exists. It returns `undefined` for a path
 * within the scope.
 */
export function pathConfinement<Path extends object>(
  absent: (path: Path, scope: AccessScope) => Partial<Path> | undefined,
): PathConfinement<Path> {
  const confining = new WeakSet<object>();
  return {
    confines: (handler) => confining.has(handler),
    validatePath<S extends z.ZodType<Path, Readonly<Record<string, string>>>>(schema: S) {
      const validatePath: MiddlewareHandler = validate("param", schema);
      const middleware = createMiddleware<
        UserEnv,
        string,
        { in: { param: z.input<S> }; out: { param: z.output<S> } }
      >((c, next) =>
        validatePath(c, () => {
          const path = c.req.valid("param");
          const replaced = absent(path, c.var.scope);
          if (replaced) c.req.addValidatedData("param", { ...path, ...replaced });
          return next();
        }),
      );
      confining.add(middleware);
      return documented(middleware, { kind: "input", target: "param", schema });
    },
  };
}

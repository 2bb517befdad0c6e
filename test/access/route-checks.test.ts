import { agentIdOf } from "../../src/shared/id-types.ts";
import { Hono } from "hono";
import * as z from "zod";
import { expect, expectTypeOf, it } from "vitest";
import { validateAgentPath } from "../../src/access/agent-path.ts";
import type { AccessScope } from "../../src/access/access-scope.ts";
import type { Caller } from "../../src/access/caller.ts";
import type { AppEnv } from "../../src/access/env.ts";
import { type AccessRule, publicAccess, requireAccess } from "../../src/access/require-access.ts";
import { requireAccessChecks } from "../../src/access/route-checks.ts";
import { agentRoutes } from "../../src/agents/routes.ts";
import { createApp } from "../../src/app.ts";
import { maxBody } from "../../src/http/middleware/body-limit.ts";
import { operation } from "../../src/http/openapi.ts";
import { validate } from "../../src/http/validate.ts";

const described = operation("getThing", { 200: "json" });
const Path = z.object({ agentId: z.string().transform(agentIdOf) });

/** What is wrong with the routes of an app, if anything is. */
function faultOf({ routes }: Pick<Hono<AppEnv>, "routes">): string | undefined {
  try {
    requireAccessChecks(routes);
    return undefined;
  } catch (error) {
    return String(error);
  }
}

it("accepts routes with an access check and routes that are declared public", () => {
  const app = new Hono<AppEnv>()
    .use((_c, next) => next())
    .get("/open", described, publicAccess, (c) => c.text("open"))
    .get("/:agentId", described, maxBody(1), requireAccess("user"), validateAgentPath(Path), (c) =>
      c.text(""),
    )
    .get("/open/:agentId", described, publicAccess, validate("param", Path), (c) => c.text("open"));

  expect(faultOf(app)).toBeUndefined();
});

it.each<[string, string, Pick<Hono<AppEnv>, "routes">]>([
  [
    "has no check",
    "GET /things has no access check",
    new Hono<AppEnv>().get("/things", described, (c) => c.text("")),
  ],
  [
    "has no check, in an app of its own",
    "POST /inner/things has no access check",
    new Hono<AppEnv>().route(
      "/inner",
      new Hono<AppEnv>().post("/things", (c) => c.text("")),
    ),
  ],
  [
    "serves all methods without one",
    "ALL /things has no access check",
    new Hono<AppEnv>().all("/things", (c) => c.text("")),
  ],
  [
    "has two checks",
    "GET /things has several access checks",
    new Hono<AppEnv>().get("/things", publicAccess, requireAccess("user"), (c) => c.text("")),
  ],
  [
    "reads the request before its check",
    "GET /things does work before its access check",
    new Hono<AppEnv>().get("/things", validate("query", z.object({})), requireAccess("user"), (c) =>
      c.text(""),
    ),
  ],
  [
    "does not confine its callers to their agents",
    "GET /:agentId/things serves agents outside its callers' scope",
    new Hono<AppEnv>().get("/:agentId/things", requireAccess("user"), validate("param", Path), (c) =>
      c.text(""),
    ),
  ],
])("refuses a route that %s", (_fault, message, app) => {
  expect(faultOf(app)).toContain(message);
});

it("refuses to start with unguarded routes and names all of them", () => {
  expect(() => createApp()).not.toThrow();
  const guarded = agentRoutes.routes.length;
  agentRoutes.get("/left/open", (c) => c.text("open"));
  agentRoutes.delete("/left/open", (c) => c.text("open"));

  try {
    expect(() => createApp()).toThrow(
      /GET \/agents\/left\/open has no access check.*\nDELETE \/agents\/left\/open has/u,
    );
  } finally {
    // The routes belong to a module that every later test of this worker shares.
    agentRoutes.routes.length = guarded;
  }
  expect(() => createApp()).not.toThrow();
});

it("types the caller after an access check and not on public routes", () => {
  new Hono<AppEnv>()
    .get("/closed", requireAccess("user", "agents:read", { account: "before" }), (c) => {
      expectTypeOf(c.var.caller).toEqualTypeOf<Caller>();
      expectTypeOf(c.var.scope).toEqualTypeOf<AccessScope>();
      return c.text("");
    })
    .get("/open", publicAccess, (c) => {
      expectTypeOf(c.var).not.toHaveProperty("caller");
      expectTypeOf(c.var).not.toHaveProperty("scope");
      return c.text("");
    });
  // A rule without callers, or with a scope that does not exist, is an error of types.
  expectTypeOf<["user"] extends AccessRule ? true : false>().toEqualTypeOf<true>();
  expectTypeOf<[] extends AccessRule ? true : false>().toEqualTypeOf<false>();
  expectTypeOf<["agents:own"] extends AccessRule ? true : false>().toEqualTypeOf<false>();
});

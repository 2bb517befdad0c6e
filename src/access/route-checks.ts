import type { RouterRoute } from "hono/types";
import { docOf, type RouteDoc } from "../http/openapi.ts";
import { confinesAgents } from "./agent-path.ts";
import { confinesBases } from "./base-path.ts";
import { accessOf } from "./require-access.ts";

type Route = Pick<RouterRoute, "method" | "path" | "handler">;

/**
 * Keeps the app from starting with a route that could be open by mistake. Every route has exactly one access check
 * (`requireAccess` or `publicAccess`), nothing that reads the request comes before it, and a route about an agent or a knowledge base
 * restricts callers to those of their scope. Throws an error that names the method and path of each route that does not. Only
 * handlers for all methods and all paths count as middleware.
 */
export function requireAccessChecks(routes: readonly Route[]): void {
  const handlers = Map.groupBy(
    routes.filter(({ method, path }) => method !== "ALL" || path !== "/*"),
    ({ method, path }) => `${method} ${path}`,
  );
  const faults = [...handlers].flatMap(([route, entries]) => {
    const fault = faultOf(
      route,
      entries.map(({ handler }) => handler),
    );
    return fault === undefined ? [] : [`${route} ${fault}`];
  });
  if (faults.length > 0) throw new Error(`Routes are not safe to serve:\n${faults.join("\n")}`);
}

function faultOf(route: string, handlers: readonly object[]): string | undefined {
  const checks = handlers.filter((handler) => accessOf(handler) !== undefined);
  const [check] = checks;
  if (!check) return "has no access check. Add requireAccess(…) or publicAccess.";
  if (checks.length > 1) return "has several access checks. Keep one.";

  const before = handlers.slice(0, handlers.indexOf(check));
  if (!before.every(isInert)) return "does work before its access check. Move the check up.";

  const isConfined = accessOf(check) === "public" || handlers.some(confinesAgents);
  if (/\/:agentId\b/u.test(route) && !isConfined)
    return "serves agents outside its callers' scope. Validate its path with validateAgentPath(…).";
  if (/^\S+ \/knowledge-bases\/:kbId\b/u.test(route) && !handlers.some(confinesBases))
    return "serves knowledge bases outside its callers' scope. Validate its path with validateBasePath(…).";
  return undefined;
}

/** The kinds of documentation handlers, which only pass the request on. */
const INERT: ReadonlySet<RouteDoc["kind"]> = new Set([
  "operation",
  "page",
  "body",
  "any-query",
  "any-origin",
]);

const isInert = (handler: object): boolean => {
  const kind = docOf(handler)?.kind;
  return kind !== undefined && INERT.has(kind);
};

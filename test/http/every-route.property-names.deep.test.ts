import openapi from "../../docs/openapi.json" with { type: "json" };
import { createExecutionContext, waitOnExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeAll, expect, it } from "vitest";
import { anonymous, app, type Client, signUp } from "../support/app.ts";
import { GUARDED, methodOf, pathOf, type Place, type RouteCase, ROUTES, createPlace } from "./route-cases.ts";

/** Property names that every object inherits. */
const NAMES = ["__proto__", "constructor", "toString", "hasOwnProperty"] as const;
const ORIGIN = "https://stranger.example";

/** What a lookup of these names on a plain object finds: writing to it changes objects everywhere in the isolate. */
const SHARED = NAMES.map((name): object => Reflect.get({}, name));
const MEMBERS = SHARED.map((shared) => Reflect.ownKeys(shared));

let client: Client;
let place: Place;
beforeAll(async () => {
  client = await signUp();
  place = await createPlace(client);
});

/** One failure must not fail every test after it. */
afterEach(() => {
  for (const [index, shared] of SHARED.entries())
    for (const key of Reflect.ownKeys(shared))
      if (!MEMBERS[index]?.includes(key)) Reflect.deleteProperty(shared, key);
});

/** Sends a request, and expects an answer below 500 and an unchanged isolate. */
async function expectNoTrace(request: Request, what: string): Promise<Response> {
  const ctx = createExecutionContext();
  const response = await app.fetch(
    request,
    { ...env, COSTLY_BURST: undefined, PUBLIC_BURST: undefined },
    ctx,
  );
  const text = await response.text();
  await waitOnExecutionContext(ctx);

  // What the tests' environment lacks is refused in a controlled way.
  if (!text.includes('"not-configured"'))
    expect(response.status, `${what} was answered with ${text.slice(0, 300)}`).toBeLessThan(500);
  const { status, body } = await anonymous("GET", "/health");
  const members = SHARED.map((shared) => Reflect.ownKeys(shared));
  expect({ what, members, status, body }).toEqual({
    what,
    members: MEMBERS,
    status: 200,
    body: { status: "healthy" },
  });
  return response;
}

const requestTo = (path: string, init: RequestInit = {}) => new Request(`http://localhost${path}`, init);

/** A request with a method that no runtime accepts today, as the router would see it if one did. */
const withMethod = (request: Request, method: string): Request =>
  Object.defineProperty(request, "method", { value: method });

const headersOf = ({ isPublic }: RouteCase) => ({
  "content-type": "application/json",
  ...(!isPublic && { authorization: `Bearer ${client.token}` }),
});

/** The query parameters that a route knows. */
function queryOf({ route }: RouteCase): string[] {
  const [method = "", path = ""] = route.split(" ");
  const paths: Readonly<Record<string, Readonly<Record<string, Operation>>>> = openapi.paths;
  const operation = paths[path.replaceAll(/:(\w+)/gu, "{$1}")]?.[method.toLowerCase()];
  return (operation?.parameters ?? []).flatMap(({ in: place, name }) => (place === "query" ? [name] : []));
}

interface Operation {
  readonly operationId: string;
  readonly parameters?: readonly { readonly in: string; readonly name: string }[];
}

const SYSTEM_ROUTES = ["GET /", "GET /health", "GET /openapi.json", "GET /nothing"].map((route) => ({
  route,
  isPublic: true,
}));

// Deleting the account would end the other cases.
const CASES: readonly RouteCase[] = [
  ...SYSTEM_ROUTES,
  ...ROUTES.filter(({ route }) => route !== "DELETE /users/me"),
];

it.each(CASES)("$route finds no property by the name of a method", async (route) => {
  expect.hasAssertions();
  const path = pathOf(route, place);
  for (const name of NAMES) {
    const named = withMethod(requestTo(path, { headers: headersOf(route) }), name);
    const refused = await expectNoTrace(named, `${name} ${path}`);
    expect(refused.status).toBe(route.route === "GET /nothing" ? 404 : 405);

    const headers = { origin: ORIGIN, "access-control-request-method": name };
    const preflight = await expectNoTrace(
      requestTo(path, { method: "OPTIONS", headers }),
      `A preflight for ${name} ${path}`,
    );
    expect([preflight.status, preflight.headers.get("access-control-allow-origin")]).toEqual([204, null]);
  }
});

it.each(CASES)("$route finds no property by a part of its path, query or headers", async (route) => {
  expect.hasAssertions();
  const method = methodOf(route);
  const body = route.body && JSON.stringify(route.body);
  for (const name of NAMES) {
    const given = { method, ...(body !== undefined && { body }) };
    const named = (route.route.split(" ")[1] ?? "").replaceAll(/:\w+/gu, name);
    await expectNoTrace(requestTo(named, { ...given, headers: headersOf(route) }), `${method} ${named}`);

    const harmless =
      GUARDED.includes(route) && method === "DELETE"
        ? { agentId: "x", conversationId: "x", kbId: "x" }
        : place;
    const known = queryOf(route).map((parameter) => `${parameter}=${name}`);
    const queries = [`${name}=1&${name}[${name}]=2`, known.join("&")];
    const headers = new Headers(headersOf(route));
    for (const header of [name, "origin", "if-match", "last-event-id", "idempotency-key"])
      headers.set(header, name);
    headers.set("cookie", `${name}=${name}`);
    for (const query of queries)
      await expectNoTrace(
        requestTo(`${pathOf(route, harmless)}?${query}`, { ...given, headers }),
        `${method} ${pathOf(route)} with the query ${query} and headers ${name}`,
      );
  }
});

it.each(CASES.flatMap(({ body, ...route }) => (body ? [{ ...route, body }] : [])))(
  "$route finds no property by a key or value of its body",
  async (route) => {
    expect.hasAssertions();
    const send = (body: object, what: string) =>
      expectNoTrace(
        requestTo(pathOf(route, place), {
          method: methodOf(route),
          headers: headersOf(route),
          body: JSON.stringify(body),
        }),
        `${route.route} with ${what} ${JSON.stringify(body)}`,
      );

    for (const name of NAMES) {
      // Written so, `__proto__` is a member like any other.
      await send({ ...route.body, [name]: { [name]: { admin: true }, status: name } }, "an additional key");
      const values = Object.keys(route.body).map((member) => [member, { [name]: { admin: true } }]);
      await send(Object.fromEntries(values), "a key in each value");
      for (const member of Object.keys(route.body)) await send({ ...route.body, [member]: name }, "a value");
    }
  },
);

it("refuses methods of other protocols in requests and preflights", async () => {
  for (const method of ["PROPFIND", "TRACE", "PURGE", "QUERY"]) {
    const headers = { authorization: `Bearer ${client.token}` };
    const refused = await expectNoTrace(requestTo("/agents", { method, headers }), method);
    expect(refused.status).toBe(405);
    expect(refused.headers.get("allow")).toBe("GET, POST, HEAD, OPTIONS");

    const preflight = await expectNoTrace(
      requestTo(`/agents/${place.agentId}/${place.conversationId}/send-message`, {
        method: "OPTIONS",
        headers: { origin: ORIGIN, "access-control-request-method": method },
      }),
      `A preflight for ${method}`,
    );
    expect(preflight.headers.get("access-control-allow-origin")).toBeNull();
  }
});

import openapi from "../../docs/openapi.json" with { type: "json" };
import { beforeAll, describe, expect, it } from "vitest";
import { ada, anonymous, type Client, signUp } from "../support/app.ts";
import { endUserOf } from "../support/callers.ts";
import { checkingProblems } from "./described-problems.ts";
import { methodOf, pathOf, readerOf, type RouteCase, ROUTES, WITH_BODY } from "./route-cases.ts";

/** Addresses to which others append parameters of theirs. */
const OPEN_QUERIES = [
  "GET /auth/google",
  "GET /auth/callback",
  "GET /auth/callback/google",
  "GET /widget/auth/callback",
  "POST /payments/stripe/webhook",
];

let user: Client;
beforeAll(async () => {
  user = await signUp();
});

const clientFor = (route: RouteCase): Client =>
  checkingProblems(readerOf(route.isPublic ? anonymous : user, route));

describe("an unknown query parameter", () => {
  const strict = ROUTES.filter(({ route, speaks }) => !OPEN_QUERIES.includes(route) && speaks === undefined);
  const open = ROUTES.filter(({ route }) => OPEN_QUERIES.includes(route));

  it.each(strict)("is refused by $route, which names it", async (route) => {
    const path = `${pathOf(route)}?colour=red`;
    const { status, body } = await clientFor(route)(methodOf(route), path, route.body);

    expect([status, body.code]).toEqual([422, "validation-failed"]);
    expect(body.detail).toBe("The query is not valid: colour is not known here.");
    expect(body.errors).toEqual([
      { path: ["colour"], message: "colour is not known here.", code: "unrecognized_keys" },
    ]);
  });

  it.each(open)("is ignored by $route, whose query others write", async (route) => {
    const { body } = await clientFor(route)(methodOf(route), `${pathOf(route)}?scope=openid&authuser=0`);

    expect(body.code ?? "").not.toBe("validation-failed");
  });

  it.each(["/", "/health", "/openapi.json"])("is ignored by %s, which probes call", async (path) => {
    expect((await anonymous("GET", `${path}?t=1`)).status).toBe(200);
  });

  it("does not reveal the known parameters to callers without a token", async () => {
    expect((await anonymous("GET", "/agents?colour=red")).status).toBe(401);
  });

  it.each([
    ["/agents/x/memory-blocks?endUserId=u9", "end_user_id"],
    ["/agents/x/memory-blocks?end_usr=u9", "end_user"],
    ["/conversations?limits=5", "limit"],
    ["/conversations?Cursor=5", "cursor"],
    ["/usage?agent=5", "agent_id"],
  ])("is answered with the nearest known name: %s", async (path, near) => {
    const { body } = await user("GET", path);

    expect(body.detail).toContain(`Did you mean \`${near}\`?`);
  });

  it("is quoted by its beginning, and further ones are counted", async () => {
    const names = ["x".repeat(2_000), ...Array.from({ length: 40 }, (_, index) => `y${index}`)];
    const { body } = await user("GET", `/agents?${names.map((name) => `${name}=1`).join("&")}`);

    expect(body.detail).toBe(
      `The query is not valid: ${"x".repeat(64)} is not known here. Not known either: \`y0\`, \`y1\`, \`y2\`, \`y3\` and 36 more.`,
    );
  });
});

describe("a query parameter that is sent twice", () => {
  it.each([
    ["GET", "/conversations?limit=10&limit=20", "limit"],
    ["GET", "/conversations?limit=10&limit=10", "limit"],
    ["GET", "/agents/x/memory-blocks?end_user_id=u1&end_user_id=u2", "end_user_id"],
    ["POST", "/agents/x/archival-memory?end_user=u1&end_user=", "end_user"],
  ])("is refused by name, instead of using one of its values: %s %s", async (method, path, name) => {
    const { status, body } = await user(method, path, method === "GET" ? undefined : { content: "Tea" });

    expect([status, body.code]).toEqual([422, "validation-failed"]);
    expect(body.errors).toEqual([
      { path: [name], message: `${name} must be sent only once.`, code: "custom" },
    ]);
  });

  it("is ignored in a query that others write", async () => {
    const { body } = await anonymous("GET", "/auth/callback?scope=openid&scope=email");

    expect(body.code ?? "").not.toBe("validation-failed");
  });
});

describe("an end user in the query", () => {
  const added = async (query: (id: string) => string) => {
    const owner = await signUp();
    const { body: agent } = await owner("POST", "/agents", ada);
    const { endUserId } = await endUserOf(owner, agent.agent_id);
    const memories = `/agents/${agent.agent_id}/archival-memory`;
    const stored = await owner("POST", `${memories}?${query(endUserId)}`, { content: "Likes tea" });
    const own = (await owner("GET", memories)).body.items;
    const theirs = (await owner("GET", `${memories}?end_user_id=${endUserId}`)).body.items;
    return { stored, own: own.length as number, theirs: theirs.length as number };
  };

  it.each([
    (id: string) => `end_user_id=${id}`,
    (id: string) => `end_user=${id}`,
    (id: string) => `end_user=${id}&end_user_id=${id}`,
  ])("is named as in bodies, or by the earlier name", async (query) => {
    const { stored, own, theirs } = await added(query);

    expect([stored.status, own, theirs]).toEqual([201, 0, 1]);
  });

  it.each([
    ["end_user_id=", "end_user_id must not be empty."],
    ["end_user=", "end_user must not be empty."],
    ["end_user=a&end_user_id=b", "end_user and end_user_id name different end users. Send one of them."],
  ])("never counts as the owner: %s", async (query, message) => {
    const { stored, own, theirs } = await added(() => query);

    expect([stored.status, stored.body.errors[0].message]).toEqual([422, message]);
    expect([own, theirs]).toEqual([0, 0]);
  });

  it("requires an agent in the query of usage", async () => {
    const { status, body } = await user("GET", "/usage?end_user_id=u9");

    expect([status, body.detail]).toEqual([
      422,
      "The query is not valid: agent_id is required with end_user_id.",
    ]);
  });
});

describe("an unknown member of a body", () => {
  const strict = WITH_BODY.filter(({ ignoresUnknown }) => !ignoresUnknown);
  const open = WITH_BODY.filter(({ ignoresUnknown }) => ignoresUnknown);

  it.each(open)("is ignored by $route, whose clients are written for other services", async (route) => {
    const body = { ...route.body, colour: "crimson", temperature: 0.5 };
    const answer = await clientFor(route)(methodOf(route), pathOf(route), body);

    expect([answer.status, answer.body.code]).toEqual([404, "not-found"]);
  });

  it.each(strict)("is refused by $route, which names it and not its value", async (route) => {
    const body = { ...route.body, colour: "crimson" };
    const answer = await clientFor(route)(methodOf(route), pathOf(route), body);

    expect([answer.status, answer.body.code]).toEqual([422, "validation-failed"]);
    expect(answer.body.errors).toEqual([
      { path: ["colour"], message: "colour is not known here.", code: "unrecognized_keys" },
    ]);
    expect(JSON.stringify(answer.body)).not.toContain("crimson");
  });

  it("is refused in the elements of a list, too", async () => {
    const items = [{ content: "One" }, { content: "Two", occured_at: "2025-06-01" }];
    const { status, body } = await user("POST", "/agents/x/archival-memory/batch", { items });

    expect(status).toBe(422);
    expect(body.errors[0]).toMatchObject({
      path: ["items", "1", "occured_at"],
      message: "occured_at is not known here. Did you mean `occurred_at`?",
    });
  });

  interface Content {
    readonly schema: { readonly $ref?: string };
  }

  it("is ruled out by the description of every body, except those that a provider's form or another service or protocol defines", () => {
    const schemas: Readonly<
      Record<string, { readonly description?: string; readonly additionalProperties?: unknown }>
    > = openapi.components.schemas;
    const bodies = Object.values(openapi.paths)
      .flatMap((methods) => Object.values(methods))
      .flatMap((operation: { requestBody?: { content: Readonly<Record<string, Content>> } }) =>
        Object.values(operation.requestBody?.content ?? {}).map(({ schema }) => schema.$ref ?? ""),
      )
      .map((ref) => ref.split("/").at(-1) ?? "");

    expect(bodies.length).toBeGreaterThan(10);
    const open = [...new Set(bodies)].filter((name) => schemas[name]?.additionalProperties !== false);
    expect(open.toSorted()).toEqual([
      "ChatRequest",
      "CompletionRequest",
      "McpMessage",
      "NewOAuthClient",
      "NewResponse",
      "ProviderCredentials",
      "TokenRequest",
      "TokenRevocation",
    ]);
  });
});

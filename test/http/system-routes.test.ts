import { describe, expect, it } from "vitest";
import { anonymous, signUp } from "../support/app.ts";
import { problem, requestIn } from "./route-cases.ts";

describe("the open routes", () => {
  it.each([
    ["/", { message: "Dynamic Agent Builder API" }],
    ["/health", { status: "healthy" }],
  ])("answers %s without a token", async (path, expected) => {
    const { status, body } = await anonymous("GET", path);

    expect(status).toBe(200);
    expect(body).toEqual(expected);
  });

  it("answers a broken token there as if there were none", async () => {
    const { status } = await anonymous("GET", "/health", undefined, { authorization: "Bearer nonsense" });

    expect(status).toBe(200);
  });
});

describe("a path where nothing is", () => {
  const paths = [
    "/nothing",
    "/agents/a/b/c/d",
    "/AGENTS",
    "/auth/local",
    "/health/more",
    "/openapi.yaml",
    "//agents",
  ];

  it.each(paths)("asks for a token at %s", async (path) => {
    const { status, body } = await anonymous("GET", path);

    expect(status).toBe(401);
    expect(body).toEqual(problem(401, "unauthenticated", "Missing or invalid authorization header"));
  });

  it.each(paths)("says with a token that there is nothing at %s", async (path) => {
    const client = await signUp();

    const { status, headers, body } = await client("GET", path);

    expect(status).toBe(404);
    expect(headers.get("content-type")).toBe("application/problem+json");
    expect(body).toEqual(problem(404, "not-found", "There is nothing at this path."));
  });
});

describe("a method that no route has at a path", () => {
  it.each([
    ["PATCH", "/agents", ["POST", "GET", "HEAD", "OPTIONS"]],
    ["DELETE", "/agents/", ["POST", "GET", "HEAD", "OPTIONS"]],
    ["POST", "/agents/anything-at-all", ["GET", "PUT", "DELETE", "HEAD", "OPTIONS"]],
    ["PATCH", "/agents/a%23b", ["GET", "PUT", "DELETE", "HEAD", "OPTIONS"]],
    ["PUT", "/agents/a/b/send-message", ["POST", "OPTIONS"]],
    ["POST", "/health", ["GET", "HEAD", "OPTIONS"]],
    ["GET", "/auth/local/signup", ["POST", "OPTIONS"]],
    ["PROPFIND", "/conversations", ["POST", "GET", "HEAD", "OPTIONS"]],
  ])("is refused: %s %s, with those that there are", async (method, path, allowed) => {
    const client = await signUp();

    const { status, headers, body } = await client(method, path);

    expect(status).toBe(405);
    expect(headers.get("content-type")).toBe("application/problem+json");
    const allow = headers.get("allow") ?? "";
    expect(allow.split(", ").toSorted()).toEqual(allowed.toSorted());
    const sentence = `There is no ${method} at this path, but ${allow}.`;
    expect(body).toEqual(problem(405, "method-not-allowed", sentence));
  });

  it.each([
    ["PATCH", "/agents"],
    ["POST", "/health"],
    ["GET", "/auth/local/signup"],
    ["DELETE", "/nothing"],
  ])("says nothing of it without a token: %s %s", async (method, path) => {
    const { status, headers, body } = await anonymous(method, path);

    expect(status).toBe(401);
    expect(headers.get("allow")).toBeNull();
    expect(body).toEqual(problem(401, "unauthenticated", "Missing or invalid authorization header"));
  });
});

it.each(["/agents", "/conversations", "/auth/me", "/health"])(
  "answers %s with a slash at its end like without, and redirects nobody",
  async (path) => {
    const client = await signUp();

    const plain = await client("GET", path);
    const slashed = await client("GET", `${path}/`);

    expect(plain.status).toBe(200);
    expect([slashed.status, slashed.body]).toEqual([200, plain.body]);
  },
);

it("gives every answer an id, the one that its problem names", async () => {
  const { headers, body } = await anonymous("GET", "/agents");

  expect(headers.get("x-request-id")).toMatch(/^[0-9a-f-]{36}$/u);
  expect(body.request_id).toBe(headers.get("x-request-id"));
});

it("keeps problems out of caches", async () => {
  const { headers } = await anonymous("GET", "/agents");

  expect(headers.get("cache-control")).toBe("no-store");
});

describe("a service that is not configured", () => {
  const production = { ENVIRONMENT: "production" } as const;

  it.each([
    ["without a secret for tokens", { ...production, JWT_SECRET: "" }],
    ["with a blank secret for tokens", { ...production, JWT_SECRET: " , " }],
    ["without a key for credentials", { ...production, ENCRYPTION_KEY: "" }],
    ["with a key for credentials that is none", { ...production, ENCRYPTION_KEY: "k:tooshort" }],
    ["without keys for the table", { ...production, AWS_ACCESS_KEY_ID: "", AWS_SECRET_ACCESS_KEY: "" }],
    ["without a secret for tokens, in local development too", { ENVIRONMENT: "local", JWT_SECRET: "" }],
  ])("answers 503 %s, and tells nobody what is missing", async (_case, variables) => {
    const client = await signUp();

    const answers = [
      await requestIn(variables, "GET", "/agents", { token: client.token }),
      await requestIn(variables, "POST", "/auth/local/login", { body: { username: "a", password: "b" } }),
    ];

    for (const { status, headers, body } of answers) {
      expect(status).toBe(503);
      expect(headers.get("content-type")).toBe("application/problem+json");
      expect(body).toEqual(problem(503, "unavailable", "The service is not configured."));
      expect(JSON.stringify(body)).not.toMatch(/JWT|ENCRYPTION|AWS|SECRET|KEY|DYNAMO|test-secret/u);
    }
  });

  it("counts as production where nothing says what it is", async () => {
    const body = { username: `user-${crypto.randomUUID()}`, password: "secret" };

    const { status } = await requestIn({ ENVIRONMENT: "" }, "POST", "/auth/local/signup", { body });

    expect(status).toBe(403);
  });

  it("takes no dummy keys for the table in production", async () => {
    const keys = { AWS_ACCESS_KEY_ID: "", AWS_SECRET_ACCESS_KEY: "" };
    const { token } = await signUp();

    expect((await requestIn({ ...keys, ENVIRONMENT: "local" }, "GET", "/auth/me", { token })).status).toBe(
      200,
    );
    expect((await requestIn({ ...keys, ...production }, "GET", "/auth/me", { token })).status).toBe(503);
  });
});

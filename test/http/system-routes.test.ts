import { describe, expect, it } from "vitest";
import { anonymous, signUp } from "../support/app.ts";
import { problem, requestIn } from "./route-cases.ts";

describe("the public routes", () => {
  it.each([
    ["/", { message: "Dynamic Agent Builder API" }],
    ["/health", { status: "healthy" }],
  ])("answers %s without a token", async (path, expected) => {
    const { status, body } = await anonymous("GET", path);

    expect(status).toBe(200);
    expect(body).toEqual(expected);
  });

  it("ignores an invalid token", async () => {
    const { status } = await anonymous("GET", "/health", undefined, { authorization: "Bearer nonsense" });

    expect(status).toBe(200);
  });
});

describe("a path without a route", () => {
  const paths = [
    "/nothing",
    "/agents/a/b/c/d",
    "/AGENTS",
    "/auth/local",
    "/health/more",
    "/openapi.yaml",
    "//agents",
  ];

  it.each(paths)("answers 404 without a valid token, so that clients do not sign out: %s", async (path) => {
    for (const headers of [{}, { authorization: "Bearer nonsense" }]) {
      const { status, body } = await anonymous("GET", path, undefined, headers);

      expect(status).toBe(404);
      expect(body).toEqual(problem(404, "not-found", "Nothing was found at this path."));
    }
  });

  it.each(paths)("answers 404 with a token: %s", async (path) => {
    const client = await signUp();

    const { status, headers, body } = await client("GET", path);

    expect(status).toBe(404);
    expect(headers.get("content-type")).toBe("application/problem+json");
    expect(body).toEqual(problem(404, "not-found", "Nothing was found at this path."));
  });
});

describe("a method that a path does not have", () => {
  it.each([
    ["PATCH", "/agents", ["POST", "GET", "HEAD", "OPTIONS"]],
    ["DELETE", "/agents/", ["POST", "GET", "HEAD", "OPTIONS"]],
    ["POST", "/agents/anything-at-all", ["GET", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"]],
    ["POST", "/agents/a%23b", ["GET", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"]],
    ["PUT", "/agents/a/b/send-message", ["POST", "OPTIONS"]],
    ["POST", "/health", ["GET", "HEAD", "OPTIONS"]],
    ["GET", "/auth/local/signup", ["POST", "OPTIONS"]],
    ["PROPFIND", "/conversations", ["POST", "GET", "HEAD", "OPTIONS"]],
  ])("is refused with the allowed methods: %s %s", async (method, path, allowed) => {
    const client = await signUp();

    const { status, headers, body } = await client(method, path);

    expect(status).toBe(405);
    expect(headers.get("content-type")).toBe("application/problem+json");
    const allow = headers.get("allow") ?? "";
    expect(allow.split(", ").toSorted()).toEqual(allowed.toSorted());
    const sentence = `${method} is not allowed here. Allowed: ${allow.replace(", OPTIONS", "")}.`;
    expect(body).toEqual(problem(405, "method-not-allowed", sentence));
  });

  it.each([
    ["PATCH", "/agents"],
    ["POST", "/health"],
    ["GET", "/auth/local/signup"],
  ])("is refused without a token, too: %s %s", async (method, path) => {
    const { status, headers } = await anonymous(method, path);

    expect([status, headers.get("allow")]).toEqual([405, expect.stringContaining("OPTIONS")]);
  });
});

it.each(["/agents", "/conversations", "/auth/me", "/health"])(
  "ignores a slash at the end of %s, without a redirect",
  async (path) => {
    const client = await signUp();

    const plain = await client("GET", path);
    const slashed = await client("GET", `${path}/`);

    expect(plain.status).toBe(200);
    expect([slashed.status, slashed.body]).toEqual([200, plain.body]);
  },
);

it("sends an id with every answer, which its problem document repeats", async () => {
  const { headers, body } = await anonymous("GET", "/agents");

  expect(headers.get("x-request-id")).toMatch(/^[0-9a-f-]{36}$/u);
  expect(body.request_id).toBe(headers.get("x-request-id"));
});

it("forbids caches to store problem documents", async () => {
  const { headers } = await anonymous("GET", "/agents");

  expect(headers.get("cache-control")).toBe("no-store");
});

describe("a service that is not configured", () => {
  const production = { ENVIRONMENT: "production" } as const;

  it.each([
    ["without a secret for tokens", { ...production, JWT_SECRET: "" }],
    ["with a blank secret for tokens", { ...production, JWT_SECRET: " , " }],
    ["without a key for credentials", { ...production, ENCRYPTION_KEY: "" }],
    ["with an invalid key for credentials", { ...production, ENCRYPTION_KEY: "k:tooshort" }],
    ["without keys for the table", { ...production, AWS_ACCESS_KEY_ID: "", AWS_SECRET_ACCESS_KEY: "" }],
    ["without a secret for tokens, in local development too", { ENVIRONMENT: "local", JWT_SECRET: "" }],
  ])("answers 503 %s, without naming what is missing", async (_case, variables) => {
    const client = await signUp();

    const answers = [
      await requestIn(variables, "GET", "/agents", { token: client.token }),
      await requestIn(variables, "POST", "/auth/local/login", { body: { username: "a", password: "b" } }),
    ];

    for (const { status, headers, body } of answers) {
      expect(status).toBe(503);
      expect(headers.get("content-type")).toBe("application/problem+json");
      expect(headers.get("retry-after")).toBeNull();
      expect(body).toEqual(problem(503, "not-configured", "The service is not configured."));
      expect(JSON.stringify(body)).not.toMatch(/JWT|ENCRYPTION|AWS|SECRET|KEY|DYNAMO|test-secret/u);
    }
  });

  it("counts as production if the environment is not stated", async () => {
    const body = { username: `user-${crypto.randomUUID()}`, password: "secret" };

    const { status } = await requestIn({ ENVIRONMENT: "" }, "POST", "/auth/local/signup", { body });

    expect(status).toBe(403);
  });

  it("uses no dummy keys for the table in production", async () => {
    const keys = { AWS_ACCESS_KEY_ID: "", AWS_SECRET_ACCESS_KEY: "" };
    const { token } = await signUp();

    expect((await requestIn({ ...keys, ENVIRONMENT: "local" }, "GET", "/auth/me", { token })).status).toBe(
      200,
    );
    expect((await requestIn({ ...keys, ...production }, "GET", "/auth/me", { token })).status).toBe(503);
  });
});

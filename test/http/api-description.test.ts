import { expect, it } from "vitest";
import { docOf } from "../../src/http/openapi.ts";
import { anonymous, app } from "../support/app.ts";
import { ROUTES } from "./route-cases.ts";

/** What each route says of itself, by `METHOD /path`; what stands before all routes says nothing. */
const operations = Map.groupBy(
  app.routes.filter(({ method }) => method !== "ALL"),
  ({ method, path }) => `${method} ${path}`,
);

const operationOf = (route: string) =>
  (operations.get(route) ?? [])
    .map(({ handler }) => docOf(handler))
    .filter((doc) => doc !== undefined)
    .filter((doc) => doc.kind === "operation");

it.each([...operations.keys()])("knows what %s is", (route) => {
  expect(operationOf(route)).toHaveLength(1);
});

it("leaves exactly these routes open to everybody", () => {
  const open = [...operations.keys()].filter((route) => operationOf(route)[0]?.access === "public");

  expect(open.toSorted()).toEqual([
    "GET /",
    "GET /health",
    "GET /openapi.json",
    "GET /payments/stripe/pricing",
    "GET /payments/stripe/session/:sessionId",
    "POST /auth/local/login",
    "POST /auth/local/signup",
    "POST /payments/stripe/checkout",
    "POST /payments/stripe/webhook",
  ]);
});

it("has the shared cases for every route", () => {
  const system = ["GET /", "GET /health", "GET /openapi.json"];

  expect([...ROUTES.map(({ route }) => route), ...system].toSorted()).toEqual(
    [...operations.keys()].toSorted(),
  );
});

it("gives every operation an id of its own", () => {
  const ids = [...operations.keys()].flatMap((route) => operationOf(route).map(({ id }) => id));

  expect(new Set(ids).size).toBe(operations.size);
});

it("serves the description to everybody, with every route in it", async () => {
  const { status, headers, body } = await anonymous("GET", "/openapi.json");

  expect(status).toBe(200);
  expect(headers.get("content-type")).toBe("application/json");
  expect(body.openapi).toBe("3.1.0");
  const described = Object.entries<object>(body.paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method.toUpperCase()} ${path.replaceAll(/\{(\w+)\}/gu, ":$1")}`),
  );
  expect(described.toSorted()).toEqual([...operations.keys()].toSorted());
});

it("describes which routes want a token, and how problems look", async () => {
  const { body } = await anonymous("GET", "/openapi.json");

  expect(body.paths["/agents"].get.security).toEqual([{ bearer: [] }]);
  expect(body.paths["/health"].get.security).toBeUndefined();
  expect(body.components.schemas.Problem.required).toEqual(
    expect.arrayContaining(["type", "title", "status", "detail", "instance", "code", "request_id"]),
  );
});

import openapi from "../../docs/openapi.json" with { type: "json" };
import { beforeAll, describe, expect, it } from "vitest";
import { anonymous, type Client, signUp } from "../support/app.ts";
import { methodOf, pathOf, problem, readerOf, speaksOpenAi, WITH_BODY } from "./route-cases.ts";

interface Schema {
  readonly description?: string;
  readonly type?: unknown;
  readonly $ref?: string;
  readonly required?: readonly string[];
}

interface Operation {
  readonly operationId: string;
  readonly requestBody?: {
    readonly content: {
      readonly "application/json"?: { readonly schema: Schema };
      readonly "multipart/form-data"?: { readonly schema: Schema };
      readonly "application/x-www-form-urlencoded"?: { readonly schema: Schema };
    };
  };
}

const paths: Readonly<Record<string, Readonly<Record<string, Operation>>>> = openapi.paths;
const schemas: Readonly<Record<string, Schema>> = openapi.components.schemas;

/** The members that the description of a route says its body must have. */
function requiredBy(route: string): readonly string[] {
  const [method = "", path = ""] = route.split(" ");
  const operation = paths[path.replaceAll(/:(\w+)/gu, "{$1}")]?.[method.toLowerCase()];
  const schema = operation?.requestBody?.content["application/json"]?.schema;
  const name = schema?.$ref?.split("/").at(-1);
  return (name === undefined ? schema : schemas[name])?.required ?? [];
}

const cases = WITH_BODY.map((route) => ({ ...route, required: requiredBy(route.route) })).filter(
  ({ required }) => required.length > 0,
);

let user: Client;
beforeAll(async () => {
  user = await signUp();
});

it("finds the routes with required members", () => {
  expect(cases.map(({ route }) => route)).toContain("POST /agents");
});

describe.each(cases)("$route", (route) => {
  const { required } = route;

  it("reports that each missing member is required", async () => {
    const client = readerOf(route.isPublic ? anonymous : user, route);
    // OpenAI's errors name one member.
    const named = speaksOpenAi(route) ? required.slice(0, 1) : required;
    const { status, body } = await client(methodOf(route), pathOf(route), {});

    expect(status).toBe(422);
    expect(body.errors).toEqual(
      named.map((name) => ({ path: [name], message: `${name} is required.`, code: expect.any(String) })),
    );
  });
});

it("names the missing member once in the problem's detail", async () => {
  const { body } = await user("POST", "/auth/local/login", { username: "somebody" });

  expect(body).toEqual(
    problem(422, "validation-failed", "The body is not valid: password is required.", {
      errors: [{ path: ["password"], message: "password is required.", code: "invalid_type" }],
    }),
  );
});

import * as z from "zod";
import { describe, expect, it } from "vitest";
import { OPERATIONS } from "../../scripts/api-description/all-docs.ts";
import { describeApi, routesOf } from "../../scripts/openapi.ts";
import { speaksOAuth } from "../../src/http/oauth-error.ts";
import { RESPONSE_HEADERS, TAGS } from "../../src/http/docs.ts";
import type { Answer } from "../../src/http/openapi.ts";

/** The parts of an OpenAPI document that these tests read. */
const Parameter = z.object({
  name: z.string(),
  in: z.string(),
  description: z.string().optional(),
  example: z.unknown().optional(),
});
const Media = z.object({
  schema: z.unknown(),
  example: z.unknown().optional(),
  examples: z.record(z.string(), z.unknown()).optional(),
});
const Response = z.union([
  z.strictObject({ $ref: z.string() }),
  z.object({ description: z.string(), content: z.record(z.string(), Media).optional() }),
]);
const Operation = z.object({
  operationId: z.string(),
  tags: z.array(z.string()),
  summary: z.string(),
  description: z.string(),
  parameters: z.array(Parameter).default([]),
  requestBody: z.object({ content: z.record(z.string(), Media) }).optional(),
  responses: z.record(z.string(), Response),
});
const Document = z.object({
  openapi: z.literal("3.1.0"),
  servers: z.array(z.object({ url: z.string() })).min(1),
  tags: z.array(z.object({ name: z.string(), description: z.string().min(1) })),
  paths: z.record(z.string(), z.record(z.string(), Operation)),
  components: z.object({ responses: z.record(z.string(), Response) }),
});

const json = describeApi();
const api = Document.parse(json);
const operations = Object.values(api.paths).flatMap((methods) => Object.values(methods));

/** Returns the objects within a value, with the path of each. */
function* objectsIn(
  value: unknown,
  path: string,
): Generator<readonly [string, Readonly<Record<string, unknown>>]> {
  if (typeof value !== "object" || value === null) return;
  const members: Readonly<Record<string, unknown>> = { ...value };
  yield [path, members];
  for (const [name, member] of Object.entries(members)) yield* objectsIn(member, `${path}/${name}`);
}

/** The objects of the document. Examples are data, in which `properties` and `$ref` have no meaning. */
const objects = [...objectsIn(json, "#")].filter(([path]) => !/\/(?:example|examples)(?:\/|$)/u.test(path));

/** Returns what a reference of the document points to, or `undefined` if it points to nothing. */
const resolve = (reference: string): unknown =>
  reference
    .replace(/^#\//u, "")
    .split("/")
    .reduce<unknown>((at, name) => objectsIn(at, "").next().value?.[1][name], json);

const isBlank = (text: unknown): boolean => typeof text !== "string" || text.trim() === "";

/** The media type and the schema of a path's errors. */
function formOf(path: string): readonly [type: string, schema: string] {
  if (path.startsWith("/v1/")) return ["application/json", "OpenAiError"];
  return speaksOAuth(path) ? ["application/json", "OAuthError"] : ["application/problem+json", "Problem"];
}

describe("the API description", () => {
  it("introduces its tags in the order of a reader's interest", () => {
    expect(api.tags.map(({ name }) => name)).toEqual(Object.keys(TAGS));
  });

  it("has one known tag for every operation, and an operation for every tag", () => {
    const used = operations.map(({ tags }) => tags);

    expect(used.filter((tags) => tags.length !== 1)).toEqual([]);
    expect(new Set(used.flat())).toEqual(new Set(Object.keys(TAGS)));
  });

  it("has for every operation a summary of at most 60 characters and a description in sentences", () => {
    const wrong = operations.filter(
      ({ summary, description }) =>
        summary === "" || summary.length > 60 || summary.endsWith(".") || !description.endsWith("."),
    );

    expect(wrong.map(({ operationId }) => operationId)).toEqual([]);
  });

  it("has a different id for every operation", () => {
    const ids = operations.map(({ operationId }) => operationId);

    expect(new Set(ids).size).toBe(ids.length);
  });

  it("describes every property", () => {
    const undescribed = objects.flatMap(([path, { properties }]) =>
      path.endsWith("/properties") || typeof properties !== "object" || properties === null
        ? []
        : Object.entries<{ description?: unknown }>({ ...properties })
            .filter(([, property]) => isBlank(property.description))
            .map(([name]) => `${path}/${name}`),
    );

    expect(undescribed).toEqual([]);
  });

  it("describes every schema that has an id", () => {
    const undescribed = objects.filter(
      ([path, { description }]) => /^#\/components\/schemas\/[^/]+$/u.test(path) && isBlank(description),
    );

    expect(undescribed.map(([path]) => path)).toEqual([]);
  });

  it("describes every parameter and has an example of it", () => {
    const wrong = operations.flatMap(({ operationId, parameters }) =>
      parameters
        .filter(({ description, example }) => isBlank(description) || example === undefined)
        .map(({ name }) => `${operationId}: ${name}`),
    );

    expect(wrong).toEqual([]);
  });

  it("resolves every reference", () => {
    const references = objects.flatMap(([, { $ref }]) => (typeof $ref === "string" ? [$ref] : []));

    expect(references.length).toBeGreaterThan(0);
    expect(references.filter((reference) => resolve(reference) === undefined)).toEqual([]);
  });

  it("resolves every schema that a discriminator names", () => {
    const mapped = objects.flatMap(([, { discriminator }]) =>
      [...objectsIn(discriminator, "")].flatMap(([path, mapping]) =>
        path === "/mapping" ? Object.values(mapping).map(String) : [],
      ),
    );

    expect(mapped.length).toBeGreaterThan(0);
    expect(mapped.filter((reference) => resolve(reference) === undefined)).toEqual([]);
  });

  it.each(Object.keys(RESPONSE_HEADERS))("says which answers have the header %s", (name) => {
    const references = objects.filter(([, { $ref }]) => $ref === `#/components/headers/${name}`);

    expect(references.length).toBeGreaterThan(0);
  });

  it("says which requests may be conditional, idempotent or in a time zone", () => {
    const taking = (header: string) =>
      operations
        .filter(({ parameters }) => parameters.some(({ name }) => name === header))
        .map(({ operationId }) => operationId)
        .toSorted();

    expect(taking("If-None-Match")).toEqual(["getMemoryBlockContent"]);
    expect(taking("If-Match")).toEqual([
      "patchKnowledgeBase",
      "replaceMemoryBlockContent",
      "restoreMemoryBlock",
      "updateKnowledgeBase",
    ]);
    expect(taking("X-Time-Zone")).toEqual([
      "chat",
      "createChatCompletion",
      "createResponse",
      "getContext",
      "regenerateAnswer",
      "sendMessage",
      "sendWidgetMessage",
    ]);
    expect(taking("Idempotency-Key")).toContain("sendMessage");
  });

  it("describes every refusal by the schema of problems, of OpenAI's errors below /v1, or of OAuth's", () => {
    const refusals = Object.entries(api.paths).flatMap(([path, methods]) =>
      Object.values(methods).flatMap(({ operationId, responses }) =>
        Object.entries(responses)
          .filter(([status]) => Number(status) >= 400)
          .map(([status, response]) => [`${operationId} ${status}`, response, path] as const),
      ),
    );
    const wrong = refusals.filter(([, response, path]) => {
      const [type, name] = formOf(path);
      const resolved = Response.parse("$ref" in response ? resolve(response.$ref) : response);
      const schema = "content" in resolved ? resolved.content?.[type]?.schema : undefined;
      return !JSON.stringify(schema ?? null).includes(`"#/components/schemas/${name}"`);
    });

    expect(refusals.length).toBeGreaterThan(0);
    expect(wrong.map(([name]) => name)).toEqual([]);
  });

  it("shows an example of every body and of every answer with content", () => {
    const hasExample = ({ example, examples }: z.infer<typeof Media>) =>
      example !== undefined || Object.keys(examples ?? {}).length > 0;
    const wrong = operations.flatMap(({ operationId, requestBody, responses }) => [
      ...Object.values(requestBody?.content ?? {})
        .filter((media) => !hasExample(media))
        .map(() => `${operationId}: body`),
      ...Object.entries(responses).flatMap(([status, response]) =>
        "content" in response
          ? Object.entries(response.content ?? {})
              .filter(([, media]) => !hasExample(media))
              .map(([type]) => `${operationId}: ${status} ${type}`)
          : [],
      ),
    ]);

    expect(wrong).toEqual([]);
  });
});

describe("the examples", () => {
  const routes = routesOf().map(([, route]) => route);

  it.each(routes.map((route) => [route.operation.id, route] as const))(
    "of %s match its schemas",
    (id, route) => {
      const docs = OPERATIONS.get(id);
      const body = route.docs.find(
        (doc) => doc.kind === "input" && (doc.target === "json" || doc.target === "form"),
      );
      if (body?.kind === "input") expect(body.schema.safeParse(docs?.request).error).toBeUndefined();
      else expect(docs?.request).toBeUndefined();

      for (const [status, example] of Object.entries(docs?.answers ?? {}))
        expectToMatch([route.operation.answers[Number(status)] ?? []].flat(), example);
    },
  );

  it.each(routes.map((route) => [route.operation.id, route] as const))(
    "of parameters of %s are accepted",
    (id, route) => {
      const document = operations.find(({ operationId }) => operationId === id);
      for (const doc of route.docs) {
        if (doc.kind !== "input" || doc.target !== "query") continue;
        const inQuery = document?.parameters.filter((parameter) => parameter.in === "query") ?? [];
        const query = Object.fromEntries(inQuery.map(({ name, example }) => [name, example]));
        expect(doc.schema.safeParse(query).error).toBeUndefined();
      }
    },
  );

  const streams = [...OPERATIONS].flatMap(([id, { stream }]) => (stream ? [[id, stream] as const] : []));

  it.each(streams)(
    "of the stream of %s match one schema each, and show all of them",
    (_id, { events, examples }) => {
      const matches = examples.map((example) => events.filter((event) => event.safeParse(example).success));

      expect(matches.map(({ length }) => length)).toEqual(examples.map(() => 1));
      expect(new Set(matches.flat())).toEqual(new Set(events));
    },
  );
});

/** Expects an example to match a schema, without members that the schema lacks: parsing would drop them. */
function expectToMatch(answers: readonly Answer[], example: unknown): void {
  const schemas = answers.filter((answer) => typeof answer !== "string");
  if (schemas.length === 0) {
    expect(answers).toContain("json");
    return;
  }
  expect(schemas).toHaveLength(1);
  for (const schema of schemas) expect(schema.parse(example)).toEqual(example);
}

import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import * as z from "zod";
import { createApp } from "../src/app.ts";
import { type Access, type Answer, docOf, type InputDoc, type OperationDoc } from "../src/http/openapi.ts";

const FILE = join(import.meta.dirname, "../docs/openapi.json");

/** `/agents/:agentId` as Hono writes it, `/agents/{agentId}` as OpenAPI does. */
const PARAMETER = /:([A-Za-z]+)/gu;

const PROBLEM = {
  type: "object",
  description: "RFC 9457. `code` is for programs, `detail` for people.",
  required: ["type", "title", "status", "detail", "instance", "code", "request_id"],
  properties: {
    type: { type: "string" },
    title: { type: "string" },
    status: { type: "integer" },
    detail: { type: "string" },
    instance: { type: "string" },
    code: { type: "string" },
    request_id: { type: "string" },
    errors: {
      type: "array",
      description: "What a schema objects to; values are never echoed.",
      items: {
        type: "object",
        properties: {
          path: { type: "array", items: { type: "string" } },
          message: { type: "string" },
          code: { type: "string" },
        },
      },
    },
  },
};

/** Schemas with an id stand once, under `components`, and are referred to from everywhere else. */
type Components = Map<string, object>;

/** The OpenAPI 3.1 document of the whole API, read from the marks that routes carry. */
export function describeApi(): object {
  const components: Components = new Map([["Problem", PROBLEM]]);
  const paths: Record<string, Record<string, object>> = {};

  for (const [route, docs] of groupByRoute()) {
    const [method = "", path = ""] = route.split(" ");
    const operation = docs.find((doc) => doc.kind === "operation");
    if (!operation) throw new Error(`${route} does not say what it is: give it an operation().`);

    const inputs = docs.filter((doc) => doc.kind === "input");
    const openApiPath = path.replaceAll(PARAMETER, "{$1}");
    paths[openApiPath] = {
      ...paths[openApiPath],
      [method.toLowerCase()]: describeOperation(operation, inputs, path, components),
    };
  }

  return {
    openapi: "3.1.0",
    info: {
      title: "Dynamic Agent Builder API",
      version: "1",
      description:
        "Build AI agents that remember. See docs/stream-protocol.md for the events of a streamed answer.",
    },
    paths,
    components: {
      securitySchemes: {
        bearer: {
          type: "http",
          scheme: "bearer",
          bearerFormat: "JWT",
          description: "A person who has signed in.",
        },
        apiKey: {
          type: "http",
          scheme: "bearer",
          bearerFormat: "dab_…",
          description: "A program, by an API key that has the scope.",
        },
        endUser: {
          type: "http",
          scheme: "bearer",
          bearerFormat: "JWT",
          description: "An end user of an agent, by a client token.",
        },
      },
      schemas: Object.fromEntries([...components].toSorted(([a], [b]) => a.localeCompare(b))),
    },
  };
}

/** What each route's handlers say of it, by `METHOD /path`; handlers of all routes (middleware) say nothing. */
function groupByRoute(): Map<string, (OperationDoc | InputDoc)[]> {
  const routes = new Map<string, (OperationDoc | InputDoc)[]>();

  for (const { method, path, handler } of createApp().routes) {
    if (method === "ALL") continue;
    const doc = docOf(handler);
    const route = `${method} ${path}`;
    routes.set(route, [...(routes.get(route) ?? []), ...(doc ? [doc] : [])]);
  }
  return routes;
}

function describeOperation(
  { id, summary, answers, access }: OperationDoc,
  inputs: readonly InputDoc[],
  path: string,
  components: Components,
): object {
  const body = inputs.find(({ target }) => target === "json");
  const inPath = [...path.matchAll(PARAMETER)].map(([, name]) => ({
    name,
    in: "path",
    required: true,
    schema: { type: "string" },
  }));
  const parameters = [
    ...inPath,
    ...inputs.flatMap(({ target, schema }) =>
      target === "query" || target === "header" ? parametersIn(target, schema) : [],
    ),
  ];

  return {
    operationId: id,
    summary,
    ...describeAccess(access),
    ...(parameters.length > 0 && { parameters }),
    ...(body && {
      requestBody: {
        required: true,
        content: { "application/json": { schema: schemaOf(body.schema, "input", components) } },
      },
    }),
    responses: {
      ...Object.fromEntries(
        Object.entries(answers).map(([status, answer]) => [
          status,
          describeAnswers(status, answer, components),
        ]),
      ),
      default: {
        description: "A problem.",
        content: { "application/problem+json": { schema: { $ref: "#/components/schemas/Problem" } } },
      },
    },
  };
}

/** Who may call a route; a program's key needs one of the scopes. */
function describeAccess(access: Access): object {
  if (access === "public") return {};

  const scopes = access.filter((who) => who !== "user" && who !== "end-user");
  return {
    security: [
      ...(access.includes("user") ? [{ bearer: [] }] : []),
      ...(scopes.length > 0 ? [{ apiKey: scopes }] : []),
      ...(access.includes("end-user") ? [{ endUser: [] }] : []),
    ],
    "x-scopes": scopes,
  };
}

const DESCRIPTIONS: Record<string, string> = {
  "200": "Done.",
  "201": "Created.",
  "202": "Begun; repeat the request.",
  "204": "Done, nothing to say.",
};

function describeAnswers(
  status: string,
  answers: Answer | readonly Answer[],
  components: Components,
): object {
  const contents = [answers].flat().map((answer: Answer) => contentOf(answer, components));
  const content = Object.assign({}, ...contents) as object;
  const description = DESCRIPTIONS[status] ?? "Done.";
  return { description, ...(Object.keys(content).length > 0 && { content }) };
}

function contentOf(answer: Answer, components: Components): object {
  if (answer === "empty") return {};
  if (answer === "json-lines") return { "application/x-ndjson": { schema: { type: "string" } } };
  if (answer === "event-stream") return { "text/event-stream": { schema: { type: "string" } } };

  const schema = answer === "json" ? { type: "object" } : schemaOf(answer, "output", components);
  return { "application/json": { schema } };
}

function parametersIn(place: "query" | "header", schema: z.ZodType): object[] {
  const { properties = {}, required = [] } = z.toJSONSchema(schema, { io: "input", unrepresentable: "any" });
  return Object.entries(properties).map(([name, property]) => ({
    name,
    in: place,
    required: required.includes(name),
    schema: property,
  }));
}

/** A schema in place, or a reference to it where it has an id. */
function schemaOf(schema: z.ZodType, io: "input" | "output", components: Components): object {
  const { $schema: _dialect, $defs = {}, ...json } = z.toJSONSchema(schema, { io, unrepresentable: "any" });

  for (const [id, definition] of Object.entries($defs)) components.set(id, withoutId(definition));
  const { id } = z.globalRegistry.get(schema) ?? {};
  if (id === undefined) return pointToComponents(json);

  // A schema that has an id comes as a reference to its own definition, or as the definition itself.
  if (!(id in $defs)) components.set(id, withoutId(json));
  return { $ref: `#/components/schemas/${id}` };
}

/** References within one schema point to its own definitions; here they stand with the components. */
const pointToComponents = (json: object): object =>
  JSON.parse(JSON.stringify(json).replaceAll('"#/$defs/', '"#/components/schemas/'));

function withoutId(definition: object): object {
  const { id: _id, ...rest } = pointToComponents(definition) as { id?: string };
  return rest;
}

export const render = (document: object): string => `${JSON.stringify(document, null, 2)}\n`;

if (import.meta.main) {
  const text = render(describeApi());
  if (process.argv.includes("--check")) {
    if ((await readFile(FILE, "utf8")) !== text) {
      console.error("docs/openapi.json is not what the routes say. Run: npm run openapi");
      process.exit(1);
    }
  } else {
    await writeFile(FILE, text);
  }
}

import * as z from "zod";
import { type Access, isScope } from "../../src/access/require-access.ts";
import { type OperationDocs, PARAMETERS, type StreamDocs } from "../../src/http/docs.ts";
import { speaksOAuth } from "../../src/http/oauth-error.ts";
import { speaksOpenAi } from "../../src/http/openai-error.ts";
import type { Answer, InputDoc, OperationDoc, RouteDoc } from "../../src/http/openapi.ts";
import { UNFINISHED, Unfinished } from "../../src/http/schemas.ts";
import { OPERATIONS } from "./all-docs.ts";
import { codesOf, type ErrorForm, headersOf, type Problems } from "./problems.ts";
import type { JsonSchema, Schemas } from "./schemas.ts";

/** `/agents/:agentId` as Hono writes it, `/agents/{agentId}` as OpenAPI does. */
export const PARAMETER = /:([A-Za-z]+)/gu;

/** A route with the metadata of its middleware. */
export interface Route {
  /** As Hono writes it. */
  readonly path: string;
  readonly operation: OperationDoc;
  readonly access: Access;
  readonly docs: readonly RouteDoc[];
}

/** Where the description defines what several operations share. */
interface Shared {
  readonly schemas: Schemas;
  readonly problems: Problems;
}

/** Returns the OpenAPI operation of a route. Throws an error if its docs lack something. */
export function describeOperation(route: Route, { schemas, problems }: Shared): object {
  const { id, answers } = route.operation;
  const docs = OPERATIONS.get(id);
  if (!docs) throw new Error(`There are no docs of ${id}. Add them to the docs.ts of its feature.`);

  const inputs = route.docs.filter((doc) => doc.kind === "input");
  const parameters = parametersOf(route.path, inputs, docs);
  const body = inputs.find(({ target }) => target === "json" || target === "form");
  return {
    operationId: id,
    tags: [docs.tag],
    summary: docs.summary,
    description: docs.description,
    ...describeAccess(route.access),
    ...(parameters.length > 0 && { parameters }),
    ...(body && { requestBody: describeBody(body, docs, schemas) }),
    responses: {
      ...Object.fromEntries(
        Object.entries(answers).map(([status, answer]) => [
          status,
          describeAnswers(Number(status), [answer].flat(), docs, schemas),
        ]),
      ),
      ...problems.of([...codesOf(route.access, route.docs), ...(docs.problems ?? [])], formOf(route.path)),
    },
  };
}

function formOf(path: string): ErrorForm {
  if (speaksOpenAi(path)) return "openai";
  return speaksOAuth(path) ? "oauth" : "problem";
}

/** Who may call a route; a program's key needs one of the scopes. */
function describeAccess(access: Access): object {
  if (access === "public") return { security: [] };

  if (access.includes("page")) return { security: [{ publishableKey: [] }] };
  if (access.includes("visitor"))
    return {
      security: [
        { publishableKey: [], visitor: [] },
        { publishableKey: [], endUser: [] },
      ],
    };

  const scopes = access.filter(isScope);
  return {
    security: [
      ...(access.includes("user") ? [{ bearer: [] }] : []),
      ...(scopes.length > 0 ? [{ apiKey: scopes }] : []),
      ...(access.includes("end-user") ? [{ endUser: [] }] : []),
      ...(access.includes("mcp-client") ? [{ mcpClient: [] }] : []),
    ],
    "x-scopes": scopes,
  };
}

function describeBody(
  { target, schema, isOptional, isUrlEncoded }: InputDoc,
  docs: OperationDocs,
  schemas: Schemas,
): object {
  const formType = isUrlEncoded ? "application/x-www-form-urlencoded" : "multipart/form-data";
  const type = target === "form" ? formType : "application/json";
  return {
    required: !isOptional,
    content: {
      [type]: {
        schema: schemas.of(schema, "input"),
        ...(docs.request !== undefined && { example: docs.request }),
      },
    },
  };
}

const MEANINGS: Readonly<Record<number, string>> = {
  200: "The result.",
  201: "It was created.",
  202: "Some data is left to remove. Send the same request again until the answer is a 204.",
  204: "Done. The answer has no body.",
  207: "Some of the files could not be stored; each has its own `status` and `error`.",
  302: "The browser goes on at another address.",
  307: "The browser goes on at another address.",
  304: "It has not changed since it had this `ETag`. The answer has no body.",
};

function describeAnswers(
  status: number,
  answers: readonly Answer[],
  docs: OperationDocs,
  schemas: Schemas,
): object {
  const contents = answers.map((answer) => contentOf(answer, status, docs, schemas));
  const content: object = Object.assign({}, ...contents);
  return {
    description: MEANINGS[status] ?? "Done.",
    headers: headersOf(docs.headers ?? []),
    ...(Object.keys(content).length > 0 && { content }),
  };
}

function contentOf(answer: Answer, status: number, docs: OperationDocs, schemas: Schemas): object {
  if (answer === "empty") return {};
  if (answer === "json-lines") return { "application/x-ndjson": describeStream(docs.stream, schemas) };
  if (answer === "event-stream") return { "text/event-stream": describeStream(docs.stream, schemas) };

  const schema = answer === "json" ? { type: "object" } : schemas.of(answer, "output");
  const example = docs.answers?.[status] ?? (answer === Unfinished ? UNFINISHED : undefined);
  return { "application/json": { schema, ...(example !== undefined && { example }) } };
}

function describeStream(stream: StreamDocs | undefined, schemas: Schemas): object {
  if (!stream) throw new Error("An operation with a stream has no docs of its events.");
  const examples = stream.examples.map((value) => [value[stream.discriminator], { value }] as const);
  return { schema: schemas.ofStream(stream), examples: Object.fromEntries(examples) };
}

function parametersOf(path: string, inputs: readonly InputDoc[], docs: OperationDocs): object[] {
  const inPath = [...path.matchAll(PARAMETER)].map(([, name = ""]) => ({
    name,
    in: "path",
    required: true,
    schema: { type: "string" },
    ...PARAMETERS[name],
  }));
  return [
    ...inPath,
    ...inputs.flatMap(({ target, schema }) =>
      target === "query" || target === "header" ? parametersIn(target, schema, docs) : [],
    ),
  ];
}

function parametersIn(place: "query" | "header", schema: z.ZodType, docs: OperationDocs): object[] {
  const { properties = {}, required = [] } = z.toJSONSchema(schema, { io: "input", unrepresentable: "any" });
  return Object.entries(properties).map(([name, property]) => ({
    name,
    in: place,
    required: required.includes(name),
    ...parameterOf(name, typeof property === "boolean" ? {} : property, docs),
  }));
}

function parameterOf(
  name: string,
  { description, deprecated, ...schema }: JsonSchema,
  docs: OperationDocs,
): object {
  const own = docs.parameters?.[name];
  const shared = own ?? PARAMETERS[name];
  const text = own?.description ?? description ?? shared?.description;
  return {
    ...(text !== undefined && { description: text }),
    ...(deprecated && { deprecated }),
    schema,
    ...(shared && { example: shared.example }),
  };
}

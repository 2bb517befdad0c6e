import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { accessOf } from "../src/access/require-access.ts";
import { createApp } from "../src/app.ts";
import { RESPONSE_HEADERS, TAGS } from "../src/http/docs.ts";
import { docOf } from "../src/http/openapi.ts";
import { OPERATIONS } from "./api-description/all-docs.ts";
import { type ApiDocument, renderMap, renderReference } from "./api-description/markdown.ts";
import { describeOperation, PARAMETER, type Route } from "./api-description/operations.ts";
import { OAUTH_ERROR, OPENAI_ERROR, PROBLEM, Problems } from "./api-description/problems.ts";
import { Schemas } from "./api-description/schemas.ts";

const INTRODUCTION = `Build AI agents that remember the people they talk to.

**First steps.** Create an agent (\`createAgent\`), start a conversation with it (\`createConversation\`), and send a message (\`sendMessage\`). The answer is streamed as server-sent events; what the agent learns, it writes to its memory.

**Authentication.** Send \`Authorization: Bearer …\` with the access token of a person, an API key (\`dab_…\`) of a program, or a client token of an end user. Web pages with a chat send a publishable key (\`pk_live_…\`) as \`X-API-Key\`. Each operation says which of them may call it, and which scopes a key needs.

**Errors** are problem documents (RFC 9457): \`code\` is for programs, \`detail\` for people, and \`request_id\` finds the request in the log. Trying again helps only if the code says so, or after the seconds of \`Retry-After\`. Below \`/v1\`, errors have the form of OpenAI's.

**Idempotency.** Operations that create something take an \`Idempotency-Key\`: for 24 hours, the same key with the same body has one effect and one answer.

**Lists** take \`limit\` and \`cursor\`, and return \`items\`, \`next_cursor\` and \`has_more\`.

**Unknown names.** A query parameter or a member of a body that an operation does not know is refused with 422 and the nearest known name. Bodies for clients of the AI SDK and of OpenAI may have further members, which are ignored.

**Limits.** A body may have 64 KB unless the operation says otherwise. Requests beyond the plan's limits are refused with 429 and the headers \`RateLimit\`, \`RateLimit-Policy\` and \`Retry-After\`.

Times are in UTC (ISO 8601). Ignore members and event types that you do not know: new ones may be added.`;

const SECURITY_SCHEMES = {
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
  mcpClient: {
    type: "http",
    scheme: "bearer",
    bearerFormat: "dabo_…",
    description: "An MCP client that a person has connected, by an access token of `issueOAuthToken`.",
  },
  endUser: {
    type: "http",
    scheme: "bearer",
    bearerFormat: "JWT",
    description: "An end user of an agent, by a client token.",
  },
  publishableKey: {
    type: "apiKey",
    in: "header",
    name: "X-API-Key",
    description: "A web page, by a publishable key (`pk_live_…`) of an agent.",
  },
  visitor: {
    type: "http",
    scheme: "bearer",
    bearerFormat: "JWT",
    description: "A visitor of a web page, beside its publishable key.",
  },
};

/** Returns the OpenAPI 3.1 document of the whole API, built from the metadata of the routes and the docs of the features. */
export function describeApi(): ApiDocument {
  const shared = { schemas: new Schemas(), problems: new Problems() };
  shared.schemas.define("Problem", PROBLEM);
  shared.schemas.define("OpenAiError", OPENAI_ERROR);
  shared.schemas.define("OAuthError", OAUTH_ERROR);
  const paths: Record<string, Record<string, object>> = {};
  const described = new Set<string>();

  for (const [method, route] of routesOf()) {
    const path = route.path.replaceAll(PARAMETER, "{$1}");
    paths[path] = { ...paths[path], [method.toLowerCase()]: describeOperation(route, shared) };
    described.add(route.operation.id);
  }
  const unknown = [...OPERATIONS.keys()].filter((id) => !described.has(id));
  if (unknown.length > 0)
    throw new Error(`There are docs of ${unknown.join(", ")}, which no route is called.`);

  const api: object = {
    openapi: "3.1.0",
    info: {
      title: "Dynamic Agent Builder API",
      version: "1",
      summary: "AI agents that remember.",
      description: INTRODUCTION,
      license: { name: "MIT", identifier: "MIT" },
    },
    servers: [
      { url: "/", description: "The deployment that serves this description." },
      { url: "http://localhost:8787", description: "`npm run dev`." },
    ],
    tags: Object.entries(TAGS).map(([name, description]) => ({ name, description })),
    paths,
    components: {
      securitySchemes: SECURITY_SCHEMES,
      headers: RESPONSE_HEADERS,
      responses: shared.problems.all(),
      schemas: shared.schemas.all(),
    },
  };
  // What describes operations, problems and schemas writes them in this shape.
  return api as ApiDocument;
}

/** The method and the metadata of each operation, without middleware for all routes and without pages for browsers. */
export function routesOf(): [method: string, route: Route][] {
  const handlers = Map.groupBy(
    createApp().routes.filter(({ method }) => method !== "ALL"),
    ({ method, path }) => `${method} ${path}`,
  );
  return [...handlers].flatMap(([name, ofRoute]): [method: string, route: Route][] => {
    const [method = "", path = ""] = name.split(" ");
    const docs = ofRoute.map(({ handler }) => docOf(handler)).filter((doc) => doc !== undefined);
    if (docs.some((doc) => doc.kind === "page")) return [];
    const operation = docs.find((doc) => doc.kind === "operation");
    if (!operation) throw new Error(`${name} has no description. Add operation(…).`);
    const access = ofRoute.map(({ handler }) => accessOf(handler)).find((one) => one !== undefined);
    if (!access) throw new Error(`${name} has no access check. Add requireAccess(…) or publicAccess.`);
    return [[method, { path, operation, access, docs }]];
  });
}

/** The API description and the texts that are made of it, by their paths in the project. */
export function describedFiles(): Readonly<Record<string, string>> {
  const api = describeApi();
  return {
    "docs/openapi.json": `${JSON.stringify(api, null, 2)}\n`,
    "docs/reference.md": renderReference(api),
    "docs/llms.txt": renderMap(api),
  };
}

if (import.meta.main) {
  const project = join(import.meta.dirname, "..");
  const check = process.argv.includes("--check");
  for (const [file, text] of Object.entries(describedFiles())) {
    if (!check) {
      await writeFile(join(project, file), text);
    } else if ((await readFile(join(project, file), "utf8").catch(() => "")) !== text) {
      console.error(`${file} is out of date. Run: npm run openapi`);
      process.exitCode = 1;
    }
  }
}

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, expectTypeOf, it } from "vitest";
import type {
  Agent,
  AgentBuilder,
  AgentReference,
  CrawlEvent,
  RunEvent,
  Unfinished,
  WholeAnswer,
} from "../../client/src/index.ts";
import type { Description, Schema } from "../../scripts/client/description.ts";
import { renderClientTypes } from "../../scripts/client/render-types.ts";

const PROJECT = join(import.meta.dirname, "../..");

/** Returns the declaration of a schema that an answer has, or a request if `isSent`. */
function rendered(schema: Schema, isSent = false): string {
  const reference = { schema: { $ref: "#/components/schemas/Thing" } };
  const operation = {
    operationId: "op",
    responses: { 200: { content: { "application/json": isSent ? { schema: {} } : reference } } },
    ...(isSent && { requestBody: { required: true, content: { "application/json": reference } } }),
  };
  const text = renderClientTypes({
    paths: { "/things": { post: operation } },
    components: { schemas: { Thing: schema }, responses: {} },
  });
  return /export (?:interface|type) Thing[^]*?(?=\n\n)/u.exec(text)?.[0] ?? "";
}

it("is up to date with the description of the API", async () => {
  const description = JSON.parse(await readFile(join(PROJECT, "docs/openapi.json"), "utf8")) as Description;
  expect(await readFile(join(PROJECT, "client/src/api.ts"), "utf8")).toBe(renderClientTypes(description));
});

it.each<[string, Schema, string]>([
  ["constants and enumerations", { enum: ["a", 1] }, 'export type Thing = "a" | 1;'],
  ["several types", { type: ["string", "null"] }, "export type Thing = string | null;"],
  ["alternatives", { oneOf: [{ const: true }, { type: "integer" }] }, "export type Thing = true | number;"],
  [
    "lists of alternatives",
    { type: "array", items: { type: ["string", "null"] } },
    "export type Thing = (string | null)[];",
  ],
  [
    "maps",
    { type: "object", additionalProperties: { type: "number" } },
    "export type Thing = Record<string, number>;",
  ],
  ["anything", {}, "export type Thing = unknown;"],
  [
    "members, of which some are optional or deprecated",
    {
      type: "object",
      required: ["a-b"],
      properties: {
        "a-b": { type: "boolean", description: "Ends no comment: */" },
        c: { type: "string", description: "Old.", deprecated: true },
      },
      additionalProperties: false,
    },
    `export interface Thing {
  /** Ends no comment: *\\/ */
  "a-b": boolean;
  /**
   * Old.
   *
   * @deprecated
   */
  c?: string | undefined;
}`,
  ],
])("writes a type for %s", (_, schema, expected) => {
  expect(rendered(schema)).toBe(expected);
});

it("takes any array in requests, also read-only ones", () => {
  const schema = { type: "array", items: { type: "string" } };
  expect(rendered(schema)).toBe("export type Thing = string[];");
  expect(rendered(schema, true)).toBe("export type Thing = readonly string[];");
});

it("refuses a schema that it has no type for", () => {
  expect(() => rendered({ type: "tuple" })).toThrow("No type can express this schema");
  expect(() => rendered({ format: "date" })).toThrow("No type can express this schema");
});

it("types requests by method and path", () => {
  // Checked by the compiler; nothing is sent.
  const check = (client: AgentBuilder) => {
    const path = { agentId: "a" };
    expectTypeOf(client.request("GET", "/agents")).resolves.toEqualTypeOf<Agent[]>();
    expectTypeOf(client.request("GET", "/agents/{agentId}", { path })).resolves.toEqualTypeOf<Agent>();
    expectTypeOf(client.request("PATCH", "/agents/{agentId}", { path, body: { agent_name: "Ada" } }))
      .resolves //
      .toEqualTypeOf<Agent | AgentReference>();
    expectTypeOf(client.request("DELETE", "/agents/{agentId}", { path })).resolves.toEqualTypeOf<
      Unfinished | undefined
    >();
    const place = { path: { ...path, conversationId: "c" }, body: { content: "Hello" } };
    const send = "/agents/{agentId}/{conversationId}/send-message";
    expectTypeOf(client.request("POST", send, place)).resolves.toEqualTypeOf<WholeAnswer>();
    expectTypeOf(client.events("POST", send, place)).toEqualTypeOf<AsyncGenerator<RunEvent, void, void>>();
    const job = { path: { kbId: "k", jobId: "j" } };
    const stream = "/knowledge-bases/{kbId}/crawl-jobs/{jobId}/stream";
    expectTypeOf(client.events("GET", stream, job)).toEqualTypeOf<AsyncGenerator<CrawlEvent, void, void>>();

    return [
      // @ts-expect-error The path needs an agent.
      client.request("GET", "/agents/{agentId}"),
      // @ts-expect-error There is no such path.
      client.request("GET", "/agent"),
      // @ts-expect-error The path has no such method.
      client.request("DELETE", "/agents"),
      // @ts-expect-error The body lacks its members.
      client.request("POST", "/conversations", { body: {} }),
      // @ts-expect-error A stream is no answer.
      client.request("GET", stream, job),
      // @ts-expect-error A redirect is for browsers.
      client.request("GET", "/auth/google"),
    ];
  };
  expect(check).toBeTypeOf("function");
});

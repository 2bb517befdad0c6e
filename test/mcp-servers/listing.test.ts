import { describe, expect, it } from "vitest";
import type { McpConnection } from "../../src/mcp-servers/connection.ts";
import { listTools, toListing } from "../../src/mcp-servers/listing.ts";
import { type McpServer, namedTools, neverAsked, offeredTools } from "../../src/mcp-servers/model.ts";
import { parameterIn } from "../../src/mcp-servers/challenge.ts";
import { resultText } from "../../src/mcp-servers/results.ts";

const tool = (inputSchema: unknown, more: object = {}) => ({
  name: "t",
  description: "d",
  inputSchema,
  ...more,
});

/** What becomes of the parameters of one tool: its schema, or the reason for which it is refused. */
function parametersOf(inputSchema: unknown): unknown {
  const { tools, refused } = toListing([tool(inputSchema)], "sessions", null);
  return tools[0]?.parameters ?? refused[0]?.reason;
}

const asItIs = (text: string): string => text;

/** JSON that nests so deeply that `JSON.stringify` has no room for it on the stack. */
const nested = (depth: number): unknown => JSON.parse(`${'{"a":'.repeat(depth)}1${"}".repeat(depth)}`);

describe("the parameters of a listed tool", () => {
  it("keep what every provider of models understands, and nothing else", () => {
    expect(
      parametersOf({
        $schema: "https://json-schema.org/draft/2020-12/schema",
        type: "object",
        properties: {
          city: { type: "string", description: "A city.", pattern: "(a+)+$", minLength: 1, default: "Rome" },
          days: { type: ["integer", "null"], minimum: 1, exclusiveMaximum: 9 },
          unit: { const: "metric" },
          tags: { type: "array", items: { type: "string" }, uniqueItems: true },
        },
        required: ["city", "absent"],
        additionalProperties: false,
      }),
    ).toEqual({
      type: "object",
      properties: {
        city: { type: "string", description: "A city.", minLength: 1 },
        days: { type: "integer", minimum: 1 },
        unit: { type: "string", enum: ["metric"] },
        tags: { type: "array", items: { type: "string" } },
      },
      required: ["city"],
    });
  });

  it("replace references, unions and `allOf` by what they stand for", () => {
    const schema = parametersOf({
      type: "object",
      properties: {
        a: { $ref: "#/$defs/a~1b", description: "Mine." },
        b: { anyOf: [{ type: "null" }, { type: "number" }] },
        c: { allOf: [{ type: "object", properties: { x: {} }, required: ["x"] }, { properties: { y: {} } }] },
        d: { $ref: "https://evil.example/schema.json" },
        e: { $ref: "#/$defs/absent" },
      },
      $defs: { "a/b": { type: "boolean", description: "Theirs." } },
    });

    expect(schema).toMatchObject({
      properties: {
        a: { type: "boolean", description: "Mine." },
        b: { type: "number" },
        c: { type: "object", properties: { x: { type: "string" }, y: { type: "string" } }, required: ["x"] },
        d: { type: "string" },
        e: { type: "string" },
      },
    });
  });

  it("end at a depth if they refer to themselves, and are refused if they refer in a circle or grow exponentially", () => {
    const tree = { type: "object", properties: { child: { $ref: "#" } } };
    const circle = {
      type: "object",
      properties: { a: { $ref: "#/$defs/a" } },
      $defs: { a: { $ref: "#/$defs/a" } },
    };
    const levels = Array.from({ length: 8 }, (_, n) => [
      `l${n}`,
      {
        type: "object",
        properties: Object.fromEntries(["a", "b", "c"].map((name) => [name, { $ref: `#/$defs/l${n + 1}` }])),
      },
    ]);
    const bomb = {
      type: "object",
      properties: { a: { $ref: "#/$defs/l0" } },
      $defs: Object.fromEntries(levels),
    };

    expect(JSON.stringify(parametersOf(tree)).match(/child/gu)).toHaveLength(7);
    expect(parametersOf(circle)).toMatch(/more than 300 levels/u);
    expect(parametersOf(bomb)).toMatch(/more than 300 levels/u);
  });

  it.each<[string, unknown, RegExp]>([
    ["no schema", undefined, /no JSON Schema of type object/u],
    ["a list", [], /no JSON Schema of type object/u],
    ["another type", { type: "string" }, /no JSON Schema of type object/u],
    [
      "too many levels",
      {
        type: "object",
        properties: Object.fromEntries(Array.from({ length: 301 }, (_, n) => [`p${n}`, {}])),
      },
      /more than 300 levels/u,
    ],
    [
      "a name that no provider accepts",
      { type: "object", properties: { "a b": {} }, required: ["a b"] },
      /whose name not every provider accepts/u,
    ],
    ["too much text", { type: "object", properties: { a: { default: "x".repeat(40_000) } } }, /too long/u],
    [
      "texts that references repeat",
      {
        type: "object",
        properties: Object.fromEntries(
          Array.from({ length: 200 }, (_, n) => [`p${n}`, { $ref: "#/$defs/a" }]),
        ),
        $defs: { a: { enum: Array.from({ length: 100 }, (_, n) => `${"<".repeat(190)}${n}`) } },
      },
      /too long/u,
    ],
    [
      "too many arguments that nobody can name",
      {
        type: "object",
        properties: Object.fromEntries(Array.from({ length: 301 }, (_, n) => [`a b${n}`, {}])),
      },
      /more than 300 levels/u,
    ],
    ["more nesting than the stack holds", { type: "object", properties: nested(20_000) }, /too long/u],
  ])("with %s are refused", (_case, schema, reason) => {
    expect(parametersOf(schema)).toMatch(reason);
  });

  it("lose arguments that can't be named and are not needed, and values that would imitate a prompt", () => {
    expect(
      parametersOf({
        type: "object",
        properties: {
          "a b": {},
          ["__proto__"]: {},
          c: { enum: ["</system>", "fine"] },
          d: { enum: ["fine"] },
          __proto__x: {},
        },
      }),
    ).toEqual({
      type: "object",
      properties: {
        c: { type: "string" },
        d: { type: "string", enum: ["fine"] },
        __proto__x: { type: "string" },
      },
    });
  });
});

describe("a list of tools", () => {
  it("is read without tools that nobody could call, with the reasons", () => {
    const schema = { type: "object" };
    const { tools, others, refused } = toListing(
      [
        tool(schema, { name: "good" }),
        tool(schema, { name: "good" }),
        tool(schema, { name: "with space" }),
        tool(schema, { name: `x${"y".repeat(128)}` }),
        tool(schema, { name: 7 }),
        tool(schema, { name: undefined }),
        tool(schema, { name: "forbidden" }),
        {},
      ],
      "sessions",
      ["good", "7"],
    );

    expect(tools.map(({ name }) => name)).toEqual(["good", "7"]);
    expect(others).toEqual(["forbidden"]);
    expect(refused.map(({ reason }) => reason)).toEqual([
      "Another tool has the same name.",
      ...Array.from({ length: 4 }, () => "Its name is not one that the protocol recommends."),
    ]);
  });

  it("has room for some tools only, and shortens what they say", () => {
    const long = { type: "object", properties: { a: { description: "x".repeat(400) } } };
    const many = Array.from({ length: 250 }, (_, n) =>
      tool(long, { name: `t${n}`, description: "y".repeat(9_000) }),
    );

    const { tools, refused } = toListing(many, "sessions", null);

    expect(tools.length).toBeGreaterThan(10);
    expect(JSON.stringify(tools).length).toBeLessThan(45_000);
    expect(tools[0]?.description).toHaveLength(1_503);
    expect(refused).toHaveLength(20);
    expect(refused[0]?.reason).toMatch(/longer than 40 KB/u);
  });

  it("is read from a page with more elements than a function can have arguments", async () => {
    const page = { tools: [tool({ type: "object" }), ...Array.from({ length: 300_000 }, () => ({}))] };
    const connection: Pick<McpConnection, "request" | "protocol"> = {
      protocol: "sessions",
      request: () => Promise.resolve(page),
    };

    const { tools, refused } = await listTools(connection, null, new AbortController().signal);

    expect(tools.map(({ name }) => name)).toEqual(["t"]);
    expect(refused).toHaveLength(20);
  });

  it("keeps which arguments a tool wants as headers only where the protocol has such headers", () => {
    const schemaWith = (name: string) => ({
      type: "object",
      properties: { a: { type: "string", "x-mcp-header": name } },
    });

    const [known] = toListing([tool(schemaWith("Region"))], "stateless", null).tools;
    expect(known?.headers).toEqual([{ name: "Region", path: ["a"] }]);
    expect(known?.parameters).toEqual({ type: "object", properties: { a: { type: "string" } } });
    expect(toListing([tool(schemaWith("Re gion"))], "stateless", null).refused).toHaveLength(1);
    const [older] = toListing([tool(schemaWith("Re gion"))], "sessions", null).tools;
    expect(older).not.toHaveProperty("headers");
  });
});

describe("the names that models get", () => {
  const serverWith = (name: string, ...tools: readonly string[]): McpServer => ({
    ...neverAsked,
    id: name,
    name,
    url: "https://mcp.example.org/",
    auth: "none",
    allowedTools: null,
    timeoutSeconds: 20,
    enabled: true,
    sealedSecrets: null,
    createdAt: "",
    updatedAt: null,
    listing: {
      protocol: "sessions",
      tools: tools.map((tool) => ({ name: tool, description: "", parameters: { type: "object" } })),
      others: [],
      refused: [],
      listedAt: "",
    },
  });
  const namesOf = (tools: readonly { readonly name: string }[]) => tools.map(({ name }) => name);

  it("join the names of server and tool, are unique, and have only characters that every provider accepts", () => {
    expect(namesOf(namedTools(serverWith("s", "a.b", "a-b", "A/B", "c")))).toEqual([
      "s__a_b",
      "s__a_b_2",
      "s__A_B_3",
      "s__c",
    ]);
    const long = namesOf(namedTools(serverWith("s", `${"x".repeat(100)}1`, `${"x".repeat(100)}2`)));
    expect(long.map((name) => name.length <= 64)).toEqual([true, true]);
    expect(new Set(long).size).toBe(2);
  });

  it("are those of allowed tools only, also while another list has not been read", () => {
    expect(namesOf(namedTools({ ...serverWith("s", "a", "b"), allowedTools: ["b"] }))).toEqual(["s__b"]);
  });

  it("leave those of HTTP tools alone, and end at 64", () => {
    const many = Array.from({ length: 70 }, (_, n) => `t${n}`);
    const servers = [serverWith("a", "x", "y"), serverWith("b", ...many)];

    const offered = namesOf(offeredTools(servers, [{ name: "A__X" }]));

    expect(offered).toHaveLength(64);
    expect(offered.slice(0, 2)).toEqual(["a__y", "b__t0"]);
  });
});

describe("the result of a call", () => {
  it.each<[string, object, string]>([
    [
      "texts",
      {
        content: [
          { type: "text", text: "a" },
          { type: "text", text: "b" },
        ],
      },
      "a\n\nb",
    ],
    ["nothing", { content: [] }, "(The tool returned nothing.)"],
    ["no content", {}, "(The tool returned nothing.)"],
    ["structured content only", { structuredContent: { a: 1 } }, '{"a":1}'],
    ["both", { content: [{ type: "text", text: "a" }], structuredContent: { a: 1 } }, "a"],
    ["a link", { content: [{ type: "resource_link", name: "A", uri: "file:///a" }] }, "A: file:///a"],
    ["a resource", { content: [{ type: "resource", resource: { uri: "a:b", text: "T" } }] }, "a:b\nT"],
    [
      "a binary resource",
      { content: [{ type: "resource", resource: { uri: "a:b", blob: "AAAA" } }] },
      "(resource a:b, 3 bytes, is not shown.)",
    ],
    [
      "a sound",
      { content: [{ type: "audio", mimeType: "audio/ogg)\nx", data: "AAAA" }] },
      "(audio of type audio/ogg] x, 3 bytes, is not shown.)",
    ],
    [
      "something new",
      { content: [{ type: "hologram" }, null, 7] },
      "(content of another kind, 0 bytes, is not shown.)",
    ],
    ["a failure without words", { isError: true, content: [] }, "Error: The tool has failed."],
    ["half a surrogate pair", { content: [{ type: "text", text: "\ud800" }] }, "\ufffd"],
    [
      "deeply nested structured content",
      { structuredContent: nested(20_000) as object },
      `${'{"a":'.repeat(20_000)}1${"}".repeat(20_000)}`,
    ],
  ])("with %s becomes text", (_case, result, text) => {
    expect(resultText(result as Record<string, unknown>, asItIs)).toBe(text);
  });

  it.each<[string, object]>([
    ["one long text", { content: [{ type: "text", text: "😀".repeat(400_000) }] }],
    ["many parts without a text", { content: Array.from({ length: 300_000 }, () => ({})) }],
    ["much structured content", { structuredContent: { a: "x".repeat(900_000) } }],
  ])("with %s is cut, because long results are kept until the turn ends", (_case, result) => {
    const text = resultText(result as Record<string, unknown>, asItIs);

    expect(text.length).toBeLessThan(263_000);
    expect(text.isWellFormed()).toBe(true);
    expect(text).toMatch(/\(The rest of the result is not shown\.\)$/u);
  });

  it("is cut after secrets are removed, so that no part of one is left at its end", () => {
    const text = `${"x".repeat(256 * 1024 - 3)}canary`;

    expect(
      resultText({ content: [{ type: "text", text }] }, (whole) => whole.replaceAll("canary", "***")),
    ).not.toContain("can");
  });
});

it.each([
  ['Bearer resource_metadata="https://a.example/x"', "https://a.example/x"],
  ['Bearer realm="x", resource_metadata="https://a.example/x", scope="a b"', "https://a.example/x"],
  ['Bearer not_resource_metadata="https://evil.example/"', undefined],
  ['Bearer resource_metadata="https://a.example/x', undefined],
  ["", undefined],
])("finds the address of the metadata in %j", (challenge, address) => {
  expect(parameterIn(challenge, "resource_metadata")).toBe(address);
});

import { describe, expect, it } from "vitest";
import { headersOf, parameterHeadersIn } from "../../src/mcp-servers/parameter-headers.ts";
import { beginConversation, signUp } from "../support/app.ts";
import { scriptModel } from "../support/control.ts";
import { startSite } from "../support/site.ts";
import { say } from "../support/sse.ts";

const schemaOf = (properties: object) => ({ type: "object", properties });
const wanted = (name: unknown, type: unknown = "string") => ({ type, "x-mcp-header": name });

describe("the arguments that a schema wants as headers", () => {
  it("are found in nested properties", () => {
    const nested = schemaOf({ b: wanted("B", "integer"), c: schemaOf({ d: wanted("D", "boolean") }) });

    const found = parameterHeadersIn(schemaOf({ a: wanted("A"), n: nested, plain: { type: "string" } }));

    expect(found?.toSorted((x, y) => x.name.localeCompare(y.name))).toEqual([
      { name: "A", path: ["a"] },
      { name: "B", path: ["n", "b"] },
      { name: "D", path: ["n", "c", "d"] },
    ]);
  });

  it.each<[string, object]>([
    ["an empty name", { a: wanted("") }],
    ["a name that is no text", { a: wanted(1) }],
    ["a name with a space", { a: wanted("My Region") }],
    ["a name with a colon", { a: wanted("Region:Primary") }],
    ["a name with a line break", { a: wanted("Region\r\nx") }],
    ["a name outside of ASCII", { a: wanted("Région") }],
    ["the same name twice", { a: wanted("Region"), b: wanted("region") }],
    ["a number", { a: wanted("A", "number") }],
    ["an object", { a: wanted("A", "object") }],
    ["several types", { a: wanted("A", ["string", "null"]) }],
    ["an element of a list", { a: { type: "array", items: wanted("A") } }],
    ["an alternative", { a: { anyOf: [wanted("A")] } }],
    ["a part that is referred to", { a: { $ref: "#/x" }, x: { $defs: { y: wanted("A") } } }],
  ])("may not be asked for with %s", (_case, properties) => {
    expect(parameterHeadersIn(schemaOf(properties))).toBeUndefined();
  });

  it("may not be all arguments together", () => {
    expect(parameterHeadersIn({ type: "string", "x-mcp-header": "A" })).toBeUndefined();
  });
});

describe("the headers of a call", () => {
  const header = (value: unknown) => headersOf([{ name: "A", path: ["a", "b"] }], { a: { b: value } });

  it.each<[unknown, string]>([
    ["us west 1", "us west 1"],
    [42, "42"],
    [false, "false"],
    ["", "=?base64??="],
    [" padded ", "=?base64?IHBhZGRlZCA=?="],
    ["one\r\nauthorization: x", "=?base64?b25lDQphdXRob3JpemF0aW9uOiB4?="],
    ["Grüße", "=?base64?R3LDvMOfZQ==?="],
    ["=?base64?eA==?=", "=?base64?PT9iYXNlNjQ/ZUE9PT89?="],
  ])("contain %j as %s", (value, expected) => {
    expect(header(value)).toEqual({ "mcp-param-a": expected });
  });

  it.each([[undefined], [null], [{}], [[]]])("leave out %j", (value) => {
    expect(header(value)).toEqual({});
  });

  it("leave out inherited members", () => {
    expect(headersOf([{ name: "A", path: ["constructor", "name"] }], {})).toEqual({});
  });
});

it("an argument is sent as a header of the call, too", async () => {
  const answer = (id: number, rest: object) => ({
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ jsonrpc: "2.0", id, ...rest }),
  });
  const tools = [{ name: "sell", description: "", inputSchema: schemaOf({ region: wanted("Region") }) }];
  const site = await startSite({
    "/mcp": [
      answer(1, { result: { supportedVersions: ["2026-07-28"] } }),
      answer(2, { result: { tools } }),
      answer(1, { result: { content: [{ type: "text", text: "Sold." }] } }),
    ],
  });
  const client = await signUp();
  const call = { call: { name: "site__sell", arguments: JSON.stringify({ region: "eu" }) } };
  const model = await scriptModel([call], [{ text: "Done." }]);
  const { agentId, path } = await beginConversation(client, { agent_model: model.name });
  await client("POST", `/agents/${agentId}/mcp-servers`, { name: "site", url: `${site.url}/mcp` });

  await say(client, path, "Sell it");

  const { requests } = await site.log();
  expect(requests.at(-1)?.headers).toMatchObject({ "mcp-name": "sell", "mcp-param-region": "eu" });
});

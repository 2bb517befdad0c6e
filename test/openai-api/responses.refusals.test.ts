import { beforeAll, describe, expect, it } from "vitest";
import { type Client, signUp } from "../support/app.ts";
import { agentWith, user } from "./openai-client.ts";

const nested = (levels: number): object => {
  let schema = {};
  for (let level = 1; level < levels; level++) schema = { not: schema };
  return schema;
};
const format = (more: object) => ({ text: { format: { type: "json_schema", name: "cat", ...more } } });
const parts = (...content: object[]) => ({ input: [{ role: "user", content }] });
const assistant = { role: "assistant", content: [{ type: "output_text", text: "Hi", annotations: [] }] };
const tool = (name: string) => ({ type: "function", name });
const calling = { type: "function_call", call_id: "c1", name: "a", arguments: "{}" };
const result = (id: string) => ({ type: "function_call_output", call_id: id, output: "1" });
const many = Object.fromEntries(Array.from({ length: 17 }, (_, index) => [`k${index}`, "v"]));
const unstored =
  "resp_WyIwMTkzYjJmNS0xYjNjLTdhNDQtOGI3NS00ZTljNmZiYThiNTAiLCJ6ei0wMTkzYjJmNS0wYThjLTdkMTEtOWU0Mi0xYjZmM2M4ZDVlMjAiXQ";

describe("a refused response", () => {
  let client: Client;
  let model: Awaited<ReturnType<typeof agentWith>>["model"];
  let agentId: string;

  beforeAll(async () => {
    client = await signUp();
    ({ model, agentId } = await agentWith(client, [{ text: "Hello." }]));
  });

  it.each<[string, object, string | null, string]>([
    ["no input", { input: undefined }, "input", "is required"],
    ["an empty list", { input: [] }, "input", "must have at least 1 elements"],
    ["an empty list in a conversation", { input: [], conversation: "c" }, "input", "must have at least 1"],
    ["a result without an id", { input: [result("")] }, "input.0.call_id", "must not be empty."],
    ["blank text", { input: " \n" }, "input", "must not be blank."],
    ["a number", { input: 5 }, "input", "must be text, or a list"],
    ["instructions alone", { input: [{ role: "developer", content: "Hi" }] }, "input", "must not be blank."],
    [
      "an unknown role",
      { input: [{ role: "wizard", content: "Hi" }] },
      "input",
      "input.0.role must be one of: user",
    ],
    [
      "an answer last",
      { input: [user("Hi"), assistant] },
      "input.1.role",
      "must not be `assistant` in the last",
    ],
    [
      "an image",
      parts({ type: "input_image", image_url: "data:image/png;base64,iVBORw0KGgo=" }),
      "input.0.content.0.image_url",
      "must be a text file",
    ],
    [
      "an image elsewhere",
      parts({ type: "input_image", image_url: "https://example.com/x.png" }),
      "input.0.content.0.image_url",
      "are not fetched",
    ],
    [
      "a file elsewhere",
      parts({ type: "input_file", file_url: "https://example.com/x.md" }),
      "input.0.content.0.file_url",
      "are not fetched",
    ],
    [
      "a file by id",
      parts({ type: "input_file", file_id: "file-1" }),
      "input.0.content.0.file_data",
      "can't be sent by id",
    ],
    ["a part without text", parts({ type: "input_text" }), "input.0.content.0.text", "is required."],
    ["a hosted tool", { tools: [{ type: "web_search" }] }, "tools.0.type", "not `web_search`"],
    ["a tool without a name", { tools: [{ type: "function" }] }, "tools.0.name", "is required"],
    [
      "a tool of the agent",
      { tools: [{ type: "function", name: "core_memory_append" }] },
      "tools.0.name",
      "begins like the agent's own tools",
    ],
    [
      "a tool that nests deeply",
      { tools: [{ type: "function", name: "a", parameters: nested(5_000) }] },
      "tools.0.parameters",
      "at most 100 levels",
    ],
    ["a tool twice", { tools: [tool("a"), tool("a")] }, "tools", "must not have a name twice."],
    [
      "too many tools",
      { tools: Array.from({ length: 65 }, (_, at) => tool(`t${at}`)) },
      "tools",
      "at most 64",
    ],
    ["a choice without tools", { tool_choice: "required" }, "tool_choice", "needs `tools`"],
    [
      "a choice of an unknown tool",
      { tools: [tool("a")], tool_choice: { type: "function", name: "b" } },
      "tool_choice.name",
      "one of the `tools`",
    ],
    [
      "a choice of a hosted tool",
      { tools: [tool("a")], tool_choice: { type: "web_search_preview" } },
      "tool_choice",
      "or name one of the tools",
    ],
    ["a result without its call", { input: [result("c1")] }, "input", "has results without their calls."],
    ["a call without its result", { input: [user("Hi"), calling] }, "input.1", "a result of each call"],
    [
      "a result twice",
      { input: [user("Hi"), calling, result("c1"), result("c1")] },
      "input.3.call_id",
      "must not have a result already.",
    ],
    [
      "a result of another call",
      { input: [user("Hi"), calling, result("c2")] },
      "input.2.call_id",
      "must be the id of a call",
    ],
    ["a result without a question", { input: [calling, result("c1")] }, "input.0", "must follow a message"],
    [
      "a call without arguments",
      { input: [{ type: "function_call", call_id: "c" }] },
      "input.0.name",
      "is required.",
    ],
    [
      "an image as a result",
      {
        input: [
          user("Hi"),
          calling,
          {
            ...result("c1"),
            output: [{ type: "input_image", image_url: "data:image/png;base64,iVBORw0KGgo=" }],
          },
        ],
      },
      "input.2.output.0.type",
      "must be `input_text`",
    ],
    [
      "a second history of calls",
      { input: [user("Hi"), calling, result("c1")], conversation: "c" },
      "input",
      "has its own history",
    ],
    ["a prompt by id", { prompt: { id: "pmpt_1" } }, "prompt", "has instructions of its own"],
    ["a JSON schema without a schema", format({}), "text.format", "must have a `name` and a `schema`"],
    [
      "a JSON schema without a name",
      format({ name: undefined, schema: {} }),
      "text.format",
      "must have a `name`",
    ],
    [
      "a JSON schema with a name of spaces",
      format({ name: "a b", schema: {} }),
      "text.format.name",
      "must have 1 to 64",
    ],
    [
      "a JSON schema that nests deeply",
      format({ schema: nested(5_000) }),
      "text.format.schema",
      "at most 100 levels",
    ],
    ["an unknown form", { text: { format: { type: "xml" } } }, "text.format.type", "must be one of"],
    ["too much metadata", { metadata: many }, "metadata", "must have at most 16 members."],
    ["long metadata", { metadata: { k: "v".repeat(513) } }, "metadata.k", "at most 512 characters"],
    ["metadata of a number", { metadata: { k: 1 } }, "metadata.k", "must be text"],
    [
      "huge messages of the developer",
      { input: [{ role: "developer", content: "x".repeat(200_000) }, user("Hi")] },
      "input",
      "at most 200 KB of instructions, unless `store` is false",
    ],
    ["huge instructions", { instructions: "x".repeat(200_000) }, "instructions", "must have at most 200 KB"],
    ["an end user without an id", { user: "" }, "user", "must have 1 to 128"],
    ["an identifier that is no id", { safety_identifier: "a b" }, "safety_identifier", "must have 1 to 128"],
    ["an empty conversation", { conversation: "" }, "conversation", "must not be empty."],
    ["a conversation without an id", { conversation: {} }, "conversation", "of 1 to 255 characters"],
    [
      "a response that was not stored",
      { previous_response_id: unstored },
      "previous_response_id",
      "was not stored",
    ],
    [
      "two things to continue",
      { previous_response_id: unstored, conversation: "c" },
      "previous_response_id",
      "together with `conversation`",
    ],
    [
      "what is not to be stored in a conversation",
      { store: false, conversation: "c" },
      "store",
      "must not be false",
    ],
    [
      "a second history",
      { input: [assistant, user("Hi")], conversation: "c" },
      "input",
      "has its own history",
    ],
    ["half a surrogate pair", { input: "\ud800" }, "input", "input is not well-formed Unicode."],
  ])("names the member in OpenAI's form: %s", async (_case, more, param, sentence) => {
    const { status, headers, body } = await client("POST", "/v1/responses", {
      model: agentId,
      input: "Hello",
      ...more,
    });

    expect([status, headers.get("content-type")]).toEqual([422, "application/json"]);
    expect(body).toEqual({
      error: {
        message: expect.stringContaining(sentence),
        type: "invalid_request_error",
        param,
        code: "validation-failed",
      },
    });
    expect((await model.log()).requests).toEqual([]);
    expect((await client("GET", "/conversations")).body.items).toEqual([]);
  });

  it.each([
    ["item_reference", "input.0.type: items can't be referred to."],
    ["mcp_approval_response", "input.0.type: `mcp_approval_response` is not supported. Supported: message,"],
    ["web_search_call", "input.0.type: `web_search_call` is not supported."],
  ])("says that items of the type %s are not supported", async (type, sentence) => {
    const input = [{ type, id: "x", call_id: "x", output: "1" }, user("Hello")];

    const { status, body } = await client("POST", "/v1/responses", { model: agentId, input });

    expect([status, body.error.message]).toEqual([422, expect.stringContaining(sentence)]);
  });

  it.each([
    "resp_none",
    "resp_68af4030592c81938ec0a5fbab4a3e9f05438e46b5f69a3b",
    "",
    "%00",
    "x".repeat(5_000),
  ])("finds no response by an id that is none: %.60s", async (id) => {
    const previous = await client("POST", "/v1/responses", {
      model: agentId,
      input: "Hello",
      previous_response_id: id.slice(0, 600),
    });
    const retrieved = await client("GET", `/v1/responses/${id || "-"}`);
    const cancelled = await client("POST", `/v1/responses/${id || "-"}/cancel`);

    for (const answer of [previous, retrieved, cancelled])
      expect([answer.status, answer.body.error.code]).toEqual([404, "not-found"]);
  });

  it.each(["starting_after=-1", "starting_after=x", "stream=maybe", "colour=red"])(
    "refuses to retrieve with ?%s",
    async (query) => {
      const { status, body } = await client("GET", `/v1/responses/resp_none?${query}`);

      expect([status, body.error.param]).toEqual([422, query.split("=")[0]]);
    },
  );

  it("says which methods a response has", async () => {
    const { status, headers, body } = await client("DELETE", "/v1/responses/resp_none");

    expect([status, headers.get("allow"), body.error.code]).toEqual([
      405,
      "GET, HEAD, OPTIONS",
      "method-not-allowed",
    ]);
  });
});

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
    ["tools", { tools: [{ type: "function", name: "x" }] }, "tools", "tools of the client are not supported"],
    ["a hosted tool", { tools: [{ type: "web_search" }] }, "tools", "must be empty"],
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

  it.each(["function_call", "function_call_output", "reasoning", "item_reference", "mcp_approval_response"])(
    "says that items of the type %s are not supported",
    async (type) => {
      const input = [{ type, id: "x", call_id: "x", output: "1" }, user("Hello")];

      const { status, body } = await client("POST", "/v1/responses", { model: agentId, input });

      const sentence = "input.0.type must be `message`: items of tools and of reasoning are not supported.";
      expect([status, body.error.message]).toEqual([422, expect.stringContaining(sentence)]);
    },
  );

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

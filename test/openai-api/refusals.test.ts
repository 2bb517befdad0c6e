import { AuthenticationError, NotFoundError, PermissionDeniedError } from "openai";
import { describe, expect, it } from "vitest";
import { type Client, clientOf, signUp } from "../support/app.ts";
import { programOf } from "../support/callers.ts";
import { reading } from "../support/wires.ts";
import { agentWith, errorOf, openAiOf, user } from "./openai-client.ts";

describe("a refused chat completion", () => {
  const image = { type: "image_url", image_url: { url: "https://example.com/x.png" } };

  const nested = (levels: number): object => {
    let schema = {};
    for (let level = 1; level < levels; level++) schema = { not: schema };
    return schema;
  };

  it.each<[string, object, string, string]>([
    ["no messages", { messages: [] }, "messages", "must have at least 1"],
    ["functions", { functions: [{ name: "x" }] }, "functions", "send them as `tools`"],
    ["two answers", { n: 2 }, "n", "must be 1."],
    ["audio", { audio: { voice: "alloy" } }, "audio", "answer in text"],
    [
      "a JSON schema without a schema",
      { response_format: { type: "json_schema" } },
      "response_format.json_schema",
      "must have a `schema`",
    ],
    ["an unknown form", { response_format: { type: "xml" } }, "response_format.type", "must be one of"],
    [
      "an unknown role",
      { messages: [{ role: "wizard", content: "Hi" }] },
      "messages.0.role",
      "must be one of",
    ],
    [
      "a result of a tool that was not called",
      { messages: [{ role: "tool", tool_call_id: "x", content: "Hi" }] },
      "messages.0.tool_call_id",
      "must be the id of a call",
    ],
    [
      "an answer last",
      { messages: [{ role: "assistant", content: "Hi" }] },
      "messages.0.role",
      "must be `user` or `tool` in the last message.",
    ],
    [
      "a call without an id",
      { messages: [{ role: "assistant", tool_calls: [{}] }, user("Hi")] },
      "messages.0.tool_calls.0.id",
      "is required",
    ],
    [
      "an image",
      { messages: [{ role: "user", content: [image] }] },
      "messages.0.content",
      "must be text, or a list",
    ],
    [
      "a JSON schema that nests deeply",
      { response_format: { type: "json_schema", json_schema: { name: "deep", schema: nested(5_000) } } },
      "response_format.json_schema.schema",
      "must nest at most 100 levels.",
    ],
    ["an end user without an id", { user: "" }, "user", "must have 1 to 128"],
    ["a blank message", { messages: [user(" ")] }, "messages.0.content", "must not be blank."],
    [
      "a file by id",
      { messages: [{ role: "user", content: [{ type: "file", file: { file_id: "x" } }] }] },
      "messages.0.content.0.file.file_data",
      "can't be sent by id",
    ],
    [
      "an empty name of a conversation",
      { metadata: { conversation_id: "" } },
      "metadata.conversation_id",
      "must",
    ],
    ["half a surrogate pair", { messages: [user("\ud800")] }, "messages.content", "well-formed"],
  ])("names the member in OpenAI's form: %s", async (_case, more, param, sentence) => {
    const client = await signUp();
    const { model, agentId } = await agentWith(client, [{ text: "Hello." }]);

    const { status, headers, body } = await client("POST", "/v1/chat/completions", {
      model: agentId,
      messages: [user("Hello")],
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
  });

  it("is an error of the class that OpenAI's client has for it", async () => {
    const client = await signUp();
    const { agentId, openai } = await agentWith(client, [{ text: "Hello." }]);
    const send = (who: Client, model: string) =>
      errorOf(openAiOf(who).chat.completions.create({ model, messages: [user("Hello")] }));

    const unknown = await send(client, "gpt-4o");
    expect(unknown).toBeInstanceOf(NotFoundError);
    expect(unknown).toMatchObject({
      status: 404,
      code: "not-found",
      type: "invalid_request_error",
      requestID: expect.stringMatching(/^[0-9a-f-]{36}$/u),
    });
    expect(await send(clientOf(`dab_${"A".repeat(43)}`), agentId)).toBeInstanceOf(AuthenticationError);
    expect(await send(await programOf(client, ["agents:read"]), agentId)).toBeInstanceOf(
      PermissionDeniedError,
    );
    expect(await send(await signUp(), agentId)).toMatchObject({ status: 404 });
    const missing = await errorOf(openai.post("/embeddings", { body: {} }));
    expect([missing.status, missing.code]).toEqual([404, "not-found"]);
    const wrongMethod = await errorOf(openai.delete("/models"));
    expect([wrongMethod.status, wrongMethod.code]).toEqual([405, "method-not-allowed"]);
  });

  it("says whether OpenAI's client should try again", async () => {
    const client = await signUp();
    const { model, agentId } = await agentWith(client, [{ text: "One" }, { hold: true }]);
    const send = () =>
      client("POST", "/v1/chat/completions", {
        model: agentId,
        messages: [user("Hello")],
        stream: true,
        metadata: { conversation_id: "c" },
      });
    const { response } = await client.raw("POST", "/v1/chat/completions", {
      model: agentId,
      messages: [user("Hello")],
      stream: true,
      metadata: { conversation_id: "c" },
    });
    const turn = reading(response);
    await turn.until("One");

    const busy = await send();
    const { headers } = await client("POST", "/v1/chat/completions", {
      model: "nobody",
      messages: [user("Hi")],
    });

    expect([busy.status, busy.body.error.code]).toEqual([409, "conversation-busy"]);
    expect([busy.headers.get("retry-after"), busy.headers.get("x-should-retry")]).toEqual(["2", "true"]);
    expect(headers.get("x-should-retry")).toBe("false");
    await model.release();
    await turn.rest();
  });
});

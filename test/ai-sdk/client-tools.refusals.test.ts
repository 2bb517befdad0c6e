import { beforeAll, describe, expect, it } from "vitest";
import { type Client, signUp } from "../support/app.ts";
import { chat, chatBody } from "../support/wires.ts";
import { agentWith, answer, ask, failed, ownTool, part } from "./page-tools.ts";

describe("tools of the page are refused", () => {
  const deep = (levels: number): unknown => JSON.parse("[".repeat(levels) + "]".repeat(levels));
  let client: Client;
  let agent: Awaited<ReturnType<typeof agentWith>>;
  beforeAll(async () => {
    client = await signUp();
    agent = await agentWith(client, [{ text: "Never." }]);
  });

  const refusal = async (body: object) => {
    const { status, body: problem } = await chat(client, agent.agentId, body);
    expect((await agent.model.log()).requests).toEqual([]);
    return [status, problem.code, problem.errors[0].path.join("."), problem.errors[0].message];
  };

  it.each<[string, unknown, string, string]>([
    ["a list", [{ name: "a" }], "tools", "must be an object"],
    ["a name that objects can't hold", JSON.parse('{"__proto__":{}}'), "tools.__proto__", "not a valid name"],
    ["a name with a blank", { "a b": {} }, "tools.a b", "1 to 64 letters"],
    [
      "a name like the agent's own tools",
      { core_memory_append: {} },
      "tools.core_memory_append",
      "Choose another name",
    ],
    ["a tool that is no object", { a: 1 }, "tools.a", "must be an object"],
    [
      "a schema of a list",
      { a: { parameters: { type: "array" } } },
      "tools.a.parameters",
      "of the type `object`",
    ],
    ["a schema that is a text", { a: { inputSchema: "x" } }, "tools.a.inputSchema", "must be an object"],
    [
      "a schema that nests deeply",
      { a: { parameters: { x: deep(5_000) } } },
      "tools.a.parameters",
      "at most 100 levels",
    ],
    ["a long description", { a: { description: "x".repeat(4_001) } }, "tools.a.description", "at most 4000"],
    [
      "too many",
      Object.fromEntries(Array.from({ length: 65 }, (_, index) => [`t${index}`, {}])),
      "tools",
      "at most 64 members",
    ],
    [
      "too many, none of which is valid",
      Object.fromEntries(Array.from({ length: 90_000 }, (_, index) => [`t ${index}`, 0])),
      "tools",
      "at most 64 members",
    ],
    ["too large", { a: { parameters: { x: "y".repeat(70_000) } } }, "tools", "at most 64 KB"],
  ])("if they are %s", async (_case, tools, member, sentence) => {
    const [status, code, path, message] = await refusal({ ...chatBody("chat", "Hello"), tools });

    expect([status, code, path]).toEqual([422, "validation-failed", member]);
    expect(message).toContain(sentence);
  });

  it("if a name is very long, which the answer does not repeat", async () => {
    const tools = { ["x".repeat(1_000_000)]: {} };

    const { status, body } = await ask(client, agent.agentId, "", tools);

    expect([status, body.errors[0].path]).toEqual([422, ["tools", "x".repeat(64)]]);
    expect(JSON.stringify(body).length).toBeLessThan(1_000);
  });

  it("if the agent has a tool of the same name", async () => {
    const { agentId } = agent;
    expect((await client("POST", `/agents/${agentId}/http-tools`, ownTool)).status).toBe(201);

    const { status, body } = await ask(client, agentId);

    expect([status, body.errors[0].path, body.errors[0].message]).toEqual([
      422,
      ["tools"],
      "tools must not have the name of one of the agent's own tools: read_title.",
    ]);
  });

  it.each<[string, object, string, string]>([
    ["a text that is too long", part("c1", "x".repeat(200_001)), "messages.parts.1.output", "at most 200000"],
    [
      "a value that is too long",
      part("c1", ["x".repeat(200_000)]),
      "messages.parts.1.output",
      "at most 200000",
    ],
    ["a value that nests deeply", part("c1", deep(5_000)), "messages.parts.1.output", "at most 100 levels"],
    [
      "an error that is too long",
      failed("c1", "x".repeat(200_001)),
      "messages.parts.1.errorText",
      "at most 200000",
    ],
  ])("if a result is %s", async (_case, result, member, sentence) => {
    const [status, code, path, message] = await refusal(answer([result]));

    expect([status, code, path]).toEqual([422, "validation-failed", member]);
    expect(message).toContain(sentence);
  });

  it("if no part of the last step has a result", async () => {
    const ofServer = { ...part("c1", "x"), type: "dynamic-tool" };
    for (const parts of [
      [ofServer],
      [part("c1", "x"), { type: "step-start" }],
      [{ type: "text", text: "x" }],
    ])
      expect((await refusal(answer(parts)))[2]).toBe("messages.role");
  });
});

import { expect, it } from "vitest";
import { ada, type Client, signUp } from "../support/app.ts";
import { scriptModel } from "../support/control.ts";
import { storedLines } from "../support/items.ts";
import { append, approve } from "../support/waiting.ts";
import { chat, chatBody, typesOf } from "../support/wires.ts";

async function agentOf(client: Client) {
  const model = await scriptModel([{ text: "May I?" }, append("c1", "Likes: tea")], [{ text: "Noted." }]);
  const settings = { ...ada, agent_model: model.name, tool_approvals: { core_memory_append: "always" } };
  const { body } = await client("POST", "/agents", settings);
  return { agentId: body.agent_id as string, model };
}

const decided = (id: string, approved: boolean) => ({
  id,
  trigger: "submit-message",
  messages: [
    {
      id: "a1",
      role: "assistant",
      parts: [
        { type: "text", text: "May I?" },
        {
          type: "dynamic-tool",
          toolName: "core_memory_append",
          toolCallId: "c1",
          state: "approval-responded",
          input: {},
          approval: { id: "c1", approved },
        },
      ],
    },
  ],
});

it.each(["6", "7"])(
  "asks for an approval in the parts of release %s, and goes on when it comes back",
  async (version) => {
    const client = await signUp();
    const { agentId } = await agentOf(client);

    const first = await chat(client, agentId, chatBody("chat", "I like tea"), `?ai_sdk=${version}`);
    const second = await chat(client, agentId, decided("chat", true), `?ai_sdk=${version}`);
    const again = await chat(client, agentId, decided("chat", true), `?ai_sdk=${version}`);

    expect(first.parts.slice(-4)).toEqual([
      { type: "tool-approval-request", approvalId: "c1", toolCallId: "c1" },
      { type: "finish-step" },
      { type: "finish", finishReason: "tool-calls" },
      "[DONE]",
    ]);
    expect(second.runId).toBe(first.runId);
    expect(typesOf(second.parts)).toContain("tool-output-available");
    expect(second.text).toBe("Noted.");
    expect(again.parts).toEqual(second.parts);
    expect(await storedLines(agentId, client.email, "human")).toEqual(["Likes: tea"]);
  },
);

it("shows a rejection as a denied call", async () => {
  const client = await signUp();
  const { agentId } = await agentOf(client);
  await chat(client, agentId, chatBody("chat", "I like tea"), "?ai_sdk=6");

  const { parts } = await chat(client, agentId, decided("chat", false), "?ai_sdk=6");

  expect(parts).toContainEqual({ type: "tool-output-denied", toolCallId: "c1" });
  expect(typesOf(parts)).not.toContain("tool-output-error");
  expect(await storedLines(agentId, client.email, "human")).toBeUndefined();
});

it("asks in a part of its own for releases before 6", async () => {
  const client = await signUp();
  const { agentId } = await agentOf(client);

  const { parts, runId, conversationId } = await chat(client, agentId, chatBody("chat", "I like tea"));
  const resumed = await client("GET", `/agents/${agentId}/chat/chat/stream`);
  await approve(client, conversationId, runId, "c1");

  expect(parts.slice(-4)).toMatchObject([
    { type: "data-approval", id: "c1", data: { tool_call_id: "c1", state: "requested" } },
    { type: "finish-step" },
    { type: "finish" },
    "[DONE]",
  ]);
  expect(resumed.status).toBe(200);
  expect(resumed.body).toContain("data-approval");
});

it("refuses an answer that decides nothing, and decisions that nobody has asked for", async () => {
  const client = await signUp();
  const { agentId } = await agentOf(client);
  const nothing = {
    ...decided("chat", true),
    messages: [{ id: "a1", role: "assistant", parts: [{ type: "text", text: "x" }] }],
  };

  expect((await chat(client, agentId, nothing)).status).toBe(422);
  expect((await chat(client, agentId, decided("chat", true))).status).toBe(404);
  await chat(client, agentId, chatBody("other", "I like tea"));
  const foreign = { ...decided("other", true) };
  expect((await chat(client, agentId, foreign)).status).toBe(200);
});

import { expect, it } from "vitest";
import { ada, type Client } from "../support/app.ts";
import { signUpNaming } from "../support/call-names.ts";
import { scriptModel } from "../support/control.ts";
import type { ScriptStep } from "../support/control-protocol.ts";
import { storedLines, storedMessages } from "../support/items.ts";
import { append, approve } from "../support/waiting.ts";
import { chat, chatBody, partsIn, typesOf } from "../support/wires.ts";

const REPLIES = [[{ text: "May I?" }, append("c1", "Likes: tea")], [{ text: "Noted." }]] as const;

async function agentOf(client: Client, replies: readonly (readonly ScriptStep[])[] = REPLIES) {
  const model = await scriptModel(...replies);
  const settings = { ...ada, agent_model: model.name, tool_approvals: { core_memory_append: "always" } };
  const { body } = await client("POST", "/agents", settings);
  return { agentId: body.agent_id as string, model };
}

const decided = (id: string, approved: boolean, callId = "c1") => ({
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
          toolCallId: callId,
          state: "approval-responded",
          input: {},
          approval: { id: callId, approved },
        },
      ],
    },
  ],
});

it.each(["6", "7"])(
  "asks for an approval in the parts of release %s, and goes on when it comes back",
  async (version) => {
    const client = await signUpNaming();
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
  const client = await signUpNaming();
  const { agentId } = await agentOf(client);
  await chat(client, agentId, chatBody("chat", "I like tea"), "?ai_sdk=6");

  const { parts } = await chat(client, agentId, decided("chat", false), "?ai_sdk=6");

  expect(parts).toContainEqual({ type: "tool-output-denied", toolCallId: "c1" });
  expect(typesOf(parts)).not.toContain("tool-output-error");
  expect(await storedLines(agentId, client.email, "human")).toBeUndefined();
});

it("asks in a part of its own for releases before 6", async () => {
  const client = await signUpNaming();
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
  const client = await signUpNaming();
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

it("does not take a late decision for one about a call of a later message, to which the model gave the same id", async () => {
  const client = await signUpNaming();
  const { agentId } = await agentOf(client, [
    [append("c1", "Likes: tea")],
    [append("c1", "Likes: coffee")],
    [{ text: "Noted." }],
  ]);
  await chat(client, agentId, chatBody("chat", "I like tea"), "?ai_sdk=6");
  const second = await chat(client, agentId, chatBody("chat", "And coffee"), "?ai_sdk=6");

  const late = await chat(client, agentId, decided("chat", true), "?ai_sdk=6");

  expect([late.status, await storedLines(agentId, client.email, "human")]).toEqual([409, undefined]);
  const resumed = await client("GET", `/agents/${agentId}/chat/chat/stream?ai_sdk=6`);
  const [shown, ...more] = [second.parts, partsIn(resumed.body as string)].flatMap((parts) =>
    parts.filter((part) => typeof part === "object" && part.type === "tool-approval-request"),
  );
  const id = typeof shown === "object" ? String(shown["toolCallId"]) : "";
  expect(shown).toEqual({ type: "tool-approval-request", approvalId: id, toolCallId: id });
  expect(more).toEqual([shown]);
  const { text } = await chat(client, agentId, decided("chat", true, id), "?ai_sdk=6");
  expect([text, await storedLines(agentId, client.email, "human")]).toEqual(["Noted.", ["Likes: coffee"]]);
  const stored = await storedMessages(second.conversationId);
  expect(stored.at(-1)).toMatchObject({ tool_calls: [{ id: client.idOf(id), success: true }] });
});

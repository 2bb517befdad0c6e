import * as release507 from "ai-5-0-7";
import * as release5 from "ai-5";
import * as release6 from "ai-6";
import * as release7 from "ai-7";
import { describe, expect, it } from "vitest";
import { ada, type Client } from "../support/app.ts";
import { signUpNaming } from "../support/call-names.ts";
import { scriptModel } from "../support/control.ts";
import type { ScriptStep } from "../support/control-protocol.ts";
import { storedMessages } from "../support/items.ts";
import { fetchOf } from "../support/wires.ts";

/** The parts of the AI SDK that these tests use; its releases agree in them. */
interface AiSdk {
  readonly AbstractChat: typeof release507.AbstractChat;
  readonly DefaultChatTransport: typeof release507.DefaultChatTransport;
  readonly lastAssistantMessageIsCompleteWithToolCalls: typeof release507.lastAssistantMessageIsCompleteWithToolCalls;
}

type UiMessage = release507.UIMessage;

// The casts state that the releases agree in what is used here; the tests themselves show it.
const RELEASES: readonly (readonly [string, AiSdk, string])[] = [
  ["5.0.7", release507, "5"],
  ["the last 5", release5 as unknown as AiSdk, "5"],
  ["6", release6 as unknown as AiSdk, "6"],
  ["7", release7 as unknown as AiSdk, "7"],
];

const readTitle = (id: string): ScriptStep => ({
  call: { id, name: "read_title", arguments: JSON.stringify({ part: "head" }) },
});

const append = {
  call: { name: "core_memory_append", arguments: JSON.stringify({ block: "human", content: "Name: Alice" }) },
};

/** What a page says about its own tools. */
type PageTools = Pick<release507.ChatInit<UiMessage>, "onToolCall" | "sendAutomaticallyWhen">;

/** The tools that the pages of these tests have. */
const TOOLS = { read_title: { description: "Returns the page's title.", parameters: { type: "object" } } };

/** What `useChat` is built on, without React. */
function chatOf(
  sdk: AiSdk,
  client: Client,
  agentId: string,
  version: string,
  tools?: PageTools,
  id = "chat-1",
) {
  const errors: Error[] = [];
  const data: { readonly type: string; readonly data: unknown }[] = [];
  const state: release507.ChatState<UiMessage> = {
    status: "ready",
    error: undefined,
    messages: [],
    pushMessage: (message) => void (state.messages = [...state.messages, message]),
    popMessage: () => void (state.messages = state.messages.slice(0, -1)),
    replaceMessage: (index, message) => void (state.messages = state.messages.with(index, message)),
    snapshot: (thing) => structuredClone(thing),
  };
  class Chat extends sdk.AbstractChat<UiMessage> {}
  const chat = new Chat({
    id,
    state,
    transport: new sdk.DefaultChatTransport({
      api: `https://api.example.com/agents/${agentId}/chat`,
      headers: { "X-AI-SDK": version },
      fetch: fetchOf(client),
      ...(tools && { body: { tools: TOOLS } }),
    }),
    ...tools,
    onError: (error) => void errors.push(error),
    onData: (part) => void data.push(part),
  });
  return { chat, errors, data, state };
}

async function agentWith(client: Client, ...replies: readonly (readonly ScriptStep[])[]) {
  const model = await scriptModel(...replies);
  const { body } = await client("POST", "/agents", { ...ada, agent_model: model.name });
  return { model, agentId: body.agent_id as string };
}

const conversationIn = (message: UiMessage | undefined): string => {
  const run = message?.parts.find(({ type }) => type === "data-run") as
    | { readonly data: { readonly conversation_id: string } }
    | undefined;
  return run?.data.conversation_id ?? "";
};

const textOf = (message: UiMessage | undefined): string =>
  (message?.parts ?? []).map((part) => (part.type === "text" ? part.text : "")).join("");

describe.each(RELEASES)("release %s of the AI SDK", (_release, sdk, version) => {
  it("shows text, tools and memory of an answer, and waits for no tool", async () => {
    const client = await signUpNaming();
    const { agentId } = await agentWith(
      client,
      [{ text: "One moment. " }, append],
      [{ text: "Hello, " }, { text: "Alice." }],
      [{ text: "Again." }],
    );
    const { chat, errors, data, state } = chatOf(sdk, client, agentId, version);

    await chat.sendMessage({ text: "I am Alice" });
    const [question, answer] = state.messages;
    await chat.sendMessage({ text: "And now?" });

    expect([errors, state.status]).toEqual([[], "ready"]);
    expect(state.messages.map(textOf)).toEqual([
      "I am Alice",
      "One moment. Hello, Alice.",
      "And now?",
      "Again.",
    ]);
    expect(question?.role).toBe("user");
    expect(answer?.parts.map(({ type }) => type)).toEqual([
      "data-run",
      "step-start",
      "text",
      "dynamic-tool",
      "data-memory",
      "step-start",
      "text",
      "data-usage",
    ]);
    expect(answer?.parts[3]).toMatchObject({ toolName: "core_memory_append", state: "output-available" });
    expect(data.map(({ type }) => type)).toContain("data-status");
    const stored = await storedMessages(conversationIn(answer));
    expect(stored).toHaveLength(4);
    expect(stored[1]?.["message_id"]).toBe(answer?.id);
  });

  it("resumes an answer in a page that is opened while it is written", async () => {
    const client = await signUpNaming();
    const { model, agentId } = await agentWith(client, [{ text: "One " }, { hold: true }, { text: "two." }]);
    const first = chatOf(sdk, client, agentId, version);
    const second = chatOf(sdk, client, agentId, version);

    const sending = first.chat.sendMessage({ text: "Count" });
    await expect.poll(() => textOf(first.state.messages[1])).toBe("One ");
    const resuming = second.chat.resumeStream();
    await expect.poll(() => textOf(second.state.messages[0])).toBe("One ");
    await model.release();
    await Promise.all([sending, resuming]);

    expect(second.state.messages).toEqual(first.state.messages.slice(1));
    expect(textOf(second.state.messages[0])).toBe("One two.");
    await second.chat.resumeStream();
    expect([second.errors, second.state.status]).toEqual([[], "ready"]);
  });

  it("goes on writing after the page stops reading, and is cancelled by its ids", async () => {
    const client = await signUpNaming();
    const { agentId } = await agentWith(client, [{ text: "One " }, { hold: true }]);
    const { chat, state, errors } = chatOf(sdk, client, agentId, version);
    const sending = chat.sendMessage({ text: "Count" });
    await expect.poll(() => textOf(state.messages[1])).toBe("One ");

    const run = state.messages[1]?.parts.find(({ type }) => type === "data-run") as
      | { readonly data: { readonly conversation_id: string; readonly run_id: string } }
      | undefined;
    const { conversation_id, run_id } = run?.data ?? {};
    await client("POST", `/conversations/${conversation_id}/runs/${run_id}/cancel`);
    await sending;

    expect([errors, textOf(state.messages[1])]).toEqual([[], "One "]);
  });

  it("has the last answer written again, in place of the former one", async () => {
    const client = await signUpNaming();
    const { model, agentId } = await agentWith(
      client,
      [{ text: "A leaf." }],
      [append, { text: "" }],
      [{ text: "A drink." }],
      [{ text: "A habit." }],
    );
    const { chat, state, errors } = chatOf(sdk, client, agentId, version);
    await chat.sendMessage({ text: "What is tea?" });
    const former = state.messages[1];

    await chat.regenerate();
    const second = state.messages[1];
    await chat.regenerate(second ? { messageId: second.id } : {});

    expect([errors, state.status]).toEqual([[], "ready"]);
    expect(state.messages.map(textOf)).toEqual(["What is tea?", "A habit."]);
    expect(new Set([former?.id, second?.id, state.messages[1]?.id]).size).toBe(3);
    const stored = await storedMessages(conversationIn(state.messages[1]));
    expect(stored.map(({ content }) => content)).toEqual(["What is tea?", "A habit."]);
    expect(stored[1]?.["message_id"]).toBe(state.messages[1]?.id);
    expect(JSON.stringify((await model.log()).requests[1])).not.toContain("A leaf.");
  });

  it("tries a message again whose run has failed, and one that was refused", async () => {
    const client = await signUpNaming();
    const { agentId } = await agentWith(
      client,
      [{ text: "Yes." }],
      [{ status: 401, body: { error: { message: "no" } } }],
      [{ text: "Green." }],
      [{ text: "Hot." }],
    );
    const { chat, state, errors } = chatOf(sdk, client, agentId, version);
    await chat.sendMessage({ text: "Is it tea?" });
    const conversationId = conversationIn(state.messages[1]);
    await chat.sendMessage({ text: "Which colour?" });
    await chat.regenerate();
    await client("PATCH", `/agents/${agentId}`, { agent_provider: "OpenAI" });
    await chat.sendMessage({ text: "How warm?" });
    await client("PATCH", `/agents/${agentId}`, { agent_provider: "Demo" });
    await chat.regenerate();

    expect([errors.length, state.status]).toEqual([2, "ready"]);
    const said = ["Is it tea?", "Yes.", "Which colour?", "Green.", "How warm?", "Hot."];
    expect(state.messages.map(textOf)).toEqual(said);
    expect((await storedMessages(conversationId)).map(({ content }) => content)).toEqual(said);
  });

  it("answers calls of the page's tools as they come, and shows one message", async () => {
    const client = await signUpNaming();
    const { model, agentId } = await agentWith(
      client,
      [{ text: "Let me look. " }, readTitle("c1")],
      [{ text: "And again. " }, readTitle("c2")],
      [{ text: "It is about tea." }],
      [{ text: "Bye." }],
    );
    const asked: unknown[] = [];
    const page = chatOf(sdk, client, agentId, version, {
      sendAutomaticallyWhen: sdk.lastAssistantMessageIsCompleteWithToolCalls,
      onToolCall: ({ toolCall }) => {
        asked.push([toolCall.toolName, toolCall.input]);
        const output = { title: "Tea", n: asked.length };
        // Not awaited: the AI SDK answers when the call has been read.
        void page.chat.addToolResult({ tool: "read_title", toolCallId: toolCall.toolCallId, output });
      },
    });
    const { chat, state, errors } = page;

    await chat.sendMessage({ text: "What is this page about?" });
    await expect.poll(() => textOf(state.messages[1])).toContain("tea.");
    await expect.poll(() => state.status).toBe("ready");
    await chat.sendMessage({ text: "Thanks" });

    expect(errors).toEqual([]);
    expect(asked).toEqual([
      ["read_title", { part: "head" }],
      ["read_title", { part: "head" }],
    ]);
    expect(state.messages.map(textOf)).toEqual([
      "What is this page about?",
      "Let me look. And again. It is about tea.",
      "Thanks",
      "Bye.",
    ]);
    expect(state.messages[1]?.parts.map(({ type }) => type)).toEqual([
      "data-run",
      "step-start",
      "text",
      "tool-read_title",
      "step-start",
      "text",
      "tool-read_title",
      "step-start",
      "text",
      "data-usage",
    ]);
    expect(state.messages[1]?.parts[3]).toMatchObject({
      state: "output-available",
      input: { part: "head" },
      output: { title: "Tea", n: 1 },
    });
    expect((await storedMessages(conversationIn(state.messages[1])))[1]?.["message_id"]).toBe(
      state.messages[1]?.id,
    );
    expect((await model.log()).requests).toHaveLength(4);
  });

  it("answers a call in a page that was opened while it waits, and the first page gets the same answer to the same result", async () => {
    const client = await signUpNaming();
    const { agentId } = await agentWith(client, [readTitle("c1")], [{ text: "It is about tea." }]);
    const tools = { sendAutomaticallyWhen: sdk.lastAssistantMessageIsCompleteWithToolCalls };
    const first = chatOf(sdk, client, agentId, version, tools);
    await first.chat.sendMessage({ text: "What is this page about?" });

    const second = chatOf(sdk, client, agentId, version, tools);
    await second.chat.resumeStream();
    const waiting = second.state.messages[0]?.parts.at(-1);
    const answer = (page: typeof first, output: string) =>
      page.chat.addToolResult({ tool: "read_title", toolCallId: "c1", output });
    await answer(second, "Tea");
    await expect.poll(() => textOf(second.state.messages[0])).toBe("It is about tea.");
    await answer(first, "Tea");
    await expect.poll(() => textOf(first.state.messages[1])).toBe("It is about tea.");

    expect(waiting).toMatchObject({ type: "tool-read_title", state: "input-available" });
    expect([first.errors, second.errors, second.state.messages.length]).toEqual([[], [], 1]);
    const stored = await storedMessages(conversationIn(first.state.messages[1]));
    expect(stored.map(({ content }) => content)).toEqual(["What is this page about?", "It is about tea."]);
  });

  it("shows the sentence of a run that fails, and the problem of a request that is refused", async () => {
    const client = await signUpNaming();
    const { agentId } = await agentWith(client, [{ status: 401, body: { error: { message: "no" } } }]);
    const failing = chatOf(sdk, client, agentId, version);
    const refused = chatOf(sdk, client, crypto.randomUUID(), version);

    await failing.chat.sendMessage({ text: "Hello" });
    await refused.chat.sendMessage({ text: "Hello" });

    expect([failing.state.status, failing.errors.length]).toEqual(["error", 1]);
    expect(failing.errors[0]?.message).toMatch(/\.$/u);
    expect(refused.errors[0]?.message).toContain("Agent not found");
  });
});

describe.each(RELEASES.filter(([release]) => release !== "5.0.7"))(
  "tools of the page on release %s",
  (_release, sdk, version) => {
    it("tell the model why they have failed", async () => {
      const client = await signUpNaming();
      const { model, agentId } = await agentWith(client, [readTitle("c1")], [{ text: "No title." }]);
      const { chat, state, errors } = chatOf(sdk, client, agentId, version, {
        sendAutomaticallyWhen: sdk.lastAssistantMessageIsCompleteWithToolCalls,
      });
      await chat.sendMessage({ text: "What is this page about?" });

      // Release 5.0.7, whose types are used here, has no results that are errors.
      const page = chat as unknown as {
        addToolOutput(output: {
          toolCallId: string;
          state: "output-error";
          errorText: string;
        }): Promise<void>;
      };
      await page.addToolOutput({ toolCallId: "c1", state: "output-error", errorText: "It has none." });
      await expect.poll(() => textOf(state.messages[1])).toBe("No title.");

      expect([errors, state.messages.length]).toEqual([[], 2]);
      expect(state.messages[1]?.parts[2]).toMatchObject({ state: "output-error", errorText: "It has none." });
      expect(JSON.stringify((await model.log()).requests[1])).toContain("Error: It has none.");
    });
  },
);

describe.each(RELEASES.filter(([, , version]) => version !== "5"))(
  "approvals of release %s",
  (_release, sdk, version) => {
    it("are asked for, and the answer goes on in the same message when they are given", async () => {
      const client = await signUpNaming();
      const { agentId } = await agentWith(client, [{ text: "May I? " }, append], [{ text: "Noted." }]);
      await client("PATCH", `/agents/${agentId}`, { tool_approvals: { core_memory_append: "always" } });
      const { chat, errors, state } = chatOf(sdk, client, agentId, version);

      await chat.sendMessage({ text: "I am Alice" });
      const asked = state.messages[1]?.parts.find(({ type }) => type === "dynamic-tool");
      const { approval } = asked as unknown as { readonly approval: { readonly id: string } };
      // Release 5, whose types are used here, has no approvals.
      const answering = chat as unknown as {
        addToolApprovalResponse(response: { id: string; approved: boolean }): Promise<void>;
      };
      await answering.addToolApprovalResponse({ id: approval.id, approved: true });
      await chat.sendMessage();

      expect(asked).toMatchObject({ state: "approval-requested" });
      expect([errors, state.status]).toEqual([[], "ready"]);
      expect(state.messages).toHaveLength(2);
      expect(textOf(state.messages[1])).toBe("May I? Noted.");
      const done = state.messages[1]?.parts.find(({ type }) => type === "dynamic-tool");
      expect(done).toMatchObject({ state: "output-available" });
      expect(state.messages[1]?.parts.filter(({ type }) => type === "data-run")).toHaveLength(1);
    });

    it("and results of the page's tools are sent together, when both are there", async () => {
      const client = await signUpNaming();
      const { model, agentId } = await agentWith(client, [append, readTitle("c2")], [{ text: "Noted." }]);
      await client("PATCH", `/agents/${agentId}`, { tool_approvals: { core_memory_append: "always" } });
      // Release 5.0.7, whose types are used here, has no approvals.
      const { lastAssistantMessageIsCompleteWithApprovalResponses: isDecided } = sdk as unknown as {
        readonly lastAssistantMessageIsCompleteWithApprovalResponses: AiSdk["lastAssistantMessageIsCompleteWithToolCalls"];
      };
      const { chat, state, errors } = chatOf(sdk, client, agentId, version, {
        sendAutomaticallyWhen: (all) =>
          sdk.lastAssistantMessageIsCompleteWithToolCalls(all) || isDecided(all),
      });
      const page = chat as unknown as {
        addToolApprovalResponse(response: { id: string; approved: boolean }): Promise<void>;
      };
      await chat.sendMessage({ text: "I like tea" });
      const asked = state.messages[1]?.parts.find(({ type }) => type === "dynamic-tool");
      const { approval } = asked as unknown as { readonly approval: { readonly id: string } };

      await chat.addToolResult({ tool: "read_title", toolCallId: "c2", output: "Tea" });
      const afterResult = state.status;
      await page.addToolApprovalResponse({ id: approval.id, approved: true });
      await expect.poll(() => textOf(state.messages[1])).toBe("Noted.");

      expect([errors, afterResult, state.messages.length]).toEqual([[], "ready", 2]);
      expect((await model.log()).requests).toHaveLength(2);
    });
  },
);

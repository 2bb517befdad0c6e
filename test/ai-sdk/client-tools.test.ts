import { abortAllDurableObjects, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { describe, expect, it } from "vitest";
import type { Client } from "../support/app.ts";
import { signUpNaming } from "../support/call-names.ts";
import { endFaults, injectFault } from "../support/control.ts";
import { messagesUsed, storedLines, storedMessages } from "../support/items.ts";
import { runnerOf } from "../support/runs.ts";
import { append } from "../support/waiting.ts";
import { chat, chatBody, partsIn, reading, typesOf, type WirePart } from "../support/wires.ts";
import { agentWith, answer, ask, call, failed, ownTool, part, TOOLS } from "./page-tools.ts";

/** Tools that run in the page, as the AI SDK's clients declare and answer them. */

/** The id of the answer that the parts begin. */
const messageIdOf = ([start]: readonly WirePart[]): string =>
  typeof start === "object" ? String(start["messageId"]) : "";

const resumed = async (client: Client, agentId: string): Promise<readonly WirePart[]> => {
  const { status, body } = await client("GET", `/agents/${agentId}/chat/chat/stream`);
  return status === 200 ? partsIn(body as string) : [];
};

describe("a tool of the page", () => {
  it.each([
    ["5", {}, {}],
    ["6", { finishReason: "tool-calls" }, { finishReason: "stop" }],
    ["7", { finishReason: "tool-calls" }, { finishReason: "stop" }],
  ])(
    "is called in the parts of release %s, and the run goes on with its result",
    async (version, waits, ends) => {
      const client = await signUpNaming();
      const { agentId, model } = await agentWith(
        client,
        [{ text: "Let me look." }, call("c1"), call("c2", "scroll", { to: "end" })],
        [{ text: "It is about tea." }],
      );

      const first = await ask(client, agentId, `?ai_sdk=${version}`);
      const results = answer([part("c1", "Tea"), { ...part("c2", { y: [1] }), type: "tool-scroll" }]);
      const second = await chat(client, agentId, results, `?ai_sdk=${version}`);
      const again = await chat(client, agentId, results, `?ai_sdk=${version}`);

      const messageId = messageIdOf(first.parts);
      const run = { type: "data-run", id: first.runId };
      expect(first.parts.slice(typesOf(first.parts).indexOf("text-end") + 1)).toEqual([
        { type: "tool-input-start", toolCallId: "c1", toolName: "read_title" },
        { type: "tool-input-available", toolCallId: "c1", toolName: "read_title", input: {} },
        { type: "tool-input-start", toolCallId: "c2", toolName: "scroll" },
        { type: "tool-input-available", toolCallId: "c2", toolName: "scroll", input: { to: "end" } },
        { type: "finish-step" },
        { type: "finish", ...waits },
        "[DONE]",
      ]);
      const started = second.parts.find((piece) => typeof piece === "object" && piece.type === "text-start");
      const { id: textId } = started as unknown as { readonly id: string };
      expect(second.parts).toEqual([
        { type: "start", messageId },
        expect.objectContaining(run),
        { type: "tool-output-available", toolCallId: "c1", output: "Tea" },
        { type: "tool-output-available", toolCallId: "c2", output: { y: [1] } },
        { type: "start-step" },
        { type: "text-start", id: textId },
        { type: "text-delta", id: textId, delta: "It is about tea." },
        expect.objectContaining({ type: "data-usage" }),
        { type: "text-end", id: textId },
        { type: "finish-step" },
        { type: "finish", ...ends },
        "[DONE]",
      ]);
      expect(again.parts).toEqual(second.parts);
      expect(second.runId).toBe(first.runId);
      const [offered, told] = (await model.log()).requests.map(({ body }) => JSON.stringify(body));
      expect(offered).toContain("Returns the title of the page.");
      expect(told).toContain("Tea");
      expect(told).toContain(JSON.stringify('{"y":[1]}').slice(1, -1));
      const stored = await storedMessages(first.conversationId);
      expect(stored[1]).toMatchObject({
        message_id: messageId,
        content: "Let me look.It is about tea.",
        tool_calls: [
          { name: "read_title", output: "Tea", success: true },
          { name: "scroll", output: '{"y":[1]}', success: true },
        ],
      });
      expect(await messagesUsed(client.email)).toBe(1);
    },
  );

  it("may fail: the model reads why, and the page shows it again", async () => {
    const client = await signUpNaming();
    const { agentId, model } = await agentWith(client, [call("c1")], [{ text: "I can't see it." }]);
    await ask(client, agentId);

    const { parts, conversationId } = await chat(client, agentId, answer([failed("c1", "No such element")]));

    expect(parts).toContainEqual({
      type: "tool-output-error",
      toolCallId: "c1",
      errorText: "No such element",
    });
    expect(JSON.stringify((await model.log()).requests[1])).toContain("Error: No such element");
    expect((await storedMessages(conversationId))[1]).toMatchObject({ tool_calls: [{ success: false }] });
  });

  it("may return any value, which other tabs get as it was sent", async () => {
    const values = [null, 0, false, "", [], { a: { b: "\u2028" } }, "\ud83d"];
    const client = await signUpNaming();
    const ids = values.map((_value, index) => `c${index + 1}`);
    const { agentId, model } = await agentWith(
      client,
      ids.map((id) => call(id)),
      [{ text: "Now " }, { hold: true }, { text: "I know." }],
    );
    await ask(client, agentId);
    const results = values.map((value, index) => part(ids[index] ?? "", value));

    const { response } = await client.raw("POST", `/agents/${agentId}/chat`, answer(results));
    const stream = reading(response);
    await stream.until("Now ");
    const watching = client.raw("GET", `/agents/${agentId}/chat/chat/stream`);
    const other = reading((await watching).response);
    await other.until("Now ");
    await model.release();

    for (const frames of [await stream.rest(), await other.rest()])
      expect(
        partsIn(frames).flatMap((piece) =>
          typeof piece === "object" && piece.type === "tool-output-available" ? [piece["output"]] : [],
        ),
      ).toEqual([...values.slice(0, -1), "\ufffd"]);
  });

  it("is called again in a later step, whose results alone count", async () => {
    const client = await signUpNaming();
    const { agentId } = await agentWith(
      client,
      [{ text: "First. " }, call("c1")],
      [{ text: "Second. " }, call("c2")],
      [{ text: "Done." }],
    );
    await ask(client, agentId);
    await chat(client, agentId, answer([part("c1", "One")]));

    const later = answer([part("c1", "One, cut"), { type: "step-start" }, part("c2", "Two")]);
    const third = await chat(client, agentId, later);
    const unstepped = {
      ...later,
      messages: [{ ...later.messages[0], parts: [part("c1", "One"), part("c2", "Two")] }],
    };
    const again = await chat(client, agentId, unstepped);

    expect(third.text).toBe("Done.");
    expect(again.parts).toEqual(third.parts);
    const stored = await storedMessages(third.conversationId);
    expect(stored.map(({ content }) => content)).toEqual(["What is this page?", "First. Second. Done."]);
  });

  it("is called with arguments only: what is no JSON object comes back to the model as an error", async () => {
    const client = await signUpNaming();
    const { agentId, model } = await agentWith(
      client,
      [call("c1", "read_title", "[1")],
      [{ text: "Sorry." }],
    );

    const { parts } = await ask(client, agentId);
    const wrong = parts.find((piece) => typeof piece === "object" && piece.type === "tool-input-error");
    const { text } = await chat(
      client,
      agentId,
      answer([failed("c1", String(typeof wrong === "object" && wrong["errorText"]))]),
    );

    expect(wrong).toEqual({
      type: "tool-input-error",
      toolCallId: "c1",
      toolName: "read_title",
      input: "[1",
      errorText: "The arguments are not a JSON object.",
    });
    expect(typesOf(parts)).not.toContain("tool-input-available");
    expect(text).toBe("Sorry.");
    expect(JSON.stringify((await model.log()).requests[1])).toContain("not a JSON object");
  });

  it.each(["constructor", "toString", "hasOwnProperty"])("may be called %s", async (name) => {
    const client = await signUpNaming();
    const { agentId, model } = await agentWith(client, [call("c1", name)], [{ text: "Fine." }]);

    const { parts } = await ask(client, agentId, "", { [name]: {} });
    const { text } = await chat(client, agentId, answer([{ ...part("c1", "Tea"), type: `tool-${name}` }]));

    expect(parts).toContainEqual({
      type: "tool-input-available",
      toolCallId: "c1",
      toolName: name,
      input: {},
    });
    expect(text).toBe("Fine.");
    expect(JSON.stringify((await model.log()).requests[1])).toContain("Tea");
  });

  it("is offered when an answer is written again", async () => {
    const client = await signUpNaming();
    const { agentId } = await agentWith(client, [{ text: "A page." }], [call("c1")], [{ text: "Tea." }]);
    const body = { ...chatBody("chat", "What is this page?", "m1"), tools: TOOLS };
    const first = await chat(client, agentId, body);

    const second = await chat(client, agentId, { ...body, trigger: "regenerate-message" });
    const third = await chat(client, agentId, answer([part("c1", "Tea")]));

    expect(typesOf(second.parts)).toContain("tool-input-available");
    expect(third.text).toBe("Tea.");
    const stored = await storedMessages(first.conversationId);
    expect(stored.map(({ content }) => content)).toEqual(["What is this page?", "Tea."]);
  });
});

describe("a run that waits for a page", () => {
  it("goes on with the result although the agent has gained a tool of the same name, which is not offered in its place", async () => {
    const client = await signUpNaming();
    const { agentId, model } = await agentWith(client, [call("c1")], [call("c2")], [{ text: "Tea." }]);
    await ask(client, agentId);
    await client("POST", `/agents/${agentId}/http-tools`, ownTool);

    const second = await chat(client, agentId, answer([part("c1", "Tea")]));
    const third = await chat(client, agentId, answer([part("c2", "Mint tea")]));
    const next = await ask(client, agentId);

    expect([second.status, third.text, next.status]).toEqual([200, "Tea.", 422]);
    const requests = (await model.log()).requests.map(({ body }) => JSON.stringify(body));
    expect(requests).toHaveLength(3);
    expect(requests[2]).toContain("Mint tea");
    for (const request of requests) {
      expect(request.split('"name":"read_title","description"')).toHaveLength(2);
      expect(request).not.toContain("Reads a title.");
    }
  });

  it("is resumed with its call, so that a page that was loaded again can answer", async () => {
    const client = await signUpNaming();
    const { agentId } = await agentWith(client, [call("c1")], [{ text: "Tea." }]);
    const first = await ask(client, agentId);

    const waiting = await resumed(client, agentId);
    await abortAllDurableObjects();
    const afterDeath = await resumed(client, agentId);
    await chat(client, agentId, answer([part("c1", "Tea")]));

    expect(waiting).toEqual(first.parts);
    expect(afterDeath).toEqual(waiting);
    expect(await resumed(client, agentId)).toEqual([]);
  });

  it("takes one result of two tabs, and tells the other one that there was another", async () => {
    const client = await signUpNaming();
    const { agentId, model } = await agentWith(client, [call("c1")], [{ text: "Tea." }]);
    await ask(client, agentId);

    const tabs = await Promise.all(
      ["Tea", "Coffee", "Tea"].map((title) => chat(client, agentId, answer([part("c1", title)]))),
    );

    const taken = tabs.filter(({ status }) => status === 200);
    const refused = tabs.filter(({ status }) => status === 409);
    expect(taken.length + refused.length).toBe(3);
    expect([taken.length > 0, refused.length > 0]).toEqual([true, true]);
    for (const { body } of refused)
      expect(body.detail).toBe("Another decision about this call was made before.");
    for (const { text } of taken) expect(text).toBe("Tea.");
    expect((await model.log()).requests).toHaveLength(2);
  });

  it("takes results of all calls at once, and loses nothing of what is refused", async () => {
    const client = await signUpNaming();
    const { agentId } = await agentWith(client, [call("c1"), call("c2")], [{ text: "Tea." }]);
    await ask(client, agentId);
    const open = { ...part("c2", undefined), state: "input-available" };

    const half = await chat(client, agentId, answer([part("c1", "Tea"), open]));
    const whole = await chat(client, agentId, answer([part("c1", "Tea"), part("c2", "Cup")]));

    expect([half.status, half.body.code]).toEqual([422, "validation-failed"]);
    expect(half.body.detail).toContain("c2");
    expect(whole.text).toBe("Tea.");
  });

  it.each([["6"], ["7"]])("waits for an approval as well, on release %s", async (version) => {
    const client = await signUpNaming();
    const { agentId } = await agentWith(
      client,
      [append("c1", "Likes: tea"), call("c2")],
      [{ text: "Noted." }],
    );
    await client("PATCH", `/agents/${agentId}`, { tool_approvals: { core_memory_append: "always" } });
    const approved = {
      type: "dynamic-tool",
      toolName: "core_memory_append",
      toolCallId: "c1",
      state: "approval-responded",
      approval: { id: "c1", approved: true },
    };
    const query = `?ai_sdk=${version}`;

    const first = await ask(client, agentId, query);
    const half = await chat(client, agentId, answer([part("c2", "Tea")]), query);
    const whole = await chat(client, agentId, answer([approved, part("c2", "Tea")]), query);

    // Without `providerExecuted`, clients wait for it before they send their own results.
    expect(first.parts).toContainEqual({
      type: "tool-input-available",
      toolCallId: "c1",
      toolName: "core_memory_append",
      input: { block: "human", content: "Likes: tea" },
      dynamic: true,
    });
    expect(typesOf(half.parts)).toEqual(["start", "data-run", "tool-output-available", "finish", "[DONE]"]);
    expect(typesOf(whole.parts)).toContain("tool-output-available");
    expect(whole.text).toBe("Noted.");
    expect(await storedLines(agentId, client.email, "human")).toEqual(["Likes: tea"]);
  });

  it("ends with the next message, and refuses results that come later", async () => {
    const client = await signUpNaming();
    const { agentId, model } = await agentWith(client, [call("c1")], [{ text: "Hello." }], [call("c1")]);
    const first = await ask(client, agentId);
    const messageId = messageIdOf(first.parts);
    const next = await chat(client, agentId, { ...chatBody("chat", "Never mind"), tools: TOOLS });
    await chat(client, agentId, { ...chatBody("chat", "Look again"), tools: TOOLS });

    // The model has given the same id to a call of another answer.
    const late = await chat(client, agentId, answer([part("c1", "Tea")], messageId));

    expect(next.text).toBe("Hello.");
    expect([late.status, late.body.code]).toEqual([409, "conflict"]);
    expect(JSON.stringify((await model.log()).requests[1])).toContain("The user has sent another message");
  });

  it("ends when nobody has answered for a day, and refuses results that come later", async () => {
    const client = await signUpNaming();
    const { agentId } = await agentWith(client, [call("c1")]);
    const { conversationId } = await ask(client, agentId);
    const runner = runnerOf(client, `/agents/-/${conversationId}`);
    await runInDurableObject(
      runner,
      (_runner, { storage }) =>
        void storage.sql.exec("UPDATE runs SET expires_at = 1 WHERE state = 'waiting'"),
    );
    await runDurableObjectAlarm(runner);

    const late = await chat(client, agentId, answer([part("c1", "Tea")]));

    expect([late.status, late.body.code]).toEqual([409, "conflict"]);
    expect((await storedMessages(conversationId))[1]).toMatchObject({ tool_calls: [{ success: false }] });
  });

  it("is not found by other people, nor by ids of calls that it has not made", async () => {
    const client = await signUpNaming();
    const stranger = await signUpNaming();
    const { agentId } = await agentWith(client, [call("c1")], [{ text: "Tea." }]);
    const { parts } = await ask(client, agentId);
    const messageId = messageIdOf(parts);

    const foreign = await chat(stranger, agentId, answer([part(client.idOf("c1"), "Tea")], messageId));
    const unknown = await chat(client, agentId, answer([part("c9", "Tea")]));
    const inAnswer = await chat(client, agentId, answer([part("c9", "Tea")], messageId));
    const elsewhere = await chat(client, agentId, { ...answer([part("c1", "Tea")]), id: "other" });

    expect([foreign.status, unknown.status, inAnswer.status, elsewhere.status]).toEqual([404, 409, 404, 404]);
    expect((await chat(client, agentId, answer([part("c1", "Tea")], messageId))).text).toBe("Tea.");
  });

  it("answers 503 to a result with which it can't go on yet, and takes it again", async () => {
    const client = await signUpNaming();
    const { agentId } = await agentWith(client, [call("c1")], [{ text: "Tea." }]);
    const { conversationId } = await ask(client, agentId);
    const fault = { kind: "answer", status: 500, body: "" } as const;
    await injectFault({ operation: "BatchGetItem", match: [conversationId], times: 10_000, fault });

    const refused = await chat(client, agentId, answer([part("c1", "Tea")]));
    await endFaults();

    expect([refused.status, refused.body.code]).toEqual([503, "unavailable"]);
    expect((await chat(client, agentId, answer([part("c1", "Tea")]))).text).toBe("Tea.");
  });

  it("is reported as interrupted to a repeated result, if its runner dies while the model answers", async () => {
    const client = await signUpNaming();
    const { agentId, model } = await agentWith(client, [call("c1")], [{ text: "It " }, { hold: true }]);
    await ask(client, agentId);
    const { response } = await client.raw("POST", `/agents/${agentId}/chat`, answer([part("c1", "Tea")]));
    const stream = reading(response);
    await stream.until("It ");

    await abortAllDurableObjects();
    await stream.rest();
    const again = await chat(client, agentId, answer([part("c1", "Tea")]));

    expect(typesOf(again.parts)).toEqual(
      expect.arrayContaining(["tool-output-available", "data-error", "error", "finish"]),
    );
    expect((await model.log()).requests).toHaveLength(2);
  });

  it("has an empty last step if the model says nothing to the results, so that clients do not send them again", async () => {
    const client = await signUpNaming();
    const { agentId } = await agentWith(client, [{ text: "Look." }, call("c1")], [{ finish: "stop" }]);
    await ask(client, agentId);

    const { parts } = await chat(client, agentId, answer([part("c1", "Tea")]));

    expect(typesOf(parts).slice(-6)).toEqual([
      "tool-output-available",
      "data-usage",
      "start-step",
      "finish-step",
      "finish",
      "[DONE]",
    ]);
  });
});

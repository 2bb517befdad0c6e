import { abortAllDurableObjects } from "cloudflare:test";
import { describe, expect, it } from "vitest";
import { ada, anonymous, type Client, clientOf, signUp } from "../support/app.ts";
import { endUserOf } from "../support/callers.ts";
import { scriptModel } from "../support/control.ts";
import type { ScriptStep } from "../support/control-protocol.ts";
import { messagesUsed, storedLines, storedMessages } from "../support/items.ts";
import { untilLogged } from "../support/runs.ts";
import { append as appendAs } from "../support/waiting.ts";
import { chat, chatBody, openChat, partsIn, reading, textOf, typesOf } from "../support/wires.ts";

const append = (content: string) => ({
  call: { name: "core_memory_append", arguments: JSON.stringify({ block: "human", content }) },
});

/** An agent that answers as the model is scripted. */
async function agentWith(client: Client, ...replies: readonly (readonly ScriptStep[])[]) {
  const model = await scriptModel(...replies);
  const { body } = await client("POST", "/agents", {
    ...ada,
    agent_name: `Ada ${crypto.randomUUID()}`,
    agent_model: model.name,
  });
  return { model, agentId: body.agent_id as string };
}

const streamPath = (agentId: string, chatId: string) => `/agents/${agentId}/chat/${chatId}/stream`;
const conversationsOf = async (client: Client) =>
  (await client("GET", "/conversations")).body.items as { conversation_id: string; title: string }[];

describe("a chat of the AI SDK", () => {
  it("shows each call with an id of its own, although the model gives all the same one", async () => {
    const client = await signUp();
    const reply = (content: string) => [appendAs("call_0", content)];
    const { model, agentId } = await agentWith(client, reply("Tea"), reply("Milk"), [{ text: "Noted." }]);

    const { parts } = await chat(client, agentId, chatBody("chat", "Tea with milk"));

    const idsOf = (type: string) =>
      parts.flatMap((part) => (typeof part === "object" && part.type === type ? [part["toolCallId"]] : []));
    expect(new Set(idsOf("tool-input-available")).size).toBe(2);
    expect(idsOf("tool-output-available")).toEqual(idsOf("tool-input-available"));
    expect((await model.log()).requests).toHaveLength(3);
  });

  it("becomes a conversation with its first message, and goes on in it with the next", async () => {
    const client = await signUp();
    const { model, agentId } = await agentWith(client, [{ text: "Hello." }], [{ text: "Again." }]);

    const first = await chat(
      client,
      agentId,
      chatBody("chat 1 / é", "I am Alice, and I work at the library"),
    );
    const second = await chat(client, agentId, {
      ...chatBody("chat 1 / é", "And now?"),
      messages: [
        { id: "x", role: "user", parts: [{ type: "text", text: "An invented past" }] },
        { id: "y", role: "assistant", parts: [{ type: "text", text: "Invented" }] },
        ...chatBody("", "And now?").messages,
      ],
      model: "unknown members are ignored",
    });

    expect([first.status, first.text, second.text]).toEqual([200, "Hello.", "Again."]);
    expect(first.headers.get("content-type")).toBe("text/event-stream; charset=utf-8");
    expect(first.headers.get("x-vercel-ai-ui-message-stream")).toBe("v1");
    expect(first.headers.get("x-accel-buffering")).toBe("no");
    expect(second.conversationId).toBe(first.conversationId);
    expect(await conversationsOf(client)).toMatchObject([
      { conversation_id: first.conversationId, title: "I am Alice, and I work at the library" },
    ]);
    const messages = await storedMessages(first.conversationId);
    expect(messages.map(({ content }) => content)).toEqual([
      "I am Alice, and I work at the library",
      "Hello.",
      "And now?",
      "Again.",
    ]);
    const asked = JSON.stringify((await model.log()).requests[1]);
    expect(asked).toContain("I work at the library");
    expect(asked).not.toContain("invented past");
  });

  it("streams parts whose ids are those of the stored messages and of the run", async () => {
    const client = await signUp();
    const { agentId } = await agentWith(
      client,
      [{ text: "One moment. " }, append("Name: Alice")],
      [{ text: "Hello." }],
    );

    const { parts, runId, conversationId } = await chat(client, agentId, chatBody("c", "I am Alice"));

    const [question, answer] = await storedMessages(conversationId);
    expect(parts[0]).toEqual({ type: "start", messageId: answer?.["message_id"] });
    expect(parts[1]).toEqual({
      type: "data-run",
      id: runId,
      data: { run_id: runId, conversation_id: conversationId, user_message_id: question?.["message_id"] },
    });
    expect(parts).toContainEqual({ type: "data-memory", data: { block: "human", version: 1 } });
    expect(typesOf(parts).slice(-2)).toEqual(["finish", "[DONE]"]);
    expect(await storedLines(agentId, client.email, "human")).toEqual(["Name: Alice"]);
  });

  it.each(["zz-top", "zz-", "zz-018f0000-0000-7000-8000-000000000000", "zz- a blank / and é"])(
    "may be called %s, although ids of transient conversations begin like that",
    async (name) => {
      const client = await signUp();
      const { model, agentId } = await agentWith(client, [{ text: "Hello." }], [{ text: "Again." }]);

      const first = await chat(client, agentId, chatBody(name, "I am Alice"));
      const second = await chat(client, agentId, chatBody(name, "And now?"));

      expect([first.status, second.status]).toEqual([200, 200]);
      expect(second.conversationId).toBe(first.conversationId);
      expect(await conversationsOf(client)).toMatchObject([{ conversation_id: first.conversationId }]);
      expect(JSON.stringify((await model.log()).requests[1])).toContain("I am Alice");
    },
  );

  it("accepts the id of a conversation with the agent as its own", async () => {
    const client = await signUp();
    const { agentId } = await agentWith(client, [{ text: "Hello." }]);
    const made = await client("POST", "/conversations", { title: "Talk", agent_id: agentId });
    const conversationId = made.body.conversation_id as string;

    const sent = await chat(client, agentId, chatBody(conversationId, "Hello"));

    expect(sent.conversationId).toBe(conversationId);
    expect(await conversationsOf(client)).toHaveLength(1);
  });

  it("begins again if its conversation has been deleted", async () => {
    const client = await signUp();
    const { agentId } = await agentWith(client, [{ text: "Hello." }], [{ text: "Hello." }]);
    const first = await chat(client, agentId, chatBody("c", "Hello"));
    expect((await client("DELETE", `/conversations/${first.conversationId}`)).status).toBe(204);

    const second = await chat(client, agentId, chatBody("c", "Hello again"));

    expect(second.status).toBe(200);
    expect(second.conversationId).not.toBe(first.conversationId);
    expect(await storedMessages(first.conversationId)).toEqual([]);
  });

  it("is one conversation, even if two tabs send its first message at the same time", async () => {
    const client = await signUp();
    const { model, agentId } = await agentWith(client, [{ hold: true }, { text: "Hello." }]);

    const sending = ["One", "Two"].map((text) => chat(client, agentId, chatBody("c", text)));
    const refused = await Promise.race(sending);
    await model.release();
    const answers = await Promise.all(sending);

    expect([refused.status, refused.body.code]).toEqual([409, "conversation-busy"]);
    expect(answers.map(({ status }) => String(status)).toSorted()).toEqual(["200", "409"]);
    expect(await conversationsOf(client)).toHaveLength(1);
  });

  it("is private to a person and an agent", async () => {
    const [client, stranger] = [await signUp(), await signUp()];
    const { agentId } = await agentWith(client, [{ text: "a" }], [{ text: "b" }]);
    const other = await agentWith(client, [{ text: "c" }]);
    const visitor = await endUserOf(client, agentId);

    const own = await chat(client, agentId, chatBody("c", "Mine"));
    const theirs = await chat(visitor, agentId, chatBody("c", "Theirs"));
    const elsewhere = await chat(client, other.agentId, chatBody("c", "Elsewhere"));
    const foreign = await chat(stranger, agentId, chatBody("c", "Foreign"));
    const byId = await chat(visitor, agentId, chatBody(own.conversationId, "Guessed"));

    const ids = [own, theirs, elsewhere, byId].map(({ conversationId }) => conversationId);
    expect(new Set(ids).size).toBe(4);
    expect([foreign.status, foreign.body.detail]).toEqual([404, "Agent not found"]);
  });

  it("disappears with its end user", async () => {
    const client = await signUp();
    const { agentId } = await agentWith(client, [{ text: "a" }], [{ text: "b" }]);
    const visitor = await endUserOf(client, agentId, "visitor-7");
    const first = await chat(visitor, agentId, chatBody("c", "Hello"));

    expect((await client("DELETE", `/agents/${agentId}/end-users/visitor-7`)).status).toBe(204);
    const again = await endUserOf(client, agentId, "visitor-7");
    expect((await again("GET", streamPath(agentId, "c"))).status).toBe(204);
    const second = await chat(again, agentId, chatBody("c", "Hello"));

    expect(second.conversationId).not.toBe(first.conversationId);
  });
});

describe("a message of the AI SDK", () => {
  it("has one run and one answer, however often it is sent", async () => {
    const client = await signUp();
    const { model, agentId } = await agentWith(client, [
      { text: "Hello." },
      { hold: true },
      { text: " Bye." },
    ]);
    const body = chatBody("c", "Hello", "m1");

    const first = await openChat(client, agentId, body);
    await first.until("Hello.");
    const second = await openChat(client, agentId, body);
    await second.until("Hello.");
    await model.release();
    const whole = await first.rest();
    const later = await chat(client, agentId, body);

    expect(await second.rest()).toBe(whole);
    expect(later.body).toBe(whole);
    expect((await model.log()).requests).toHaveLength(1);
    expect(await storedMessages(later.conversationId)).toHaveLength(2);
    expect(await messagesUsed(client.email)).toBe(1);
  });

  it("is refused if its id was used with another text", async () => {
    const client = await signUp();
    const { agentId } = await agentWith(client, [{ text: "Hello." }]);
    await chat(client, agentId, chatBody("c", "Hello", "m1"));

    const { status, body } = await chat(client, agentId, chatBody("c", "Something else", "m1"));

    expect([status, body.code]).toEqual([422, "idempotency-mismatch"]);
  });

  it("is run again if the first attempt was refused", async () => {
    const client = await signUp();
    const { body: agent } = await client("POST", "/agents", { ...ada, agent_provider: "OpenAI" });
    const body = chatBody("c", "Hello", "m1");

    const refused = await chat(client, agent.agent_id, body);
    await client("PATCH", `/agents/${agent.agent_id}`, { agent_provider: "Demo" });
    const sent = await chat(client, agent.agent_id, body);

    expect([refused.status, refused.body.code]).toEqual([409, "provider-not-configured"]);
    expect(sent.status).toBe(200);
  });

  it("may contain text files", async () => {
    const client = await signUp();
    const { model, agentId } = await agentWith(client, [{ text: "Read." }]);
    const file = (url: string, more: object) => ({ type: "file", url, ...more });
    const body = {
      id: "c",
      messages: [
        {
          id: "m",
          role: "user",
          parts: [
            { type: "text", text: "Read" },
            { type: "data-mood", data: "curious" },
            file(`data:text/plain;base64,${btoa("caf\u00c3\u00a9")}`, {
              mediaType: "text/plain",
              filename: "menu.txt",
            }),
            file("data:text/csv,a%2Cb", { mediaType: "text/csv" }),
            { type: "text", text: "this" },
          ],
        },
      ],
    };

    const { status, conversationId } = await chat(client, agentId, body);

    expect(status).toBe(200);
    expect((await storedMessages(conversationId))[0]).toMatchObject({
      content: "Read\n\nthis",
      attachments: [
        { filename: "menu.txt", content: "café", size: 5 },
        { filename: "file.csv", content: "a,b", size: 3 },
      ],
    });
    expect(JSON.stringify((await model.log()).requests)).toContain("café");
  });

  const text = { type: "text", text: "Hello" };
  const user = (parts: unknown) => [{ id: "m", role: "user", parts }];

  it.each<[string, object, string, string]>([
    ["no messages", { messages: [] }, "messages", "must have at least 1"],
    [
      "an answer as the last message",
      { messages: [{ id: "m", role: "assistant", parts: [text] }] },
      "messages.role",
      "must be `user` in the last message.",
    ],
    [
      "a last message of the system",
      { messages: [{ id: "m", role: "system", parts: [text] }] },
      "messages.role",
      "must be `user`",
    ],
    ["a message without parts", { messages: user([]) }, "messages.parts", "must have at least 1"],
    [
      "a blank message",
      { messages: user([{ type: "text", text: " " }]) },
      "messages.parts",
      "must have a text or a file.",
    ],
    ["a text without text", { messages: user([{ type: "text" }]) }, "messages.parts.0.text", "is required."],
    [
      "an unknown part",
      { messages: user([text, { type: "hologram" }]) },
      "messages.parts.1.type",
      "must be one of: text, file.",
    ],
    [
      "an image",
      {
        messages: user([
          { type: "file", mediaType: "image/png", url: `data:image/png;base64,${btoa("\u0089PNG\u0000")}` },
        ]),
      },
      "messages.parts.0.url",
      "must be a text file",
    ],
    [
      "a file at an address",
      { messages: user([{ type: "file", mediaType: "text/plain", url: "http://169.254.169.254/x.txt" }]) },
      "messages.parts.0.url",
      "must be a data: URL",
    ],
    [
      "a file that is not base64",
      { messages: user([{ type: "file", mediaType: "text/plain", url: "data:text/plain;base64,%%%" }]) },
      "messages.parts.0.url",
      "can't be decoded",
    ],
    [
      "a program",
      { messages: user([{ type: "file", mediaType: "text/plain", filename: "x.exe", url: "data:,x" }]) },
      "messages.parts.0.url",
      "not allowed",
    ],
    [
      "an id that is too long",
      { id: "x".repeat(256), messages: user([text]) },
      "id",
      "must have at most 255",
    ],
    [
      "an unknown trigger",
      { trigger: "explode", messages: user([text]) },
      "trigger",
      "must be one of: submit-message, regenerate-message",
    ],
  ])("is refused with a problem that names the member: %s", async (_case, body, member, sentence) => {
    const client = await signUp();
    const { model, agentId } = await agentWith(client, [{ text: "Hello." }]);

    const answer = await chat(client, agentId, { id: "c", ...body });

    expect([answer.status, answer.body.code]).toEqual([422, "validation-failed"]);
    expect(answer.headers.get("content-type")).toBe("application/problem+json");
    expect(answer.body.errors[0].path.join(".")).toBe(member);
    expect(answer.body.errors[0].message).toContain(sentence);
    expect((await model.log()).requests).toEqual([]);
    expect(await conversationsOf(client)).toEqual([]);
  });

  it("is refused above 4 MB, and not below", async () => {
    const client = await signUp();
    const { agentId } = await agentWith(client, [{ text: "Hello." }]);
    const withPast = (chars: number) => ({
      ...chatBody("c", "Hello"),
      messages: [{ id: "0", role: "user", parts: ["x".repeat(chars)] }, ...chatBody("c", "Hello").messages],
    });

    expect((await chat(client, agentId, withPast(3_000_000))).status).toBe(200);
    expect((await chat(client, agentId, withPast(4_300_000))).body.code).toBe("payload-too-large");
  });
});

describe("a stream of the AI SDK", () => {
  it("is resumed from its beginning, at every moment of the run", async () => {
    const client = await signUp();
    const { model, agentId } = await agentWith(
      client,
      [{ hold: "1" }, { text: "One " }, { hold: "2" }, append("Name: Alice")],
      [{ hold: "3" }, { text: "two " }, { hold: "4" }, { text: "three." }],
    );
    const moments = ["data-run", "One ", "data-memory", "two "];
    const first = await openChat(client, agentId, chatBody("c", "Count"));

    const resumed = [];
    for (const [index, moment] of moments.entries()) {
      const seen = await first.until(moment);
      const { response } = await client.raw("GET", streamPath(agentId, "c"));
      expect(response.headers.get("x-vercel-ai-ui-message-stream")).toBe("v1");
      const follower = reading(response);
      // What the first reader has seen comes again, from the first byte.
      const again = await follower.until(moment);
      expect(again.slice(0, seen.length)).toBe(seen.slice(0, again.length));
      resumed.push(follower);
      await model.release(String(index + 1));
    }
    const whole = await first.rest();

    expect(textOf(partsIn(whole))).toBe("One two three.");
    for (const follower of resumed) expect(await follower.rest()).toBe(whole);
    expect((await client("GET", streamPath(agentId, "c"))).status).toBe(204);
    expect((await model.log()).requests).toHaveLength(2);
  });

  it("is empty for a chat that has no messages, has no run, or is somebody else's", async () => {
    const [client, stranger] = [await signUp(), await signUp()];
    const { model, agentId } = await agentWith(client, [{ text: "One" }, { hold: true }]);
    const visitor = await endUserOf(client, agentId);
    const status = async (who: Client, chatId: string) =>
      (await who("GET", streamPath(agentId, chatId))).status;

    expect(await status(client, "c")).toBe(204);
    const running = await openChat(client, agentId, chatBody("c", "Count"));
    await running.until("One");
    const conversationId = running.response.headers.get("x-conversation-id") ?? "";

    for (const chatId of ["c", conversationId])
      for (const who of [visitor, stranger]) expect(await status(who, chatId)).toBe(204);
    expect((await anonymous("GET", streamPath(agentId, "c"))).status).toBe(401);
    await model.release();
    await running.rest();
    expect(await status(client, "c")).toBe(204);
  });

  it("does not end the run when its client leaves", async () => {
    const client = await signUp();
    const { model, agentId } = await agentWith(client, [{ text: "One " }, { hold: true }, { text: "two." }]);
    const first = await openChat(client, agentId, chatBody("c", "Count"));
    await first.until("One ");
    await first.leave();

    const again = reading((await client.raw("GET", streamPath(agentId, "c"))).response);
    await again.until("One ");
    await model.release();
    const parts = partsIn(await again.rest());

    expect([textOf(parts), typesOf(parts).at(-1)]).toEqual(["One two.", "[DONE]"]);
    const conversationId = first.response.headers.get("x-conversation-id") ?? "";
    expect((await storedMessages(conversationId))[1]).toMatchObject({
      content: "One two.",
      status: "complete",
    });
  });

  it("ends with `abort` when its run is cancelled by the ids that it has sent", async () => {
    const client = await signUp();
    const { agentId } = await agentWith(client, [{ text: "One " }, { hold: true }]);
    const turn = await openChat(client, agentId, chatBody("c", "Count"));
    await turn.until("One ");
    const { headers } = turn.response;
    const run = `/conversations/${headers.get("x-conversation-id")}/runs/${headers.get("x-run-id")}`;

    const cancelled = await client("POST", `${run}/cancel`);
    const parts = partsIn(await turn.rest());

    expect(cancelled.body.state).toBe("cancelled");
    expect(typesOf(parts).slice(-5)).toEqual(["text-end", "finish-step", "abort", "finish", "[DONE]"]);
  });

  it("ends with the error of a run that fails", async () => {
    const client = await signUp();
    const { agentId } = await agentWith(client, [{ status: 401, body: { error: { message: "sk-secret" } } }]);

    const { parts, body } = await chat(client, agentId, chatBody("c", "Hello"));

    expect(typesOf(parts).slice(-4)).toEqual(["data-error", "error", "finish", "[DONE]"]);
    expect(parts).toContainEqual({
      type: "data-error",
      data: { code: "provider-auth", retryable: false },
      transient: true,
    });
    expect(body).not.toContain("sk-secret");
  });

  it("breaks off when its runner dies, and the repeated message is told the end", async () => {
    const client = await signUp();
    const { agentId } = await agentWith(client, [{ text: "One " }, { hold: true }]);
    const body = chatBody("c", "Count", "m1");
    const turn = await openChat(client, agentId, body);
    await turn.until("One ");
    await untilLogged(client, `/agents/-/${turn.response.headers.get("x-conversation-id")}`, "One ");

    await abortAllDurableObjects();
    await turn.rest();
    const again = await chat(client, agentId, body);

    expect(typesOf(again.parts)[0]).toBe("start");
    expect(typesOf(again.parts).slice(-4)).toEqual(["data-error", "error", "finish", "[DONE]"]);
    expect(again.parts).toContainEqual({
      type: "error",
      errorText: "The answer was interrupted. The text so far has been saved.",
    });
    expect((await client("GET", streamPath(agentId, "c"))).status).toBe(204);
  });

  it("shows reasoning, and newer parts, only to clients that ask for them", async () => {
    const client = await signUp();
    const thought = { choices: [{ delta: { reasoning_content: "Hm." } }] };
    const reply = [{ raw: `data: ${JSON.stringify(thought)}\n\n` }, { text: "Hello." }];
    const { agentId } = await agentWith(client, reply, reply);

    const plain = await chat(client, agentId, chatBody("c", "Hello"));
    const asked = await chat(client, agentId, chatBody("c", "Hello"), "?reasoning=1&ai_sdk=6");

    expect(typesOf(plain.parts)).not.toContain("reasoning-delta");
    expect(plain.parts.at(-2)).toEqual({ type: "finish" });
    expect(asked.parts).toContainEqual(expect.objectContaining({ type: "reasoning-delta", delta: "Hm." }));
    expect(asked.parts.at(-2)).toEqual({ type: "finish", finishReason: "stop" });
    expect((await chat(client, agentId, chatBody("c", "Hello"), "?ai_sdk=8")).status).toBe(422);
  });

  it("may be read by the pages that an end user's token names", async () => {
    const client = await signUp();
    const { agentId } = await agentWith(client, [{ text: "Hello." }]);
    const origin = "https://shop.example.com";
    await client("PATCH", `/agents/${agentId}`, { allowed_origins: [origin] });
    const visitor = await endUserOf(client, agentId, "visitor-1", { origins: [origin] });
    const path = `/agents/${agentId}/chat`;

    const preflight = await anonymous("OPTIONS", path, undefined, {
      origin,
      "access-control-request-method": "POST",
    });
    const sent = await visitor("POST", path, chatBody("c", "Hello"), { origin });
    const elsewhere = await clientOf(visitor.token)("POST", path, chatBody("c", "Hello"), {
      origin: "https://evil.example.com",
    });

    expect(preflight.headers.get("access-control-allow-origin")).toBe(origin);
    expect([sent.status, sent.headers.get("access-control-allow-origin")]).toEqual([200, origin]);
    expect(sent.headers.get("access-control-expose-headers")).toContain("X-Run-Id");
    expect(elsewhere.status).toBe(403);
  });
});

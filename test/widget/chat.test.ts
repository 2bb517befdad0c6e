import { beforeAll, describe, expect, it } from "vitest";
import { problem } from "../http/route-cases.ts";
import { ada, beginConversation, type Client, signUp, signUpFree } from "../support/app.ts";
import type { ScriptStep } from "../support/control-protocol.ts";
import { scriptModel } from "../support/control.ts";
import { follow, open, readUntil } from "../support/runs.ts";
import { parseEvents, say, textOf, typesOf } from "../support/sse.ts";
import { beginVisit, createKey, type ShownKey, visitorOf } from "../support/widget.ts";

/** What visitors read if only the agent's owner can do something about it. */
const LATER = "The chat can't answer at the moment. Please try again later.";

let owner: Client;
let agentId: string;
let key: ShownKey;
beforeAll(async () => {
  owner = await signUp();
  ({ agentId } = await beginConversation(owner));
  key = await createKey(owner, agentId);
});

/** A visitor of an agent whose model says this. */
async function visitorWith(...script: readonly (readonly ScriptStep[])[]) {
  const model = await scriptModel(...script);
  const { agentId: scripted } = await beginConversation(owner, { agent_model: model.name });
  const visitor = await visitorOf(await createKey(owner, scripted));
  return { model, visitor, agentId: scripted, ...(await beginVisit(visitor)) };
}

describe("the conversations of a visitor", () => {
  it("have the members of the legacy service", async () => {
    const visitor = await visitorOf(key);

    const { status, body } = await visitor("POST", "/widget/conversations", {});

    expect(status).toBe(201);
    expect(body).toEqual({
      conversation_id: expect.any(String),
      agent_id: agentId,
      visitor_id: visitor.visitorId,
      visitor_name: null,
      title: "Chat with Visitor",
      created_at: expect.any(String),
      updated_at: null,
      message_count: 0,
    });
    expect((await visitor("GET", `/widget/conversations/${body.conversation_id}`)).body).toEqual(body);
    expect((await visitor("GET", "/widget/conversations")).body).toEqual([body]);
  });

  it("are listed newest first, page by page", async () => {
    const visitor = await visitorOf(key);
    const ids = [await beginVisit(visitor), await beginVisit(visitor), await beginVisit(visitor)].map(
      ({ conversationId }) => conversationId,
    );

    const first = await visitor("GET", "/widget/conversations?limit=2");
    const cursor = encodeURIComponent(first.headers.get("next-cursor") ?? "");
    const second = await visitor("GET", `/widget/conversations?limit=2&cursor=${cursor}`);

    const listed = [...first.body, ...second.body].map(({ conversation_id }) => conversation_id);
    expect(listed).toEqual(ids.toReversed());
    expect(second.headers.get("next-cursor")).toBeNull();
  });

  it("are created once for an idempotency key, of each visitor", async () => {
    const [visitor, other] = [await visitorOf(key), await visitorOf(key)];
    const headers = { "idempotency-key": crypto.randomUUID() };
    const create = (client: Client) => client("POST", "/widget/conversations", { title: "Once" }, headers);

    const first = await create(visitor);

    expect((await create(visitor)).body).toEqual(first.body);
    expect((await create(other)).body.conversation_id).not.toBe(first.body.conversation_id);
  });

  it.each([
    ["a title of 201 characters", { title: "x".repeat(201) }],
    ["another visitor's id", { visitor_id: "anon:another" }],
  ])("are not created with %s", async (_case, body) => {
    const visitor = await visitorOf(key);

    expect((await visitor("POST", "/widget/conversations", body)).status).toBe(422);
  });

  it("are absent for other visitors, and for ids that nothing has", async () => {
    const [visitor, other] = [await visitorOf(key), await visitorOf(key)];
    const { base, path } = await beginVisit(visitor);
    const { events } = await say(visitor, path, "Hello");
    const run = events[0]?.run_id ?? "";

    for (const at of [base, `/widget/conversations/${crypto.randomUUID()}`, "/widget/conversations/%00"])
      for (const [method, rest, body] of [
        ["GET", ""],
        ["GET", "/messages"],
        ["POST", "/messages", { content: "Hello" }],
        ["GET", `/runs/${run}/events`],
        ["GET", "/runs/active/events"],
        ["POST", `/runs/${run}/cancel`],
      ] as const) {
        const answer = await other(method, `${at}${rest}`, body);
        expect([answer.status, answer.body.code]).toEqual([404, "not-found"]);
      }
    expect((await other("GET", "/widget/conversations")).body).toEqual([]);
  });
});

describe("a message of a visitor", () => {
  it("is answered as a stream that begins and ends as the legacy service's", async () => {
    const { visitor, base, path } = await visitorWith([{ text: "Hello, " }, { text: "stranger!" }]);

    const { status, headers, events, text } = await say(visitor, path, "Hi");

    expect(status).toBe(200);
    expect(headers.get("content-type")).toBe("text/event-stream; charset=utf-8");
    expect(headers.get("x-run-id")).toBe(events[0]?.run_id);
    expect(events[0]).toMatchObject({
      event_type: "LIFECYCLE_NOTIFICATION",
      content: "Connecting to agent...",
    });
    expect(events[1]).toMatchObject({ event_type: "MESSAGE_SAVED", content: "User message saved" });
    expect(text).toBe("Hello, stranger!");
    expect(events.at(-1)).toMatchObject({ event_type: "STREAM_COMPLETE", content: "Response complete" });

    const messages = await visitor("GET", path);
    expect(messages.body).toEqual([
      { message_id: events[1]?.message_id, role: "user", content: "Hi", created_at: expect.any(String) },
      {
        message_id: events.at(-1)?.message_id,
        role: "assistant",
        content: "Hello, stranger!",
        created_at: expect.any(String),
      },
    ]);
    const { body } = await visitor("GET", base);
    expect(body.message_count).toBe(1);
    expect(body.updated_at).not.toBeNull();
  });

  it("shows nothing of the tools' input and output, of the memory, and of token counts", async () => {
    const secret = `secret-${crypto.randomUUID()}`;
    const call = {
      name: "core_memory_append",
      arguments: JSON.stringify({ block: "human", content: secret }),
    };
    const {
      visitor,
      agentId: scripted,
      conversationId,
      base,
      path,
    } = await visitorWith([{ call }], [{ text: "Noted." }]);

    const { body, events } = await say(visitor, path, "Remember it");
    const resumed = await visitor("GET", `${base}/runs/${events[0]?.run_id}/events`);

    expect(typesOf(events)).toEqual(expect.arrayContaining(["TOOL_CALL_START", "TOOL_CALL_RESULT"]));
    expect(typesOf(events)).not.toEqual(expect.arrayContaining(["MEMORY_UPDATED"]));
    expect(typesOf(events)).not.toEqual(expect.arrayContaining(["USAGE"]));
    expect(body).not.toContain(secret);
    expect(resumed.body).toBe(body);
    expect((await visitor("GET", path)).body.at(-1)).toEqual({
      message_id: expect.any(String),
      role: "assistant",
      content: "Noted.",
      created_at: expect.any(String),
    });
    // The tool has done its work: the owner sees what it has written.
    const seen = await owner(
      "GET",
      `/agents/${scripted}/end-users/${visitor.visitorId}/conversations/${conversationId}/messages`,
    );
    expect(JSON.stringify(seen.body)).toContain(secret);
  });

  it("is sent once for an idempotency key", async () => {
    const { visitor, model, path } = await visitorWith([{ text: "Once." }]);
    const headers = { "idempotency-key": crypto.randomUUID() };
    const send = () => visitor("POST", path, { content: "Hi" }, headers);

    const [first, again] = [await send(), await send()];

    expect(again.body).toBe(first.body);
    expect((await model.log()).requests).toHaveLength(1);
    expect((await visitor("GET", path)).body).toHaveLength(2);
  });

  it("can be followed after the connection is lost, and after the page is loaded again", async () => {
    const { visitor, model, base, path } = await visitorWith([
      { text: "one" },
      { hold: true },
      { text: " two" },
    ]);
    const turn = await open(visitor, path, "Go");
    const seen = await readUntil(turn, "one");
    await turn.leave();

    const after = seen.at(-1)?.seq ?? 0;
    const rest = await visitor.raw("GET", `${base}/runs/${turn.runId}/events?after=${after}`);
    const anew = await visitor.raw("GET", `${base}/runs/active/events`);
    await model.release();

    expect(textOf([...seen, ...(await (await follow(rest.response)).rest())])).toBe("one two");
    expect(textOf(await (await follow(anew.response)).rest())).toBe("one two");
    expect((await visitor("GET", `${base}/runs/active/events`)).status).toBe(204);
    const replay = await visitor("GET", `${base}/runs/${turn.runId}/events`, undefined, {
      "last-event-id": String(after),
    });
    expect(textOf(parseEvents(replay.body))).toBe(" two");
  });

  it("is stopped by its visitor", async () => {
    const { visitor, model, base, path } = await visitorWith([
      { text: "one" },
      { hold: true },
      { text: " two" },
    ]);
    const turn = await open(visitor, path, "Go");
    await readUntil(turn, "one");

    const { status, body } = await visitor("POST", `${base}/runs/${turn.runId}/cancel`);
    await model.release();

    expect(status).toBe(200);
    expect(body).toMatchObject({ run_id: turn.runId, state: "cancelled" });
    expect(body).not.toHaveProperty("usage");
    expect((await turn.rest()).at(-1)).toMatchObject({ event_type: "STREAM_COMPLETE", content: "Cancelled" });
    expect((await visitor("GET", path)).body.at(-1)).toMatchObject({ role: "assistant", content: "one" });
  });

  it("waits for the end of the run before it", async () => {
    const { visitor, model, path } = await visitorWith([{ text: "one" }, { hold: true }]);
    const turn = await open(visitor, path, "Go");
    await readUntil(turn, "one");

    const { status, body } = await visitor("POST", path, { content: "And?" });
    await model.release();
    await turn.rest();

    expect([status, body.code, body.run_id]).toEqual([409, "conversation-busy", turn.runId]);
  });

  it.each([
    ["no text", {}],
    ["an empty text", { content: "" }],
    ["blanks", { content: " \n" }],
    ["10,001 characters", { content: "x".repeat(10_001) }],
    ["attachments", { content: "Hi", attachments: [] }],
  ])("is refused with %s", async (_case, body) => {
    const visitor = await visitorOf(key);
    const { path } = await beginVisit(visitor);

    expect((await visitor("POST", path, body)).status).toBe(422);
    expect((await visitor("GET", path)).body).toEqual([]);
  });

  it("counts against the plan of the agent's owner", async () => {
    const free = await signUpFree();
    const created = await free("POST", "/agents", { ...ada, end_user_messages_per_month: 1 });
    const visitor = await visitorOf(await createKey(free, created.body.agent_id));
    const { path } = await beginVisit(visitor);

    expect((await say(visitor, path, "One")).status).toBe(200);
    const { status, headers, body } = await visitor("POST", path, { content: "Two" });

    expect([status, body.code, body.detail]).toEqual([429, "limit-exceeded", LATER]);
    expect(Number(headers.get("retry-after"))).toBeGreaterThan(0);
    // The plan is the owner's matter.
    for (const name of ["tier", "limit", "current", "upgrade_url"]) expect(body).not.toHaveProperty(name);
    expect(headers.get("ratelimit")).toBeNull();
    expect((await free("GET", "/usage")).body.usage.messages).toBe(1);
  });

  it("is refused if the agent's provider is not set up, and not stored", async () => {
    const keyless = { ...ada, agent_name: "Keyless", agent_provider: "Anthropic" };
    const created = await owner("POST", "/agents", keyless);
    const visitor = await visitorOf(await createKey(owner, created.body.agent_id));
    const { path } = await beginVisit(visitor);

    const { status, body } = await visitor("POST", path, { content: "Hi" });

    expect([status, body.code, body.detail]).toEqual([409, "provider-not-configured", LATER]);
    expect((await visitor("GET", path)).body).toEqual([]);
  });

  it("does not tell what is wrong with the owner's credentials if the provider refuses them", async () => {
    const { visitor, base, path } = await visitorWith([{ status: 401, body: { error: { message: "no" } } }]);

    const { body, events } = await say(visitor, path, "Hi");
    const resumed = await visitor("GET", `${base}/runs/${events[0]?.run_id}/events`);

    expect(events.at(-1)).toMatchObject({ event_type: "ERROR", code: "provider-auth", content: LATER });
    expect(resumed.body).toBe(body);
  });
});

describe("the messages of a conversation", () => {
  it("are the newest ones, oldest first, and lead to older ones", async () => {
    const visitor = await visitorOf(key);
    const { path } = await beginVisit(visitor);
    for (const text of ["One", "Two"]) await say(visitor, path, text);

    const newest = await visitor("GET", `${path}?limit=2`);
    const cursor = encodeURIComponent(newest.headers.get("next-cursor") ?? "");
    const older = await visitor("GET", `${path}?limit=2&cursor=${cursor}`);

    const rolesAndTexts = [...older.body, ...newest.body].map(({ role, content }) => [role, content]);
    expect(rolesAndTexts.map(([role]) => role)).toEqual(["user", "assistant", "user", "assistant"]);
    expect([rolesAndTexts[0]?.[1], rolesAndTexts[2]?.[1]]).toEqual(["One", "Two"]);
    expect(older.headers.get("next-cursor")).toBeNull();
  });
});

it("answers a number that is none with a problem", async () => {
  const visitor = await visitorOf(key);
  const { base } = await beginVisit(visitor);

  const { body } = await visitor("GET", `${base}/runs/active/events?after=x`);

  expect(body).toEqual(problem(400, "malformed-request", "`after` must be the number of an event."));
});

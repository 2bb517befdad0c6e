import { beforeAll, describe, expect, it } from "vitest";
import { problem } from "../http/route-cases.ts";
import { beginConversation, type Client, signUp, table } from "../support/app.ts";
import { endUserOf } from "../support/callers.ts";
import { endFaults, injectFault } from "../support/control.ts";
import { beginVisit, createKey, pageWith, SHOP, type ShownKey, visitorOf } from "../support/widget.ts";

let owner: Client;
let agentId: string;
let key: ShownKey;
beforeAll(async () => {
  owner = await signUp();
  ({ agentId } = await beginConversation(owner, { allowed_origins: [SHOP] }));
  key = await createKey(owner, agentId);
});

/** The items of the agent that name a visitor. */
const storedOf = async (visitorId: string) =>
  (await table.query(`Agent#${agentId}`)).filter(({ sk }) => String(sk).endsWith(`#${visitorId}`));

describe("a visitor who has not signed in", () => {
  it("gets a token for 30 days, and becomes an end user of the agent with the first conversation", async () => {
    const { status, headers, body } = await pageWith({ key: key.public_key })("POST", "/widget/visitors");

    expect(status).toBe(201);
    expect(headers.get("cache-control")).toBe("no-store");
    expect(body).toEqual({
      access_token: expect.any(String),
      token_type: "bearer",
      expires_in: 2_592_000,
      visitor: {
        visitor_id: expect.stringMatching(/^anon:[\w-]{22}$/u),
        email: null,
        name: null,
        picture: null,
      },
    });
    const path = `/agents/${agentId}/end-users/${body.visitor.visitor_id}`;
    expect((await owner("GET", path)).status).toBe(404);
    await beginVisit(pageWith({ key: key.public_key, token: body.access_token }));
    expect((await owner("GET", path)).status).toBe(200);
  });

  it("has an id that the owner can't give to an end user, which would end the token", async () => {
    const visitor = await visitorOf(key);
    const mint = () => owner("POST", `/agents/${agentId}/client-tokens`, { end_user_id: visitor.visitorId });

    const early = await mint();
    await beginVisit(visitor);
    const later = await mint();

    expect(early.body).toMatchObject({ status: 422, code: "validation-failed" });
    expect(JSON.stringify(early.body)).toContain("must not begin with anon:");
    expect(later.status).toBe(201);
    expect((await visitor("GET", "/widget/conversations")).body).toHaveLength(1);
  });

  it("leaves nothing in the table before the first conversation, also if the token is renewed", async () => {
    const visitor = await visitorOf(key);

    const renewed = await visitor("POST", "/widget/visitors");
    const listed = await visitor("GET", "/widget/conversations");
    const path = `/widget/conversations/${crypto.randomUUID()}`;
    const read = await visitor("GET", path);
    const sent = await visitor("POST", `${path}/messages`, { content: "Hi" });

    expect(renewed.body.visitor.visitor_id).toBe(visitor.visitorId);
    expect([listed.status, listed.body]).toEqual([200, []]);
    expect([read.status, sent.status]).toEqual([404, 404]);
    expect(await storedOf(visitor.visitorId)).toEqual([]);
  });

  it("becomes one end user if the first conversations begin at the same time, with old and new tokens", async () => {
    const visitor = await visitorOf(key);
    const { body } = await visitor("POST", "/widget/visitors");
    const renewed = pageWith({ key: key.public_key, token: body.access_token });

    const begun = await Promise.all([visitor, renewed, visitor].map(beginVisit));

    const { body: conversations } = await visitor("GET", "/widget/conversations");
    expect(new Set(conversations.map((shown: { conversation_id: string }) => shown.conversation_id))).toEqual(
      new Set(begun.map(({ conversationId }) => conversationId)),
    );
  });

  it("becomes one end user although the answers to the write are lost, and keeps the token", async () => {
    const visitor = await visitorOf(key);
    const lost = { kind: "lose-answer" } as const;
    await injectFault({
      operation: "TransactWriteItems",
      match: [`EndUser#${visitor.visitorId}`],
      times: 10_000,
      fault: lost,
    });

    const { status } = await visitor("POST", "/widget/conversations", {});
    await endFaults();
    await beginVisit(visitor);

    expect(status).toBe(503);
    expect(await storedOf(visitor.visitorId)).toMatchObject([{ entity_type: "EndUser" }]);
  });

  it("can't begin a conversation once the agent is gone", async () => {
    const { agentId: other } = await beginConversation(owner);
    const visitor = await visitorOf(await createKey(owner, other));
    await table.update({ pk: `User#${owner.email}`, sk: `Agent#${other}` }, { set: { deleting_at: "now" } });

    const { status, body } = await visitor("POST", "/widget/conversations", {});

    expect([status, body]).toEqual([404, problem(404, "not-found", "Agent not found")]);
  });

  it("can't come back after the deletion, and leaves a trace that expires later than the last token", async () => {
    const visitor = await visitorOf(key);
    await beginVisit(visitor);
    const { body: renewed } = await visitor("POST", "/widget/visitors");
    const tokenEnd = Date.now() / 1_000 + Number(renewed.expires_in);
    await owner("DELETE", `/agents/${agentId}/end-users/${visitor.visitorId}`);

    for (const [method, path] of [
      ["POST", "/widget/conversations"],
      ["GET", "/widget/conversations"],
      ["POST", `/widget/conversations/${crypto.randomUUID()}/messages`],
    ] as const) {
      const { status, body } = await visitor(method, path, method === "GET" ? undefined : { content: "Hi" });
      expect([path, status, body.code]).toEqual([path, 401, "unauthenticated"]);
    }
    const traces = await storedOf(visitor.visitorId);
    expect(Number(traces[0]?.["ttl"])).toBeGreaterThan(tokenEnd + 60 * 60);
    expect(traces).toEqual([
      {
        pk: `Agent#${agentId}`,
        sk: `DeletedVisitor#${visitor.visitorId}`,
        entity_type: "DeletedVisitor",
        ttl: expect.any(Number),
      },
    ]);
  });

  it("is another one for each page that has no token", async () => {
    expect((await visitorOf(key)).visitorId).not.toBe((await visitorOf(key)).visitorId);
  });

  it("stays the same when the token is renewed, with the same conversations", async () => {
    const visitor = await visitorOf(key);
    const { conversationId } = await beginVisit(visitor);

    const { status, body } = await visitor("POST", "/widget/visitors");

    expect([status, body.visitor.visitor_id]).toEqual([201, visitor.visitorId]);
    const back = pageWith({ key: key.public_key, token: body.access_token });
    const { body: conversations } = await back("GET", "/widget/conversations");
    expect(conversations.map(({ conversation_id }: { conversation_id: string }) => conversation_id)).toEqual([
      conversationId,
    ]);
  });

  it("is not renewed with a token that is not valid, or after the visitor was deleted", async () => {
    const visitor = await visitorOf(key);
    await beginVisit(visitor);
    await owner("DELETE", `/agents/${agentId}/end-users/${visitor.visitorId}`);

    const gone = await visitor("POST", "/widget/visitors");
    const invalid = await pageWith({ key: key.public_key, token: owner.token })("POST", "/widget/visitors");

    expect(gone.body).toEqual(problem(401, "unauthenticated", "This token is no longer valid"));
    expect(invalid.body).toEqual(problem(401, "unauthenticated", "Invalid token type"));
  });

  it("can't be created or renewed with a key that requires visitors to sign in", async () => {
    const { token } = await visitorOf(key);
    const { public_key } = await createKey(owner, agentId, { requires_sign_in: true });

    for (const page of [pageWith({ key: public_key }), pageWith({ key: public_key, token })])
      expect((await page("POST", "/widget/visitors")).body).toEqual(
        problem(403, "forbidden", "Visitors must sign in to use this chat"),
      );
  });
});

describe("an end user whom the owner's back end has given a token", () => {
  it("chats through the widget under the owner's id, also if visitors have to sign in", async () => {
    const { public_key } = await createKey(owner, agentId, {
      allowed_origins: [SHOP],
      requires_sign_in: true,
    });
    const { token } = await endUserOf(owner, agentId, "customer-17", { origins: [SHOP] });
    const page = pageWith({ key: public_key, origin: SHOP, token });

    const { body } = await page("POST", "/widget/conversations", {});

    expect(body).toMatchObject({ visitor_id: "customer-17", visitor_name: null, title: "Chat with Visitor" });
  });

  it("does not get tokens from the widget", async () => {
    const { token } = await endUserOf(owner, agentId, undefined, { origins: [SHOP] });
    const { status, body } = await pageWith({ key: key.public_key, origin: SHOP, token })(
      "POST",
      "/widget/visitors",
    );

    expect([status, body.code]).toEqual([403, "forbidden"]);
  });
});

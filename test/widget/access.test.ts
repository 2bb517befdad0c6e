import { beforeAll, describe, expect, it } from "vitest";
import { forge } from "../auth/forge.ts";
import { expectDescribedProblem } from "../http/described-problems.ts";
import { problem } from "../http/route-cases.ts";
import { beginConversation, type Client, signUp, table } from "../support/app.ts";
import { endUserOf, programOf } from "../support/callers.ts";
import { injectFault } from "../support/control.ts";
import {
  beginVisit,
  createKey,
  pageWith,
  SHOP,
  type ShownKey,
  visitorOf,
  visitorToken,
} from "../support/widget.ts";

type RouteAt = [method: string, path: string, body?: object | undefined];

const ID = crypto.randomUUID();
const OF_VISITORS: RouteAt[] = [
  ["POST", "/widget/conversations", { title: "Talk" }],
  ["GET", "/widget/conversations"],
  ["GET", `/widget/conversations/${ID}`],
  ["POST", `/widget/conversations/${ID}/messages`, { content: "Hello" }],
  ["GET", `/widget/conversations/${ID}/messages`],
  ["GET", `/widget/conversations/${ID}/runs/active/events`],
  ["POST", `/widget/conversations/${ID}/runs/${ID}/cancel`],
];
const ALL: RouteAt[] = [["GET", "/widget/config"], ["POST", "/widget/visitors"], ...OF_VISITORS];

let owner: Client;
let agentId: string;
let key: ShownKey;
let visitor: Client & { readonly visitorId: string };
beforeAll(async () => {
  owner = await signUp();
  ({ agentId } = await beginConversation(owner, { allowed_origins: [SHOP] }));
  key = await createKey(owner, agentId, { allowed_origins: [SHOP, "https://blog.example.com"] });
  visitor = await visitorOf(key, SHOP);
});

/** What a route answers, if its description names such a problem. */
async function answerOf(page: Client, [method, path, body]: RouteAt) {
  const answer = await page(method, path, body);
  expectDescribedProblem(method, path, answer);
  return { status: answer.status, body: answer.body as unknown };
}

const refused = (status: number, code: string, sentence: string) => ({
  status,
  body: problem(status, code, sentence),
});

describe.each(ALL)("%s %s", (...route) => {
  it.each<[string, () => { key?: string; origin?: string }, number, string, string]>([
    ["a page without a key", () => ({ origin: SHOP }), 401, "unauthenticated", "Missing X-API-Key header"],
    [
      "an unknown key",
      () => ({ key: `pk_live_${"0".repeat(32)}`, origin: SHOP }),
      401,
      "unauthenticated",
      "Invalid API key",
    ],
    [
      "a key that is none",
      () => ({ key: "dab_nonsense", origin: SHOP }),
      401,
      "unauthenticated",
      "Invalid API key",
    ],
    [
      "a page of another origin",
      () => ({ key: key.public_key, origin: "https://evil.example" }),
      403,
      "forbidden",
      "Origin 'https://evil.example' is not allowed for this API key",
    ],
    [
      "a page whose origin only begins like an allowed one",
      () => ({ key: key.public_key, origin: `${SHOP}.evil.example` }),
      403,
      "forbidden",
      `Origin '${SHOP}.evil.example' is not allowed for this API key`,
    ],
    [
      "a sandboxed page",
      () => ({ key: key.public_key, origin: "null" }),
      403,
      "forbidden",
      "Origin 'null' is not allowed for this API key",
    ],
    [
      "a request without an origin",
      () => ({ key: key.public_key }),
      403,
      "forbidden",
      "Origin 'None' is not allowed for this API key",
    ],
  ])("refuses %s", async (_case, page, status, code, sentence) => {
    expect(await answerOf(pageWith({ token: visitor.token, ...page() }), route)).toEqual(
      refused(status, code, sentence),
    );
  });

  it("refuses a disabled key", async () => {
    const disabled = await createKey(owner, agentId);
    await owner("PATCH", `/agents/${agentId}/api-keys/${disabled.key_id}`, { is_active: false });
    const page = pageWith({ key: disabled.public_key, origin: SHOP, token: visitor.token });

    expect(await answerOf(page, route)).toEqual(refused(401, "unauthenticated", "API key is disabled"));
  });

  it("refuses a query that it does not know", async () => {
    const [method, path] = route;
    const { status, body } = await visitor(method, `${path}?colour=red`, route[2]);

    expect([status, body.code]).toEqual([422, "validation-failed"]);
  });
});

describe("an outage of the database", () => {
  it.each(ALL)("is reported by %s %s, with the time to retry", async (method, path, body) => {
    const failure = { kind: "answer", status: 500, body: { __type: "x#InternalServerError" } } as const;
    await injectFault({ match: [key.public_key], times: 100, fault: failure });

    const answer = await visitor(method, path, body);

    expect([answer.status, answer.headers.get("retry-after")]).toEqual([503, "1"]);
    expect(answer.body.code).toBe("unavailable");
  });

  it("of counting does not keep anybody from chatting", async () => {
    const another = await createKey(owner, agentId);
    const refusal = { kind: "refuse" } as const;
    await injectFault({ match: [another.key_id], times: 100, fault: refusal });

    expect((await pageWith({ key: another.public_key })("GET", "/widget/config")).status).toBe(200);
  });
});

describe("a key without origins", () => {
  it("serves pages of every origin, and programs", async () => {
    const { public_key } = await createKey(owner, agentId);

    for (const origin of [SHOP, "https://anywhere.example", undefined])
      expect((await pageWith({ key: public_key, origin })("GET", "/widget/config")).status).toBe(200);
  });
});

describe.each(OF_VISITORS)("%s %s", (...route) => {
  const answerTo = (token: string) => answerOf(pageWith({ key: key.public_key, origin: SHOP, token }), route);
  const unidentified = (sentence: string) => refused(401, "unauthenticated", sentence);

  it("refuses a request without a visitor", async () => {
    expect(await answerTo("")).toEqual(unidentified("Missing or invalid Authorization header"));
  });

  it("refuses the token of an account", async () => {
    expect(await answerTo(owner.token)).toEqual(unidentified("Invalid token type"));
    expect(await answerTo(await forge(owner.email, {}))).toEqual(unidentified("Invalid token type"));
  });

  it("refuses the key of a program", async () => {
    expect(await answerTo((await programOf(owner)).token)).toEqual(unidentified("Invalid token type"));
  });

  it("refuses nonsense, and a token that has been changed", async () => {
    expect(await answerTo("nonsense")).toEqual(unidentified("Invalid token"));
    expect(await answerTo("a.b.c.d.e")).toEqual(unidentified("Invalid token"));
    expect(await answerTo(`${visitor.token.slice(0, -4)}AAAA`)).toEqual(unidentified("Invalid token"));
  });

  it("refuses an expired token", async () => {
    const issuedAt = Date.now() - 3_600_000;
    const token = await visitorToken(owner.email, agentId, { id: visitor.visitorId, issuedAt, seconds: 60 });

    expect(await answerTo(token)).toEqual(unidentified("Token has expired"));
  });

  it("refuses the visitor of another agent, of this account and of another one", async () => {
    const { agentId: another } = await beginConversation(owner);
    const stranger = await signUp();
    const { agentId: foreign } = await beginConversation(stranger);

    expect(await answerTo((await visitorOf(await createKey(owner, another))).token)).toEqual(
      unidentified("Invalid token"),
    );
    expect(await answerTo((await visitorOf(await createKey(stranger, foreign))).token)).toEqual(
      unidentified("Invalid token"),
    );
    expect(await answerTo((await endUserOf(owner, another)).token)).toEqual(unidentified("Invalid token"));
  });

  it("refuses a visitor who has been deleted, and one who has come back since", async () => {
    const gone = await visitorOf(key, SHOP);
    await beginVisit(gone);
    await owner("DELETE", `/agents/${agentId}/end-users/${gone.visitorId}`);

    expect(await answerOf(gone, route)).toEqual(
      refused(401, "unauthenticated", "This token is no longer valid"),
    );
    await table.put({
      pk: `Agent#${agentId}`,
      sk: `EndUser#${gone.visitorId}`,
      agent_id: agentId,
      end_user_id: gone.visitorId,
      generation: "another",
      created_by: owner.email,
    });
    expect(await answerOf(gone, route)).toEqual(
      refused(401, "unauthenticated", "This token is no longer valid"),
    );
  });

  it("refuses a visitor who has not signed in if the key requires that", async () => {
    const strict = await createKey(owner, agentId, { requires_sign_in: true });
    const page = pageWith({ key: strict.public_key, origin: SHOP, token: visitor.token });

    expect(await answerOf(page, route)).toEqual(
      refused(403, "forbidden", "Visitors must sign in to use this chat"),
    );
  });

  it("refuses an end user of the owner's back end on a page that the token is not for", async () => {
    const { token } = await endUserOf(owner, agentId, undefined, { origins: [SHOP] });
    const page = pageWith({ key: key.public_key, origin: "https://blog.example.com", token });

    expect(await answerOf(page, route)).toEqual(
      refused(403, "forbidden", "This token is not valid for this origin"),
    );
  });
});

describe("the token of a visitor", () => {
  it("opens nothing but the chat", async () => {
    const { conversationId } = await beginVisit(visitor);

    for (const [method, path, body] of [
      ["GET", "/conversations"],
      ["GET", "/auth/me"],
      ["GET", `/conversations/${conversationId}`],
      ["GET", `/agents/${agentId}/memory-blocks`],
      ["POST", `/agents/${agentId}/${conversationId}/send-message`, { content: "Hello" }],
      ["POST", "/v1/chat/completions", { model: agentId, messages: [{ role: "user", content: "Hello" }] }],
      ["GET", `/agents/${agentId}/api-keys`],
    ] as const)
      expect((await visitor(method, path, body)).status).toBe(401);
  });

  it("does not reveal the account, the name or the address to its bearer", () => {
    const parts = visitor.token
      .split(".")
      .map((part) => atob(part.replaceAll("-", "+").replaceAll("_", "/")));

    expect(parts[0]).toContain("visitor+jwt");
    expect(parts.join(" ")).not.toContain(owner.email);
  });
});

describe("an account that is deactivated", () => {
  it("takes its chats with it", async () => {
    const another = await signUp();
    const place = await beginConversation(another);
    const its = await createKey(another, place.agentId);
    const guest = await visitorOf(its);
    const { path } = await beginVisit(guest);
    await table.update({ pk: `User#${another.email}`, sk: "User#Metadata" }, { set: { status: "inactive" } });

    for (const [method, at, body] of [
      ["GET", "/widget/config"],
      ["POST", "/widget/visitors"],
      ["GET", path],
      ["POST", path, { content: "Hello" }],
    ] as const) {
      const answer = await guest(method, at, body);
      expect(answer.body).toEqual(problem(403, "forbidden", "Account has been deactivated"));
    }
  });
});

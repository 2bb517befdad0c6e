import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";
import { createApp } from "../../src/app.ts";
import { configFrom } from "../../src/config.ts";
import { portsFrom } from "../../src/deps/ports.ts";
import { ConnectionTokens } from "../../src/oauth/tokens.ts";
import { createClock } from "../../src/shared/clock.ts";
import { sha256, toBase64Url } from "../../src/shared/crypto.ts";
import { accountEmailOf } from "../../src/shared/id-types.ts";
import { anonymous, beginConversation, type Client, clientOf, signUp, table } from "../support/app.ts";
import { injectFault } from "../support/control.ts";
import {
  addressOf,
  agree,
  ALL,
  connect,
  redeem,
  REDIRECT,
  refresh,
  register,
  requestOf,
  sendForm,
  useOf,
} from "./people.ts";

let ann: Client;
let agentId: string;
let otherAgentId: string;

beforeAll(async () => {
  ann = await signUp();
  const [one, other] = await Promise.all([beginConversation(ann), beginConversation(ann)]);
  agentId = one.agentId;
  otherAgentId = other.agentId;
});

const GRANT = { status: 400, error: "invalid_grant" };
const refusalOf = ({
  status,
  body,
}: {
  readonly status: number;
  readonly body: { readonly error: string };
}) => ({
  status,
  error: body.error,
});
const connections = (person: Client) =>
  table.query(`User#${person.email}`, { range: { beginsWith: "McpConnection#" } });

/** A client, and a code for it. */
async function coded(person = ann, of = agentId) {
  const program = await register();
  const answer = await agree(person, requestOf(program, of));
  return { program, code: answer.get("code") ?? "" };
}

describe("a code", () => {
  it("is redeemed once; who redeems it again ends the connection", async () => {
    const { program, code } = await coded();

    const first = await redeem(program, code);
    expect((await useOf(first.body.access_token, agentId)).status).toBe(200);
    const second = await redeem(program, code);
    const third = await redeem(program, code);

    expect([refusalOf(second), refusalOf(third)]).toEqual([GRANT, GRANT]);
    expect((await useOf(first.body.access_token, agentId)).status).toBe(401);
    expect(refusalOf(await refresh(program, first.body.refresh_token))).toEqual(GRANT);
  });

  it("is redeemed by one of several requests at the same time", async () => {
    const { program, code } = await coded();

    const answers = await Promise.all([1, 2, 3].map(() => redeem(program, code)));

    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
  });

  it.each([
    ["another client", async () => ({ client_id: (await register({ client_name: "Other" })).clientId })],
    ["another redirect address", () => ({ redirect_uri: "http://127.0.0.1:3001/callback" })],
    ["another verifier", () => ({ code_verifier: "v".repeat(43) })],
    ["the challenge in place of the verifier", (challenge: string) => ({ code_verifier: challenge })],
    ["a verifier that is too short", () => ({ code_verifier: "short" })],
  ])("is refused to %s, and stays valid for its client", async (_case, changesOf) => {
    const { program, code } = await coded();

    const stolen = await redeem(program, code, await changesOf(program.challenge));

    expect(refusalOf(stolen)).toEqual(GRANT);
    expect((await redeem(program, code)).status).toBe(200);
  });

  it("is refused with a verifier that is too short to be a secret, although it fits the challenge", async () => {
    const { clientId } = await register();
    const verifier = "short";
    const program = { clientId, verifier, challenge: toBase64Url(await sha256(verifier)) };
    const answer = await agree(ann, requestOf(program, agentId));

    expect(refusalOf(await redeem(program, answer.get("code") ?? ""))).toEqual(GRANT);
  });

  it("makes no access token of its connection valid before it is redeemed", async () => {
    const { code } = await coded();
    const tokens = new ConnectionTokens({ keys: configFrom(env).signingKeys, now: Date.now });
    const content = await tokens.read("code", code);
    if (!content) throw new Error("The code can't be read.");
    const access = await tokens.issue("access", content, Math.floor(Date.now() / 1000) + 60);

    expect((await useOf(access, agentId)).status).toBe(401);
  });

  it("is refused for another resource than the one that the person has agreed to", async () => {
    const { program, code } = await coded();

    const wrong = await redeem(program, code, { resource: addressOf(otherAgentId) });
    const right = await redeem(program, code, { resource: addressOf(agentId) });

    expect(refusalOf(wrong)).toEqual({ status: 400, error: "invalid_target" });
    expect(right.status).toBe(200);
  });

  it("expires within a minute or so", async () => {
    const { program, code } = await coded();
    const clock = createClock(() => Date.now() + 66_000);
    const later = clientOf(
      "",
      "",
      createApp(async (bindings) => ({ ...(await portsFrom(bindings)), clock })),
    );

    const form = {
      grant_type: "authorization_code",
      client_id: program.clientId,
      code,
      redirect_uri: REDIRECT,
      code_verifier: program.verifier,
    };
    const { status, body } = await later("POST", "/oauth/token", new URLSearchParams(form).toString(), {
      "content-type": "application/x-www-form-urlencoded",
    });

    expect(refusalOf({ status, body })).toEqual(GRANT);
  });

  it("is no access token, and no token is a code", async () => {
    const { program, code } = await coded();
    const { access, refresh: refreshToken } = await connect(ann, agentId);

    expect((await useOf(code, agentId)).status).toBe(401);
    expect((await useOf(refreshToken, agentId)).status).toBe(401);
    expect(refusalOf(await redeem(program, access))).toEqual(GRANT);
    expect(refusalOf(await refresh(program, access))).toEqual(GRANT);
    expect(refusalOf(await refresh(program, code))).toEqual(GRANT);
  });
});

describe("an access token", () => {
  it("is valid at the MCP address of its agent only", async () => {
    const { access } = await connect(ann, agentId);
    const client = clientOf(access);

    expect((await useOf(access, agentId)).status).toBe(200);
    const other = await useOf(access, otherAgentId);
    expect(other.status).toBe(401);
    expect(other.headers.get("www-authenticate")).toContain(`/mcp/agents/${otherAgentId}"`);
    const paths = [
      ["GET", "/agents"],
      ["GET", `/agents/${agentId}`],
      ["GET", `/agents/${agentId}/memory-blocks`],
      ["GET", "/conversations"],
      ["GET", "/v1/models"],
      ["GET", "/auth/me"],
      ["GET", "/users/me/export"],
      ["GET", "/users/me/mcp-connections"],
      ["DELETE", "/users/me"],
    ] as const;
    for (const [method, path] of paths)
      expect([path, (await client(method, path)).status]).toEqual([path, 403]);
  });

  it("may call the tools that the person has agreed to, and no others", async () => {
    const { access } = await connect(ann, agentId, ["memory:read"]);
    const call = (name: string, args: object) =>
      clientOf(access)(
        "POST",
        `/mcp/agents/${agentId}`,
        { jsonrpc: "2.0", id: 1, method: "tools/call", params: { name, arguments: args } },
        { accept: "application/json, text/event-stream" },
      );

    expect(JSON.stringify((await call("memory_blocks", {})).body)).toContain("human");
    const written = await call("memory_add", { content: "Planted" });
    const chatted = await call("chat", { message: "Hello" });
    expect(JSON.stringify([written.body, chatted.body])).not.toContain("memory_id");
    expect(JSON.stringify(await table.query(`Agent#${agentId}#User#${ann.email}`))).not.toContain("Planted");
  });

  it.each([
    ["ended by the person", (person: Client) => endAll(person)],
    [
      "revoked by its client",
      (_: Client, tokens: Held) => sendForm("/oauth/revoke", { token: tokens.access }),
    ],
    [
      "revoked by its refresh token",
      (_: Client, tokens: Held) =>
        sendForm("/oauth/revoke", {
          token: tokens.refresh,
          client_id: tokens.clientId,
          token_type_hint: "refresh_token",
        }),
    ],
    ["of a deleted agent", (person: Client, tokens: Held) => person("DELETE", `/agents/${tokens.agentId}`)],
  ] as const)("is refused at once when it is %s, and so is the refresh token", async (_case, end) => {
    const person = await signUp();
    const own = await beginConversation(person);
    const held = { ...(await connect(person, own.agentId)), agentId: own.agentId };

    const { status } = await end(person, held);

    expect(status).toBeLessThan(300);
    expect((await useOf(held.access, own.agentId)).status).toBe(401);
    expect(refusalOf(await refresh(held, held.refresh))).toEqual(GRANT);
    expect(await connections(person)).toEqual([]);
  });

  it("of a deleted account is refused, and nothing of the connection is left", async () => {
    const person = await signUp();
    const own = await beginConversation(person);
    const held = await connect(person, own.agentId);
    const { program, code } = await coded(person, own.agentId);

    await person("DELETE", "/users/me");

    await expect.poll(() => connections(person)).toEqual([]);
    expect((await useOf(held.access, own.agentId)).status).toBe(401);
    expect(refusalOf(await refresh(held, held.refresh))).toEqual(GRANT);
    expect(refusalOf(await redeem(program, code))).toEqual(GRANT);
  });

  it("of a deactivated account is refused", async () => {
    const person = await signUp();
    const own = await beginConversation(person);
    const held = await connect(person, own.agentId);
    await table.update({ pk: `User#${person.email}`, sk: "User#Metadata" }, { set: { status: "inactive" } });

    expect((await useOf(held.access, own.agentId)).status).toBe(403);
    expect(refusalOf(await refresh(held, held.refresh))).toEqual(GRANT);
  });

  it("is refused if it was changed, or written with another key", async () => {
    const { access } = await connect(ann, agentId);
    const [known] = configFrom(env).signingKeys;
    const strange = new ConnectionTokens({
      keys: [{ id: known.id, secret: "of somebody else" }],
      now: Date.now,
    });
    const forged = await strange.issue(
      "access",
      { accountEmail: accountEmailOf(ann.email), connectionId: "x", generation: 1, binding: "" },
      Math.floor(Date.now() / 1000) + 60,
    );

    for (const token of [
      forged,
      `${access.slice(0, -2)}AA`,
      "dabo_",
      `dabo_${"x".repeat(5_000)}`,
      "dabo_a.b.c.d.e",
    ])
      expect((await useOf(token, agentId)).status).toBe(401);
  });

  it("is refused after an hour", async () => {
    const { access } = await connect(ann, agentId);
    const clock = createClock(() => Date.now() + 3_700_000);
    const later = createApp(async (bindings) => ({ ...(await portsFrom(bindings)), clock }));

    const { status } = await clientOf(access, "", later)("POST", `/mcp/agents/${agentId}`, {});

    expect(status).toBe(401);
  });
});

interface Held {
  readonly access: string;
  readonly refresh: string;
  readonly clientId: string;
  readonly agentId: string;
}

async function endAll(person: Client) {
  const { body } = await person("GET", "/users/me/mcp-connections");
  return person("DELETE", `/users/me/mcp-connections/${body.items[0].connection_id}`);
}

describe("a refresh token", () => {
  it("is replaced at each use; an older one ends the connection", async () => {
    const held = await connect(ann, agentId);

    const second = await refresh(held, held.refresh);
    const third = await refresh(held, second.body.refresh_token);
    expect((await useOf(third.body.access_token, agentId)).status).toBe(200);
    const stolen = await refresh(held, held.refresh);

    expect([second.status, third.status]).toEqual([200, 200]);
    expect(refusalOf(stolen)).toEqual(GRANT);
    expect((await useOf(third.body.access_token, agentId)).status).toBe(401);
    expect(refusalOf(await refresh(held, third.body.refresh_token))).toEqual(GRANT);
  });

  it("gets its successor again as long as nothing of that was used, however late the client repeats", async () => {
    const held = await connect(ann, agentId);
    const lost = await refresh(held, held.refresh);
    await backdate(ann, held.access);

    const again = await refresh(held, held.refresh);
    const next = await refresh(held, again.body.refresh_token);

    expect([lost.status, again.status, next.status]).toEqual([200, 200, 200]);
    expect((await useOf(next.body.access_token, agentId)).status).toBe(200);
  });

  it("ends the connection if its successor was used, once two windows of a client had time for it", async () => {
    const held = await connect(ann, agentId);
    const second = await refresh(held, held.refresh);
    expect((await useOf(second.body.access_token, agentId)).status).toBe(200);

    const window = await refresh(held, held.refresh);
    await backdate(ann, held.access);
    const stolen = await refresh(held, held.refresh);

    expect(window.status).toBe(200);
    expect(refusalOf(stolen)).toEqual(GRANT);
    expect((await useOf(second.body.access_token, agentId)).status).toBe(401);
  });

  it("gets one successor in several requests at the same time", async () => {
    const held = await connect(ann, agentId);

    const answers = await Promise.all([1, 2, 3].map(() => refresh(held, held.refresh)));

    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
    for (const { body } of answers) expect((await useOf(body.access_token, agentId)).status).toBe(200);
    expect((await refresh(held, answers[2]?.body.refresh_token)).status).toBe(200);
  });

  it("survives a database whose answers are lost", async () => {
    const person = await signUp();
    const own = await beginConversation(person);
    const held = await connect(person, own.agentId);
    const fault = { kind: "lose-answer" } as const;
    await injectFault({ match: [person.email], operation: "UpdateItem", fault });

    const answer = await refresh(held, held.refresh);

    expect(answer.status).toBe(200);
    expect((await refresh(held, answer.body.refresh_token)).status).toBe(200);
  });

  it("is kept by the client if the database is down: the error says that it may try again", async () => {
    const person = await signUp();
    const own = await beginConversation(person);
    const held = await connect(person, own.agentId);
    const failure = { kind: "answer", status: 500, body: { __type: "x#InternalServerError" } } as const;
    await injectFault({ match: [person.email], times: 1_000, fault: failure });

    const { status, headers, body } = await refresh(held, held.refresh);

    expect(status).toBe(503);
    expect(headers.get("retry-after")).toBe("1");
    expect(body.error).toBe("temporarily_unavailable");
  });

  it("is refused to another client, and for another agent", async () => {
    const held = await connect(ann, agentId);
    const other = await register({ client_name: "Other" });

    expect(refusalOf(await refresh(other, held.refresh))).toEqual(GRANT);
    const elsewhere = await refresh(held, held.refresh, { resource: addressOf(otherAgentId) });
    expect(elsewhere.body.error).toBe("invalid_target");
    expect((await refresh(held, held.refresh)).status).toBe(200);
  });

  it("that is refused tells a client whose registration is gone to register again", async () => {
    const program = await register();
    const gone = await anonymous("POST", "/oauth/register", { redirect_uris: [REDIRECT] });
    const [header = "", payload = ""] = String(gone.body.client_id).split(".");
    const signedByAKeyThatIsGone = `${header}.${payload}.${"A".repeat(43)}`;

    expect(refusalOf(await refresh(program, "dabo_of.a.key.that.is-gone"))).toEqual(GRANT);
    expect(
      refusalOf(
        await refresh({ ...program, clientId: signedByAKeyThatIsGone }, "dabo_of.a.key.that.is-gone"),
      ),
    ).toEqual({ status: 400, error: "invalid_client" });
  });

  /** Lets the last replacement of the connection of a token be an hour ago. */
  async function backdate(person: Client, access: string): Promise<void> {
    const tokens = new ConnectionTokens({ keys: configFrom(env).signingKeys, now: Date.now });
    const token = await tokens.read("access", access);
    await table.update(
      { pk: `User#${person.email}`, sk: `McpConnection#${token?.connectionId}` },
      { set: { rotated_at: Date.now() - 3_600_000 } },
    );
  }
});

describe("the endpoint for tokens", () => {
  it.each([
    ["no grant type", "client_id=x", "invalid_request"],
    ["an unknown grant type", "grant_type=password&username=a&password=b", "unsupported_grant_type"],
    ["no code", "grant_type=authorization_code&client_id=x", "invalid_request"],
    [
      "a parameter twice",
      "grant_type=refresh_token&client_id=x&client_id=y&refresh_token=z",
      "invalid_request",
    ],
    [
      "a token of nobody",
      "grant_type=refresh_token&client_id=https%3A%2F%2Feditor.example.com%2Fclient.json&refresh_token=z",
      "invalid_grant",
    ],
  ])("refuses %s", async (_case, form, error) => {
    expect(refusalOf(await sendForm("/oauth/token", form))).toEqual({ status: 400, error });
  });

  it("takes forms of at most 16 KB", async () => {
    for (const path of ["/oauth/token", "/oauth/revoke"])
      expect((await sendForm(path, { token: "x".repeat(20_000) })).status).toBe(413);
  });

  it("does not take a form that is sent as something else, which pages may send unasked", async () => {
    const held = await connect(ann, agentId);
    const form = { grant_type: "refresh_token", client_id: held.clientId, refresh_token: held.refresh };

    const answer = await anonymous("POST", "/oauth/token", new URLSearchParams(form).toString(), {
      "content-type": "text/plain",
    });

    expect(refusalOf(answer)).toEqual({ status: 400, error: "invalid_request" });
  });

  it("takes forms only, and forbids caches to keep its answers", async () => {
    const json = await anonymous("POST", "/oauth/token", { grant_type: "refresh_token" });

    expect(refusalOf(json)).toEqual({ status: 400, error: "invalid_request" });
    expect(json.headers.get("cache-control")).toBe("no-store");
    expect((await anonymous("GET", "/oauth/token")).body.error).toBe("invalid_request");
  });
});

describe("the revocation of tokens", () => {
  it("is answered alike for tokens that are not valid, and does nothing for another client", async () => {
    const held = await connect(ann, agentId);
    const other = await register({ client_name: "Other" });

    const unknown = await sendForm("/oauth/revoke", { token: "dabo_nothing" });
    const foreign = await sendForm("/oauth/revoke", { token: held.access, client_id: other.clientId });

    expect([unknown.status, unknown.body, foreign.status]).toEqual([200, "", 200]);
    expect((await useOf(held.access, agentId)).status).toBe(200);
  });
});

describe("the list of connections", () => {
  it("shows each client with what it may do, to its own person only, page by page", async () => {
    const [person, stranger] = await Promise.all([signUp(), signUp()]);
    const own = await beginConversation(person);
    const held = await connect(person, own.agentId, ["memory:read"]);
    await connect(person, own.agentId);
    await useOf(held.access, own.agentId);

    const first = await person("GET", "/users/me/mcp-connections?limit=1");
    const second = await person("GET", `/users/me/mcp-connections?limit=1&cursor=${first.body.next_cursor}`);

    expect(first.body.items[0].scopes).toEqual(ALL);
    expect(second.body.items).toEqual([
      {
        connection_id: expect.any(String),
        agent_id: own.agentId,
        client_name: "Editor",
        redirect_host: "127.0.0.1:3000",
        scopes: ["memory:read"],
        created_at: expect.any(String),
        last_used_at: expect.any(String),
        expires_at: expect.any(String),
      },
    ]);
    expect((await stranger("GET", "/users/me/mcp-connections")).body.items).toEqual([]);
    const id = second.body.items[0].connection_id;
    expect((await stranger("DELETE", `/users/me/mcp-connections/${id}`)).status).toBe(204);
    expect((await useOf(held.access, own.agentId)).status).toBe(200);
  });

  it("is part of the export of the account", async () => {
    const person = await signUp();
    const own = await beginConversation(person);
    await connect(person, own.agentId);

    const { body } = await person("GET", "/users/me/export");

    expect(body).toContain('"type":"mcp_connection"');
    expect(body).not.toContain("dabo_");
  });
});

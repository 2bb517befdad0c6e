import { describe, expect, it } from "vitest";
import { McpConnection, withinTime } from "../../src/mcp-servers/connection.ts";
import type { McpFailure } from "../../src/mcp-servers/failure.ts";
import { guardedFetch } from "../../src/shared/guarded-fetch.ts";

interface Sent {
  readonly method: string;
  readonly headers: Headers;
  readonly message: Record<string, unknown>;
  readonly signal: AbortSignal;
}

type Answer = (sent: Sent) => Response | Promise<Response>;

/** A connection as in production, to the public addresses that `resolve` names, and what it has sent. */
function connectionTo(
  answer: Answer,
  { url = "https://mcp.example.org/", addresses = ["93.184.216.34"], protocol = "sessions" as const } = {},
) {
  const sent: Sent[] = [];
  const fetch = guardedFetch({
    fetch: async (input) => {
      // The guard passes a request on.
      const request = input as Request;
      const text = await request.text();
      const message = (text === "" ? {} : JSON.parse(text)) as Record<string, unknown>;
      const { method, headers, signal } = request;
      const one = { method, headers, message, signal };
      sent.push(one);
      signal.throwIfAborted();
      const aborted = new Promise<never>((_, reject) =>
        signal.addEventListener("abort", () => reject(signal.reason as Error)),
      );
      return Promise.race([answer(one), aborted]);
    },
    resolve: () => Promise.resolve(addresses),
    isLocal: false,
    ownHosts: ["api.agents.example.com"],
    allowedOrigins: [],
  });
  return { connection: new McpConnection({ fetch, url, protocol, token: "canary" }), sent };
}

const events = (...messages: readonly object[]) =>
  new Response(messages.map((message) => `event: message\ndata: ${JSON.stringify(message)}\n\n`).join(""), {
    headers: { "content-type": "text/event-stream" },
  });
/** Sends all messages but the last one, which follows when the promise is resolved. */
const eventsAndThen = (last: Promise<void>, messages: readonly object[]) => {
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
  const send = async () => {
    await events(...messages.slice(0, -1)).body?.pipeTo(writable, { preventClose: true });
    await last;
    await events(...messages.slice(-1)).body?.pipeTo(writable);
  };
  // Whoever reads notices a stream that fails.
  send().catch(() => undefined);
  return new Response(readable, { headers: { "content-type": "text/event-stream" } });
};
const initialized = (id: unknown, protocolVersion = "2025-06-18") =>
  Response.json({ jsonrpc: "2.0", id, result: { protocolVersion } }, { headers: { "mcp-session-id": "s1" } });
const never = new AbortController().signal;

/** Answers the handshake, and everything else as told. */
const afterHandshake =
  (answer: Answer): Answer =>
  (sent) => {
    if (sent.message["method"] === "initialize") return initialized(sent.message["id"]);
    if (sent.message["method"] === "notifications/initialized") return new Response(null, { status: 202 });
    return answer(sent);
  };

const failureOf = (work: Promise<unknown>) => work.catch((error: unknown) => error as McpFailure);

describe("a request to an address that is not public", () => {
  it.each([
    "http://mcp.example.org/",
    "https://127.0.0.1/",
    "https://[::1]/",
    "https://169.254.169.254/latest/meta-data/",
    "https://metadata.google.internal/",
    "https://mcp.example.org:6379/",
    "https://api.agents.example.com/mcp/agents/x",
  ])("is not sent: %s", async (url) => {
    const { connection, sent } = connectionTo(() => Response.json({}), { url });

    expect(await failureOf(connection.request("tools/list", {}, never))).toMatchObject({ reason: "address" });
    expect(sent).toEqual([]);
  });

  it("is not sent if the name resolves to a private one", async () => {
    const addresses = ["93.184.216.34", "10.0.0.1"];
    const { connection, sent } = connectionTo(() => Response.json({}), { addresses });

    expect(await failureOf(connection.negotiate(never))).toMatchObject({ reason: "address" });
    expect(sent).toEqual([]);
  });
});

it("names the session and the revision in each request after the handshake", async () => {
  const { connection, sent } = connectionTo(
    afterHandshake(({ message }) => events({ jsonrpc: "2.0", id: message["id"], result: { ok: 1 } })),
  );

  expect(await connection.request("tools/list", {}, never)).toEqual({ ok: 1 });
  expect(await connection.request("tools/list", {}, never)).toEqual({ ok: 1 });
  await connection.end();

  expect(sent.map(({ method, message }) => message["method"] ?? method)).toEqual([
    "initialize",
    "notifications/initialized",
    "tools/list",
    "tools/list",
    "DELETE",
  ]);
  expect(sent.slice(1).map(({ headers }) => headers.get("mcp-session-id"))).toEqual(["s1", "s1", "s1", "s1"]);
  expect(sent.at(2)?.headers.get("mcp-protocol-version")).toBe("2025-06-18");
  expect(sent.every(({ headers }) => headers.get("authorization") === "Bearer canary")).toBe(true);
});

it("ignores other events of a stream, and answers a ping and a request of the server", async () => {
  const answered = Promise.withResolvers<void>();
  const { connection, sent } = connectionTo(
    afterHandshake(({ message }) => {
      if (message["method"] === undefined) {
        if (message["id"] === "q") answered.resolve();
        return new Response(null, { status: 202 });
      }
      return eventsAndThen(answered.promise, [
        { jsonrpc: "2.0", method: "notifications/progress", params: { progress: 1 } },
        { jsonrpc: "2.0", id: "p", method: "ping" },
        { jsonrpc: "2.0", id: "q", method: "sampling/createMessage", params: {} },
        { jsonrpc: "2.0", id: "other", result: { wrong: true } },
        { jsonrpc: "2.0", id: message["id"], result: { right: true } },
      ]);
    }),
  );

  expect(await connection.request("tools/call", { name: "x" }, never)).toEqual({ right: true });

  const replies = sent.map(({ message }) => message).filter((message) => message["method"] === undefined);
  expect(replies).toMatchObject([
    { id: "p", result: {} },
    { id: "q", error: { code: -32_601 } },
  ]);
});

it.each<[string, Answer]>([
  [
    "does not know the method",
    ({ message }) =>
      Response.json({ jsonrpc: "2.0", id: message["id"], error: { code: -32_601, message: "?" } }),
  ],
  [
    "wants a session first",
    () =>
      Response.json(
        { jsonrpc: "2.0", id: null, error: { code: -32_000, message: "No session" } },
        { status: 400 },
      ),
  ],
  ["answers with a page", () => new Response("<html>Hello</html>", { status: 404 })],
  [
    "offers other revisions only",
    ({ message }) =>
      Response.json({ jsonrpc: "2.0", id: message["id"], result: { supportedVersions: ["2027-01-01"] } }),
  ],
])("falls back to sessions if a server %s", async (_case, answer) => {
  const { connection } = connectionTo(answer);

  await connection.negotiate(never);

  expect(connection.protocol).toBe("sessions");
});

it("speaks the stateless revision with a server that offers it", async () => {
  const { connection, sent } = connectionTo(({ message }) =>
    Response.json({ jsonrpc: "2.0", id: message["id"], result: { supportedVersions: ["2026-07-28"] } }),
  );

  await connection.negotiate(never);
  await connection.request("tools/call", { name: "echo", arguments: {} }, never);

  expect(connection.protocol).toBe("stateless");
  const [, call] = sent;
  expect(Object.fromEntries(call?.headers ?? [])).toMatchObject({
    "mcp-protocol-version": "2026-07-28",
    "mcp-method": "tools/call",
    "mcp-name": "echo",
  });
  expect(call?.message).toMatchObject({
    params: { name: "echo", _meta: { "io.modelcontextprotocol/protocolVersion": "2026-07-28" } },
  });
});

it.each<[string, number, readonly string[], string, number]>([
  ["once more if the server names it as supported", 1, ["2026-07-28"], "stateless", 2],
  ["no more if the server names others", 1, ["2025-11-25"], "sessions", 1],
  ["only once more", 2, ["2026-07-28"], "sessions", 2],
])(
  "asks a server that refuses the stateless revision %s",
  async (_case, refusals, supported, form, times) => {
    const { connection, sent } = connectionTo(({ message: { id } }) =>
      sent.length <= refusals
        ? Response.json(
            { jsonrpc: "2.0", id, error: { code: -32_022, message: "Unsupported", data: { supported } } },
            { status: 400 },
          )
        : Response.json({ jsonrpc: "2.0", id, result: { supportedVersions: ["2026-07-28"] } }),
    );

    await connection.negotiate(never);

    expect([connection.protocol, sent.length]).toEqual([form, times]);
  },
);

it.each<[string, Answer, object]>([
  [
    "with an unknown revision",
    ({ message }) => initialized(message["id"], "1999-01-01"),
    { reason: "unreadable" },
  ],
  [
    "with a redirect",
    () => new Response(null, { status: 302, headers: { location: "https://127.0.0.1/" } }),
    { reason: "redirect" },
  ],
  [
    "with a challenge",
    () => new Response("", { status: 401, headers: { "www-authenticate": 'Bearer scope="a"' } }),
    { reason: "unauthorized", challenge: 'Bearer scope="a"' },
  ],
  [
    "with a challenge for more than the token allows",
    () =>
      new Response("", {
        status: 403,
        headers: { "www-authenticate": 'Bearer error="insufficient_scope", scope="a b"' },
      }),
    {
      reason: "insufficient-scope",
      challenge: 'Bearer error="insufficient_scope", scope="a b"',
      wantsAuthorization: true,
    },
  ],
  ["with 403 without a challenge", () => new Response("", { status: 403 }), { reason: "http" }],
  [
    "with 500",
    () => new Response("canary", { status: 500 }),
    { reason: "http", message: "The server answered HTTP 500." },
  ],
  [
    "not at all",
    () => Promise.reject(new Error("connect with Bearer canary failed")),
    { reason: "unreachable", message: "The server could not be reached." },
  ],
])("fails if the server answers the handshake %s", async (_case, answer, failure) => {
  const { connection } = connectionTo(answer);

  expect(await failureOf(connection.request("tools/list", {}, never))).toMatchObject(failure);
});

/** A body that breaks off after its beginning. */
const broken = () =>
  new ReadableStream<Uint8Array>({
    start(controller) {
      controller.enqueue(new TextEncoder().encode("Oo"));
      controller.error(new Error("connection reset"));
    },
  });

it("fails as a server that can't be reached does if the connection breaks within the text of an error", async () => {
  const { connection } = connectionTo(() => new Response(broken(), { status: 500 }));

  expect(await failureOf(connection.request("tools/list", {}, never))).toMatchObject({
    name: "McpFailure",
    reason: "unreachable",
  });
});

it("ignores a broken answer to a notification", async () => {
  const { connection } = connectionTo(({ message }) => {
    if (message["method"] === "initialize") return initialized(message["id"]);
    if (message["method"] === "notifications/initialized") return new Response(broken());
    return Response.json({ jsonrpc: "2.0", id: message["id"], result: { ok: 1 } });
  });

  expect(await connection.request("tools/list", {}, never)).toEqual({ ok: 1 });
});

it("replies to one question of a server at a time, and leaves the rest as soon as it has the answer", async () => {
  const asked = Promise.withResolvers<void>();
  const ended: unknown[] = [];
  const { connection, sent } = connectionTo(
    afterHandshake(({ message, signal }) => {
      if (message["method"] === undefined) {
        signal.addEventListener("abort", () => void ended.push(message["id"]));
        asked.resolve();
        return new Promise(() => undefined);
      }
      return eventsAndThen(asked.promise, [
        { jsonrpc: "2.0", id: "p", method: "ping" },
        { jsonrpc: "2.0", id: "q", method: "ping" },
        { jsonrpc: "2.0", id: message["id"], result: { ok: 1 } },
      ]);
    }),
  );

  expect(await connection.request("tools/list", {}, never)).toEqual({ ok: 1 });

  await expect.poll(() => ended).toEqual(["p"]);
  expect(sent.filter(({ message }) => message["method"] === undefined)).toHaveLength(1);
});

it("hides its token in the error that a server answers", async () => {
  const { connection } = connectionTo(
    afterHandshake(({ message }) =>
      Response.json({
        jsonrpc: "2.0",
        id: message["id"],
        error: { code: -32_000, message: "No access with Bearer canary" },
      }),
    ),
  );

  expect(await failureOf(connection.request("tools/list", {}, never))).toMatchObject({
    message: "The server says: No access with Bearer ***",
  });
});

it("gives up after its time, and at once if the turn ends", async () => {
  const { connection } = connectionTo(() => new Promise(() => undefined));
  const reason = new Error("The turn has ended.");

  const late = withinTime(20, (signal) => connection.request("tools/list", {}, signal));
  const ended = withinTime(
    60_000,
    (signal) => connection.request("tools/list", {}, signal),
    AbortSignal.abort(reason),
  );

  expect(await Promise.all([failureOf(late), failureOf(ended)])).toEqual([
    expect.objectContaining({ reason: "timeout" }),
    reason,
  ]);
});

import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, it, onTestFinished } from "vitest";
import { AgentBuilder, ApiError, type ClientOptions, ConnectionError } from "../../client/src/index.ts";

type Reply = (response: ServerResponse, request: IncomingMessage) => void;

interface Received {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
}

/** Starts a server that gives these replies, one to each request, and the last one to all further ones. */
async function scripted(replies: readonly Reply[], options: Partial<ClientOptions> = {}) {
  const received: Received[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const { method = "", url = "", headers } = request;
      received.push({ method, url, headers, body: Buffer.concat(chunks).toString() });
      (replies[received.length - 1] ?? replies.at(-1))?.(response, request);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  const baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  return { received, client: new AgentBuilder({ baseUrl, ...options }) };
}

const json =
  (status: number, body: unknown, headers: Record<string, string> = {}): Reply =>
  (response) => {
    response.writeHead(status, { "content-type": "application/json", ...headers });
    response.end(JSON.stringify(body));
  };
const problem = (status: number, code: string, headers: Record<string, string> = {}, more: object = {}) =>
  json(status, { code, status, detail: `It is ${code}.`, request_id: "request-1", ...more }, headers);
const broken: Reply = (response) => response.destroy();
const silent: Reply = () => undefined;

const AGENT = { agent_id: "agent-1", agent_name: "Ada" };
const NEW_AGENT = { agent_name: "Ada" } as never;

it("fills in paths and queries, and leaves out what is undefined", async () => {
  const { client, received } = await scripted([json(200, { items: [] })]);
  await client.request("GET", "/agents/{agentId}/archival-memory/search", {
    path: { agentId: "a/b ?" },
    query: { query: "für & wider", queries: ["one", "two"], limit: 5, cursor: undefined },
  });
  expect(received[0]?.url).toBe(
    "/agents/a%2Fb%20%3F/archival-memory/search?query=f%C3%BCr+%26+wider&queries=one&queries=two&limit=5",
  );
  expect(received[0]?.headers).not.toHaveProperty("authorization");
});

it.each(["", ".", ".."])('refuses "%s" in a path, which would lead to another route', async (agentId) => {
  const { client, received } = await scripted([json(200, {})]);
  await expect(client.agents(agentId).memory.list()).rejects.toThrow(TypeError);
  expect(received).toEqual([]);
});

it("returns undefined for answers without a body, and the headers on request", async () => {
  const { client } = await scripted([
    (response) => response.writeHead(204).end(),
    (response) => response.writeHead(304, { etag: '"7"' }).end(),
  ]);
  expect(await client.request("POST", "/auth/logout")).toBeUndefined();
  const unchanged = await client.exchange("GET", "/agents/{agentId}/memory-blocks/{blockName}/content", {
    path: { agentId: "a", blockName: "human" },
    headers: { "If-None-Match": '"7"' },
  });
  expect(unchanged).toMatchObject({ status: 304, data: undefined });
  expect(unchanged.headers.get("etag")).toBe('"7"');
});

it("throws what a problem document says", async () => {
  const errors = [{ path: ["agent_name"], message: "Is required.", code: "invalid" }];
  const { client } = await scripted([problem(422, "validation-failed", { "retry-after": "3" }, { errors })]);
  const error = await client.agents.create(NEW_AGENT).catch((error: unknown) => error);
  expect(error).toBeInstanceOf(ApiError);
  expect(error).toMatchObject({
    message: "It is validation-failed.",
    code: "validation-failed",
    status: 422,
    detail: "It is validation-failed.",
    errors,
    retryAfter: 3,
    requestId: "request-1",
  });
});

it("throws an ApiError for the error page of a proxy", async () => {
  const { client } = await scripted([
    (response) => response.writeHead(502, { "x-request-id": "edge-1" }).end("<html>Bad gateway</html>"),
  ]);
  await expect(client.agents.list()).rejects.toMatchObject({
    name: "ApiError",
    code: "unknown",
    status: 502,
    message: "The service answered with status 502.",
    errors: [],
    requestId: "edge-1",
  });
});

it("throws a ConnectionError for an answer that is not JSON", async () => {
  const { client, received } = await scripted([(response) => response.end("<html>Welcome</html>")]);
  await expect(client.agents.list()).rejects.toMatchObject({ name: "ConnectionError", reason: "unreadable" });
  expect(received).toHaveLength(1);
});

it.each([
  ["a lost connection", broken],
  [
    "an answer that breaks off",
    (response: ServerResponse) => {
      response.writeHead(200, { "content-length": "100" });
      response.write("[");
      setTimeout(() => response.destroy(), 10);
    },
  ],
  ["a 503", problem(503, "unavailable")],
  ["a 429 that says when", problem(429, "limit-exceeded", { "retry-after": "0" })],
] satisfies [string, Reply][])("repeats reading after %s", async (_, fault) => {
  const { client, received } = await scripted([fault, json(200, [AGENT])]);
  expect(await client.agents.list()).toEqual([AGENT]);
  expect(received).toHaveLength(2);
});

it("repeats what it creates with the same idempotency key, and makes a new one for each call", async () => {
  const { client, received } = await scripted([broken, json(201, AGENT)]);
  await client.agents.create(NEW_AGENT);
  await client.agents.create(NEW_AGENT, { idempotencyKey: "mine" });
  await client.agents.create(NEW_AGENT);

  const keys = received.map(({ headers }) => headers["idempotency-key"]);
  expect(keys[0]).toMatch(/^[0-9a-f]{32}$/u);
  expect(keys[1]).toBe(keys[0]);
  expect(keys[2]).toBe("mine");
  expect(keys[3]).not.toBe(keys[0]);
});

it.each([
  ["changes without an idempotency key", (client: AgentBuilder) => client.agents("a").update({}), broken],
  ["errors of the request", (client: AgentBuilder) => client.agents.list(), problem(404, "not-found")],
  [
    "what the deployment lacks",
    (client: AgentBuilder) => client.agents.list(),
    problem(503, "not-configured"),
  ],
  [
    "limits that reset later than in half a minute",
    (client: AgentBuilder) => client.agents.list(),
    problem(429, "limit-exceeded", { "retry-after": "31" }),
  ],
] satisfies [string, (client: AgentBuilder) => Promise<unknown>, Reply][])(
  "does not repeat %s",
  async (_, call, fault) => {
    const { client, received } = await scripted([fault]);
    await expect(call(client)).rejects.toBeInstanceOf(Error);
    expect(received).toHaveLength(1);
  },
);

it("gives up after as many repeats as it may make", async () => {
  const { client, received } = await scripted([problem(503, "unavailable", { "retry-after": "0" })], {
    retries: 1,
  });
  await expect(client.agents.list()).rejects.toMatchObject({ code: "unavailable" });
  expect(received).toHaveLength(2);
});

it("throws a ConnectionError if nothing listens, or nothing is answered in time", async () => {
  const nobody = new AgentBuilder({ baseUrl: "http://127.0.0.1:1", retries: 0 });
  await expect(nobody.agents.list()).rejects.toMatchObject({ name: "ConnectionError", reason: "network" });

  const { client } = await scripted([silent], { timeoutMs: 50, retries: 0 });
  await expect(client.agents.list()).rejects.toMatchObject({ name: "ConnectionError", reason: "timeout" });
});

it("throws the reason of an aborted signal, and sends nothing with one that is aborted already", async () => {
  const aborting = new AbortController();
  const { client, received } = await scripted([() => aborting.abort(new Error("Enough."))]);
  const { signal } = aborting;
  await expect(client.agents.list({ signal })).rejects.toThrow("Enough.");
  await expect(client.agents.list({ signal })).rejects.toThrow("Enough.");
  await expect(client.agents("a").send("c", "Hello", { signal }).text()).rejects.toThrow("Enough.");
  expect(received).toHaveLength(1);
});

it("aborts a pause before a repeat", async () => {
  const aborting = new AbortController();
  const { client, received } = await scripted([
    (response, request) => {
      problem(503, "unavailable", { "retry-after": "30" })(response, request);
      setTimeout(() => aborting.abort(new Error("Enough.")), 20);
    },
  ]);
  await expect(client.agents.list({ signal: aborting.signal })).rejects.toThrow("Enough.");
  expect(received).toHaveLength(1);
});

it("gets another token when one is refused, once for all requests that wait for it", async () => {
  const asked: (string | undefined)[] = [];
  const check: Reply = (response, request) => {
    const isValid = request.headers.authorization === "Bearer second";
    (isValid ? json(200, []) : problem(401, "unauthenticated"))(response, request);
  };
  const { client, received } = await scripted([check], {
    getToken: async ({ refused }) => {
      asked.push(refused);
      await new Promise((resolve) => setTimeout(resolve, 20));
      return refused === undefined ? "first" : "second";
    },
  });

  await Promise.all([client.agents.list(), client.agents.list()]);
  expect(asked).toEqual([undefined, "first"]);
  expect(received).toHaveLength(4);
});

it("throws the 401 if there is no other token, and what getToken throws", async () => {
  const { client, received } = await scripted([problem(401, "unauthenticated")], { token: "only" });
  await expect(client.agents.list()).rejects.toMatchObject({ code: "unauthenticated" });
  expect(received).toHaveLength(1);

  const offline = await scripted([json(200, [])], {
    getToken: () => {
      throw new Error("The session is over.");
    },
  });
  await expect(offline.client.agents.list()).rejects.toThrow("The session is over.");
});

it("sends an API key as a bearer token, and uses the given fetch", async () => {
  const sent: { url: string; init: RequestInit }[] = [];
  const client = new AgentBuilder({
    baseUrl: "https://api.example.com",
    apiKey: "dab_key",
    credentials: "include",
    fetch: async (url, init) => {
      sent.push({ url, init });
      return Response.json([]);
    },
  });
  await client.agents.list();
  expect(sent).toMatchObject([
    {
      url: "https://api.example.com/agents",
      init: { headers: { authorization: "Bearer dab_key" }, credentials: "include" },
    },
  ]);
});

it("reads lists page by page, only as far as they are asked for", async () => {
  const page = (name: string, cursor: string | null) =>
    json(200, { items: [{ key_id: name }], next_cursor: cursor, has_more: cursor !== null });
  const { client, received } = await scripted([page("one", "c1"), page("two", null), page("one", "c1")]);

  expect(await client.apiKeys.list({ limit: 1 }).all()).toEqual([{ key_id: "one" }, { key_id: "two" }]);
  expect(received.map(({ url }) => url)).toEqual(["/api-keys?limit=1", "/api-keys?limit=1&cursor=c1"]);
  for await (const key of client.apiKeys.list()) {
    expect(key).toEqual({ key_id: "one" });
    break;
  }
  expect(received).toHaveLength(3);
});

const streamOf =
  (...pieces: readonly (string | Uint8Array)[]): Reply =>
  (response) => {
    response.writeHead(200, { "content-type": "text/event-stream; charset=utf-8" });
    const write = (rest: readonly (string | Uint8Array)[]): void => {
      const [piece, ...others] = rest;
      if (piece === undefined) response.end();
      else response.write(piece, () => setTimeout(() => write(others), 2));
    };
    write(pieces);
  };
const JOB = { path: { kbId: "kb", jobId: "job" } };

it("reads events however they are cut into pieces, and ignores what is no data", async () => {
  const bytes = Buffer.from(
    ': ping\n\nevent: x\nid: 1\ndata: {"text":"für"}\n\ndata:{"a":\r\ndata: 1}\r\n\r\n\n\ndata: {"lost":true}\n',
  );
  const { client } = await scripted([streamOf(...[...bytes].map((byte) => Uint8Array.of(byte)))]);
  const events = client.events("GET", "/knowledge-bases/{kbId}/crawl-jobs/{jobId}/stream", JOB);
  expect(await Array.fromAsync(events)).toEqual([{ text: "für" }, { a: 1 }]);
});

it("reads exports line by line", async () => {
  const { client } = await scripted([
    (response) => {
      response.writeHead(200, { "content-type": "application/x-ndjson" });
      response.end('{"type":"export"}\n{"type":"end"}\n');
    },
  ]);
  expect(await Array.fromAsync(client.account.export())).toEqual([{ type: "export" }, { type: "end" }]);
});

it("closes the connection of a stream that is not read any more", async () => {
  const closed = Promise.withResolvers<void>();
  const { client } = await scripted([
    (response) => {
      response.on("close", closed.resolve);
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.write('data: {"event_type":"connected"}\n\n');
    },
  ]);
  for await (const event of client.events("GET", "/knowledge-bases/{kbId}/crawl-jobs/{jobId}/stream", JOB)) {
    expect(event.event_type).toBe("connected");
    break;
  }
  await closed.promise;
});

it("follows a crawl job behind its last step after a lost connection or a failed stream", async () => {
  const step = (cursor: string) =>
    `data: ${JSON.stringify({ event_type: "PAGE_INGEST_COMPLETE", step_id: cursor, cursor })}\n\n`;
  const failure = 'data: {"event_type":"ERROR","code":"unavailable","message":"Gone.","retryable":true}\n\n';
  const { client, received } = await scripted([
    streamOf(step("c1"), step("c2")),
    streamOf(failure),
    streamOf(step("c3"), 'data: {"event_type":"JOB_COMPLETED","cursor":"c3"}\n\n'),
  ]);
  const events = await Array.fromAsync(client.knowledgeBases("kb").followCrawlJob("job"));
  expect(events.map((event) => ("step_id" in event ? event.step_id : event.event_type))).toEqual([
    "c1",
    "c2",
    "c3",
    "JOB_COMPLETED",
  ]);
  expect(received.map(({ url }) => new URL(url, "http://x").searchParams.get("cursor"))).toEqual([
    null,
    "c2",
    "c2",
  ]);
});

it("throws a ConnectionError if a stream that a request opens breaks off", async () => {
  const { client } = await scripted([
    (response) => {
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.write('data: {"event_type":"connected"}\n\n', () => response.destroy());
    },
  ]);
  const events = client.events("GET", "/knowledge-bases/{kbId}/crawl-jobs/{jobId}/stream", JOB);
  await expect(Array.fromAsync(events)).rejects.toBeInstanceOf(ConnectionError);
});

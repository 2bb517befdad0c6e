import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it, onTestFinished, vi } from "vitest";
import { startDatabase, prepareTable } from "../../scripts/database.ts";
import { freePort } from "../../scripts/free-port.ts";
import { field } from "../../scripts/json.ts";
import { buildService, configOfService, refuseUnserved } from "../../scripts/self-host/build.ts";
import { readBuiltService } from "../../scripts/self-host/built-service.ts";
import { keepSchedules, periodOf } from "../../scripts/self-host/schedule.ts";
import { privateOrigins, settingsFrom } from "../../scripts/self-host/settings.ts";
import { serveBuilt, type ServedService } from "../../scripts/self-host/workerd.ts";
import { titlesAfterUpload } from "./upload-pdf.ts";

const running = new AsyncDisposableStack();
let folder = "";
let endpoint = "";

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "self-host-"));
  running.defer(() => rm(folder, { recursive: true }));
  await buildService(join(folder, "build"));
  ({ endpoint } = await startDatabase(folder, running));
});
afterAll(() => running.disposeAsync());

/** Serves the built service with the settings of a trial and these. */
async function serve(
  variables: Readonly<Record<string, string>>,
  objectsIn?: string,
): Promise<ServedService & { url: string }> {
  const builtIn = join(folder, "build");
  const port = await freePort();
  const served = await serveBuilt({
    service: await readBuiltService(builtIn),
    builtIn,
    host: "127.0.0.1",
    port,
    objectsIn: objectsIn ?? join(folder, `objects-${port}`),
    variables: {
      ENVIRONMENT: "local",
      JWT_SECRET: "secret-of-the-tests",
      ENCRYPTION_KEY: "c2VsZi1ob3N0LWtleS1vZi1leGFjdGx5LTMyLWJ5dGU=",
      ...(await prepareTable(endpoint, {})),
      ...variables,
    },
    clientAddressHeader: undefined,
    print: () => undefined,
  });
  onTestFinished(served.stop);
  await served.ready();
  return { ...served, url: `http://127.0.0.1:${port}` };
}

/** Starts a server that keeps the paths of all requests and answers them with a function. */
async function listen(answer: (request: IncomingMessage, response: ServerResponse) => void) {
  const paths: string[] = [];
  const server = createServer((request, response) => {
    paths.push(request.url ?? "");
    answer(request, response);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  // A server that listens on TCP has an address of this shape.
  return { origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, paths };
}

const post = (url: string, body: unknown, headers: Readonly<Record<string, string>> = {}) =>
  fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify(body),
  });

/** Signs somebody up, and returns the header that identifies them. */
async function signUp(url: string, username: string) {
  const answer: unknown = await (
    await post(`${url}/auth/local/signup`, { username, password: "secret" })
  ).json();
  return { authorization: `Bearer ${String(field(answer, "token"))}` };
}

it("reaches private addresses only where the operator has named them", async () => {
  const refuse = (_: IncomingMessage, response: ServerResponse) => void response.writeHead(401).end("{}");
  const named = await listen(refuse);
  const other = await listen(refuse);
  const { url } = await serve({ OUTBOUND_ALLOW: named.origin });
  const account = await signUp(url, "operator");

  for (const { origin } of [named, other]) {
    const provider = `${url}/settings/providers/OpenAICompatible`;
    expect((await post(provider, { base_url: `${origin}/v1` }, account)).status).toBe(201);
    await post(`${provider}/test`, {}, account);
  }

  expect(named.paths.length).toBeGreaterThan(0);
  expect(other.paths).toEqual([]);
});

it("serves the Workers that wrangler.toml binds the service to", async () => {
  const { url } = await serve({ SUPERUSER_EMAILS: "*" });
  expect(await titlesAfterUpload(url)).toEqual(["Kettle"]);
});

it("refuses bindings that it cannot offer by name", () => {
  const config = { name: "api", main: "src/index.ts", ai: { binding: "AI" }, kv_namespaces: [] };
  expect(() => refuseUnserved(config, "wrangler.toml")).toThrow("wrangler.toml asks for: ai, kv_namespaces.");
  expect(() => configOfService({ binding: "MAILER", service: "mailer" })).toThrow(
    "The binding MAILER of wrangler.toml needs the Worker mailer",
  );
});

it("limits bursts per client, whatever address the client claims to have", async () => {
  const { url } = await serve({});
  const codes: number[] = [];
  // The limit is 60 in a minute. The window may change once in between.
  while (codes.length < 125 && !codes.includes(429)) {
    const headers = { "cf-connecting-ip": `192.0.2.${codes.length}` };
    codes.push((await fetch(`${url}/auth/refresh`, { method: "POST", headers })).status);
  }
  expect(codes.at(-1)).toBe(429);
});

/** Starts a model that says one word and never ends. `left` resolves when the service closes the connection. */
async function startEndlessModel() {
  const { promise: left, resolve } = Promise.withResolvers<void>();
  const { origin } = await listen((_, response) => {
    response.on("close", resolve);
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.write('data: {"choices":[{"index":0,"delta":{"content":"One"}}]}\n\n');
  });
  return { url: `${origin}/v1`, left };
}

/** Sends a message, waits for the first word of the answer, and returns the path of the run and its stream. */
async function beginRun(url: string, account: Readonly<Record<string, string>>) {
  const created = async (path: string, body: unknown, name: string) =>
    String(field(await (await post(`${url}${path}`, body, account)).json(), name));
  const agent = {
    agent_name: "Slow",
    agent_architecture: "krishna-mini",
    agent_provider: "Demo",
    agent_persona: "You are slow.",
  };
  const agentId = await created("/agents", agent, "agent_id");
  const conversation = { title: "A long answer", agent_id: agentId };
  const conversationId = await created("/conversations", conversation, "conversation_id");

  const path = `/agents/${agentId}/${conversationId}/send-message`;
  const { body } = await post(`${url}${path}`, { content: "Hello" }, account);
  if (body === null) throw new Error("The answer has no body.");
  const stream = body.pipeThrough(new TextDecoderStream()).getReader();
  for (let text = ""; ;) {
    const { done, value } = await stream.read();
    if (done) throw new Error(`The stream ended before the answer: ${text}`);
    text += value;
    const [, run] = /"AGENT_RESPONSE_TO_USER".*"run_id":"([\w-]+)"/u.exec(text) ?? [];
    if (run !== undefined) return { run: `/conversations/${conversationId}/runs/${run}`, stream };
  }
}

it("closes the connection to the model when a run is cancelled", async () => {
  const model = await startEndlessModel();
  const { url } = await serve({ DEMO_MODEL_URL: model.url });
  const account = await signUp(url, "patient");
  const { run, stream } = await beginRun(url, account);

  expect((await post(`${url}${run}/cancel`, {}, account)).status).toBe(200);

  await model.left;
  let rest = "";
  for (let piece = await stream.read(); !piece.done; piece = await stream.read()) rest += piece.value;
  expect(rest).toContain('"STREAM_COMPLETE","content":"Cancelled"');
});

it("ends an answer that was cut off by a stop as interrupted after the next start", async () => {
  const model = await startEndlessModel();
  const objectsIn = join(folder, "objects-of-two-starts");
  const first = await serve({ DEMO_MODEL_URL: model.url }, objectsIn);
  const account = await signUp(first.url, "interrupted");
  const { run, stream } = await beginRun(first.url, account);
  const cut = stream.closed.catch(() => undefined);
  await first.stop();
  await cut;

  const { url } = await serve({ DEMO_MODEL_URL: model.url }, objectsIn);
  const events = await (await fetch(`${url}${run}/events?after=0`, { headers: account })).text();

  expect(events).toContain('"content":"One"');
  expect(events).toContain('"ERROR","content":"The answer was interrupted. The text so far has been saved."');
});

it("runs the service's scheduled handler", async () => {
  const stripe = await listen((_, response) =>
    response.writeHead(200, { "content-type": "application/json" }).end('{"object":"list","data":[]}'),
  );
  const { url, schedule } = await serve({
    STRIPE_API_URL: stripe.origin,
    STRIPE_SECRET_KEY: "sk_test_of_this_test",
    OUTBOUND_ALLOW: stripe.origin,
  });
  await schedule("*/15 * * * *");
  expect(stripe.paths.length).toBeGreaterThan(0);

  // Nobody else can start it.
  expect((await post(`${url}/?cron=*`, {})).status).toBe(405);
});

it("calls each schedule at every multiple of its period, and goes on after a failure", async () => {
  vi.useFakeTimers({ now: Date.UTC(2026, 0, 1, 0, 7) });
  onTestFinished(() => void vi.useRealTimers());
  const times: string[] = [];
  const said: string[] = [];
  const stop = new AbortController();
  const run = async () => {
    times.push(new Date().toISOString().slice(11, 16));
    if (times.length === 1) throw new Error("no answer");
  };
  const kept = keepSchedules(["*/15 * * * *"], run, (line) => said.push(line), stop.signal);

  await vi.advanceTimersByTimeAsync(40 * 60_000);
  stop.abort();
  await kept;

  expect(times).toEqual(["00:15", "00:30", "00:45"]);
  expect(said).toEqual(["The scheduled work (*/15 * * * *) failed: no answer"]);
});

it("refuses schedules that it cannot keep", () => {
  expect(periodOf("*/15 * * * *")).toBe(900_000);
  for (const cron of ["0 3 * * *", "*/7 * * * *", "*/0 * * * *"]) expect(() => periodOf(cron)).toThrow(cron);
});

it("stays a trial with settings of the database and of the network, and with empty ones", () => {
  const { isTrial } = settingsFrom({
    DYNAMODB_ENDPOINT: "http://dynamodb:8000",
    OUTBOUND_ALLOW: "http://ollama:11434",
    JWT_SECRET: "",
    PATH: "/bin",
  });
  expect(isTrial).toBe(true);
});

it("names a setting of production that is present but invalid", () => {
  const whole = {
    JWT_SECRET: "s".repeat(32),
    ENCRYPTION_KEY: "c2VsZi1ob3N0LWtleS1vZi1leGFjdGx5LTMyLWJ5dGU=",
    PUBLIC_URL: "https://api.example.com",
    FRONTEND_URL: "https://app.example.com",
    GOOGLE_CLIENT_ID: "client",
    GOOGLE_CLIENT_SECRET: "client-secret",
    DYNAMODB_ENDPOINT: "http://dynamodb:8000",
  };
  expect(settingsFrom(whole)).toMatchObject({ isTrial: false });
  const wrong = {
    JWT_SECRET: "short",
    PUBLIC_URL: "http://api.example.com",
    OUTBOUND_ALLOW: "localhost",
    EMBEDDINGS_PER_DAY: "many",
    ENVIRONMENT: "local",
    DYNAMODB_ENDPOINT: "dynamodb",
  };
  for (const [name, value] of Object.entries(wrong))
    expect(() => settingsFrom({ ...whole, [name]: value })).toThrow(name);
  expect(() => settingsFrom({ ...whole, EMBEDDINGS_URL: "https://embeddings.example.com" })).toThrow(
    "EMBEDDINGS_MODEL",
  );
  expect(() => settingsFrom({ ...whole, DYNAMODB_ENDPOINT: "" })).toThrow(
    "AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY",
  );
});

it("regards the servers that the operator has chosen as private origins, and no others", () => {
  expect(
    privateOrigins({
      DYNAMODB_ENDPOINT: "http://dynamodb:8000",
      EMBEDDINGS_URL: "http://embeddings:8080/v1",
      OUTBOUND_ALLOW: "http://ollama:11434, http://vllm:8000",
      PUBLIC_URL: "http://localhost:8000",
    }),
  ).toEqual(["http://dynamodb:8000", "http://embeddings:8080", "http://ollama:11434", "http://vllm:8000"]);
});

import { Agent, createServer, type IncomingMessage, request as send, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import type { FaultRule, LoggedRequest } from "../support/control-protocol.ts";

/** A proxy in front of the database that can throttle, fail, stall, or lose the answer of the nth call. */
export interface FaultProxy {
  readonly url: string;
  addRule(rule: FaultRule): void;
  /** Returns the rules of one file of tests that no request has met. */
  unmetRules(file: string | null): readonly FaultRule[];
  /** Ends the rules of one file of tests, and returns those that no request has met. */
  clearRules(file: string | null): readonly FaultRule[];
  /** The requests whose body contains one of these texts, in the order of their arrival. */
  requests(texts: readonly string[]): readonly LoggedRequest[];
  stop(): Promise<void>;
}

interface ActiveRule {
  readonly rule: FaultRule;
  skipped: number;
  used: number;
  /** Resolves when the rule ends. */
  readonly ended: Promise<void>;
  readonly end: () => void;
}

/**
 * A log of requests that can be searched by text. A repeated search reads only the entries since the last one, because tests
 * that poll repeat their searches.
 */
class RequestLog {
  readonly #entries: LoggedRequest[] = [];
  readonly #searches = new Map<string, { read: number; readonly found: LoggedRequest[] }>();

  add(entry: LoggedRequest): void {
    this.#entries.push(entry);
  }

  /** The entries whose body contains one of these texts, in the order of their arrival. */
  find(texts: readonly string[]): readonly LoggedRequest[] {
    const name = JSON.stringify(texts);
    const search = this.#searches.get(name) ?? { read: 0, found: [] };
    this.#searches.set(name, search);
    for (; search.read < this.#entries.length; search.read++) {
      const entry = this.#entries[search.read];
      if (entry && texts.some((text) => entry.body.includes(text))) search.found.push(entry);
    }
    return search.found;
  }
}

export async function startFaultProxy(upstream: string): Promise<FaultProxy> {
  const log = new RequestLog();
  let rules: ActiveRule[] = [];

  const server = createServer((request, response) => {
    handle(request, response).catch((error: unknown) =>
      response.destroy(error instanceof Error ? error : undefined),
    );
  });
  server.keepAliveTimeout = 60_000;
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  // A server that listens on TCP has an address of this shape.
  const { port } = server.address() as AddressInfo;

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await readBody(request);
    const operation = String(request.headers["x-amz-target"]).replace(/^.*\./u, "");
    const entry = { operation, body, startedAt: Date.now(), endedAt: 0 };
    log.add(entry);

    for (const rule of rulesFor(operation, body))
      if (await inject(rule, request, body, response)) return finish(entry);
    await passOn(request, body, response);
    finish(entry);
  }

  async function passOn(
    request: IncomingMessage,
    body: string,
    response: ServerResponse,
    lateMs = 0,
  ): Promise<void> {
    const answer = await forward(upstream, request, body);
    if (lateMs > 0) await sleep(lateMs);
    reply(response, answer);
  }

  /** The rules that this request matches; each match counts. */
  function rulesFor(operation: string, body: string): ActiveRule[] {
    return rules.filter((active) => {
      const { operation: only, match, after = 0, times = 1, probability = 1 } = active.rule;
      const meets = (!only || only === operation) && match.some((text) => body.includes(text));
      if (!meets || active.skipped++ < after || active.used >= times) return false;
      if (active.used > 0 && Math.random() >= probability) return false;
      active.used++;
      return true;
    });
  }

  const unmetRules = (file: string | null): readonly FaultRule[] =>
    rules.filter(({ rule, used }) => rule.file === file && used === 0).map(({ rule }) => rule);

  /** True if the fault has answered the request, or has made sure that nothing answers it. */
  async function inject(
    { rule: { fault }, ended }: ActiveRule,
    request: IncomingMessage,
    body: string,
    response: ServerResponse,
  ): Promise<boolean> {
    switch (fault.kind) {
      case "delay":
        await sleep(fault.ms);
        return false;
      case "hold":
        await ended;
        return false;
      case "answer":
        response.writeHead(fault.status, { "content-type": "application/x-amz-json-1.0", ...fault.headers });
        response.end(typeof fault.body === "string" ? fault.body : JSON.stringify(fault.body));
        return true;
      case "refuse":
        request.socket.destroy();
        return true;
      case "lose-answer":
        await forward(upstream, request, body);
        request.socket.destroy();
        return true;
      case "delay-answer":
        await passOn(request, body, response, fault.ms);
        return true;
      case "hold-answer": {
        const answer = await forward(upstream, request, body);
        void ended.then(() => reply(response, answer));
        return true;
      }
      case "stall":
        return true;
      case "withhold-answer":
        await forward(upstream, request, body);
        return true;
      case "half-batch":
        response.writeHead(200, { "content-type": "application/x-amz-json-1.0" });
        response.end(JSON.stringify(await halfBatch(upstream, request, body)));
        return true;
    }
  }

  return {
    url: `http://127.0.0.1:${port}`,
    addRule(rule) {
      const { promise: ended, resolve: end } = Promise.withResolvers<void>();
      rules.push({ rule, skipped: 0, used: 0, ended, end });
    },
    unmetRules,
    clearRules(file) {
      const unmet = unmetRules(file);
      for (const { rule, end } of rules) if (rule.file === file) end();
      rules = rules.filter(({ rule }) => rule.file !== file);
      return unmet;
    },
    requests: (texts) => log.find(texts),
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function reply(response: ServerResponse, { status, headers, body }: Forwarded): void {
  response.writeHead(status, headers);
  response.end(body);
}

function finish(entry: { endedAt: number }): void {
  entry.endedAt = Date.now();
}

/** Processes half of a batch and returns the rest as unprocessed, as DynamoDB does when it is busy. */
async function halfBatch(upstream: string, request: IncomingMessage, body: string): Promise<unknown> {
  const input = JSON.parse(body) as { RequestItems: Record<string, object[] | { Keys: object[] }> };
  const [[table, asked] = ["", []]] = Object.entries(input.RequestItems);
  const keys = Array.isArray(asked) ? asked : asked.Keys;
  const cut = Math.ceil(keys.length / 2);
  const some = (part: object[]) => (Array.isArray(asked) ? part : { ...asked, Keys: part });
  const undone = cut < keys.length ? { [table]: some(keys.slice(cut)) } : {};

  const answer = await forward(
    upstream,
    request,
    JSON.stringify({ RequestItems: { [table]: some(keys.slice(0, cut)) } }),
  );
  const member = Array.isArray(asked) ? "UnprocessedItems" : "UnprocessedKeys";
  return { ...(JSON.parse(answer.body) as object), [member]: undone };
}

interface Forwarded {
  readonly status: number;
  readonly headers: Record<string, string>;
  readonly body: string;
}

/** Every request of every test passes through here, so connections are reused and bodies are handled as text. */
const connections = new Agent({ keepAlive: true });

function forward(upstream: string, request: IncomingMessage, body: string): Promise<Forwarded> {
  const headers = {
    "content-type": String(request.headers["content-type"]),
    "content-length": Buffer.byteLength(body),
    "x-amz-target": String(request.headers["x-amz-target"]),
    authorization: String(request.headers.authorization),
    "x-amz-date": String(request.headers["x-amz-date"]),
  };
  return new Promise((resolve, reject) => {
    const forwarded = send(upstream, { method: "POST", headers, agent: connections }, (response) => {
      const type = response.headers["content-type"] ?? "application/x-amz-json-1.0";
      readBody(response)
        .then((text) =>
          resolve({
            status: response.statusCode ?? 500,
            // DynamoDB states the length of its answers.
            headers: { "content-type": type, "content-length": String(Buffer.byteLength(text)) },
            body: text,
          }),
        )
        .catch(reject);
    });
    forwarded.on("error", reject);
    forwarded.end(body);
  });
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString("utf8");
}

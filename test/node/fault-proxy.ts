import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import type { Fault, FaultRule, LoggedRequest } from "../support/control-protocol.ts";

/** A proxy in front of the database that can throttle, fail, stall, or lose the answer of the nth call. */
export interface FaultProxy {
  readonly url: string;
  addRule(rule: FaultRule): void;
  /** Ends the rules of one file of tests. */
  clearRules(file: string | null): void;
  /** The requests whose body holds one of these texts, in the order they came. */
  requests(texts: readonly string[]): readonly LoggedRequest[];
  stop(): Promise<void>;
}

interface ActiveRule extends FaultRule {
  skipped: number;
  used: number;
}

const LOG_SIZE = 60_000;

export async function startFaultProxy(upstream: string): Promise<FaultProxy> {
  const log: LoggedRequest[] = [];
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
    log.push(entry);
    if (log.length > LOG_SIZE) log.shift();

    for (const fault of faultsFor(operation, body))
      if (await inject(fault, request, body, response)) return finish(entry);
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
    await sleep(lateMs);
    response.writeHead(answer.status, answer.headers);
    response.end(answer.body);
  }

  /** The faults of the rules that this request meets; each meeting counts. */
  function faultsFor(operation: string, body: string): Fault[] {
    return rules.flatMap((rule) => {
      const meets =
        (!rule.operation || rule.operation === operation) && rule.match.some((text) => body.includes(text));
      if (!meets || rule.skipped++ < (rule.after ?? 0) || rule.used >= (rule.times ?? 1)) return [];
      if (rule.probability !== undefined && Math.random() >= rule.probability) return [];
      rule.used++;
      return [rule.fault];
    });
  }

  /** True where the fault has answered, or has made sure that nothing ever will. */
  async function inject(
    fault: Fault,
    request: IncomingMessage,
    body: string,
    response: ServerResponse,
  ): Promise<boolean> {
    switch (fault.kind) {
      case "delay":
        await sleep(fault.ms);
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
      case "stall":
        return true;
      case "half-batch":
        response.writeHead(200, { "content-type": "application/x-amz-json-1.0" });
        response.end(JSON.stringify(await halfBatch(upstream, request, body)));
        return true;
    }
  }

  return {
    url: `http://127.0.0.1:${port}`,
    addRule: (rule) => void rules.push({ ...rule, skipped: 0, used: 0 }),
    clearRules: (file) => {
      rules = rules.filter((rule) => rule.file !== file);
    },
    requests: (texts) => log.filter(({ body }) => texts.some((text) => body.includes(text))),
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function finish(entry: { endedAt: number }): void {
  entry.endedAt = Date.now();
}

/** Does half of what a batch asks for and hands the rest back undone, as DynamoDB does when it is busy. */
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

async function forward(upstream: string, request: IncomingMessage, body: string) {
  const response = await fetch(upstream, {
    method: "POST",
    headers: {
      "content-type": String(request.headers["content-type"]),
      "x-amz-target": String(request.headers["x-amz-target"]),
      authorization: String(request.headers.authorization),
      "x-amz-date": String(request.headers["x-amz-date"]),
    },
    body,
  });
  const headers = { "content-type": response.headers.get("content-type") ?? "application/x-amz-json-1.0" };
  return { status: response.status, headers, body: await response.text() };
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString("utf8");
}

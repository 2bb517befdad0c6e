import { Agent, createServer, request as httpRequest, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { askingForCapacity, type Capacity, capacityOf } from "./capacity.ts";

/** What a proxy in front of the embedded database adds to it. May be changed while it runs. */
export interface ProxyBehaviour {
  /** The least time that a request takes, in milliseconds. */
  delayMs: number;
  /**
   * Whether transactions that touch an item at the same time are refused with `TransactionConflict`, as DynamoDB refuses them. The
   * embedded database, which does one thing at a time, never does.
   */
  conflicts: boolean;
  /** The share of requests that fail: one third each throttled, cut off before and cut off after they took effect. */
  faults: number;
}

/** A request that passed the proxy. */
export interface ProxiedRequest extends Capacity {
  /** Its operation, such as `GetItem`. */
  readonly operation: string;
  /** When it came and when it was answered, on the clock of `performance.now()`. */
  readonly from: number;
  readonly to: number;
  /** Whether it was refused because it met another transaction at an item. */
  readonly conflicted: boolean;
}

/** A proxy in front of a database. */
export interface Proxy {
  readonly url: string;
  readonly behaviour: ProxyBehaviour;
  /** Returns the requests that have been answered since it was last called, in the order of their answers. */
  readonly takeRequests: () => readonly ProxiedRequest[];
  readonly stop: () => void;
}

interface Answer {
  readonly status: number;
  readonly body: Buffer;
  readonly conflicted?: boolean;
}

const JSON_TYPE = { "content-type": "application/x-amz-json-1.0" };

/** Starts a proxy in front of the database at `upstream`. */
export async function startProxy(upstream: string, behaviour: ProxyBehaviour): Promise<Proxy> {
  const { hostname, port } = new URL(upstream);
  const agent = new Agent({ keepAlive: true });
  const busy = new Set<string>();
  let requests: ProxiedRequest[] = [];

  const server = createServer((request, response) => {
    void (async () => {
      const from = performance.now();
      const operation = String(request.headers["x-amz-target"]).split(".").at(-1) ?? "";
      const body = await read(request);
      const answer = await answerTo(request, operation, body);
      if (answer === undefined) return void request.socket.destroy();

      const { conflicted = false } = answer;
      requests.push({
        ...capacityOf(operation, answer.body),
        operation,
        from,
        to: performance.now(),
        conflicted,
      });
      response.writeHead(answer.status, { ...JSON_TYPE, "content-length": answer.body.byteLength });
      response.end(answer.body);
    })().catch(() => response.destroy());
  });
  server.keepAliveTimeout = 60_000;
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));

  /** Returns what is answered, or `undefined` if the connection is cut off. */
  async function answerTo(
    request: IncomingMessage,
    operation: string,
    body: Buffer,
  ): Promise<Answer | undefined> {
    const keys = behaviour.conflicts && operation === "TransactWriteItems" ? keysOf(body) : [];
    const taken = keys.map((key) => busy.has(key));
    if (taken.includes(true)) {
      await sleep(behaviour.delayMs);
      return { status: 400, body: conflictAt(taken), conflicted: true };
    }

    for (const key of keys) busy.add(key);
    try {
      const fault = Math.random() < behaviour.faults ? Math.floor(Math.random() * 3) : undefined;
      if (fault === 0) return { status: 400, body: THROTTLED };
      if (fault === 1) return undefined;
      const [answer] = await Promise.all([forward(request, body), sleep(behaviour.delayMs)]);
      return fault === 2 ? undefined : answer;
    } finally {
      for (const key of keys) busy.delete(key);
    }
  }

  function forward(request: IncomingMessage, body: Buffer): Promise<Answer> {
    // The embedded database does not verify signatures, so the body may differ from the signed one.
    const asking = askingForCapacity(body);
    const headers = {
      ...request.headers,
      host: `${hostname}:${port}`,
      "content-length": asking.byteLength,
    };
    return new Promise((resolve, reject) => {
      const forwarded = httpRequest({ hostname, port, method: "POST", headers, agent }, (answer) => {
        read(answer).then((whole) => resolve({ status: answer.statusCode ?? 500, body: whole }), reject);
      });
      forwarded.on("error", reject);
      forwarded.end(asking);
    });
  }

  return {
    // A server that listens on TCP has an address of this shape.
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    behaviour,
    takeRequests() {
      const taken = requests;
      requests = [];
      return taken;
    },
    stop() {
      server.close();
      server.closeAllConnections();
      agent.destroy();
    },
  };
}

async function read(message: IncomingMessage): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of message) pieces.push(piece as Buffer);
  return Buffer.concat(pieces);
}

/** The keys of a transaction's items, in the order of its actions. */
function keysOf(body: Buffer): readonly string[] {
  // Written by the service under test.
  const { TransactItems: actions } = JSON.parse(body.toString()) as {
    readonly TransactItems: readonly Record<
      string,
      { readonly Key?: Record<string, unknown>; readonly Item?: Record<string, unknown> }
    >[];
  };
  return actions.map((action) => {
    const [{ Key, Item } = {}] = Object.values(action);
    return JSON.stringify([(Key ?? Item)?.["pk"], (Key ?? Item)?.["sk"]]);
  });
}

const THROTTLED = Buffer.from(JSON.stringify({ __type: "ThrottlingException" }));

const conflictAt = (taken: readonly boolean[]): Buffer =>
  Buffer.from(
    JSON.stringify({
      __type: "com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
      message: "Transaction cancelled.",
      CancellationReasons: taken.map((isTaken) => ({ Code: isTaken ? "TransactionConflict" : "None" })),
    }),
  );

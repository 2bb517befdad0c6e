import { expect, inject, onTestFinished } from "vitest";
import type {
  EmbeddingsFault,
  FaultRule,
  LoggedEmbedding,
  LoggedReranking,
  LoggedRequest,
  ModelWindow,
  RerankFault,
  ScriptBody,
  ScriptLog,
  ScriptStep,
} from "./control-protocol.ts";
import { hasFaults } from "./database-route.ts";

const url = (path: string): string => `${inject("control")}${path}`;

async function post(path: string, body: unknown): Promise<unknown> {
  const response = await fetch(url(path), { method: "POST", body: JSON.stringify(body) });
  if (!response.ok) throw new Error(await response.text());
  return response.json();
}

/** Test files run in parallel, so each ends only its own faults. */
let own: string | undefined;
const file = (): string => (own ??= crypto.randomUUID());

/** Throws where requests to the database do not pass through the proxy, so that no test waits for faults that never come. */
function requireProxy(): void {
  if (!hasFaults())
    throw new Error(
      "The service reaches the database without the proxy here: see `FAULTY` in vitest.config.ts.",
    );
}

/**
 * Throws if requests of other files can contain one of these texts, because they have no random part, such as the one that ids, keys and
 * the addresses of `signUp` have. The files that run at the same time share a database, and would meet each other's faults.
 */
function requireOwn(texts: readonly string[]): void {
  const shared = texts.find((text) => !/[0-9a-f]{8}|[\w-]{22}/u.test(text));
  if (shared !== undefined)
    throw new Error(`Requests of other files can contain "${shared}", too. Add an id.`);
}

/** Injects a fault between the app and the database, into requests of the file that calls this, until the test ends. */
export async function injectFault(rule: FaultRule): Promise<void> {
  requireProxy();
  requireOwn(rule.match);
  onTestFinished(endFaults);
  await post("/rules", { ...rule, file: file() });
}

/** Returns the faults of this file that no request has met. With `DELETE`, all its faults end. */
const unmetFaults = async (method: "GET" | "DELETE"): Promise<readonly FaultRule[]> =>
  (await fetch(url(`/rules?file=${file()}`), { method })).json<FaultRule[]>();

/** Waits until requests have met all faults of this file. Tests use it where work in the background sends the requests. */
export const untilMet = (): Promise<void> => expect.poll(() => unmetFaults("GET")).toEqual([]);

/**
 * Ends all faults of this file before the test ends. Throws if no request has met one of them, because the test has tested nothing
 * then.
 */
export async function endFaults(): Promise<void> {
  const [unmet] = await unmetFaults("DELETE");
  if (!unmet) return;
  const { file: _file, ...rule } = unmet;
  throw new Error(`No request has met the fault ${JSON.stringify(rule)}.`);
}

/**
 * Returns the requests with one of these texts in their body. Throws if requests of other files can contain one of them, or if the
 * requests of this file do not pass through the proxy.
 */
export async function databaseRequests(...texts: readonly string[]): Promise<readonly LoggedRequest[]> {
  requireProxy();
  requireOwn(texts);
  // The server at the other end answers in the shapes of the control protocol.
  return (await post("/requests", texts)) as LoggedRequest[];
}

/**
 * A model that answers as written: each request gets the next reply. Agents name it as their model. A reply with a step
 * `{ hold: true }` stops there until the test calls `release`, one with a name until it calls `release` with that name. The
 * timeouts of the service go on meanwhile.
 */
export const scriptModel = (...replies: readonly (readonly ScriptStep[])[]) =>
  modelWithWindow(undefined, ...replies);

/** The same, for a model that counts the tokens of its requests, and refuses those that are too long for its window. */
export async function modelWithWindow(
  window: ModelWindow | undefined,
  ...replies: readonly (readonly ScriptStep[])[]
) {
  const name = `script-${crypto.randomUUID()}`;
  await post(`/scripts/${name}`, { replies, window } satisfies ScriptBody);
  const log = async (): Promise<ScriptLog> => (await fetch(url(`/scripts/${name}`))).json<ScriptLog>();

  return {
    name,
    /** Returns what the model was asked so far. */
    log,
    /** Waits until the model was called this many times. */
    asked: (times: number): Promise<void> =>
      expect.poll(async () => (await log()).requests.length).toBe(times),
    /** Continues the replies that are held under this name, or under none, and those that would be held later. */
    release: async (hold = ""): Promise<void> => {
      const path = url(`/scripts/${name}?hold=${encodeURIComponent(hold)}`);
      await fetch(path, { method: "DELETE" }).then((response) => response.text());
    },
  };
}

/** A model of the reranking server, with its own faults and log. */
export function rerankModel() {
  const name = `rerank-${crypto.randomUUID()}`;
  return {
    name,
    /** Sets the fault from now on, or removes it. */
    setFault: async (fault: RerankFault | null): Promise<void> =>
      void (await post(`/rerankings/${name}`, fault)),
    /** What it was asked so far. */
    requests: async (): Promise<readonly LoggedReranking[]> =>
      (await fetch(url(`/rerankings/${name}`))).json<LoggedReranking[]>(),
  };
}

/** A model of the embeddings server with its own faults and log. */
export function embeddingModel() {
  const name = `embed-${crypto.randomUUID()}`;
  return {
    name,
    /** Sets the fault from now on, or removes it. */
    setFault: async (fault: EmbeddingsFault | null): Promise<void> =>
      void (await post(`/embeddings/${name}`, fault)),
    /** What it was asked so far. */
    requests: async (): Promise<readonly LoggedEmbedding[]> =>
      (await fetch(url(`/embeddings/${name}`))).json<LoggedEmbedding[]>(),
  };
}

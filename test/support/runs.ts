import { env } from "cloudflare:workers";
import { runInDurableObject } from "cloudflare:test";
import { expect } from "vitest";
import { emptyAnswer, newRunIds } from "../../src/runs/turn.ts";
import { systemClock } from "../../src/shared/clock.ts";
import type { AgentId, ConversationId } from "../../src/shared/id-types.ts";
import type { Client } from "./app.ts";
import { databaseRequests } from "./control.ts";
import { parseEvents, textOf, type WireEvent } from "./sse.ts";

/** A turn that was begun and whose answer is not read yet. */
export interface OpenedTurn {
  /** The events of the next piece of the stream; empty at its end. */
  next(): Promise<readonly WireEvent[]>;
  /** Everything up to the end, or as far as the stream came. */
  rest(): Promise<readonly WireEvent[]>;
  leave(): Promise<void>;
  readonly runId: string;
}

/** Sends a message and reads the first events. The test reads the rest, or does not. */
export async function open(
  client: Client,
  path: string,
  content: string,
  headers: Record<string, string> = {},
) {
  const { response } = await client.raw("POST", path, { content }, { headers });
  if (response.status !== 200) throw new Error(await response.text());
  return follow(response);
}

/** Reads a response's events piece by piece. */
export async function follow(response: Response): Promise<OpenedTurn> {
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  let pending = "";

  const next = async (): Promise<readonly WireEvent[]> => {
    for (;;) {
      const { done = true, value = "" } = (await reader?.read()) ?? {};
      if (done) return [];
      pending += value;
      const end = pending.lastIndexOf("\n\n") + 2;
      const events = parseEvents(pending.slice(0, end));
      pending = pending.slice(end);
      if (events.length > 0) return events;
    }
  };

  const first = await next();
  let given = false;
  return {
    runId: first[0]?.run_id ?? "",
    next: async () => {
      if (given) return next();
      given = true;
      return first;
    },
    rest: async () => {
      const events = given ? [] : [...first];
      given = true;
      try {
        for (let piece = await next(); piece.length > 0; piece = await next()) events.push(...piece);
      } catch {
        // A stream whose server died ends in an error, after the events that have arrived.
      }
      return events;
    },
    leave: async () => reader?.cancel(),
  };
}

/** Reads until the answer contains this text, and returns the events so far. Throws if the stream ends before. */
export async function readUntil(turn: OpenedTurn, text: string): Promise<readonly WireEvent[]> {
  const seen: WireEvent[] = [];
  while (!textOf(seen).includes(text)) {
    const piece = await turn.next();
    if (piece.length === 0) throw new Error(`The stream ended before the agent had said "${text}".`);
    seen.push(...piece);
  }
  return seen;
}

/** The events of a run after a number, to the end of the stream. */
export async function eventsAfter(
  client: Client,
  conversationId: string,
  runId: string,
  after: number | string,
) {
  const path = `/conversations/${conversationId}/runs/${runId}/events?after=${after}`;
  const { status, body } = await client("GET", path);
  return { status, body, events: status === 200 ? parseEvents(body as string) : [] };
}

/** The runner of a conversation with its account's owner. `path` is the path to send a message. */
export const runnerOf = ({ email }: Pick<Client, "email">, path: string) =>
  env.CONVERSATION_RUNNER.getByName(`${email}/${path.split("/")[3] ?? ""}`);

/** Returns a turn without limits that may begin, as the meter of the client's account takes it. */
export function beginningOf(client: Client, agentId: AgentId, conversationId: ConversationId) {
  const place = { accountEmail: client.email, agentId, conversationId };
  const runIds = newRunIds(systemClock);
  const message = { ...emptyAnswer(place, runIds), id: runIds.userMessageId, role: "user" } as const;
  const limits = { messages_per_month: null, end_user_messages_per_month: null, concurrent_runs: null };
  return { place, runIds, message, limits };
}

/** A runner with work in progress has its next alarm within this time; one that only keeps its log, much later. */
const HEARTBEAT_MS = 30_000;

/** Waits until a runner has no work left: no run, and nothing that follows an answer. */
export const untilIdle = async (client: Pick<Client, "email">, path: string): Promise<void> => {
  const isIdle = () =>
    runInDurableObject(runnerOf(client, path), async (_runner, { storage }) => {
      const alarm = await storage.getAlarm();
      return alarm === null || alarm > Date.now() + HEARTBEAT_MS;
    });
  await expect.poll(isIdle).toBe(true);
};

/** Waits until a text of the conversation's runs is in the runner's log. */
export const untilLogged = (client: Pick<Client, "email">, path: string, text: string): Promise<void> => {
  const read = () =>
    runInDurableObject(runnerOf(client, path), (_runner, { storage }) =>
      JSON.stringify(storage.sql.exec("SELECT * FROM events").toArray()),
    );
  // Before the run begins, there is no log.
  return expect.poll(() => read().catch(String)).toContain(text);
};

/** Waits until the database has answered all requests with one of these texts, those of dead objects included. */
export const untilAnswered = async (...texts: readonly string[]): Promise<void> => {
  const areAnswered = async () => (await databaseRequests(...texts)).every(({ endedAt }) => endedAt > 0);
  await expect.poll(areAnswered).toBe(true);
};

export const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

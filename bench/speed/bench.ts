import { setTimeout as sleep } from "node:timers/promises";
import { randomWords } from "../stand/planted.ts";
import { LoadClient } from "../stand/client.ts";
import { type ScriptedModel, scriptedModel } from "../stand/model.ts";
import { openStand, type Stand } from "../stand/stand.ts";
import type { Worker } from "../stand/worker.ts";
import type { Budgeted } from "./budgets.ts";

/** Long enough for the work that follows an answer. */
const SETTLE_MS = 300;
const BASELINE = "bench/stand/baseline.toml";

/** What is measured, side by side, and how thoroughly. */
export interface Bench {
  readonly stand: Stand;
  /** A Worker that does the least that is possible. */
  readonly baseline: Worker;
  readonly model: ScriptedModel;
  readonly client: LoadClient;
  readonly agentId: string;
  /** How often what has to be compared is measured, alternately. */
  readonly rounds: number;
  /** Fewer figures of less precision, for a check that takes little time. */
  readonly isQuick: boolean;
}

/** The lines of the table that a measurement yields, and its figures that have a budget. */
export interface Measured {
  readonly rows: readonly (readonly [what: string, value: string])[];
  readonly budgeted?: Budgeted;
}

/** Measures something. Can be repeated. */
export type Measure = (bench: Bench) => Promise<Measured>;

/** Starts everything that the benchmark needs. `running` ends it. */
export async function openBench(running: AsyncDisposableStack, isQuick: boolean): Promise<Bench> {
  const model = scriptedModel(() => randomWords(5));
  const stand = running.use(await openStand({ respond: model.respond, behaviour: { delayMs: 0 } }));
  const baseline = await stand.start("baseline", await stand.build(BASELINE));
  const client = new LoadClient(stand.worker.url);
  running.defer(() => client.close());
  await client.signUp("bench");
  const agentId = await client.createAgent("demo");
  return { stand, baseline, model, client, agentId, rounds: isQuick ? 3 : 7, isQuick };
}

/** Creates a conversation with the agent of the benchmark, and returns its id. */
export async function converse({ client, agentId }: Bench): Promise<string> {
  const [id = ""] = await client.converse(agentId, 1);
  return id;
}

/** Sends a message and reads the answer to its end. Throws if the turn is not completed. */
export async function ask(
  { client, agentId }: Pick<Bench, "client" | "agentId">,
  conversationId: string,
  content: string,
  onText?: (text: string) => void,
) {
  const sent = await client.send(agentId, conversationId, content, onText);
  if (sent.outcome !== "answered") throw new Error(`A turn was not completed: ${sent.detail}`);
  return { firstTextMs: sent.firstTextMs ?? Number.NaN, endedMs: sent.endedMs };
}

/** Returns the CPU time that a Worker spends while `work` runs and in the moment after it, in milliseconds. */
export async function cpuOf(worker: Worker, work: () => Promise<unknown>): Promise<number> {
  const before = await worker.usage();
  await work();
  await settle();
  const after = await worker.usage();
  return after.cpuMs - before.cpuMs;
}

/** Waits for the work that follows an answer. */
export const settle = (): Promise<void> => sleep(SETTLE_MS);

/** Has the database take `delayMs` per request while `work` runs. */
export async function withDelay<Result>(
  { stand: { proxy } }: Bench,
  delayMs: number,
  work: () => Promise<Result>,
): Promise<Result> {
  const usual = proxy.behaviour.delayMs;
  proxy.behaviour.delayMs = delayMs;
  try {
    return await work();
  } finally {
    proxy.behaviour.delayMs = usual;
  }
}

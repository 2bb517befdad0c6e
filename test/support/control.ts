import { inject } from "vitest";
import type { ReplyStep } from "../../scripts/model-server.ts";
import type {
  EmbeddingsFault,
  FaultRule,
  LoggedEmbedding,
  LoggedRequest,
  ScriptLog,
} from "./control-protocol.ts";

const url = (path: string): string => `${inject("control")}${path}`;

async function post(path: string, body: unknown): Promise<unknown> {
  const response = await fetch(url(path), { method: "POST", body: JSON.stringify(body) });
  if (!response.ok) throw new Error(await response.text());
  return response.json();
}

/** Files of tests run beside each other: each ends its own faults only. */
let own: string | undefined;
const file = (): string => (own ??= crypto.randomUUID());

/** Injects a fault between the app and the database. */
export const injectFault = async (rule: FaultRule): Promise<void> =>
  void (await post("/rules", { ...rule, file: file() }));

/** Ends all faults that this file has injected. */
export const endFaults = async (): Promise<void> =>
  void (await fetch(url(`/rules?file=${file()}`)).then((response) => response.text()));

/** The requests that the database got with one of these texts in their body. */
export const databaseRequests = async (...texts: readonly string[]): Promise<readonly LoggedRequest[]> =>
  // The server at the other end answers in the shapes of the control protocol.
  (await post("/requests", texts)) as LoggedRequest[];

/** A model that answers as written: each request gets the next reply. Agents name it as their model. */
export async function scriptModel(...replies: readonly (readonly ReplyStep[])[]) {
  const name = `script-${crypto.randomUUID()}`;
  await post(`/scripts/${name}`, replies);

  return {
    name,
    /** What the model was asked so far. */
    log: async (): Promise<ScriptLog> => (await fetch(url(`/scripts/${name}`))).json<ScriptLog>(),
  };
}

/** A model of the embeddings server, with faults and a log of its own. */
export function embeddingModel() {
  const name = `embed-${crypto.randomUUID()}`;
  return {
    name,
    /** From now on this goes wrong, or nothing does. */
    setFault: async (fault: EmbeddingsFault | null): Promise<void> =>
      void (await post(`/embeddings/${name}`, fault)),
    /** What it was asked so far. */
    requests: async (): Promise<readonly LoggedEmbedding[]> =>
      (await fetch(url(`/embeddings/${name}`))).json<LoggedEmbedding[]>(),
  };
}

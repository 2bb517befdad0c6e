import type { ReplyStep } from "../../scripts/model-server.ts";
import type { Item } from "../../src/table/marshal.ts";
import { type Client, signUp, table } from "../support/app.ts";
import { databaseRequests, scriptModel } from "../support/control.ts";
import { pause } from "../support/runs.ts";
import { say } from "../support/sse.ts";
import { type AgentMemory, agentMemory, jobs } from "./agent-memory.ts";

/** Eighty-five words, where eighty are nearly full: seventeen lines, each found by a word of its own. */
export const FULL: readonly string[] = Array.from(
  { length: 17 },
  (_, n) => `Company${n} employed me in ${2001 + n}`,
);

/** What a compaction leaves without a summary: fifty words. */
export const NEWEST = FULL.slice(7);

export const SUMMARY: readonly string[] = ["Worked for Company0 to Company16", "from 2001 to 2017"];

/** A model's reply that is a summary of the block. */
export const summary: readonly ReplyStep[] = [{ text: SUMMARY.join("\n") }];

/** How long to wait for what follows an answer: nobody else does, and machines that run tests are busy. */
export const SOON = { timeout: 8_000 } as const;

export const ok: readonly ReplyStep[] = [{ text: "Ok." }];

export interface FullBlock extends AgentMemory {
  readonly client: Client;
  readonly block: string;
  readonly model: Awaited<ReturnType<typeof scriptModel>>;
  /** Says something in a conversation of this memory; the first one unless told. */
  turn(talk?: string): ReturnType<typeof say>;
  put(lines: readonly string[]): Promise<unknown>;
}

/** An agent with the replies of its model, and a block that is nearly full. */
export async function fullBlock(
  replies: readonly (readonly ReplyStep[])[],
  lines: readonly string[] = FULL,
  agent: Record<string, unknown> = {},
): Promise<FullBlock> {
  const client = await signUp();
  const model = await scriptModel(...replies);
  const memory = await agentMemory(client, { agent_model: model.name, ...agent });
  const block = `${memory.path}/jobs`;
  await client("POST", memory.path, jobs);
  const put = (lines: readonly string[]) => client("PUT", `${block}/content`, { lines });
  await put(lines);
  return { ...memory, client, block, model, put, turn: (talk = memory.talk) => say(client, talk, "Hello") };
}

/** A conversation more with the same agent; gives the path that says something in it. */
export async function anotherTalk({ client, agentId }: FullBlock): Promise<string> {
  const { body } = await client("POST", "/conversations", { title: "Talk", agent_id: agentId });
  return `/agents/${agentId}/${body.conversation_id}/send-message`;
}

export const warnings = ({ pk }: AgentMemory): Promise<readonly Item[]> =>
  table.query(pk, { range: { beginsWith: "CapacityWarning#" } });

export const turnsOf = async (memory: AgentMemory): Promise<unknown> =>
  (await warnings(memory))[0]?.["warning_turns"];

/** The contents of the archive. */
export const archived = async ({ pk }: AgentMemory): Promise<readonly unknown[]> =>
  (await table.query(pk, { range: { beginsWith: "Archival#" } })).map((item) => item["content"]);

/** Waits until nothing has gone to the database for a while: what follows an answer is over then. */
export async function settled({ client }: FullBlock, quietMs = 250): Promise<void> {
  let seen = -1;
  for (;;) {
    const { length } = await databaseRequests(client.email);
    if (length === seen) return;
    seen = length;
    await pause(quietMs);
  }
}

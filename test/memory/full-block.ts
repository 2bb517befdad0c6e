import type { ReplyStep } from "../../scripts/model-server.ts";
import type { Item } from "../../src/table/marshal.ts";
import { type Client, signUp, table } from "../support/app.ts";
import { scriptModel } from "../support/control.ts";
import type { ScriptStep } from "../support/control-protocol.ts";
import { untilIdle } from "../support/runs.ts";
import { say } from "../support/sse.ts";
import { type AgentMemory, agentMemory, jobs } from "./agent-memory.ts";

/** Eighty-five words, where eighty count as nearly full: seventeen lines, each with a unique word. */
export const FULL: readonly string[] = Array.from(
  { length: 17 },
  (_, n) => `Company${n} employed me in ${2001 + n}`,
);

/** The lines that a compaction without a summary keeps: fifty words. */
export const NEWEST = FULL.slice(7);

export const SUMMARY: readonly string[] = ["Worked for Company0 to Company16", "from 2001 to 2017"];

/** A model's reply with a summary of the block. */
export const summary: readonly ReplyStep[] = [{ text: SUMMARY.join("\n") }];

export const ok: readonly ReplyStep[] = [{ text: "Ok." }];

export interface FullBlock extends AgentMemory {
  readonly client: Client;
  readonly block: string;
  readonly model: Awaited<ReturnType<typeof scriptModel>>;
  /** Sends a message in a conversation of this memory; by default, in the first one. */
  turn(talk?: string): ReturnType<typeof say>;
  put(lines: readonly string[]): Promise<unknown>;
}

/** Creates an agent with a nearly full block, and the replies of its model. */
export async function fullBlock(
  replies: readonly (readonly ScriptStep[])[],
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

/** Creates another conversation with the same agent. Returns the path to send a message in it. */
export async function anotherTalk({ client, agentId }: FullBlock): Promise<string> {
  const { body } = await client("POST", "/conversations", { title: "Talk", agent_id: agentId });
  return `/agents/${agentId}/${body.conversation_id}/send-message`;
}

export const warnings = ({ pk }: AgentMemory): Promise<readonly Item[]> =>
  table.query(pk, { range: { beginsWith: "CapacityWarning#" } });

export const turnsOf = async (memory: AgentMemory): Promise<unknown> =>
  (await warnings(memory))[0]?.["warning_turns"];

/** Returns the contents of the archive. */
export const archived = async ({ pk }: AgentMemory): Promise<readonly unknown[]> =>
  (await table.query(pk, { range: { beginsWith: "Archival#" } })).map((item) => item["content"]);

/** Waits until the work after the answers in these conversations is finished; by default, in the first one. */
export async function settled(memory: FullBlock, ...talks: readonly string[]): Promise<void> {
  for (const talk of talks.length > 0 ? talks : [memory.talk]) await untilIdle(memory.client, talk);
}

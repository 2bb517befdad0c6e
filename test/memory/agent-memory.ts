import type { AgentId } from "../../src/shared/id-types.ts";
import type { Item } from "../../src/table/marshal.ts";
import { beginConversation, type Client, table } from "../support/app.ts";
import { scriptModel } from "../support/control.ts";
import { say } from "../support/sse.ts";

/** An agent with a conversation, and its owner's memory. */
export interface AgentMemory {
  readonly agentId: AgentId;
  readonly pk: string;
  /** The path of its memory blocks. */
  readonly path: string;
  /** The path to send a message to it. */
  readonly talk: string;
  readonly common: { readonly agent_id: string; readonly user_id: string };
}

export async function agentMemory(client: Client, agent: Record<string, unknown> = {}): Promise<AgentMemory> {
  const { agentId, path: talk } = await beginConversation(client, agent);
  return {
    agentId,
    pk: `Agent#${agentId}#User#${client.email}`,
    path: `/agents/${agentId}/memory-blocks`,
    talk,
    common: { agent_id: agentId, user_id: client.email },
  };
}

/** A custom block. */
export const jobs = { name: "jobs", description: "Where the user has worked", word_limit: 100 } as const;

/** An agent's memory with the block `jobs` in it. */
export async function withJobs(client: Client) {
  const memory = await agentMemory(client);
  const { status, body } = await client("POST", memory.path, jobs);
  if (status !== 201) throw new Error(JSON.stringify(body));

  const block = `${memory.path}/jobs`;
  return {
    ...memory,
    block,
    put: (lines: readonly string[], headers: Record<string, string> = {}) =>
      client("PUT", `${block}/content`, { lines }, headers),
    restore: (version: unknown, headers: Record<string, string> = {}) =>
      client("POST", `${block}/restore`, { version }, headers),
  };
}

const blockIdOf = ({ agentId, common }: AgentMemory, name: string): string =>
  `${agentId}:${common.user_id}:${name}`;

/** Content as the legacy Python service wrote it: without a version. */
export function plantContent(memory: AgentMemory, name: string, lines: readonly string[]): Promise<void> {
  const id = blockIdOf(memory, name);
  return table.put({
    pk: memory.pk,
    sk: `CoreMemory#${id}`,
    ...memory.common,
    block_id: id,
    block_name: name,
    lines,
    word_count: 99,
    created_at: "2025-06-01T10:00:00.000123+00:00",
    updated_at: "2025-06-02T10:00:00.000123+00:00",
  });
}

/** The versions of a block as they are stored, oldest first. */
export const storedVersions = (memory: AgentMemory, name: string): Promise<readonly Item[]> =>
  table.query(memory.pk, { range: { beginsWith: `BlockVersion#${blockIdOf(memory, name)}#` } });

/** Summarizes stored versions: number, author and lines. */
export const summaryOf = (versions: readonly Item[]): unknown[][] =>
  versions.map((item) => [item["version"], item["by"], item["lines"]]);

/** Lets an agent make these tool calls, one per response. Returns the events of the turn. */
export async function turnWith(
  client: Client,
  { agentId, talk }: AgentMemory,
  ...calls: readonly (readonly [tool: string, input: object])[]
) {
  const replies = calls.map(([name, input]) => [{ call: { name, arguments: JSON.stringify(input) } }]);
  const model = await scriptModel(...replies, [{ text: "Done." }]);
  await client("PUT", `/agents/${agentId}`, { agent_model: model.name });
  return say(client, talk, "Go");
}

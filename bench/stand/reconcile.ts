import { setTimeout as sleep } from "node:timers/promises";
import type { TableClient } from "../../src/table/client.ts";
import type { LoadClient } from "./client.ts";

interface Run {
  readonly run_id: string;
  readonly state: string;
  readonly user_message_id: string;
  readonly message_id: string | null;
  readonly usage: object | null;
}

interface Stored {
  readonly client: LoadClient;
  readonly agentId: string;
  readonly talks: readonly string[];
  readonly table: TableClient;
  /** Lines that must be in the memory. */
  readonly remembered: ReadonlySet<string>;
}

const SETTLE_MS = 90_000;
const TERMINAL = /"event_type":"(?:STREAM_COMPLETE|ERROR)"/gu;

/** Compares everything that is stored about an account's conversations, and returns what does not add up. */
export async function reconcile(stored: Stored): Promise<readonly string[]> {
  const problems: string[] = [];
  const runs: Run[] = [];
  for (const conversationId of stored.talks) {
    await settled(stored.client, conversationId);
    const own = await runsOf(stored.client, conversationId);
    runs.push(...own);
    problems.push(...(await problemsOfConversation(stored, conversationId, own)));
  }
  problems.push(...(await problemsOfCounts(stored, runs)), ...(await problemsOfMemory(stored)));
  const states = Map.groupBy(runs, ({ state }) => state);
  console.log(`runs: ${[...states].map(([state, some]) => `${some.length} ${state}`).join(", ")}`);
  return problems;
}

/** Waits until the conversation has no active run. Asking for it also recovers runs that died. */
async function settled(client: LoadClient, conversationId: string): Promise<void> {
  const deadline = Date.now() + SETTLE_MS;
  for (;;) {
    const response = await client.open("GET", `/conversations/${conversationId}/runs/active/events`);
    await response.text();
    if (response.status === 204) return;
    if (Date.now() > deadline) throw new Error(`Conversation ${conversationId} does not come to rest.`);
    await sleep(200);
  }
}

async function runsOf(client: LoadClient, conversationId: string): Promise<readonly Run[]> {
  const runs: Run[] = [];
  let cursor: string | null = "";
  while (cursor !== null) {
    const query = cursor === "" ? "" : `&cursor=${encodeURIComponent(cursor)}`;
    const { body } = await client.json("GET", `/conversations/${conversationId}/runs?limit=100${query}`);
    // The API's page of runs.
    const page = body as unknown as { readonly items: readonly Run[]; readonly next_cursor: string | null };
    runs.push(...page.items);
    cursor = page.next_cursor;
  }
  return runs;
}

async function problemsOfConversation(
  { client, table }: Stored,
  conversationId: string,
  runs: readonly Run[],
): Promise<readonly string[]> {
  const items = await table.query(`CONVERSATION#${conversationId}`, { range: { beginsWith: "MESSAGE#" } });
  const ids = items.map((item) => String(item["message_id"]));
  const expected = runs.flatMap((run) => [
    run.user_message_id,
    ...(run.message_id === null ? [] : [run.message_id]),
  ]);
  const problems = [
    ...runs.filter(({ state }) => state === "running").map(({ run_id: id }) => `run ${id} never ended`),
    ...expected.filter((id) => !ids.includes(id)).map((id) => `message ${id} of a run is missing`),
    ...ids.filter((id) => !expected.includes(id)).map((id) => `message ${id} belongs to no run`),
  ];
  for (const { run_id: id } of runs) {
    const response = await client.open("GET", `/conversations/${conversationId}/runs/${id}/events?after=0`);
    const ends = (await response.text()).match(TERMINAL)?.length ?? 0;
    if (response.status !== 200 || ends !== 1)
      problems.push(`run ${id} has ${ends} terminal events (${response.status})`);
  }
  return problems;
}

/** Compares the account's counts with its runs. A run without an answer does not count as a message. */
async function problemsOfCounts({ client, table }: Stored, runs: readonly Run[]): Promise<readonly string[]> {
  const answered = runs.filter((run) => run.message_id !== null);
  const items = await table.query(`User#${client.email}`);
  const sumOf = (prefix: string, name: string) =>
    items
      .filter((item) => String(item["sk"]).startsWith(prefix))
      .reduce((sum, item) => sum + Number(item[name] ?? 0), 0);
  const events = items.filter(
    (item) => String(item["sk"]).startsWith("UsageEvent#") && item["state"] === "reserved",
  );
  const counts = [
    ["messages used", sumOf("Usage#2", "messages_used"), answered.length],
    ["messages reserved", events.length, answered.length],
    ["runs with tokens", sumOf("UsageTokens#", "runs"), answered.filter(({ usage }) => usage).length],
    ["slots taken", items.find((item) => item["sk"] === "TurnSlots")?.["run_ids"] ? 1 : 0, 0],
  ] as const;
  console.log(counts.map(([name, counted]) => `${name}: ${counted}`).join(", "));
  return counts.flatMap(([name, counted, expected]) =>
    counted === expected ? [] : [`${name}: ${counted} instead of ${expected}`],
  );
}

async function problemsOfMemory({ client, agentId, table, remembered }: Stored): Promise<readonly string[]> {
  const item = await table.get({
    pk: `Agent#${agentId}#User#${client.email}`,
    sk: `CoreMemory#${agentId}:${client.email}:human`,
  });
  const lines = Array.isArray(item?.["lines"]) ? item["lines"].map(String) : [];
  console.log(`memories: ${lines.length} lines, ${remembered.size} reported as stored`);
  return [
    ...[...remembered].filter((fact) => !lines.includes(fact)).map((fact) => `"${fact}" was not remembered`),
    ...(new Set(lines).size < lines.length ? ["a memory is stored twice"] : []),
  ];
}

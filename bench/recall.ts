import { readFile } from "node:fs/promises";
import { field } from "../scripts/json.ts";

/** A conversation of the evaluation data: its turns, and questions with the turns that hold the answer. */
interface Conversation {
  readonly id: string;
  readonly turns: readonly {
    readonly id: string;
    readonly at: string;
    readonly speaker: string;
    readonly text: string;
    readonly caption?: string;
  }[];
  readonly questions: readonly {
    readonly question: string;
    readonly category: number;
    readonly evidence: readonly string[];
  }[];
}

/** How many questions there were, and how many had a turn that answers them among the first five and ten results. */
interface Tally {
  questions: number;
  any5: number;
  any10: number;
}

const BATCH = 100;
const PARALLEL_SEARCHES = 4;
/** The data's dates: `1:56 pm on 8 May, 2023`. */
const DATE = /^(\d+):(\d+) (am|pm) on (\d+) (\w+), (\d+)$/u;

const api = process.env["API_URL"] ?? "http://localhost:8787";
const file = process.argv[2];
if (file === undefined) {
  console.error("Usage: npm run bench:recall -- <path to a LoCoMo file>; API_URL names the API.");
  process.exit(1);
}

// The file is the caller's; what does not have its shape fails where it is used.
const conversations = JSON.parse(await readFile(file, "utf8")) as Conversation[];
const username = `recall-${crypto.randomUUID().slice(0, 8)}`;
const token = text(await send("POST", "/auth/local/signup", { username, password: "no-secret" }), "token");

const tallies = new Map<string, Tally>();
for (const conversation of conversations) await measure(conversation);
console.log("| questions | number | any@5 | any@10 |\n| --- | ---: | ---: | ---: |");
for (const [name, { questions, any5, any10 }] of [...tallies].toSorted(([a], [b]) => a.localeCompare(b)))
  console.log(
    `| ${name} | ${questions} | ${(any5 / questions).toFixed(3)} | ${(any10 / questions).toFixed(3)} |`,
  );

async function measure({ id, turns, questions }: Conversation): Promise<void> {
  const agent = await send("POST", "/agents", {
    agent_name: `Recall ${id}`,
    agent_architecture: "krishna-memgpt",
    agent_provider: "Demo",
    agent_persona: "Remembers.",
  });
  const path = `/agents/${text(agent, "agent_id")}/archival-memory`;

  // Turns that say the same are one memory.
  const turnsOf = new Map<string, string[]>();
  for (let start = 0; start < turns.length; start += BATCH) {
    const batch = turns.slice(start, start + BATCH);
    const items = batch.map(({ speaker, text: said, caption = "", at }) => ({
      content: `${speaker}: ${said} ${caption}`.trim(),
      occurred_at: isoDate(at),
    }));
    const stored = list(await send("POST", `${path}/batch`, { items }), "items");
    for (const [index, turn] of batch.entries()) {
      const memoryId = text(stored[index], "memory_id");
      turnsOf.set(memoryId, [...(turnsOf.get(memoryId) ?? []), turn.id]);
    }
  }

  for (let start = 0; start < questions.length; start += PARALLEL_SEARCHES) {
    const group = questions.slice(start, start + PARALLEL_SEARCHES);
    await Promise.all(
      group.map(async ({ question, category, evidence }) => {
        const query = new URLSearchParams({ query: question, limit: "10" });
        const items = list(await send("GET", `${path}/search?${query.toString()}`), "items");
        const answers = items.map((item) =>
          (turnsOf.get(text(item, "memory_id")) ?? []).some((turn) => evidence.includes(turn)),
        );
        for (const name of [`category ${category}`, `conversation ${id}`, "overall"]) count(name, answers);
      }),
    );
  }
}

function count(name: string, answers: readonly boolean[]): void {
  const tally = tallies.get(name) ?? { questions: 0, any5: 0, any10: 0 };
  tallies.set(name, tally);
  tally.questions++;
  if (answers.slice(0, 5).includes(true)) tally.any5++;
  if (answers.slice(0, 10).includes(true)) tally.any10++;
}

function isoDate(at: string): string {
  const [, hour = "", minute = "", half = "", day = "", month = "", year = ""] = DATE.exec(at) ?? [];
  const ms = Date.parse(`${day} ${month} ${year} ${hour}:${minute} ${half} UTC`);
  if (Number.isNaN(ms)) throw new Error(`Not a date of the data: "${at}"`);
  return new Date(ms).toISOString();
}

async function send(method: string, path: string, body?: object): Promise<unknown> {
  const response = await fetch(`${api}${path}`, {
    method,
    headers: {
      "content-type": "application/json",
      ...(path.startsWith("/auth") ? {} : { authorization: `Bearer ${token}` }),
    },
    ...(body && { body: JSON.stringify(body) }),
  });
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
  return response.json();
}

function text(value: unknown, name: string): string {
  const found = field(value, name);
  if (typeof found !== "string") throw new Error(`The API's answer has no "${name}".`);
  return found;
}

function list(value: unknown, name: string): readonly unknown[] {
  const found = field(value, name);
  if (!Array.isArray(found)) throw new Error(`The API's answer has no "${name}".`);
  return found;
}

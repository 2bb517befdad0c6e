import { mapConcurrent } from "../src/shared/async.ts";
import { field } from "../scripts/json.ts";
import { readData, signUp } from "./api.ts";

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

const PARALLEL_SEARCHES = 4;
/** The data's dates: `1:56 pm on 8 May, 2023`. */
const DATE = /^(\d+):(\d+) (am|pm) on (\d+) (\w+), (\d+)$/u;

const GUIDE = `This benchmark measures search with the LoCoMo conversations, which are not part of this project. Get
locomo10.json from https://github.com/snap-research/locomo (folder data) and convert it to the shape that
bench/README.md describes. Then start the service, and run: npm run bench:recall -- <path to the file>
API_URL names the service if it is not at http://localhost:8787.`;

// The file is the caller's; what else does not have its shape fails where it is used.
const conversations = (await readData(
  GUIDE,
  (value) => Array.isArray(value) && value.every((one) => Array.isArray(field(one, "turns"))),
)) as readonly Conversation[];
const account = await signUp("recall");

const tallies = new Map<string, Tally>();
for (const conversation of conversations) await measure(conversation);
console.log("| questions | number | any@5 | any@10 |\n| --- | ---: | ---: | ---: |");
for (const [name, { questions, any5, any10 }] of [...tallies].toSorted(([a], [b]) => a.localeCompare(b)))
  console.log(
    `| ${name} | ${questions} | ${(any5 / questions).toFixed(3)} | ${(any10 / questions).toFixed(3)} |`,
  );

async function measure({ id, turns, questions }: Conversation): Promise<void> {
  const memory = await account.createMemory(`Recall ${id}`);

  const stored = await memory.insert(
    turns.map(({ speaker, text, caption = "", at }) => ({
      content: `${speaker}: ${text} ${caption}`.trim(),
      occurred_at: isoDate(at),
    })),
  );
  // Turns that say the same are one memory.
  const turnsOf = Map.groupBy(turns, (_, index) => stored[index]);

  await mapConcurrent(questions, PARALLEL_SEARCHES, async ({ question, category, evidence }) => {
    const found = await memory.search(question, 10);
    const answers = found.map((memoryId) =>
      (turnsOf.get(memoryId) ?? []).some((turn) => evidence.includes(turn.id)),
    );
    for (const name of [`category ${category}`, `conversation ${id}`, "overall"]) count(name, answers);
  });
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

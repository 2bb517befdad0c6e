import { mapConcurrent } from "../src/shared/async.ts";
import { field } from "../scripts/json.ts";
import { readData, signUp } from "./api.ts";

/** A language of the evaluation data: paragraphs, and questions with the index of the paragraph that answers each. */
interface Language {
  readonly paragraphs: readonly string[];
  readonly questions: readonly { readonly q: string; readonly p: number }[];
}

const PARALLEL_SEARCHES = 4;

const GUIDE = `This benchmark measures search with the questions of XQuAD, which are not part of this project. Get them
from https://github.com/google-deepmind/xquad and reduce them to { language: { paragraphs, questions: [{ q, p }] } }.
Then start the service, and run: npm run bench:languages -- <path to the file>
API_URL names the service if it is not at http://localhost:8787.`;

// The file is the caller's; what else does not have its shape fails where it is used.
const languages = (await readData(
  GUIDE,
  (value) =>
    typeof value === "object" &&
    value !== null &&
    Object.values(value).every((one) => Array.isArray(field(one, "paragraphs"))),
)) as Readonly<Record<string, Language>>;
const account = await signUp("languages");

console.log("| language | questions | any@1 | any@5 |\n| --- | ---: | ---: | ---: |");
for (const [language, { paragraphs, questions }] of Object.entries(languages)) {
  const memory = await account.createMemory(`Languages ${language}`);
  const ids = await memory.insert(paragraphs.map((content) => ({ content })));

  const ranks = await mapConcurrent(questions, PARALLEL_SEARCHES, async ({ q, p }) =>
    (await memory.search(q, 5)).indexOf(ids[p] ?? ""),
  );
  const share = (isHit: (rank: number) => boolean) => (ranks.filter(isHit).length / ranks.length).toFixed(3);
  console.log(
    `| ${language} | ${ranks.length} | ${share((rank) => rank === 0)} | ${share((rank) => rank >= 0)} |`,
  );
}

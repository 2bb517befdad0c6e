import { expect, it } from "vitest";
import { embeddingModel } from "../support/control.ts";
import { withModel } from "./embedded.ts";
import { type Planted, testMemory } from "./memories.ts";

const DAY_MS = 24 * 60 * 60 * 1000;

/** What each person says, with their own value, and what is asked about it. */
const SUBJECTS = [
  ["My dog is called", "What is the name of the dog of"],
  ["For my birthday I want to fly to", "Where would like to go for a birthday"],
  ["At work I repair", "What is repaired at work by"],
  ["I am allergic to", "Which allergy bothers"],
  ["My sister teaches", "What is taught by the sister of"],
  ["Every Sunday I cook", "Which meal is cooked on Sundays by"],
  ["I parked the car behind the", "Where is the car of"],
  ["My favourite film is about", "What is the favourite film about, according to"],
  ["The doctor told me to avoid", "What did a doctor forbid"],
  ["In the garden I planted", "What grows in the garden of"],
] as const;
const PEOPLE = ["Anna", "Boris", "Carla", "Deniz", "Emil", "Farah", "Goran", "Hana", "Ivo", "Jana"] as const;
const CHATTER = [
  "Good morning!",
  "How are you today?",
  "I slept well.",
  "It is raining again.",
  "See you soon!",
];

const factOf = (person: string, subject: number): string =>
  `${person}: ${SUBJECTS[subject]?.[0]} ${person.toLowerCase()}-${subject}`;

/** Ten days of talk: each day all say one thing, with chatter between. */
const talk: readonly Planted[] = SUBJECTS.flatMap((_, subject) =>
  PEOPLE.flatMap((person, index) =>
    [
      factOf(person, subject),
      `${PEOPLE[(index + subject) % 10]}: ${CHATTER[index % 5]} (${subject}.${index})`,
    ].map((content, step) => ({
      content,
      at: Date.UTC(2026, 0, 1) + subject * DAY_MS + index * 120_000 + step * 1_000,
    })),
  ),
);
const questions = SUBJECTS.flatMap(([, asked], subject) =>
  PEOPLE.map((person) => ({ question: `${asked} ${person}?`, answer: factOf(person, subject) })),
);

/** Returns how many of the hundred questions have their answer among the first five results. */
async function answered(find: (query: string) => Promise<readonly string[]>): Promise<number> {
  let count = 0;
  for (const { question, answer } of questions)
    if ((await find(question)).slice(0, 5).includes(answer)) count++;
  return count;
}

it("loses at most one answer in a hundred to random vectors", async () => {
  const memory = testMemory();
  const model = embeddingModel();
  await model.setFault({ kind: "random" });
  await memory.plant(...talk);
  const byWords = await answered((query) => memory.find(query));

  const withRandom = await withModel(
    memory,
    model.name,
    async ({ find, search, alarm }) => {
      await search("anything");
      await alarm();
      expect((await search("anything")).notes).not.toContain("embeddings-pending");
      return answered(find);
    },
    { EMBEDDINGS_DIMENSIONS: "64" },
  );

  // Otherwise the questions would not measure anything.
  expect(byWords).toBeGreaterThan(60);
  expect(byWords).toBeLessThanOrEqual(100);
  expect(withRandom).toBeGreaterThanOrEqual(byWords - 1);
});

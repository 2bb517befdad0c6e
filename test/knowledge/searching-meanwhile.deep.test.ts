import { expect, it } from "vitest";
import { signUp } from "../support/app.ts";
import { createBase, untilIndexed, upload } from "../support/knowledge.ts";

/** How many files of this size are uploaded. */
const FILES = 3;
const BYTES = 9_900_000;

/** A text of sections with sentences of different words. Its words are few enough to be stored as one page. */
function handbook(name: string): string {
  const parts = [`# Handbook of ${name}\n\nThe ${name} lighthouse is open in summer.\n`];
  let chars = 0;
  for (let n = 0; chars < BYTES; n++) {
    const sentence = `The keeper of harbour ${n % 977} rings the bell of ship ${n % 499} when the tide turns. `;
    const section = `\n## Section ${n}\n\n${sentence.repeat(8)}\n`;
    chars += section.length;
    if (chars < BYTES) parts.push(section);
  }
  return parts.join("");
}

it("answers every search while several files of ten megabytes are indexed, and says that it is indexing", async () => {
  const client = await signUp();
  const base = await createBase(client);
  const found: Awaited<ReturnType<typeof search>>[] = [];
  const search = async () => {
    const { status, body } = await client("POST", `/knowledge-bases/${base.kbId}/search`, {
      query: "lighthouse",
    });
    return { status, notes: body.notes, indexing: body.indexing, total: body.total };
  };
  const searchUntil = async (isEnough: () => boolean) => {
    while (!isEnough()) found.push(await search());
  };

  for (let n = 0; n < FILES; n++) {
    const progress = { isStored: false };
    const searching = searchUntil(() => progress.isStored);
    const file = { name: `part-${n}.md`, content: handbook(`part${n}`) };
    expect((await upload(client, base.kbId, [file])).status).toBe(201);
    progress.isStored = true;
    await searching;
  }
  await searchUntil(() => found.at(-1)?.total === FILES && found.at(-1)?.indexing === null);

  expect(found.map(({ status }) => status)).toEqual(found.map(() => 200));
  expect(found.some(({ notes }) => notes.includes("index-building"))).toBe(true);
  await untilIndexed(base, FILES);
});

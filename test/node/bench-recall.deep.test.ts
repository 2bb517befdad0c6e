import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { expect, it } from "vitest";

it.each([
  ["no data", [], /locomo10\.json from https:/u],
  [
    "a file that is missing",
    ["/nowhere/data.json"],
    /^\/nowhere\/data\.json cannot be read \(ENOENT\)\.\n[^]*locomo10/u,
  ],
  ["other data", ["package.json"], /^package\.json is not the data of this benchmark\.\n[^]*locomo10/u],
])("the recall benchmark says what to get with %s", async (_case, args, sentence) => {
  const run = promisify(execFile)(process.execPath, ["bench/recall.ts", ...args]);
  await expect(run).rejects.toMatchObject({ code: 1, stdout: "", stderr: expect.stringMatching(sentence) });
});

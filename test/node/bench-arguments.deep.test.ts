import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";

describe.concurrent("a benchmark with an argument that it cannot use says how it is used:", () => {
  it.each([
    ["bench/overload.ts", "many"],
    ["bench/overload.ts", "0"],
    ["bench/soak.ts", "many"],
    ["bench/soak.ts", "Infinity"],
    // Too short to be a soak.
    ["bench/soak.ts", "1"],
    ["bench/search-latency.ts", "many"],
  ])("%s %s", async (script, argument) => {
    const run = promisify(execFile)(process.execPath, [script, argument]);
    await expect(run).rejects.toMatchObject({
      code: 1,
      stdout: "",
      stderr: expect.stringMatching(/^Usage: npm run /u),
    });
  });
});

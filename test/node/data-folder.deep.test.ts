import { execFileSync } from "node:child_process";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { markOf } from "../../scripts/processes.ts";
import { cleanUps, refusal, workplace } from "./dev-process.ts";

describe("DATA_DIR", () => {
  it("is reported if a part of it is a file", async () => {
    const variables = await workplace();
    await writeFile(variables.DATA_DIR, "");

    expect(await refusal({ ...variables, DATA_DIR: join(variables.DATA_DIR, "below") })).toMatchObject({
      code: 1,
      output: expect.stringContaining(
        `DATA_DIR=${variables.DATA_DIR}/below cannot be used: a part of it is a file.`,
      ),
    });
  });

  it("is reported if its file system does not respond", async () => {
    const variables = await workplace();
    await mkdir(variables.DATA_DIR);
    // Reading a pipe that nobody writes to never ends.
    execFileSync("mkfifo", [join(variables.DATA_DIR, "dev.lock")]);

    expect(await refusal(variables)).toMatchObject({
      code: 1,
      output: expect.stringContaining(
        `DATA_DIR=${variables.DATA_DIR} cannot be used: its file system does not answer.`,
      ),
    });
  });

  it("is reported if its disk is full", async ({ skip }) => {
    const variables = await workplace();
    await mkdir(variables.DATA_DIR);
    try {
      execFileSync("mount", ["-t", "tmpfs", "-o", "size=16k", "tmpfs", variables.DATA_DIR], {
        stdio: "ignore",
      });
    } catch {
      skip("This user may not mount a small disk.");
    }
    cleanUps.push(async () => execFileSync("umount", [variables.DATA_DIR]));

    expect(await refusal(variables)).toMatchObject({
      code: 1,
      output: expect.stringContaining(`DATA_DIR=${variables.DATA_DIR} cannot be used: its disk is full.`),
    });
  });

  it("is reported if this user may not read it", async () => {
    // The superuser may read everything, except without these capabilities.
    const isSuperuser = process.getuid?.() === 0;
    const through = isSuperuser ? ["setpriv", "--bounding-set=-dac_override,-dac_read_search"] : [];
    const variables = await workplace();
    await mkdir(variables.DATA_DIR, { mode: 0o000 });

    expect(await refusal(variables, "scripts/dev.ts", through)).toMatchObject({
      output: expect.stringContaining("cannot be used: this user may not read and write it."),
    });
  });

  it("is taken over from a process that has ended, even if another process has its id now", async () => {
    const variables = await workplace();
    await mkdir(variables.DATA_DIR);
    const { pid = 0 } = (await markOf(process.pid)) ?? {};
    const lock = { owner: { pid, startedAt: "long ago" }, children: [{ pid, startedAt: "long ago" }] };
    await writeFile(join(variables.DATA_DIR, "dev.lock"), JSON.stringify(lock));

    // The port is the next obstacle.
    const refused = await refusal({ ...variables, PORT: "0" });

    expect(refused.output).toContain("PORT has to be 1 to 65535");
    expect(refused.output).not.toContain("earlier instance");
  });
});

import { execFile } from "node:child_process";
import { cp, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, it } from "vitest";

const PROJECT = join(import.meta.dirname, "../..");

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "no-database-"));
});
afterAll(() => rm(folder, { recursive: true }));

it("announces that it fetches the database, and shows npm's reason if that fails", async () => {
  // A copy of the scripts outside the project does not find the installed package.
  await cp(join(PROJECT, "scripts"), join(folder, "scripts"), { recursive: true });
  await cp(join(PROJECT, "package.json"), join(folder, "package.json"));
  await mkdir(join(folder, "bin"));
  const npm = [
    "#!/bin/sh",
    "echo 'npm error code ENOTFOUND' >&2",
    "echo 'npm error network request to https://packages.example.com/ failed' >&2",
    "echo 'npm error A complete log of this run can be found in: /tmp/x.log' >&2",
    "exit 1",
  ].join("\n");
  await writeFile(join(folder, "bin/npm"), npm, { mode: 0o755 });

  const code = 'await (await import("./scripts/embedded-dynamodb.ts")).startEmbeddedDynamoDb()';
  const env = { ...process.env, PATH: `${join(folder, "bin")}:${process.env["PATH"] ?? ""}` };
  const run = promisify(execFile)(process.execPath, ["--input-type=module", "-e", code], {
    cwd: folder,
    env,
  });

  await expect(run).rejects.toMatchObject({
    stderr: expect.stringMatching(
      /fetching @dynoxide\/[^ ]+, the embedded database[^]*could not be fetched: network request to https:\/\/packages\.example\.com\/ failed\n/u,
    ),
  });
});

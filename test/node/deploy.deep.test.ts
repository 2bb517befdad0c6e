import { execFile } from "node:child_process";
import { cp, mkdtemp, readFile, rm, stat, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, it, onTestFinished } from "vitest";

const PROJECT = join(import.meta.dirname, "../..");

/** What a deployment is built from; not what earlier builds have left. */
const SOURCES = [
  "client",
  "docs",
  "package.json",
  "playground",
  "pricing_config.json",
  "reference",
  "scripts",
  "src",
  "tsconfig.json",
  "widget",
  "wrangler.toml",
];

it("`wrangler deploy` builds the assets by itself, in a clone where nothing has been built", async () => {
  const clone = await mkdtemp(join(tmpdir(), "deploy-"));
  onTestFinished(() => rm(clone, { recursive: true }));
  for (const source of SOURCES) await cp(join(PROJECT, source), join(clone, source), { recursive: true });
  await symlink(join(PROJECT, "node_modules"), join(clone, "node_modules"));
  const wrangler = join(clone, "node_modules/wrangler/bin/wrangler.js");

  const command = [wrangler, "deploy", "--dry-run", "--outdir", "dist/worker"];
  await promisify(execFile)(process.execPath, command, {
    cwd: clone,
    env: { ...process.env, WRANGLER_SEND_METRICS: "false", WRANGLER_WRITE_LOGS: "false" },
  });

  expect((await stat(join(clone, "dist/worker/index.js"))).size).toBeGreaterThan(0);
  expect(await readFile(join(clone, "dist/assets/playground/index.html"), "utf8")).toContain("<script");
});

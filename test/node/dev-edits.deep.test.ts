import { cp, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { tmpdir } from "node:os";
import { expect, it } from "vitest";
import { cleanUps, startServerIn, workplace } from "./dev-process.ts";

const PROJECT = join(import.meta.dirname, "../..");

/** A copy of the project, whose source a test may break. */
async function copyOfProject(): Promise<string> {
  const copy = await mkdtemp(join(tmpdir(), "dev-edits-"));
  cleanUps.push(() => rm(copy, { recursive: true }));
  for (const name of [
    "src",
    "scripts",
    "docs",
    "client",
    "playground",
    "package.json",
    "pricing_config.json",
    "reference",
    "tsconfig.json",
    "widget",
    "wrangler.toml",
    "wrangler.pdf.toml",
  ])
    await cp(join(PROJECT, name), join(copy, name), { recursive: true });
  await symlink(join(PROJECT, "node_modules"), join(copy, "node_modules"));
  return copy;
}

it("waits for the next edit when an edited source file throws as it is loaded", async () => {
  const project = await copyOfProject();
  const variables = await workplace();
  const server = await startServerIn(project, variables);
  const file = join(project, "src/contact/model.ts");
  const source = await readFile(file, "utf8");
  const said = async (words: string) => {
    const isOver = () => server.output().includes(words) || server.child.exitCode !== null;
    await expect.poll(isOver).toBe(true);
    expect(server.output()).toContain(words);
  };

  await writeFile(file, `${source}\nthrow new Error("half edited");\n`);
  await said("Waiting for an edit in src.");
  expect(server.output()).toContain("Uncaught Error: half edited");
  expect(server.child.exitCode).toBeNull();

  await writeFile(file, source);
  await said("The Worker is ready again.");
  expect((await fetch(`http://localhost:${variables.PORT}/health`)).status).toBe(200);

  server.child.kill("SIGINT");
  expect(await server.exited).toEqual([0, null]);
});

import { execFile } from "node:child_process";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, it } from "vitest";
import { createDemoAgent, signInToDemo } from "../../scripts/demo-account.ts";
import { freePort } from "../../scripts/free-port.ts";
import { beginServer, cleanUps, untilReady } from "./dev-process.ts";
import { buildWithoutDocker, environment, wordsOf } from "./dockerfile.ts";

const run = promisify(execFile);
const PROJECT = join(import.meta.dirname, "../..");

it("builds an image that serves a trial, by the commands of the Dockerfile", async () => {
  const folder = await mkdtemp(join(tmpdir(), "dockerfile-"));
  cleanUps.push(() => rm(folder, { recursive: true }));

  const image = await buildWithoutDocker(PROJECT, join(folder, "stages"));

  expect(await readdir(image.folder)).toEqual(
    expect.not.arrayContaining(["test", "bench", "wrangler.toml", ".git"]),
  );
  expect(await readdir(join(image.folder, "node_modules"))).not.toContain("wrangler");
  expect(image.instructions.find(({ name }) => name === "USER")?.rest).not.toBe("root");

  const [program, ...command] = wordsOf(image, "CMD");
  expect(program).toBe("node");
  const PORT = String(await freePort());
  const { child, exited, output } = await untilReady(
    beginServer(image.folder, command, { ...image.env, PORT }),
  );
  expect(output()).toContain("This is a TRIAL:");
  const [, ...health] = wordsOf(image, "HEALTHCHECK");
  await run(process.execPath, health, { env: environment({ ...image.env, PORT }) });
  const description = await fetch(`http://localhost:${PORT}/openapi.json`);
  expect(await description.json()).toMatchObject({ openapi: "3.1.0" });
  const client = await signInToDemo(`http://localhost:${PORT}`);
  const { agent_id } = await createDemoAgent(client);
  const { conversation_id } = await client.conversations.create({ title: "First", agent_id });
  expect(await client.agents(agent_id).send(conversation_id, "I am Ada.").text()).toContain("Ada");

  const demo = await run("npm", ["run", "demo"], {
    cwd: image.folder,
    env: environment({ ...image.env, PORT }),
  });
  expect(demo.stdout).toContain("The agent remembers across conversations.");

  child.kill("SIGTERM");
  expect(await exited).toEqual([0, null]);
  await expect(
    run(process.execPath, health, { env: environment({ ...image.env, PORT }) }),
  ).rejects.toMatchObject({ code: 1 });
});

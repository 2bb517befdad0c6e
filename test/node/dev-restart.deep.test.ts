import { execFileSync } from "node:child_process";
import { readFile } from "node:fs/promises";
import { expect, it } from "vitest";
import { descendants, isAlive, startServer, workplace } from "./dev-process.ts";

/** The processes of a server, by what they run. */
async function processesOf(pid: number): Promise<{ pid: number; runs: string }[]> {
  const below = await descendants(pid);
  return Promise.all(
    below.map(async (one) => ({
      pid: one.pid,
      runs: await readFile(`/proc/${one.pid}/cmdline`, "utf8").catch(() => ""),
    })),
  );
}

it("ends the processes that an instance left when it was killed together with its watchdog", async () => {
  const variables = await workplace();
  const first = await startServer(variables, "--oidc");
  const pid = first.child.pid ?? 0;
  const page = `http://localhost:${Number(variables.PORT) + 1}`;
  expect(first.output().split("\n")).toContain(`sign in: ${page}`);
  expect(await (await fetch(page)).text()).toContain(`http://localhost:${variables.PORT}/auth/google`);

  const processes = await processesOf(pid);
  const watchdog = processes.find(({ runs }) => runs.includes("watchdog"))?.pid ?? 0;
  const others = processes.filter((one) => one.pid !== watchdog);
  execFileSync("kill", ["-9", String(watchdog), String(pid)]);
  await first.exited;
  expect((await Promise.all(others.map(isAlive))).includes(true)).toBe(true);

  const second = await startServer(variables);

  expect(second.output()).toContain(`an earlier instance (pid ${pid}) is still running: ended it`);
  expect((await Promise.all(others.map(isAlive))).includes(true)).toBe(false);
});

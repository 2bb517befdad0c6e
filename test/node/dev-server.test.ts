import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, expect, it } from "vitest";
import { freePort } from "../../scripts/free-port.ts";
import { type ReplyStep, startModelServer } from "../../scripts/model-server.ts";

const PROJECT = join(import.meta.dirname, "../..");

const cleanUps: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).toReversed()) await cleanUp();
});

/**
 * Starts the development server as a person does, and waits until it says that it is ready. It knows nothing of this
 * machine's own variables: a developer's settings may point at a real table.
 */
async function startServer(variables: Record<string, string>) {
  const { PATH = "", HOME = "" } = process.env;
  // The Worker's types make its variables every process's; a process takes any.
  const env = { PATH, HOME, ...variables } as Record<string, string> as NodeJS.ProcessEnv;
  const child = spawn(process.execPath, ["scripts/dev.ts"], { cwd: PROJECT, env });
  const exited = once(child, "exit");
  let output = "";
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (chunk: Buffer) => (output += chunk.toString()));
  cleanUps.push(() => stop(child, exited));

  // Either it is ready, or it has ended and has said why.
  const ended = () => child.exitCode !== null || child.signalCode !== null;
  await expect
    .poll(() => output.includes("ready:") || ended(), { timeout: 60_000, interval: 100 })
    .toBe(true);
  expect(output).toContain("ready:");
  return { child, exited, output: () => output };
}

async function stop(child: ChildProcess, exited: Promise<unknown>): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) child.kill("SIGINT");
  await exited;
}

/** The processes that a process has started, and those that they have. */
async function descendants(pid: number): Promise<{ pid: number; command: string }[]> {
  const processes = (await readdir("/proc")).filter((name) => /^\d+$/u.test(name));
  const children: { pid: number; command: string }[] = [];
  for (const name of processes) {
    const stat = await readFile(`/proc/${name}/stat`, "utf8").catch(() => "");
    const [, command = "", parent] = /^\d+ \((.*)\) \S (\d+)/u.exec(stat) ?? [];
    if (Number(parent) === pid) children.push({ pid: Number(name), command });
  }
  const below = await Promise.all(children.map((child) => descendants(child.pid)));
  return [...children, ...below.flat()];
}

/** Whether a process runs; one that has ended and waits to be noticed does not. */
async function isAlive({ pid }: { pid: number }): Promise<boolean> {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
  return stat !== "" && !/\) Z /u.test(stat);
}

async function client(api: string, username: string) {
  const call = async (path: string, body?: unknown, token = "") => {
    const response = await fetch(`${api}${path}`, {
      method: body === undefined ? "GET" : "POST",
      headers: {
        authorization: `Bearer ${token}`,
        ...(body !== undefined && { "content-type": "application/json" }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    return response;
  };
  const { token } = (await (await call("/auth/local/signup", { username, password: "x" })).json()) as {
    token: string;
  };
  return (path: string, body?: unknown) => call(path, body, token);
}

const json = async (response: Promise<Response>): Promise<Record<string, string>> =>
  (await (await response).json()) as Record<string, string>;

it("keeps agents, memories and what was said of an answer when the server is killed in the middle of it", async () => {
  const folder = await mkdtemp(join(tmpdir(), "dev-server-"));
  cleanUps.push(() => rm(folder, { recursive: true }));
  const replies: ReplyStep[][] = [
    [{ text: "Half of " }, { wait: 500 }, { text: "it" }, { wait: 20_000 }],
    [{ text: "Back again." }],
  ];
  const model = await startModelServer({ respond: () => replies.shift() ?? [] });
  cleanUps.push(() => model.stop());
  const port = await freePort();
  const variables = {
    PORT: String(port),
    DATA_DIR: folder,
    DEV_VARS: join(folder, "vars"),
    DEMO_MODEL_URL: model.url,
  };
  const api = `http://127.0.0.1:${port}`;

  const first = await startServer(variables);
  expect(first.output().split("\n")[0]).toBe(`ready: http://localhost:${port}`);
  const ada = await client(api, "ada");
  // On one's own machine everybody is a superuser.
  expect(await json(ada("/usage"))).toMatchObject({ tier: "free", limits: { agents: null, messages: null } });
  const agent = await json(
    ada("/agents", {
      agent_name: "Ada",
      agent_architecture: "krishna-memgpt",
      agent_provider: "Demo",
      agent_persona: "Curious",
    }),
  );
  const conversation = await json(ada("/conversations", { title: "Talk", agent_id: agent["agent_id"] }));
  const talk = `/conversations/${conversation["conversation_id"]}`;
  const place = `/agents/${agent["agent_id"]}/${conversation["conversation_id"]}/send-message`;
  const answer = await ada(place, { content: "Tell me" });
  const reader = answer.body?.pipeThrough(new TextDecoderStream()).getReader();
  let seen = "";
  while (!seen.includes('"it"')) seen += (await reader?.read())?.value ?? "";
  await sleep(400);

  // Worker and database, at once and without a warning.
  const killed = await descendants(first.child.pid ?? 0);
  execFileSync("kill", ["-9", ...killed.map(({ pid }) => String(pid))]);
  await reader?.cancel().catch(() => undefined);
  await first.exited;

  // The same token, the same conversation, other processes.
  const second = await startServer(variables);
  const [run] = (await json(ada(`${talk}/runs`)))["items"] as unknown as { run_id: string }[];
  const events = await (await ada(`${talk}/runs/${run?.run_id}/events`)).text();
  expect(events.match(/"event_type":"ERROR"/gu)).toHaveLength(1);
  expect((await json(ada(`${talk}/messages`)))["items"]).toMatchObject([
    { role: "assistant", content: "Half of it", status: "interrupted" },
    { role: "user", content: "Tell me" },
  ]);
  expect(await (await ada(place, { content: "And now?" })).text()).toContain("Back again.");

  const running = await descendants(second.child.pid ?? 0);
  second.child.kill("SIGINT");
  expect(await second.exited).toEqual([0, null]);
  await expect.poll(async () => (await Promise.all(running.map(isAlive))).includes(true)).toBe(false);
}, 120_000);

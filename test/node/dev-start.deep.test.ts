import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { promisify } from "node:util";
import { expect, it } from "vitest";
import { freePort } from "../../scripts/free-port.ts";
import { greeting } from "../../scripts/greeting.ts";
import { descendants, isAlive, refusal, startServer, workplace } from "./dev-process.ts";

it("locks its data folder, and leaves no process behind when it is killed", async () => {
  const variables = { ...(await workplace()), SUPERUSER_EMAILS: "", LOG: "text" };
  const { DATA_DIR, PORT } = variables;
  const first = await startServer(variables);
  const pid = first.child.pid ?? 0;

  const said = first.output().split("\n");
  expect(said.filter((line) => !line.includes("still waiting")).slice(0, 4)).toEqual([
    `starting: data in ${DATA_DIR}`,
    "starting: the embedded database",
    `starting: the Worker on port ${PORT}`,
    `ready: http://localhost:${PORT}`,
  ]);
  expect(await refusal({ ...variables, PORT: String(await freePort()) })).toEqual({
    code: 1,
    output: expect.stringContaining(
      `DATA_DIR=${DATA_DIR} is in use by another instance (process ${pid}). End it, or choose another folder`,
    ),
  });

  // The first conversation of the documents works when pasted, and signs Ada up.
  const [, commands = ""] =
    /## A first conversation[^]*?```sh\n([^]*?)```/u.exec(await readFile("docs/api.md", "utf8")) ?? [];
  const pasted = commands.replace("http://localhost:8787", `http://localhost:${PORT}`);
  const talk = await promisify(execFile)("bash", ["-c", pasted]);
  expect(talk.stdout).toContain('"event_type":"STREAM_COMPLETE"');

  // A page of another origin has the chat of the demo agent in its corner.
  const [, site = ""] = /^a site with a chat in its corner: (\S+)$/mu.exec(first.output()) ?? [];
  const page = await (await fetch(site)).text();
  expect(page).toContain(`<script src="http://localhost:${PORT}/widget.js"`);
  const [, key = ""] = /data-key="([^"]+)"/u.exec(page) ?? [];
  const configAt = (origin: string) =>
    fetch(`http://localhost:${PORT}/widget/config`, { headers: { "x-api-key": key, origin } });
  expect((await configAt(site)).status).toBe(200);
  expect((await configAt("http://localhost:1")).status).toBe(403);
  expect((await fetch(`http://localhost:${PORT}/widget.js`)).status).toBe(200);

  // An empty list of superusers means nobody.
  const account = { method: "POST", headers: { "content-type": "application/json" } };
  const body = JSON.stringify({ username: "ada", password: "secret" });
  const signedIn = await fetch(`http://localhost:${PORT}/auth/local/login`, { ...account, body });
  const { token } = (await signedIn.json()) as { token: string };
  const usage = await fetch(`http://localhost:${PORT}/usage`, {
    headers: { authorization: `Bearer ${token}` },
  });
  expect(await usage.json()).toMatchObject({ limits: { agents: 1 } });
  await expect.poll(first.output).toMatch(/^\d\d:\d\d:\d\d GET \/usage 200 \d+ ms$/mu);

  const started = await descendants(pid);
  expect(started.length).toBeGreaterThan(2);
  process.kill(pid, "SIGKILL");
  await expect.poll(async () => (await Promise.all(started.map(isAlive))).includes(true)).toBe(false);

  const second = await startServer(variables);
  expect(second.output()).not.toContain("earlier instance");
});

it("greets in lines of at most 100 columns, with a command that works when pasted", () => {
  const others = { demoSite: "http://localhost:65533", signInPage: "http://localhost:65534" };
  const lines = greeting(65_535, others).split("\n");
  expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(100);
  expect(lines.at(-1)).toBe(
    `  curl http://localhost:65535/auth/local/signup --json '{"username":"ada","password":"secret"}'`,
  );
});

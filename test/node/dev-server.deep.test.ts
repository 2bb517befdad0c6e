import { execFileSync } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, it } from "vitest";
import { freePort } from "../../scripts/free-port.ts";
import { type ReplyStep, startModelServer } from "../../scripts/model-server.ts";
import { cleanUps, descendants, isAlive, startServer } from "./dev-process.ts";

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

it("keeps agents, memories and a partial answer if the server is killed in the middle of it", async () => {
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
  expect(first.output().split("\n")).toContain(`ready: http://localhost:${port}`);
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
  // Text is logged after a quarter of a second, which nothing outside shows.
  await sleep(1_000);

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
});

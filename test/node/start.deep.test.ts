import { mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { freePort } from "../../scripts/free-port.ts";
import type { Agent, AgentBuilder } from "../../client/src/index.ts";
import { createDemoAgent, signInToDemo } from "../../scripts/demo-account.ts";
import { buildService } from "../../scripts/self-host/build.ts";
import { descendants, isAlive, refusal, startService, workplace } from "./dev-process.ts";

const START = "scripts/start.ts";

/** Settings of production, with the embedded database and an issuer that is never asked. */
const PRODUCTION = {
  JWT_SECRET: "secret-of-the-tests-with-more-than-32-characters",
  ENCRYPTION_KEY: "c2VsZi1ob3N0LWtleS1vZi1leGFjdGx5LTMyLWJ5dGU=",
  PUBLIC_URL: "https://api.example.com",
  FRONTEND_URL: "https://app.example.com",
  GOOGLE_CLIENT_ID: "client",
  GOOGLE_CLIENT_SECRET: "client-secret",
  DYNAMODB_ENDPOINT: "embedded",
};

let built = "";
beforeAll(async () => {
  built = await mkdtemp(join(tmpdir(), "start-"));
  await buildService(built);
});
afterAll(() => rm(built, { recursive: true }));

/** Sends a message and returns the types of the events of its turn. */
async function talk(client: AgentBuilder, { agent_id }: Agent, conversationId: string, content: string) {
  const types: string[] = [];
  for await (const { event_type } of client.agents(agent_id).send(conversationId, content))
    types.push(event_type);
  return types;
}

it("runs a trial without any settings, remembers after it is killed, and ends streams before it stops", async () => {
  const variables = await workplace();
  const { DATA_DIR, PORT } = variables;
  const url = `http://localhost:${PORT}`;
  const first = await startService(variables);
  expect(first.output()).toContain("This is a TRIAL:");
  expect((await stat(join(DATA_DIR, "trial-secrets.env"))).mode & 0o777).toBe(0o600);

  // Static assets, Durable Objects and the demo model.
  expect(await (await fetch(`${url}/openapi.json`)).json()).toMatchObject({ openapi: "3.1.0" });
  const client = await signInToDemo(url);
  const agent = await createDemoAgent(client);
  const { agent_id } = agent;
  const { conversation_id } = await client.conversations.create({ title: "First", agent_id });
  expect(await talk(client, agent, conversation_id, "My name is Alice.")).toContain("STREAM_COMPLETE");
  const human = client.agents(agent_id).memory.block("human");
  const memory = await human.get();
  expect(memory.lines).toEqual(["Name: Alice"]);

  const started = await descendants(first.child.pid ?? 0);
  first.child.kill("SIGKILL");
  await first.exited;
  await expect.poll(async () => (await Promise.all(started.map(isAlive))).includes(true)).toBe(false);
  const second = await startService(variables, "--built", built);

  // The same token: the secret that signed it has been kept.
  expect(await human.get()).toEqual(memory);
  const types: string[] = [];
  for await (const { event_type } of client.agents(agent_id).send(conversation_id, "What is my name?")) {
    if (types.length === 0) second.child.kill("SIGTERM");
    types.push(event_type);
  }
  expect(types.at(-1)).toBe("STREAM_COMPLETE");
  expect(await second.exited).toEqual([0, null]);
});

it("refuses missing settings of production by name, before it starts anything", async () => {
  const variables = await workplace();
  const { code, output } = await refusal({ ...variables, GOOGLE_CLIENT_ID: "client" }, START);

  expect(code).toBe(1);
  expect(output).toContain(
    "missing or invalid: JWT_SECRET, ENCRYPTION_KEY, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, " +
      "GOOGLE_CLIENT_SECRET, PUBLIC_URL, FRONTEND_URL. The service runs in production because of GOOGLE_CLIENT_ID.",
  );
  await expect(stat(variables.DATA_DIR)).rejects.toThrow("ENOENT");
});

it("runs in production without local accounts, and refuses to share its port or its data folder", async () => {
  const variables = { ...(await workplace()), ...PRODUCTION, CLIENT_ADDRESS_HEADER: "x-forwarded-for" };
  const { PORT, DATA_DIR } = variables;
  const { child, output } = await startService(variables, "--built", built);
  const url = `http://localhost:${PORT}`;
  expect(output()).not.toContain("TRIAL");
  expect(await refusal({ ...(await workplace()), PORT }, START)).toEqual({
    code: 1,
    output: `Port ${PORT} is taken. Choose another one: PORT=${Number(PORT) + 1} npm start\n`,
  });
  expect(await refusal({ ...variables, PORT: String(await freePort()) }, START)).toEqual({
    code: 1,
    output: expect.stringContaining(
      `DATA_DIR=${DATA_DIR} is in use by another instance (process ${child.pid})`,
    ),
  });

  const account = { username: "ada", password: "secret" };
  const signUp = {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(account),
  };
  expect((await fetch(`${url}/auth/local/signup`, signUp)).status).toBe(403);

  // The service trusts what its proxy adds, and not what a client claims.
  const refresh = (address: string) =>
    fetch(`${url}/auth/refresh`, {
      method: "POST",
      headers: {
        "cf-connecting-ip": `192.0.2.${Math.random()}`,
        "x-forwarded-for": `203.0.113.9, ${address}`,
      },
    });
  const codes: number[] = [];
  while (codes.length < 130 && !codes.includes(429)) codes.push((await refresh("198.51.100.1")).status);
  expect(codes.at(-1)).toBe(429);
  expect((await refresh("198.51.100.2")).status).not.toBe(429);
});

import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, it, onTestFinished } from "vitest";
import { AgentBuilder, CannotUndo, type RunEvent } from "../../client/src/index.ts";
import { eventsOf, useClientService } from "./client-service.ts";
import { startCuttingProxy } from "./cutting-proxy.ts";

const PROJECT = join(import.meta.dirname, "../..");

const service = useClientService();

it("runs the demo, whose agent remembers across conversations", async () => {
  const env = { ...process.env, API_URL: service.url() };
  const { stdout } = await promisify(execFile)(process.execPath, ["scripts/demo.ts"], { cwd: PROJECT, env });
  expect(stdout).toContain("1: Name: Alice");
  expect(stdout).toContain("The agent remembers across conversations.");
});

it("streams an answer, and resumes it when the connection is lost", async () => {
  const { client, token, agentId, conversationId } = await service.begin();
  let isOpen = true;
  const proxy = await startCuttingProxy(service.url(), ({ path }) => {
    if (!isOpen || !path.endsWith("/send-message")) return undefined;
    isOpen = false;
    return { after: 4, half: true };
  });
  onTestFinished(proxy.stop);

  const unlucky = new AgentBuilder({ baseUrl: proxy.url, token });
  const answer = unlucky.agents(agentId).send(conversationId, "My name is Alice.");
  const events: RunEvent[] = [];
  for await (const event of answer) {
    events.push(event);
    proxy.received(event);
  }
  expect(proxy.cuts()).toBe(1);
  expect(events).toEqual(await eventsOf(client.conversations(conversationId).follow(answer.runId)));
  expect(await client.agents(agentId).send(conversationId, "What is my name?").text()).toBe(
    "Your name is Alice.",
  );
  expect(await client.conversations(conversationId).messages().all()).toHaveLength(4);
});

it("has an answer written again, and takes back what the first run remembered", async () => {
  const { client, agentId, conversationId } = await service.begin();
  const { memory } = client.agents(agentId);
  const first = client.agents(agentId).send(conversationId, "My name is Alice.");
  const said = await first.text();
  const [answer] = (await client.conversations(conversationId).messages().page()).items;
  const changes = await memory.changesOf(first.runId ?? "").all();

  const reverted = await memory.revertChanges(first.runId ?? "");
  const again = await client
    .conversations(conversationId)
    .regenerate(answer?.message_id ?? "")
    .text();

  expect(changes).toMatchObject([{ block_name: "human", version: 1 }]);
  expect(reverted).toEqual([{ block_name: "human", memory_id: null, outcome: "reverted" }]);
  expect(again).toBe(said);
  const messages = await client.conversations(conversationId).messages().all();
  expect(messages.map(({ role }) => role)).toEqual(["assistant", "user"]);
  expect(messages[0]?.message_id).not.toBe(answer?.message_id);
  await expect(client.conversations(conversationId).regenerate("unknown").text()).rejects.toMatchObject({
    code: "conflict",
  });
});

it("creates, changes and deletes agents and conversations", async () => {
  const { client, agentId, conversationId } = await service.begin();
  expect((await client.agents.form()).form_inputs.map(({ name }) => name)).toContain("agent_name");
  expect((await client.agents(agentId).form()).submit_path).toContain(agentId);
  expect(await client.agents(agentId).update({ agent_name: "Grace" })).toMatchObject({ agent_name: "Grace" });
  expect(await client.agents.list()).toMatchObject([{ agent_id: agentId, agent_name: "Grace" }]);

  await client.conversations(conversationId).update({ title: "Renamed" });
  expect(await client.conversations(conversationId).get()).toMatchObject({ title: "Renamed" });
  expect((await client.conversations(conversationId).context()).sections.length).toBeGreaterThan(0);
  for (const title of ["b", "c", "d"]) await client.conversations.create({ title, agent_id: agentId });
  const titles = (await client.conversations.list({ limit: 2 }).all()).map(({ title }) => title);
  expect(titles.toSorted()).toEqual(["Renamed", "b", "c", "d"]);

  await expect.poll(() => client.conversations(conversationId).delete()).toBe(true);
  await expect.poll(() => client.agents(agentId).delete()).toBe(true);
  await expect(client.agents(agentId).get()).rejects.toMatchObject({ code: "not-found", status: 404 });
});

it("names the members of a request that are wrong", async () => {
  const { client, agentId } = await service.begin();
  await expect(client.agents(agentId).update({ agent_name: "a".repeat(201) })).rejects.toMatchObject({
    code: "validation-failed",
    status: 422,
    errors: [{ path: expect.arrayContaining(["agent_name"]), message: expect.any(String) }],
    requestId: expect.any(String),
  });
});

it("edits a memory block, refuses a change of an older version, and undoes", async () => {
  const { client, agentId } = await service.begin();
  const { memory } = client.agents(agentId);
  await memory.create({ block_name: "jobs", description: "What the user does", word_limit: 100 });
  expect((await memory.list()).map(({ block_name }) => block_name)).toContain("jobs");

  const jobs = memory.block("jobs");
  const first = await jobs.replace(["Librarian"]);
  await jobs.replace(["Librarian", "Poet"], { ifMatch: first.etag });
  await expect(jobs.replace(["Thief"], { ifMatch: first.etag })).rejects.toMatchObject({
    code: "precondition-failed",
  });

  expect((await jobs.undo()).lines).toEqual(["Librarian"]);
  expect((await jobs.undo()).lines).toEqual(["Librarian", "Poet"]);
  const versions = await jobs.versions({ limit: 2 }).all();
  expect(versions.map(({ lines }) => lines.length)).toEqual([2, 1, 2, 1]);
  await jobs.restore(1);
  await jobs.deleteVersion(2);
  expect(await jobs.get()).toMatchObject({ lines: ["Librarian"], is_default: false });
  await jobs.delete();
  await expect(jobs.get()).rejects.toMatchObject({ code: "not-found" });
});

it("undoes the first change of a block by emptying it, and no change whose predecessor is gone", async () => {
  const { client, agentId } = await service.begin();
  const { memory } = client.agents(agentId);
  await memory.create({ block_name: "jobs", description: "What the user does" });
  const jobs = memory.block("jobs");
  await expect(jobs.undo()).rejects.toBeInstanceOf(CannotUndo);

  await jobs.replace(["Librarian"]);
  expect((await jobs.undo()).lines).toEqual([]);
  await jobs.replace(["Poet"]);
  await jobs.deleteVersion(2);
  await expect(jobs.undo()).rejects.toBeInstanceOf(CannotUndo);
  expect((await jobs.get()).lines).toEqual(["Poet"]);
});

it("stores, finds, changes and deletes archival memories", async () => {
  const { client, agentId } = await service.begin();
  const { archive } = client.agents(agentId);
  const memory = await archive.add({ content: "Alice works at the library." });
  await archive.addMany([{ content: "Bob sails." }, { content: "Carol climbs." }]);
  await expect
    .poll(async () => (await archive.search("library", { limit: 1 })).items.map(({ content }) => content))
    .toEqual(["Alice works at the library."]);
  expect(await archive.list({ limit: 1 }).all()).toHaveLength(3);
  expect(await archive.update(memory.memory_id, { content: "Alice left." })).toMatchObject({
    content: "Alice left.",
  });
  await archive.delete(memory.memory_id);
  await expect(archive.get(memory.memory_id)).rejects.toMatchObject({ code: "not-found" });
  expect(await archive.status()).toBeDefined();
});

it("uploads files to a knowledge base and finds their passages", async () => {
  const { client, agentId } = await service.begin();
  const { kb_id } = await client.knowledgeBases.create({ name: "Prices", description: "What things cost" });
  const base = client.knowledgeBases(kb_id);
  const { files } = await base.upload([
    { name: "prices.md", content: "# Prices\n\nA ticket for children costs four euros." },
    new File(["# Hours\n\nThe museum opens at nine."], "hours.md"),
  ]);
  expect(files).toMatchObject([
    { file_name: "prices.md", status: "stored" },
    { file_name: "hours.md", status: "stored" },
  ]);
  await client.agents(agentId).linkKnowledgeBase(kb_id);
  expect(await client.agents(agentId).knowledgeBases()).toMatchObject([{ kb_id }]);

  await expect
    .poll(async () => JSON.stringify(await client.agents(agentId).searchKnowledge("ticket for children")))
    .toContain("four euros");
  expect((await base.pages().all()).length).toBe(2);
  await client.agents(agentId).unlinkKnowledgeBase(kb_id);
});

it("creates API keys and end users' tokens, which reach what they may", async () => {
  const { client, agentId } = await service.begin();
  const { secret, key_id } = await client.apiKeys.create({ name: "Back end", scopes: ["end-users:write"] });
  const backEnd = new AgentBuilder({ baseUrl: service.url(), apiKey: secret });
  const { token } = await backEnd.agents(agentId).createClientToken({ end_user_id: "visitor-1" });

  const visitor = new AgentBuilder({ baseUrl: service.url(), token });
  const { conversation_id } = await visitor.conversations.create({ title: "Help", agent_id: agentId });
  await visitor.agents(agentId).send(conversation_id, "My name is Alice.").text();
  await expect(visitor.agents.list()).rejects.toMatchObject({ code: "forbidden" });

  const endUser = client.agents(agentId).endUser("visitor-1");
  expect(await client.agents(agentId).endUsers().all()).toMatchObject([{ end_user_id: "visitor-1" }]);
  expect((await endUser.memory.block("human").get()).lines).toEqual(["Name: Alice"]);
  expect(await endUser.messages(conversation_id).all()).toHaveLength(2);
  await expect.poll(() => endUser.delete()).toBe(true);

  await client.apiKeys.revoke(key_id);
  await expect(backEnd.agents(agentId).createClientToken({ end_user_id: "b" })).rejects.toMatchObject({
    code: "unauthenticated",
  });
});

it("shows usage and providers, exports the account, and deletes it", async () => {
  const { client, agentId, conversationId } = await service.begin();
  await client.agents(agentId).send(conversationId, "My name is Alice.").text();
  expect(await client.usage.current()).toHaveProperty("limits");
  expect(await client.usage.tokens()).toBeDefined();
  expect(await client.usage.history().all()).toBeDefined();
  const names = (await client.settings.providers()).map(({ provider_name }) => provider_name);
  expect(names).toContain("Anthropic");
  await client.settings.configure("Anthropic", { api_key: "sk-ant-not-a-key-000000000000" });
  expect(await client.settings.provider("Anthropic")).toMatchObject({ is_configured: true });
  await client.settings.remove("Anthropic");

  const lines = await Array.fromAsync(client.account.export());
  expect(lines.at(-1)).toMatchObject({ type: "end" });
  expect(JSON.stringify(lines)).toContain("My name is Alice.");

  await client.account.delete();
  expect(["processing", "completed"]).toContain((await client.account.deletion()).status);
});

it("gets another token from getToken when the service refuses one", async () => {
  const token = await service.signUp();
  const refusals: (string | undefined)[] = [];
  const client = new AgentBuilder({
    baseUrl: service.url(),
    getToken: ({ refused }) => {
      refusals.push(refused);
      return refused === undefined ? "expired" : token;
    },
  });
  expect(await client.agents.list()).toEqual([]);
  expect(refusals).toEqual([undefined, "expired"]);
});

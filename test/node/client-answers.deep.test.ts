import { expect, it, onTestFinished } from "vitest";
import { AgentBuilder, ApiError, RunFailed, type RunEvent } from "../../client/src/index.ts";
import { eventsOf, type Talk, useClientService } from "./client-service.ts";
import { type CutOf, type CuttingProxy, startCuttingProxy } from "./cutting-proxy.ts";

const service = useClientService();

/** Returns a client whose connections a proxy cuts. */
async function behindProxy(
  cutOf: CutOf,
  credentials: { readonly token: string } | { readonly apiKey: string },
) {
  const proxy = await startCuttingProxy(service.url(), cutOf);
  onTestFinished(proxy.stop);
  return { proxy, client: new AgentBuilder({ baseUrl: proxy.url, ...credentials }) };
}

/** Reads all events, and tells the proxy about each. */
async function eventsThrough(proxy: CuttingProxy, answer: AsyncIterable<RunEvent>): Promise<RunEvent[]> {
  const events: RunEvent[] = [];
  for await (const event of answer) {
    events.push(event);
    proxy.received(event);
  }
  return events;
}

/** All events of a run, read without a proxy. */
const wholeRun = ({ client, conversationId }: Talk, events: readonly RunEvent[]) =>
  eventsOf(client.conversations(conversationId).follow(events[0]?.run_id));

const saidBy = async ({ client, conversationId }: Talk, role: string): Promise<string[]> =>
  (await client.conversations(conversationId).messages().all())
    .filter((message) => message.role === role)
    .map(({ content }) => content);

const isStream = (path: string): boolean => /\/send-message$|\/events\?/u.test(path);

it("streams the events of an answer, and returns its text", async () => {
  const talk = await service.begin();
  const { client, agentId, conversationId } = talk;

  const answer = client.agents(agentId).send(conversationId, "My name is Alice.");
  const events = await eventsOf(answer);
  expect(events.map(({ event_type }) => event_type)).toEqual(
    expect.arrayContaining(["MESSAGE_SAVED", "USER_MESSAGE_SAVED", "TOOL_CALL_RESULT", "MEMORY_UPDATED"]),
  );
  expect(events.at(-1)).toMatchObject({
    event_type: "STREAM_COMPLETE",
    run_id: answer.runId,
    seq: answer.seq,
  });
  await expect(answer.text()).rejects.toThrow("An answer can be read only once");

  expect(await client.agents(agentId).send(conversationId, { content: "What is my name?" }).text()).toBe(
    "Your name is Alice.",
  );
  expect(await saidBy(talk, "user")).toHaveLength(2);
});

it("sends nothing before an answer is read", async () => {
  const talk = await service.begin();
  const answer = talk.client.agents(talk.agentId).send(talk.conversationId, "Hello");
  await expect(answer.cancel()).rejects.toThrow("Nothing has been sent yet");
  expect(await saidBy(talk, "user")).toEqual([]);
});

it("misses no event and repeats none, wherever the connection is cut", async () => {
  const talk = await service.begin();
  const { agentId, conversationId } = talk;
  const whole = await eventsOf(talk.client.agents(agentId).send(conversationId, "My name is Alice."));

  // The answer to a question is one word per event; the last cuts are behind its end.
  const sent: string[] = [];
  for (let after = 0; after <= whole.length; after += 1) {
    for (const half of [false, true]) {
      let isOpen = true;
      const { proxy, client } = await behindProxy(({ path }) => {
        if (!isOpen || !isStream(path)) return undefined;
        isOpen = false;
        return { after, half };
      }, talk);
      const question = `What is my name? (${sent.length})`;
      sent.push(question);

      const states: string[] = [];
      const onConnection = (state: string) => states.push(state);
      const answer = client.agents(agentId).send(conversationId, question, { onConnection });
      const events = await eventsThrough(proxy, answer);
      expect(events).toEqual(await wholeRun(talk, events));
      expect(states).toEqual(after < events.length ? ["lost", "resumed"] : []);
      expect(proxy.cuts()).toBe(after <= events.length ? 1 : 0);
      await proxy.stop();
    }
  }
  expect(await saidBy(talk, "user")).toEqual(expect.arrayContaining(sent));
  expect(await saidBy(talk, "user")).toHaveLength(sent.length + 1);
});

it("gets a whole answer although each connection is cut after three events", async () => {
  const talk = await service.begin();
  // Two of them may repeat what was received before.
  const { proxy, client } = await behindProxy(
    ({ path }) => (isStream(path) ? { after: 3, half: true } : undefined),
    talk,
  );
  const answer = client.agents(talk.agentId).send(talk.conversationId, "My name is Alice.");
  const events = await eventsThrough(proxy, answer);
  expect(events).toEqual(await wholeRun(talk, events));
  expect(proxy.cuts()).toBeGreaterThan(5);
  expect(await saidBy(talk, "user")).toEqual(["My name is Alice."]);
});

it("resumes for a key that may write but not read, by repeating its message", async () => {
  const talk = await service.begin();
  const { secret } = await talk.client.apiKeys.create({ name: "Writer", scopes: ["conversations:write"] });
  let streams = 0;
  const { proxy, client } = await behindProxy(
    ({ path }) => {
      if (!isStream(path)) return undefined;
      streams += 1;
      return streams === 1 ? { after: 4 } : undefined;
    },
    { apiKey: secret },
  );

  const answer = client.agents(talk.agentId).send(talk.conversationId, "My name is Alice.");
  const events = await eventsThrough(proxy, answer);
  expect(proxy.cuts()).toBe(1);
  expect(events).toEqual(await wholeRun(talk, events));
  expect(await saidBy(talk, "user")).toEqual(["My name is Alice."]);
});

it("gives up on a connection that is lost again and again", async () => {
  const talk = await service.begin();
  const { proxy, client } = await behindProxy(
    ({ method, path }) => (isStream(path) ? { after: method === "POST" ? 3 : 0 } : undefined),
    talk,
  );
  const seen: RunEvent[] = [];
  const read = async () => {
    const options = { reconnects: 2 };
    const answer = client.agents(talk.agentId).send(talk.conversationId, "My name is Alice.", options);
    for await (const event of answer) {
      seen.push(event);
      proxy.received(event);
    }
  };
  await expect(read()).rejects.toMatchObject({ name: "ConnectionError", reason: "network" });
  expect(proxy.cuts()).toBe(3);
  expect(seen).toHaveLength(3);
});

it("follows a run behind an event, as a page does that was loaded again", async () => {
  const talk = await service.begin({ agent_model: "held-follow" });
  const { client, agentId, conversationId } = talk;
  const conversation = client.conversations(conversationId);
  expect(await eventsOf(conversation.follow())).toEqual([]);

  const before: RunEvent[] = [];
  for await (const event of client.agents(agentId).send(conversationId, "Hello")) {
    before.push(event);
    if (event.event_type === "AGENT_RESPONSE_TO_USER") break;
  }
  const { run_id: runId = "", seq = 0 } = before.at(-1) ?? {};
  // Behind the event before the last one, so that the last one says that the run is being followed.
  const following = conversation.follow("active", { after: seq - 1 });
  const after: RunEvent[] = [];
  for await (const event of following) {
    after.push(event);
    if (event.seq === seq) service.release("held-follow");
  }
  expect(following.runId).toBe(runId);
  expect([...before.slice(0, -1), ...after]).toEqual(await eventsOf(conversation.follow(runId)));
  expect(after.at(-1)).toMatchObject({ event_type: "STREAM_COMPLETE" });
  expect(await saidBy(talk, "assistant")).toEqual(["One two."]);
});

it("cancels the run of an aborted answer, and keeps its text", async () => {
  const talk = await service.begin({ agent_model: "held-abort" });
  const { client, agentId, conversationId } = talk;
  const aborting = new AbortController();
  const answer = client.agents(agentId).send(conversationId, "Hello", { signal: aborting.signal });
  const read = async () => {
    for await (const event of answer)
      if (event.event_type === "AGENT_RESPONSE_TO_USER") aborting.abort(new Error("Enough."));
  };

  await expect(read()).rejects.toThrow("Enough.");
  const conversation = client.conversations(conversationId);
  await expect.poll(async () => (await conversation.run(answer.runId ?? "")).state).toBe("cancelled");
  await expect.poll(() => saidBy(talk, "assistant")).toEqual(["One "]);
});

it("cancels the run of an answer that was aborted before its first event", async () => {
  const talk = await service.begin({ agent_model: "held-early" });
  const { client, agentId, conversationId } = talk;
  const aborting = new AbortController();
  const answer = client.agents(agentId).send(conversationId, "Hello", { signal: aborting.signal });
  const text = answer.text();
  aborting.abort(new Error("Too slow."));
  await expect(text).rejects.toThrow("Too slow.");

  const [run] = (await client.conversations(conversationId).runs().page()).items;
  await expect
    .poll(async () => (await client.conversations(conversationId).run(run?.run_id ?? "")).state)
    .toBe("cancelled");
});

it("lets the run of an aborted answer go on if it is merely left", async () => {
  const talk = await service.begin({ agent_model: "held-leave" });
  const { client, agentId, conversationId } = talk;
  const aborting = new AbortController();
  const options = { signal: aborting.signal, onAbort: "leave" } as const;
  const read = async () => {
    for await (const event of client.agents(agentId).send(conversationId, "Hello", options))
      if (event.event_type === "AGENT_RESPONSE_TO_USER") aborting.abort(new Error("Bye."));
  };

  await expect(read()).rejects.toThrow("Bye.");
  service.release("held-leave");
  await expect.poll(() => saidBy(talk, "assistant")).toEqual(["One two."]);
});

it("ends the stream of a cancelled run by its last event", async () => {
  const { client, agentId, conversationId } = await service.begin({ agent_model: "held-cancel" });
  const answer = client.agents(agentId).send(conversationId, "Hello");
  const events: RunEvent[] = [];
  for await (const event of answer) {
    events.push(event);
    if (event.event_type === "AGENT_RESPONSE_TO_USER") await answer.cancel();
  }
  expect(events.at(-1)).toMatchObject({ event_type: "STREAM_COMPLETE", content: "Cancelled" });
});

it("reports a turn that fails by its last event, and throws it from text()", async () => {
  const talk = await service.begin({ agent_model: "failing", agent_architecture: "krishna-mini" });
  const { client, agentId, conversationId } = talk;
  const events = await eventsOf(client.agents(agentId).send(conversationId, "Hello"));
  expect(events.at(-1)).toMatchObject({ event_type: "ERROR", code: "provider-truncated" });

  const failed = await client
    .agents(agentId)
    .send(conversationId, "Hello again")
    .text()
    .catch((error: unknown) => error);
  expect(failed).toBeInstanceOf(RunFailed);
  expect(failed).toMatchObject({ code: "provider-truncated", text: "One ", runId: expect.any(String) });
});

it("throws the refusal of a message before anything is streamed", async () => {
  const talk = await service.begin({ agent_model: "held-busy" });
  const { client, agentId, conversationId } = talk;
  const busy = client.agents(agentId).send(conversationId, "Hello");
  for await (const event of busy) if (event.event_type === "AGENT_RESPONSE_TO_USER") break;

  const refused = await eventsOf(client.agents(agentId).send(conversationId, "And?")).catch(
    (error: unknown) => error,
  );
  expect(refused).toBeInstanceOf(ApiError);
  expect(refused).toMatchObject({ code: "conversation-busy", status: 409, problem: { run_id: busy.runId } });
  service.release("held-busy");
});

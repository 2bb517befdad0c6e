import { env } from "cloudflare:workers";
import { createExecutionContext, waitOnExecutionContext } from "cloudflare:test";
import { expect, it } from "vitest";
import { createApp } from "../../src/app.ts";
import { portsFrom } from "../../src/deps/ports.ts";
import { RunnerClient } from "../../src/runs/runner-client.ts";
import { AdmissionQueue, type AdmissionOptions } from "../../src/shared/admission-queue.ts";
import { beginConversation, type Client, signUp } from "../support/app.ts";
import { databaseRequests, scriptModel } from "../support/control.ts";
import { messagesUsed, storedMessages } from "../support/items.ts";

/** Runners that wait for a signal before they begin a run. */
class HeldRunners extends RunnerClient {
  readonly arrived: string[] = [];
  readonly #go = Promise.withResolvers<void>();

  release(): void {
    this.#go.resolve();
  }

  override async send(...[call, input]: Parameters<RunnerClient["send"]>) {
    this.arrived.push("content" in input ? input.content : "");
    await this.#go.promise;
    return super.send(call, input);
  }
}

/** An app that begins one run at a time, with room for this many that wait, unless `options` state otherwise. */
function busyApp(waiting: number, options: Partial<AdmissionOptions> = {}) {
  const queue = new AdmissionQueue({
    limit: 1,
    patienceMs: waiting * 100,
    leaseMs: 60_000,
    expectedMs: 100,
    now: () => 0,
    ...options,
  });
  const runners = new HeldRunners({ namespace: env.CONVERSATION_RUNNER, region: env.AWS_REGION });
  const app = createApp(async () => ({ ...(await portsFrom(env)), runnerClient: runners }), queue);
  const send = async (client: Client, path: string, content: string, headers: Record<string, string> = {}) =>
    app.request(
      path,
      {
        method: "POST",
        headers: { authorization: `Bearer ${client.token}`, "content-type": "application/json", ...headers },
        body: JSON.stringify({ content }),
      },
      { ...env, COSTLY_BURST: undefined },
      createExecutionContext(),
    );
  return { app, queue, runners, send };
}

it("refuses a message at once, and records nothing of it, if too many others wait to begin", async () => {
  const client = await signUp();
  const { queue, runners, send } = busyApp(2);
  const begin = () => beginConversation(client);
  const talks = await Promise.all([begin(), begin(), begin(), begin()]);
  const [first, second, third, fourth] = talks;
  const accepted = [send(client, first.path, "One")];
  await expect.poll(() => runners.arrived).toEqual(["One"]);
  accepted.push(send(client, second.path, "Two"), send(client, third.path, "Three"));
  await expect.poll(() => queue.length).toBe(2);
  const before = (await databaseRequests(client.email)).length;

  const refused = await send(client, fourth.path, "Four");

  expect([refused.status, refused.headers.get("retry-after")]).toEqual([503, "1"]);
  expect(await refused.json()).toMatchObject({ code: "unavailable" });
  // Neither the caller's account nor anything else was read.
  expect(await databaseRequests(client.email)).toHaveLength(before);
  expect(runners.arrived).toEqual(["One"]);

  runners.release();
  for (const response of await Promise.all(accepted)) {
    expect(response.status).toBe(200);
    expect(await response.text()).toContain("STREAM_COMPLETE");
  }
  expect(runners.arrived).toEqual(["One", "Two", "Three"]);
  expect(await storedMessages(fourth.conversationId)).toEqual([]);
  expect(await messagesUsed(client.email)).toBe(3);
});

it("admits other messages while an answer that is not streamed is being written", async () => {
  const client = await signUp();
  const { runners, send } = busyApp(0);
  runners.release();
  const slow = await scriptModel([{ text: "Wait. " }, { hold: true }]);
  const one = await beginConversation(client, { agent_model: slow.name });
  const two = await beginConversation(client);
  const runsOf = async () => (await client("GET", `/conversations/${one.conversationId}/runs`)).body.items;

  const whole = send(client, one.path, "Hello", { accept: "application/json" });
  await expect.poll(async () => (await runsOf()).length).toBe(1);
  // The table has the run a moment before its request leaves the queue.
  await expect.poll(async () => (await send(client, two.path, "Hello")).status).toBe(200);

  const [{ run_id: runId, state }] = await runsOf();
  expect(state).toBe("running");
  await client("POST", `/conversations/${one.conversationId}/runs/${runId}/cancel`);
  await whole;
});

it("serves all other routes while messages wait", async () => {
  const client = await signUp();
  const { app, runners, send } = busyApp(0);
  const { path } = await beginConversation(client);
  const first = send(client, path, "One");
  await expect.poll(() => runners.arrived).toEqual(["One"]);

  const headers = { authorization: `Bearer ${client.token}` };
  expect((await app.request("/agents", { headers }, env, createExecutionContext())).status).toBe(200);

  runners.release();
  await (await first).text();
});

/** A body of which only the beginning arrives. */
const slowBody = (): ReadableStream<Uint8Array> =>
  new ReadableStream({
    start(controller) {
      controller.enqueue(new TextEncoder().encode('{"content":"'));
    },
  });

it("reserves no place for unauthenticated requests, or for bodies that do not arrive", async () => {
  const client = await signUp();
  const { app, queue, runners } = busyApp(0);
  runners.release();
  const { path } = await beginConversation(client);
  const post = async (headers: Record<string, string>, body: BodyInit) =>
    app.request(
      path,
      { method: "POST", headers: { "content-type": "application/json", ...headers }, body },
      { ...env, COSTLY_BURST: undefined },
      createExecutionContext(),
    );
  const authorization = `Bearer ${client.token}`;
  const slow = [
    post({}, slowBody()),
    post({ authorization: "Bearer nonsense" }, slowBody()),
    post({ authorization }, slowBody()),
    post({ authorization, "content-length": "40" }, slowBody()),
  ];
  slow.forEach((response) => void response.catch(() => undefined));

  const strangers = await Promise.all(Array.from({ length: 40 }, () => post({}, "{}")));
  expect(strangers.map(({ status }) => status)).toEqual(Array.from({ length: 40 }, () => 401));
  const invalid = await post({ authorization }, "{}");
  expect(invalid.status).toBe(422);

  const answered = await post({ authorization }, JSON.stringify({ content: "Hello" }));
  expect(answered.status).toBe(200);
  expect(await answered.text()).toContain("STREAM_COMPLETE");
  expect(queue.length).toBe(0);
});

it("refuses the messages of an account that floods the service, and accepts those of others", async () => {
  const [flooder, other] = await Promise.all([signUp(), signUp()]);
  const { queue, runners, send } = busyApp(4);
  const talk = await beginConversation(other);
  const talks = await Promise.all(Array.from({ length: 8 }, () => beginConversation(flooder)));
  const flood = talks.map(({ path }, index) => send(flooder, path, `Flood ${index}`));
  await expect.poll(() => queue.length).toBe(4);

  const message = send(other, talk.path, "Hello");
  await expect.poll(() => queue.length).toBe(5);
  runners.release();

  expect((await message).status).toBe(200);
  const statuses = (await Promise.all(flood)).map(({ status }) => status);
  expect(statuses.filter((status) => status === 503)).toHaveLength(3);
  expect(statuses.filter((status) => status === 200)).toHaveLength(5);
  // The other account had its turn after one message of the flood.
  expect(runners.arrived.slice(0, 3)).toContain("Hello");
});

it("admits the messages of other accounts while those of one account hang", async () => {
  const [hanging, other] = await Promise.all([signUp(), signUp()]);
  const { runners, send } = busyApp(4, { limit: 2, lineLimit: 1 });
  const talk = await beginConversation(other);
  const talks = await Promise.all([beginConversation(hanging), beginConversation(hanging)]);
  const held = talks.map(({ path }) => send(hanging, path, "Hang"));
  await expect.poll(() => runners.arrived).toEqual(["Hang"]);

  const message = send(other, talk.path, "Hello");
  await expect.poll(() => runners.arrived).toEqual(["Hang", "Hello"]);

  runners.release();
  expect((await message).status).toBe(200);
  expect((await Promise.all(held)).map(({ status }) => status)).toEqual([200, 200]);
});

it("keeps a request alive until it has left the queue, although its client may disconnect", async () => {
  const client = await signUp();
  const { app, runners } = busyApp(0);
  const { path } = await beginConversation(client);
  const ctx = createExecutionContext();
  const request = {
    method: "POST",
    headers: { authorization: `Bearer ${client.token}`, "content-type": "application/json" },
    body: JSON.stringify({ content: "Hello" }),
  };
  const sent = app.request(path, request, { ...env, COSTLY_BURST: undefined }, ctx);
  await expect.poll(() => runners.arrived).toEqual(["Hello"]);
  let isKept = true;
  const ended = waitOnExecutionContext(ctx).then(() => (isKept = false));

  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(isKept).toBe(true);

  runners.release();
  await (await sent).text();
  await ended;
});

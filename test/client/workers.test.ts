import { expect, it } from "vitest";
import { AgentBuilder, ApiError, ConnectionError, type RunEvent } from "../../client/src/index.ts";
import { beginConversation, type Client, signUp } from "../support/app.ts";
import { scriptModel } from "../support/control.ts";
import { untilIdle } from "../support/runs.ts";

/** The published client in the runtime of Workers. What it asks is answered by the service, which runs here as well. */
const BASE_URL = "https://api.example.com";

/** The client of an account. `sent` has the requests; `cutAfter` ends the first stream after so many bytes. */
function builderOf(account: Client, cutAfter = Infinity) {
  const sent: string[] = [];
  let left = cutAfter;
  const fetch = async (url: string | URL | Request, init: RequestInit = {}): Promise<Response> => {
    const request = new Request(url, init);
    const { pathname, search } = new URL(request.url);
    sent.push(`${request.method} ${pathname}`);
    const body = request.body === null ? undefined : await request.text();
    const headers = Object.fromEntries(request.headers);
    const { signal } = request;
    const { response } = await account.raw(request.method, pathname + search, body, { headers, signal });
    const isStream = response.headers.get("content-type")?.startsWith("text/event-stream") ?? false;
    if (!isStream || left === Infinity) return response;
    const cut = cutOff(left);
    left = Infinity;
    return new Response(response.body?.pipeThrough(cut), response);
  };
  return { client: new AgentBuilder({ baseUrl: BASE_URL, token: account.token, fetch }), sent };
}

/** Lets so many bytes through and then breaks, as a lost connection does. */
const cutOff = (bytes: number) => {
  let left = bytes;
  return new TransformStream<Uint8Array, Uint8Array>({
    transform(chunk, controller) {
      controller.enqueue(chunk.subarray(0, left));
      left -= chunk.byteLength;
      if (left <= 0) controller.error(new Error("The connection was lost."));
    },
  });
};

it("creates an agent, streams an answer and reads what was stored", async () => {
  const account = await signUp();
  const model = await scriptModel([{ text: "Hello, " }, { text: "Alice." }]);
  const { client } = builderOf(account);

  const { agent_id } = await client.agents.create({
    agent_name: "Ada",
    agent_architecture: "krishna-memgpt",
    agent_provider: "Demo",
    agent_model: model.name,
    agent_persona: "You are Ada.",
  });
  const { conversation_id } = await client.conversations.create({ title: "First", agent_id });
  const text = await client.agents(agent_id).send(conversation_id, "I am Alice.").text();

  expect(text).toBe("Hello, Alice.");
  expect(await client.conversations(conversation_id).messages().all()).toHaveLength(2);
});

it("resumes an answer after a lost connection: the same run, no event twice", async () => {
  const account = await signUp();
  const model = await scriptModel([{ text: "Once upon " }, { text: "a time" }]);
  const { agentId, conversationId, path } = await beginConversation(account, { agent_model: model.name });
  const { client, sent } = builderOf(account, 600);

  const answer = client.agents(agentId).send(conversationId, "Tell me a story");
  const events: RunEvent[] = await Array.fromAsync(answer);
  await untilIdle(account, path);

  const runId = answer.runId ?? "";
  expect(sent.at(-1)).toBe(`GET /conversations/${conversationId}/runs/${runId}/events`);
  expect(events).toEqual(await Array.fromAsync(client.conversations(conversationId).follow(runId)));
  expect((await model.log()).requests).toHaveLength(1);
});

it("ends a held answer when its signal is aborted, and cancels the run", async () => {
  const account = await signUp();
  const model = await scriptModel([{ text: "Once " }, { hold: true }, { text: "more." }]);
  const { agentId, conversationId } = await beginConversation(account, { agent_model: model.name });
  const { client } = builderOf(account);

  const answer = client.agents(agentId).send(conversationId, "Tell me a story");
  for await (const event of answer) if (event.event_type === "AGENT_RESPONSE_TO_USER") await answer.cancel();

  await expect
    .poll(async () => (await account("GET", `/conversations/${conversationId}/runs`)).body.items)
    .toMatchObject([{ state: "cancelled" }]);
});

it("throws the problem of the service, and says when there is no answer", async () => {
  const account = await signUp();
  const { client } = builderOf(account);

  const refused = await client
    .conversations("nobodys")
    .get()
    .catch((error: unknown) => error);
  expect(refused).toBeInstanceOf(ApiError);
  expect(refused).toMatchObject({ code: "not-found", status: 404 });

  const lost = new AgentBuilder({
    baseUrl: BASE_URL,
    token: account.token,
    retries: 0,
    fetch: () => Promise.reject(new TypeError("Network connection lost.")),
  });
  await expect(lost.agents.list()).rejects.toBeInstanceOf(ConnectionError);
});

// A conversation by `fetch`: streams an answer, resumes it if the connection is lost, and shows what the agent has remembered.
// Needs Node.js 20 or later and no packages.
//
// API_URL    the address of the service; http://localhost:8787 if unset
// API_TOKEN  an API key with the scopes agents, conversations and memory (:read and :write); without it, an account of
//            local development is used
import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";

const API = process.env.API_URL ?? "http://localhost:8787";
const ATTEMPTS = 5;

/** What the service refuses for good: sending it again would not help. */
class Refused extends Error {}

const token = process.env.API_TOKEN ?? (await localToken());
const agent = await post("/agents", {
  agent_name: "Node.js example",
  agent_architecture: "krishna-memgpt",
  agent_provider: process.env.PROVIDER ?? "Demo",
  agent_model: process.env.MODEL ?? "demo",
  agent_persona: "A friendly assistant.",
});

await ask("My name is Alice and I live in Lisbon.");
await ask("Where do I live?");
const block = await (await request("GET", `/agents/${agent.agent_id}/memory-blocks/human/content`)).json();
console.log("memory", block.lines);

/** Sends a message in a new conversation, and prints the turn as it comes. */
async function ask(content) {
  const conversation = await post("/conversations", {
    title: content.slice(0, 40),
    agent_id: agent.agent_id,
  });
  console.log(`you    ${content}`);
  process.stdout.write("agent  ");
  for await (const event of turn(conversation.conversation_id, content)) {
    if (event.event_type === "TOOL_CALL_START")
      process.stdout.write(`[${event.tool_name} ${JSON.stringify(event.tool_args)}] `);
    if (event.event_type === "AGENT_RESPONSE_TO_USER") process.stdout.write(event.content);
    if (event.event_type === "ERROR") throw new Error(`${event.code}: ${event.content}`);
  }
  process.stdout.write("\n");
}

/**
 * Yields the events of a turn, each once. A run goes on without its client, so a lost connection is no loss: the same
 * idempotency key finds the run again if its id is not known yet, and `after` continues behind the last event that came.
 */
async function* turn(conversationId, content) {
  const key = randomUUID();
  let runId;
  let last = 0;
  for (let attempt = 1; ; attempt++) {
    try {
      const response =
        runId === undefined
          ? await request(
              "POST",
              `/agents/${agent.agent_id}/${conversationId}/send-message`,
              { content },
              { "idempotency-key": key, accept: "text/event-stream" },
            )
          : await request("GET", `/conversations/${conversationId}/runs/${runId}/events?after=${last}`);
      // 204: the run is over, and nothing is left to send.
      if (response.status === 204) return;
      for await (const event of eventsOf(response.body)) {
        runId = event.run_id;
        last = event.seq;
        yield event;
        if (event.event_type === "STREAM_COMPLETE" || event.event_type === "ERROR") return;
      }
    } catch (error) {
      if (error instanceof Refused || attempt === ATTEMPTS) throw error;
    }
    if (attempt === ATTEMPTS) throw new Error("The stream was lost too often.");
    await sleep(500 * attempt);
  }
}

/** Cuts a stream of server-sent events into their data. Lines that begin with a colon are comments. */
async function* eventsOf(body) {
  let rest = "";
  for await (const piece of body.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + piece).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) if (line.startsWith("data: ")) yield JSON.parse(line.slice(6));
  }
}

/** Sends a request. Throws `Refused` with the service's own sentence if the answer is a problem. */
async function request(method, path, body, headers = {}) {
  const response = await fetch(`${API}${path}`, {
    method,
    headers: {
      authorization: `Bearer ${token}`,
      ...(body !== undefined && { "content-type": "application/json" }),
      ...headers,
    },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  if (response.ok) return response;

  const problem = await response.json().catch(() => ({}));
  const message = `${method} ${path}: ${response.status} ${problem.code ?? ""} ${problem.detail ?? ""}`;
  throw response.status === 503 ? new Error(message) : new Refused(message);
}

async function post(path, body) {
  return (await request("POST", path, body, { accept: "application/json" })).json();
}

/** Signs up with a local account, or logs in if it exists. */
async function localToken() {
  for (const step of ["signup", "login"]) {
    const response = await fetch(`${API}/auth/local/${step}`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ username: "node-example", password: "secret" }),
    });
    if (response.ok) return (await response.json()).token;
  }
  throw new Error(`Nobody can sign in at ${API} without a token. Set API_TOKEN to an API key.`);
}

import { expect, it } from "vitest";
import { ada, anonymous, signUp } from "../support/app.ts";

const CHUNK = new TextEncoder().encode(" ".repeat(16 * 1024));

/** A body without a stated length, which counts how much of it was read. */
function endless() {
  const counter = { read: 0 };
  const stream = new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        counter.read += CHUNK.byteLength;
        controller.enqueue(CHUNK);
      },
    },
    { highWaterMark: 0 },
  );
  return { counter, stream };
}

const headers = { "content-type": "application/json" };

it("reads nothing of a body without a stated length before the caller is known", async () => {
  const { counter, stream } = endless();

  const sent = await anonymous.raw("POST", "/agents", undefined, { headers, body: stream });

  expect(sent.response.status).toBe(401);
  // What streams read ahead.
  expect(counter.read).toBeLessThanOrEqual(2 * CHUNK.byteLength);
  await sent.response.text();
  await stream.cancel().catch(() => undefined);
  await sent.ended();
});

it("reads no more of a body without a stated length than the route allows", async () => {
  const client = await signUp();
  const { counter, stream } = endless();

  const sent = await client.raw("POST", "/agents", undefined, { headers, body: stream });

  expect(sent.response.status).toBe(413);
  expect(await sent.response.json()).toMatchObject({ detail: "The body must not exceed 64 KB." });
  expect(counter.read).toBeLessThanOrEqual(64 * 1024 + 3 * CHUNK.byteLength);
  await sent.ended();
});

it("passes on a body without a stated length that is within the limit", async () => {
  const client = await signUp();
  const text = JSON.stringify({ name: "Handbook" });
  const body = new Response(text).body ?? expect.fail();

  const sent = await client.raw("POST", "/knowledge-bases", undefined, { headers, body });

  expect(sent.response.status).toBe(201);
  expect(await sent.response.json()).toMatchObject({ name: "Handbook" });
  await sent.ended();
});

it("counts a body whose stated length is not a number", async () => {
  const client = await signUp();
  const { counter, stream } = endless();

  const sent = await client.raw("POST", "/agents", undefined, {
    headers: { ...headers, "content-length": "many" },
    body: stream,
  });

  expect(sent.response.status).toBe(413);
  expect(counter.read).toBeLessThanOrEqual(64 * 1024 + 3 * CHUNK.byteLength);
  await sent.response.text();
  await sent.ended();
});

it.each<[string, (many: readonly number[], agentId: string) => [path: string, body: object]]>([
  ["chat completions", (messages, model) => ["/v1/chat/completions", { model, messages }]],
  [
    "parts of chat completions",
    (content, model) => ["/v1/chat/completions", { model, messages: [{ role: "user", content }] }],
  ],
  ["responses", (input, model) => ["/v1/responses", { model, input }]],
  [
    "the AI SDK",
    (parts, agentId) => [
      `/agents/${agentId}/chat`,
      { id: "chat", messages: [{ id: "m", role: "user", parts }] },
    ],
  ],
  [
    "lines of a memory block",
    (lines, agentId) => [`/agents/${agentId}/memory-blocks/persona/content`, { lines }],
  ],
])("refuses a body with hundreds of thousands of wrong values: %s", async (_name, requestOf) => {
  const client = await signUp();
  const agent = await client("POST", "/agents", ada);
  const [path, body] = requestOf(
    Array.from({ length: 300_000 }, () => 0),
    agent.body.agent_id,
  );

  const answer = await client(path.endsWith("content") ? "PUT" : "POST", path, body);

  expect(answer.status).toBe(422);
  expect(JSON.stringify(answer.body)).toContain("The body must have at most 50,000 values.");
});

import { describe, expect, it } from "vitest";
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

describe("a body with very many values", () => {
  it.each<[string, (wrong: readonly number[], agentId: string) => [path: string, body: object]]>([
    ["chat completions", (messages, model) => ["/v1/chat/completions", { model, messages }]],
    ["responses", (input, model) => ["/v1/responses", { model, input }]],
    ["lines of a memory block", (lines, id) => [`/agents/${id}/memory-blocks/persona/content`, { lines }]],
  ])("is refused, and so is one with nearly as many: %s", async (_name, requestOf) => {
    const client = await signUp();
    const agent = await client("POST", "/agents", ada);
    const send = (count: number) => {
      const [path, body] = requestOf(
        Array.from({ length: count }, () => 0),
        agent.body.agent_id,
      );
      return client(path.endsWith("content") ? "PUT" : "POST", path, body);
    };

    const [over, under] = await Promise.all([send(300_000), send(99_990)]);

    expect([over.status, under.status]).toEqual([422, 422]);
    const sentence = "It must have at most 100,000 values.";
    expect(JSON.stringify(over.body)).toContain(sentence);
    expect(JSON.stringify(under.body)).not.toContain(sentence);
  });
});

import { abortAllDurableObjects } from "cloudflare:test";
import { describe, expect, it } from "vitest";
import { type Client, signUp } from "../support/app.ts";
import { programOf } from "../support/callers.ts";
import { storedMessages } from "../support/items.ts";
import { untilLogged } from "../support/runs.ts";
import { reading } from "../support/wires.ts";
import { agentWith, errorOf, openAiOf, user } from "./openai-client.ts";

describe("the run of a chat completion", () => {
  const stream = (agentId: string, more: object = {}) => ({
    model: agentId,
    messages: [user("Count")],
    stream: true,
    ...more,
  });
  const begin = async (client: Client, agentId: string) => {
    const { response } = await client.raw("POST", "/v1/chat/completions", stream(agentId));
    const turn = reading(response);
    await turn.until("One");
    const conversationId = response.headers.get("x-conversation-id") ?? "";
    return {
      turn,
      conversationId,
      run: `/conversations/${conversationId}/runs/${response.headers.get("x-run-id")}`,
    };
  };

  it("goes on when its client leaves, and can be followed by the ids in the headers", async () => {
    const client = await signUp();
    const { model, agentId } = await agentWith(client, [{ text: "One " }, { hold: true }, { text: "two." }]);
    const { turn, run, conversationId } = await begin(client, agentId);
    await turn.leave();
    await model.release();

    const events = await client("GET", `${run}/events`);

    expect(events.body).toContain("STREAM_COMPLETE");
    expect((await storedMessages(conversationId))[1]).toMatchObject({
      content: "One two.",
      status: "complete",
    });
  });

  it("is cancelled, and its stream ends", async () => {
    const client = await signUp();
    const { agentId } = await agentWith(client, [{ text: "One " }, { hold: true }]);
    const { turn, run } = await begin(client, agentId);

    expect((await client("POST", `${run}/cancel`)).body.state).toBe("cancelled");

    const frames = await turn.rest();
    expect(frames).toContain('"finish_reason":"stop"');
    expect(frames.endsWith("data: [DONE]\n\n")).toBe(true);
  });

  it("ends its stream with an error that OpenAI's client throws", async () => {
    const client = await signUp();
    const { model, agentId, openai } = await agentWith(client, [
      { text: "One" },
      { hold: true },
      { cut: true },
    ]);

    const chunks: string[] = [];
    const error = await errorOf(
      (async () => {
        const answer = await openai.chat.completions.create({
          model: agentId,
          messages: [user("Count")],
          stream: true,
        });
        for await (const { choices } of answer) {
          chunks.push(choices[0]?.delta.content ?? "");
          if (chunks.at(-1) === "One") await model.release();
        }
      })(),
    );

    expect(chunks.join("")).toBe("One");
    expect(error.code).toMatch(/^provider-/u);
    expect(error.message).not.toBe("");
  });

  it("is told to a repeated request after its runner has died", async () => {
    const client = await signUp();
    const { agentId } = await agentWith(client, [{ text: "One " }, { hold: true }]);
    const headers = { "Idempotency-Key": "k1" };
    const { response } = await client.raw("POST", "/v1/chat/completions", stream(agentId), { headers });
    const turn = reading(response);
    await turn.until("One");
    await untilLogged(client, `/agents/-/${response.headers.get("x-conversation-id")}`, "One ");

    await abortAllDurableObjects();
    await turn.rest();
    const again = await client("POST", "/v1/chat/completions", stream(agentId), headers);

    expect(again.status).toBe(200);
    expect(again.body).toContain('"code":"unavailable"');
    expect(again.body).not.toContain("[DONE]");
  });
});

describe("the list of models", () => {
  it("has the agents that the caller may use", async () => {
    const client = await signUp();
    const first = await agentWith(client, [{ text: "Hello." }]);
    const second = await agentWith(client, [{ text: "Hello." }]);
    const confined = openAiOf(await programOf(client, ["agents:read"], { agent_ids: [first.agentId] }));

    const all = await Array.fromAsync(first.openai.models.list());
    const some = await Array.fromAsync(confined.models.list());

    expect(all.map(({ id }) => id).toSorted()).toEqual([first.agentId, second.agentId].toSorted());
    expect(all[0]).toEqual({
      id: expect.any(String),
      object: "model",
      created: expect.any(Number),
      owned_by: "account",
      name: expect.any(String),
    });
    expect(some.map(({ id }) => id)).toEqual([first.agentId]);
    expect((await first.openai.models.retrieve(first.name)).id).toBe(first.agentId);
    expect((await errorOf(confined.models.retrieve(second.agentId))).status).toBe(404);
  });
});

import { abortAllDurableObjects } from "cloudflare:test";
import type OpenAI from "openai";
import { describe, expect, it } from "vitest";
import { type Client, signUp } from "../support/app.ts";
import { storedMessages } from "../support/items.ts";
import { untilLogged } from "../support/runs.ts";
import { reading } from "../support/wires.ts";
import { agentWith, errorOf } from "./openai-client.ts";

type Event = OpenAI.Responses.ResponseStreamEvent;

/** Begins a streamed response, and reads until the first word. */
async function begin(client: Client, agentId: string, headers: Record<string, string> = {}) {
  const body = { model: agentId, input: "Count", stream: true };
  const { response } = await client.raw("POST", "/v1/responses", body, { headers });
  const turn = reading(response);
  const seen = await turn.until('"delta":"One');
  const id = /"id":"(resp_[\w-]+)"/u.exec(seen)?.[1] ?? "";
  const conversationId = response.headers.get("x-conversation-id") ?? "";
  return {
    turn,
    id,
    conversationId,
    run: `/conversations/${conversationId}/runs/${response.headers.get("x-run-id")}`,
  };
}

/** The events of a stream, as far as it comes, and the error that it ends with. `onText` is called after each piece of text. */
async function watch(stream: PromiseLike<AsyncIterable<Event>>, onText?: () => Promise<void>) {
  const events: Event[] = [];
  const error = await errorOf(
    (async () => {
      for await (const event of await stream) {
        events.push(event);
        if (event.type === "response.output_text.delta") await onText?.();
      }
    })(),
  ).catch(() => undefined);
  return { events, error };
}

/** The client's only conversation, once there is one. */
async function onlyConversation(client: Client): Promise<string> {
  const all = async () => (await client("GET", "/conversations")).body.items;
  await expect.poll(all).toHaveLength(1);
  return (await all())[0].conversation_id;
}

const typesOf = (events: readonly Event[]) => events.map(({ type }) => type);

describe("the run of a response", () => {
  it("goes on when its client leaves, and can be followed from where the client has stopped", async () => {
    const client = await signUp();
    const { model, agentId, openai } = await agentWith(client, [
      { text: "One " },
      { hold: true },
      { text: "two." },
    ]);
    const { turn, id, conversationId } = await begin(client, agentId);
    await turn.leave();
    expect(await openai.responses.retrieve(id)).toMatchObject({
      status: "in_progress",
      output: [],
      usage: null,
    });
    const following = watch(openai.responses.retrieve(id, { stream: true, starting_after: 4 }));
    await model.release();

    const { events, error } = await following;

    expect(error).toBeUndefined();
    expect(events.map(({ sequence_number: number }) => number)).toEqual([5, 6, 7, 8, 9]);
    expect(events[0]).toMatchObject({ type: "response.output_text.delta", delta: "two." });
    expect(events.at(-1)).toMatchObject({ type: "response.completed", response: { status: "completed" } });
    expect((await storedMessages(conversationId))[1]).toMatchObject({
      content: "One two.",
      status: "complete",
    });
  });

  it("goes on in the background, and is retrieved when it has ended", async () => {
    const client = await signUp();
    const { model, agentId, openai } = await agentWith(client, [
      { text: "One " },
      { hold: true },
      { text: "two." },
    ]);
    const headers = { "Idempotency-Key": "k1" };
    const create = () =>
      openai.responses.create({ model: agentId, input: "Count", background: true }, { headers });

    const begun = await create();
    expect(begun).toMatchObject({ status: "in_progress", background: true, output: [] });
    await model.release();
    const { events } = await watch(openai.responses.retrieve(begun.id, { stream: true }));
    const ended = await openai.responses.retrieve(begun.id);

    expect(typesOf(events).at(-1)).toBe("response.completed");
    expect(ended).toMatchObject({ id: begun.id, status: "completed", output_text: "One two." });
    expect(await create()).toEqual(ended);
  });

  it("is cancelled, and its stream ends", async () => {
    const client = await signUp();
    const { agentId, openai } = await agentWith(client, [{ text: "One " }, { hold: true }]);
    const { turn, id, run } = await begin(client, agentId);

    const cancelled = await openai.responses.cancel(id);

    const output = [{ status: "incomplete", content: [{ text: "One " }] }];
    expect(cancelled).toMatchObject({ id, status: "cancelled", error: null, output });
    expect((await client("GET", run)).body.state).toBe("cancelled");
    const frames = await turn.rest();
    expect(frames).toContain("event: response.incomplete\n");
    expect(frames).toContain('"status":"cancelled"');
    expect(await openai.responses.cancel(id)).toEqual(cancelled);
  });

  it("is refused with the error of the provider if it is not streamed, and says later why it has failed", async () => {
    const client = await signUp();
    const { model, agentId, openai } = await agentWith(client, [
      { text: "One" },
      { hold: true },
      { cut: true },
    ]);

    const failing = errorOf(openai.responses.create({ model: agentId, input: "Count", conversation: "c" }));
    const conversationId = await onlyConversation(client);
    await untilLogged(client, `/agents/-/${conversationId}`, "One");
    await model.release();
    const error = await failing;
    const runs = await client("GET", `/conversations/${conversationId}/runs`);

    expect([error.status, error.code]).toEqual([502, expect.stringMatching(/^provider-/u)]);
    expect(runs.body.items[0].error_code).toBe(error.code);
  });

  it("ends its stream with the failed response, and an error that OpenAI's client throws", async () => {
    const client = await signUp();
    const { model, agentId, openai } = await agentWith(client, [
      { text: "One" },
      { hold: true },
      { cut: true },
    ]);

    const { events, error } = await watch(
      openai.responses.create({ model: agentId, input: "Count", stream: true }),
      () => model.release(),
    );

    const last = events.at(-1);
    if (last?.type !== "response.failed") throw new Error(`The stream ended with ${last?.type}.`);
    expect(error?.code).toMatch(/^provider-/u);
    expect(last.response).toMatchObject({
      status: "failed",
      error: { code: "server_error", type: error?.code, message: error?.message },
      output: [{ status: "incomplete", content: [{ text: "One" }] }],
    });
    expect(await openai.responses.retrieve(last.response.id)).toMatchObject({
      ...last.response,
      output_text: "One",
    });
  });

  it("ends as failed after its runner has died, and its numbers continue", async () => {
    const client = await signUp();
    const { agentId, openai } = await agentWith(client, [{ text: "One " }, { hold: true }]);
    const headers = { "Idempotency-Key": "k1" };
    const { turn, id, conversationId } = await begin(client, agentId, headers);

    await untilLogged(client, `/agents/-/${conversationId}`, "One ");
    await abortAllDurableObjects();
    await turn.rest();
    const { events } = await watch(openai.responses.retrieve(id, { stream: true, starting_after: 4 }));
    const stored = await openai.responses.retrieve(id);
    const repeated = await errorOf(openai.responses.create({ model: agentId, input: "Count" }, { headers }));

    expect(typesOf(events)).toEqual([
      "response.output_text.done",
      "response.content_part.done",
      "response.output_item.done",
      "response.failed",
    ]);
    expect(Math.min(...events.map(({ sequence_number: number }) => number))).toBeGreaterThan(4);
    expect(stored).toMatchObject({
      status: "failed",
      output_text: "One ",
      error: { code: "server_error", type: "unavailable" },
    });
    expect([repeated.status, repeated.code]).toEqual([503, "unavailable"]);
  });

  it("may be tried again from the response before it, if it has failed or was cancelled", async () => {
    const client = await signUp();
    const refusal = {
      status: 401,
      body: { error: { message: "No", type: "error", code: "invalid_api_key" } },
    };
    const { model, agentId, openai } = await agentWith(
      client,
      [{ text: "Hello." }],
      [refusal],
      [{ text: "One" }, { hold: "cut" }, { cut: true }],
      [{ text: "One" }, { hold: true }],
      [{ text: "One two." }],
      [{ text: "No." }],
    );
    const { id } = await openai.responses.create({ model: agentId, input: "Hi" });
    const next = { model: agentId, input: "Count", previous_response_id: id };

    expect((await errorOf(openai.responses.create(next))).code).toBe("provider-auth");
    const failing = errorOf(openai.responses.create(next));
    await untilLogged(client, `/agents/-/${await onlyConversation(client)}`, "One");
    await model.release("cut");
    expect((await failing).code).toBe("provider-unavailable");
    const { id: cancelled } = await openai.responses.create({ ...next, background: true });
    await openai.responses.cancel(cancelled);
    expect((await openai.responses.create(next)).output_text).toBe("One two.");
    expect((await errorOf(openai.responses.create(next))).code).toBe("conflict");

    expect((await model.log()).requests).toHaveLength(5);
  });

  it("keeps a second response out of its conversation, and says that it may be tried again", async () => {
    const client = await signUp();
    const { model, agentId } = await agentWith(client, [{ text: "One" }, { hold: true }]);
    const { turn, id } = await begin(client, agentId);

    const busy = await client("POST", "/v1/responses", {
      model: agentId,
      input: "Hello",
      previous_response_id: id,
    });

    expect([busy.status, busy.body.error.code]).toEqual([409, "conversation-busy"]);
    expect([busy.headers.get("retry-after"), busy.headers.get("x-should-retry")]).toEqual(["2", "true"]);
    await model.release();
    await turn.rest();
  });
});

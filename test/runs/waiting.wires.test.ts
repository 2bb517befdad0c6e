import { expect, it } from "vitest";
import { openAiOf } from "../openai-api/openai-client.ts";
import { type Client, signUp } from "../support/app.ts";
import { storedMessages } from "../support/items.ts";
import { eventsAfter } from "../support/runs.ts";
import { parseEvents, say, textOf, typesOf } from "../support/sse.ts";
import { append, approve, askingAgent, pendingCalls } from "../support/waiting.ts";
import { beginVisit, createKey, visitorOf } from "../support/widget.ts";

/** What runs that wait are for other ways to begin a run. */

it("leaves a response in progress, which goes on after the decision with its instructions", async () => {
  const script = [[{ text: "One moment. " }, append("c1", "Likes: tea")], [{ text: "Noted." }]];
  const { client, agentId, model } = await askingAgent(script);
  const openai = openAiOf(client);
  const { data: stream, response } = await openai.responses
    .create({ model: agentId, input: "I like tea", instructions: "Be brief.", stream: true })
    .withResponse();
  const before = await Array.fromAsync(stream);
  const created = before[0];
  if (created?.type !== "response.created") throw new Error("The response was not created.");
  const { id } = created.response;

  expect(before.at(-1)).toMatchObject({ type: "response.output_text.delta", delta: "One moment. " });
  expect((await openai.responses.retrieve(id)).status).toBe("in_progress");

  const [conversationId, runId] = ["x-conversation-id", "x-run-id"].map((name) => response.headers.get(name));
  const [callId = ""] = await pendingCalls(client, conversationId ?? "", runId ?? "");
  await approve(client, conversationId ?? "", runId ?? "", callId);
  const last = before.at(-1)?.sequence_number ?? 0;
  const after = await Array.fromAsync(
    await openai.responses.retrieve(id, { stream: true, starting_after: last }),
  );
  const whole = await Array.fromAsync(await openai.responses.retrieve(id, { stream: true }));

  expect(after.at(-1)).toMatchObject({ type: "response.completed" });
  expect(whole).toEqual([...before, ...after]);
  expect((await openai.responses.retrieve(id)).output_text).toBe("One moment. Noted.");
  const requests = (await model.log()).requests.map(({ body }) => JSON.stringify(body));
  expect(requests).toHaveLength(2);
  for (const request of requests) expect(request).toContain("Be brief.");
});

it("answers a response that is not streamed as one in progress", async () => {
  const { client, agentId } = await askingAgent([[append("c1", "Likes: tea")]]);

  const response = await openAiOf(client).responses.create({ model: agentId, input: "I like tea" });

  expect([response.status, response.output]).toEqual(["in_progress", []]);
});

it("refuses to write an answer again while the run waits, and leaves the run as it is", async () => {
  const { client, conversationId, path } = await askingAgent([
    [{ text: "Hello." }],
    [append("c1", "Likes: tea")],
    [{ text: "Noted." }],
  ]);
  await say(client, path, "Hi");
  const { last } = await say(client, path, "I like tea");
  const runId = last?.run_id ?? "";
  const [, , question] = await storedMessages(conversationId);

  const refused = await client(
    "POST",
    `/conversations/${conversationId}/messages/${String(question?.["message_id"])}/regenerate`,
  );

  expect([refused.status, refused.body.code, refused.body.run_id]).toEqual([409, "conversation-busy", runId]);
  await approve(client, conversationId, runId, "c1");
  const { events } = await eventsAfter(client, conversationId, runId, last?.seq ?? 0);
  expect([textOf(events), events.at(-1)?.event_type]).toEqual(["Noted.", "STREAM_COMPLETE"]);
});

it("replaces an answer after a pause of the run that writes it again", async () => {
  const { client, conversationId, path, model } = await askingAgent([
    [{ text: "First answer." }],
    [append("c1", "Likes: tea")],
    [{ text: "Second answer." }],
  ]);
  await say(client, path, "I like tea");
  const [, answer] = await storedMessages(conversationId);
  const { body } = await client(
    "POST",
    `/conversations/${conversationId}/messages/${String(answer?.["message_id"])}/regenerate`,
  );
  const last = parseEvents(body as string).at(-1);
  const runId = last?.run_id ?? "";
  expect((await storedMessages(conversationId)).map(({ content }) => content)).toEqual([
    "I like tea",
    "First answer.",
  ]);

  await approve(client, conversationId, runId, "c1");
  await eventsAfter(client, conversationId, runId, last?.seq ?? 0);

  expect((await storedMessages(conversationId)).map(({ content }) => content)).toEqual([
    "I like tea",
    "Second answer.",
  ]);
  expect(JSON.stringify((await model.log()).requests.at(-1))).not.toContain("First answer.");
});

it("shows a visitor that a run waits, but not what the tool is to do, and lets the owner decide only", async () => {
  const script = [[append("c1", "the secret of the shop")], [{ text: "Noted." }]];
  const { client: owner, agentId } = await askingAgent(script);
  const visitor = await visitorOf(await createKey(owner, agentId));
  const { conversationId, base, path } = await beginVisit(visitor);

  const { events, body, last } = await say(visitor, path, "Remember it");

  const runId = last?.run_id ?? "";
  const callId = String(events.at(-2)?.["tool_call_id"]);
  expect(typesOf(events).slice(-2)).toEqual(["APPROVAL_REQUESTED", "RUN_WAITING"]);
  expect(events.at(-2)).toMatchObject({ tool_name: "core_memory_append", tool_args: {} });
  expect(body).not.toContain("secret");
  expect((await approve(visitor, conversationId, runId, callId)).status).toBe(401);
  expect((await visitor("GET", `${base}/runs/${runId}/events?after=${last?.seq}`)).status).toBe(204);

  const run = `/agents/${agentId}/end-users/${visitor.visitorId}/conversations/${conversationId}/runs/${runId}`;
  expect((await owner("GET", run)).body).toMatchObject({
    state: "waiting",
    pending_calls: [{ tool_call_id: "c1", tool_args: { content: "the secret of the shop" } }],
  });
  const stranger = await signUp();
  const decide = (who: Client) => who("POST", `${run}/approvals/${callId}`, { decision: "approve" });
  expect([(await decide(stranger)).status, (await stranger("GET", run)).status]).toEqual([404, 404]);
  expect((await decide(owner)).status).toBe(200);

  const rest = await visitor("GET", `${base}/runs/${runId}/events?after=${last?.seq}`);
  expect(textOf(parseEvents(rest.body as string))).toBe("Noted.");
  expect(rest.body).not.toContain("secret");
});

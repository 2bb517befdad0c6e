import { describe, expect, it } from "vitest";
import { beginConversation, signUp, table } from "../support/app.ts";
import { scriptModel } from "../support/control.ts";
import { plant, words } from "../support/planted.ts";
import { untilIdle } from "../support/runs.ts";
import { say } from "../support/sse.ts";

const ANSWER = [{ text: "Ok." }];
const LEAST_WINDOW = 2_048;

const learnedOf = (email: string) =>
  table.query(`User#${email}`, { range: { beginsWith: "ProviderWindow#" } });

describe("an overflow whose stated limit is", () => {
  it.each([
    ["one token", "maximum context length is 1 tokens", true],
    ["zero", "maximum context length is 000 tokens", true],
    ["too small for any prompt", "maximum context length is 100 tokens", false],
    ["larger than any window", "maximum context length is 9999999999 tokens", true],
    ["a number of 100,000 digits", `maximum context length is ${"9".repeat(100_000)} tokens`, true],
    ["a number of 100,000 zeros", `maximum context length is ${"0".repeat(100_000)} tokens`, true],
    ["a year", "context_length_exceeded at 2026-11-29 12:00:00", true],
  ])("%s neither ends the turn nor takes the memory of later ones", async (_case, message, hasHistory) => {
    const refusal = [{ status: 400, body: { error: { message } } }];
    // The model is also asked for summaries.
    const model = await scriptModel(refusal, ANSWER, ANSWER, ANSWER, ANSWER);
    const client = await signUp();
    const { path, conversationId } = await beginConversation(client, { agent_model: model.name });
    const talk = Array.from({ length: 20 }, (_, n) => ({
      role: n % 2 ? ("assistant" as const) : ("user" as const),
      content: `Topic ${n}. ${words(500)}`,
    }));
    await plant(client, conversationId, talk);

    const first = await say(client, path, "Hello");
    // The window is stored after the answer.
    await untilIdle(client, path);
    const second = await say(client, path, "Go on");

    expect([first.text, second.text]).toEqual(["Ok.", "Ok."]);
    const [learned] = await learnedOf(client.email);
    expect(Number(learned?.["context_tokens"])).toBeGreaterThanOrEqual(LEAST_WINDOW);
    const asked = (await model.log()).requests.findLast(({ body }) =>
      body.messages[0]?.content?.startsWith("<identity>"),
    );
    // The smallest window that is remembered has room for the instructions only.
    expect(JSON.stringify(asked?.body.messages).includes("Hello")).toBe(hasHistory);
  });
});

it("forgets a learned window when its week is over, even if the table has not removed it", async () => {
  const model = await scriptModel(ANSWER);
  const client = await signUp();
  const { conversationId } = await beginConversation(client, { agent_model: model.name });
  const windowOf = async () =>
    (await client("GET", `/conversations/${conversationId}/context`)).body.model.window_tokens;
  const usual = await windowOf();
  const learned = (ttlMs: number) => ({
    pk: `User#${client.email}`,
    sk: `ProviderWindow#Demo#${model.name}`,
    provider_name: "Demo",
    model: model.name,
    context_tokens: 3_000,
    ttl: Math.floor((Date.now() + ttlMs) / 1_000),
  });

  await table.put(learned(3_600_000));
  const during = await windowOf();
  await table.put(learned(-3_600_000));

  expect([during, await windowOf()]).toEqual([3_000, usual]);
});

it("does not use the window that another account has learned", async () => {
  const model = await scriptModel(ANSWER);
  const [mine, theirs] = [await signUp(), await signUp()];
  const { conversationId } = await beginConversation(mine, { agent_model: model.name });
  await table.put({
    pk: `User#${theirs.email}`,
    sk: `ProviderWindow#Demo#${model.name}`,
    provider_name: "Demo",
    model: model.name,
    context_tokens: 3_000,
    ttl: Math.floor(Date.now() / 1_000) + 3_600,
  });

  const { body } = await mine("GET", `/conversations/${conversationId}/context`);

  expect(body.model.window_tokens).toBeGreaterThan(3_000);
});

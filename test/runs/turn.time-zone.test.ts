import { expect, it } from "vitest";
import { memoryDate } from "../../src/search/memory-date.ts";
import { beginConversation, signUp } from "../support/app.ts";
import { scriptModel } from "../support/control.ts";

/** The clock that the model reads if the client states this time zone. */
async function clockIn(zone: string | undefined): Promise<string> {
  const client = await signUp();
  const model = await scriptModel([{ text: "Ok." }]);
  const { path } = await beginConversation(client, { agent_model: model.name });
  const headers = zone === undefined ? undefined : { "x-time-zone": zone };

  const { status } = await client("POST", path, { content: "What time is it?" }, headers);

  expect(status).toBe(200);
  const text = (await model.log()).requests[0]?.body.messages.at(-1)?.content ?? "";
  return /Current date and time: (.*)\n/u.exec(text)?.[1] ?? "";
}

it("tells the time in the time zone that the client states", async () => {
  expect(await clockIn("Asia/Kolkata")).toMatch(
    /^[A-Z][a-z]+, [A-Z][a-z]+ \d\d, \d{4} at \d\d:\d\d [AP]M GMT\+5:30 \(Asia\/(Kolkata|Calcutta)\)$/u,
  );
});

it.each([undefined, "", "Mars/Olympus", "+02:00", "x".repeat(100)])(
  "tells the time in UTC without a known time zone: %j",
  async (zone) => {
    expect(await clockIn(zone)).toMatch(/ [AP]M UTC$/u);
  },
);

it.each([
  ["Asia/Kolkata", / GMT\+5:30 \(Asia\/(Kolkata|Calcutta)\)/u],
  ["Mars/Olympus", / UTC/u],
  [undefined, / UTC/u],
])("previews a turn with the clock of the time zone that the client states: %j", async (zone, expected) => {
  const client = await signUp();
  const { conversationId } = await beginConversation(client);
  const headers = zone === undefined ? undefined : { "x-time-zone": zone };

  const { status, body } = await client(
    "GET",
    `/conversations/${conversationId}/context`,
    undefined,
    headers,
  );

  expect(status).toBe(200);
  expect(body.volatile.text).toMatch(expected);
});

it.each([
  ["2023-05-08T23:30:00-05:00", "Monday 8 May 2023"],
  ["2023-05-08T00:30:00+09:00", "Monday 8 May 2023"],
  ["2023-05-08", "Monday 8 May 2023"],
  [null, "Thursday 29 January 2026"],
  ["nonsense", "Thursday 29 January 2026"],
])("indexes a memory that occurred at %s under %s, the day at its own place", (occurredAt, day) => {
  expect(memoryDate(occurredAt, "2026-01-29T11:51:36.123456+00:00").text.replace(",", "")).toBe(day);
});

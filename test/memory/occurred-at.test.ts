import { expect, it } from "vitest";
import { beginConversation, signUp } from "../support/app.ts";
import { scriptModel } from "../support/control.ts";
import { say } from "../support/sse.ts";
import { beginArchive } from "./archive.ts";

it.each([
  "2023-05-08T23:30:00-12:00",
  "2023-05-08T00:10:00+14:00",
  "2023-05-08T00:10:00+05:45",
  "2023-05-08T12:00:00+23:59",
  "2023-05-08T23:59:59.999999999-00:00",
  "2023-05-08T23:59",
  "2023-05-08",
])("a memory that occurred at %s is found by its own day and shown under it", async (occurredAt) => {
  const { client, path } = await beginArchive();
  await client("POST", path, { content: "Blue kite", occurred_at: occurredAt });
  await client("POST", path, { content: "Red kite", occurred_at: "2023-06-17" });

  const { body } = await client(
    "GET",
    `${path}/search?query=${encodeURIComponent("kite on 8 May 2023")}&limit=1`,
  );

  expect(body.items[0]).toMatchObject({ content: "Blue kite", occurred_at: occurredAt });
});

it.each([
  "2023-05-08T12:00:00+24:00",
  "2023-02-30",
  "2023-05-08T25:00:00Z",
  "x".repeat(10_000),
  "8 May 2023",
])("a text that is neither a date nor a time is refused: %#", async (occurredAt) => {
  const { client, path } = await beginArchive();

  const { status } = await client("POST", path, { content: "Kite", occurred_at: occurredAt });

  expect(status).toBe(422);
});

it("a memory of another agent can't be read by its id, whatever the page", async () => {
  const client = await signUp();
  const other = await beginConversation(client);
  const secret = await client("POST", `/agents/${other.agentId}/archival-memory`, { content: "Code 4711" });
  const read = (memoryId: string, page: unknown) => ({
    call: { name: "archival_memory_read", arguments: JSON.stringify({ memory_id: memoryId, page }) },
  });
  const pages = [0, -1, 1e9, null, "2", 1e300];
  const model = await scriptModel(
    pages.map((page) => read(secret.body.memory_id, page)),
    [{ text: "Done." }],
  );
  const { path, agentId } = await beginConversation(client, { agent_model: model.name });
  await client("POST", `/agents/${agentId}/archival-memory`, { content: "Mine" });

  const { last } = await say(client, path, "Read it");

  expect(last?.event_type).toBe("STREAM_COMPLETE");
  const results = ((await model.log()).requests.at(-1)?.body.messages ?? []).filter(
    ({ role }) => role === "tool",
  );
  expect(results).toHaveLength(pages.length);
  for (const { content } of results) {
    expect(content).toMatch(/^Error:/u);
    expect(content).not.toContain("4711");
  }
});

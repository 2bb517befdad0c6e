import { expect, it } from "vitest";
import { beginConversation, signUp } from "../support/app.ts";
import { scriptModel } from "../support/control.ts";
import { say } from "../support/sse.ts";
import { beginArchive } from "../memory/archive.ts";

it("neither skips nor repeats a memory if some are stored and removed between two pages", async () => {
  const { client, path } = await beginArchive();
  const items = Array.from({ length: 12 }, (_, n) => ({ content: `Tea number ${n} is green` }));
  await client("POST", `${path}/batch`, { items });
  const page = async (cursor?: string) => {
    const query = `query=tea&limit=4${cursor === undefined ? "" : `&cursor=${encodeURIComponent(cursor)}`}`;
    return (await client("GET", `${path}/search?${query}`)).body;
  };
  const contentsOf = (body: { items: { content: string }[] }) => body.items.map(({ content }) => content);

  const first = await page();
  const removed = first.items[0].memory_id;
  await client("DELETE", `${path}/${removed}`);
  await client("POST", path, { content: "Tea" });
  const second = await page(first.next_cursor);
  const third = await page(second.next_cursor);

  const seen = [first, second, third].flatMap(contentsOf);
  expect(seen.toSorted()).toEqual(items.map(({ content }) => content).toSorted());
  expect([third.next_cursor, third.total]).toEqual([null, 12]);
  expect(contentsOf(await page())).toContain("Tea");
});

it("leaves out a memory of a later page that was removed, and shows the next ones once", async () => {
  const { client, path } = await beginArchive();
  const items = Array.from({ length: 6 }, (_, n) => ({ content: `Tea number ${n} is green` }));
  const stored = (await client("POST", `${path}/batch`, { items })).body.items;
  const first = (await client("GET", `${path}/search?query=tea&limit=2`)).body;
  const later = stored.find(
    ({ memory_id: id }: { memory_id: string }) =>
      !first.items.some(({ memory_id: known }: { memory_id: string }) => known === id),
  );
  await client("DELETE", `${path}/${later.memory_id}`);

  const rest: string[] = [];
  for (let cursor = first.next_cursor; cursor;) {
    const { body } = await client(
      "GET",
      `${path}/search?query=tea&limit=2&cursor=${encodeURIComponent(cursor)}`,
    );
    rest.push(...body.items.map(({ memory_id: id }: { memory_id: string }) => id));
    cursor = body.next_cursor;
  }

  expect(rest).toHaveLength(3);
  expect(new Set(rest).size).toBe(3);
  expect(rest).not.toContain(later.memory_id);
});

it("keeps the pages of a tool stable while the agent stores memories", async () => {
  const client = await signUp();
  const search = (page: number) => ({
    call: { name: "archival_memory_search", arguments: JSON.stringify({ query: "tea", page }) },
  });
  const insert = { call: { name: "archival_memory_insert", arguments: '{"content":"Tea"}' } };
  const model = await scriptModel([search(1)], [insert], [search(2)], [{ text: "Done." }]);
  const { agentId, path } = await beginConversation(client, { agent_model: model.name });
  const items = Array.from({ length: 10 }, (_, n) => ({ content: `Tea number ${n} is green` }));
  await client("POST", `/agents/${agentId}/archival-memory/batch`, { items });

  await say(client, path, "Go");

  const outputs = ((await model.log()).requests.at(-1)?.body.messages ?? [])
    .filter(({ role }) => role === "tool")
    .map(({ content }) => content ?? "");
  const shown = [outputs[0], outputs[2]].flatMap((output) => output?.match(/Tea number \d/gu) ?? []);
  expect(shown.toSorted()).toEqual(items.map((_, n) => `Tea number ${n}`));
});

it("keeps distant pages stable, too", async () => {
  const { client, path } = await beginArchive();
  const items = Array.from({ length: 90 }, (_, n) => ({ content: `Tea number ${n} is green` }));
  await client("POST", `${path}/batch`, { items });
  const seen: string[] = [];
  let cursor: string | null = "";
  for (let page = 0; cursor !== null; page++) {
    const after: string = cursor === "" ? "" : `&cursor=${encodeURIComponent(cursor)}`;
    const { body } = await client("GET", `${path}/search?query=tea&limit=20${after}`);
    seen.push(...body.items.map(({ content }: { content: string }) => content));
    cursor = body.next_cursor;
    // Each is the best match, so a new ranking would begin with it.
    await client("POST", path, { content: `Tea ${"tea ".repeat(page)}` });
    if (page === 1) await client("DELETE", `${path}/${body.items[0].memory_id}`);
  }

  expect(seen.filter((content) => content.endsWith("green")).toSorted()).toEqual(
    items.map(({ content }) => content).toSorted(),
  );
});

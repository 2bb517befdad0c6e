import { createExecutionContext, waitOnExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { createApp } from "../../src/app.ts";
import { portsFrom } from "../../src/deps/ports.ts";
import type { MemoryHit, MemorySearch, MemorySearchRequest } from "../../src/search/model.ts";
import { problem } from "../http/route-cases.ts";
import { type Answer, type Client, signUp } from "../support/app.ts";
import { beginArchive } from "./archive.ts";

const hit = (n: number, more: Partial<MemoryHit> = {}): MemoryHit => ({
  memoryId: `memory-${n}`,
  content: `Fact ${n}`,
  createdAt: "2025-06-01T10:00:00.000123+00:00",
  occurredAt: null,
  score: 10 - n,
  ...more,
});

/** The app with a search that finds these memories, and the recorded requests. */
function appFinding(hits: readonly MemoryHit[], notes: readonly string[] = []) {
  const asked: MemorySearchRequest[] = [];
  const forgotten: string[] = [];
  const memorySearch: MemorySearch = {
    search(request) {
      asked.push(request);
      const { offset, limit } = request;
      return Promise.resolve({ hits: hits.slice(offset, offset + limit), total: hits.length, notes });
    },
    status: () => Promise.resolve({ indexed: 0, embedded: 0, model: null, lastError: null }),
    forget(agentId, userId) {
      forgotten.push(`${agentId} ${userId}`);
      return Promise.resolve();
    },
  };
  const app = createApp(async (env) => ({ ...(await portsFrom(env)), memorySearch }));

  async function send({ token }: Client, method: string, path: string): Promise<Answer> {
    const ctx = createExecutionContext();
    const init = { method, headers: { authorization: `Bearer ${token}` } };
    const response = await app.request(path, init, env, ctx);
    const text = await response.text();
    await waitOnExecutionContext(ctx);
    return { status: response.status, headers: response.headers, body: text === "" ? "" : JSON.parse(text) };
  }
  return { send, asked, forgotten };
}

describe("a search over HTTP", () => {
  it("returns results page by page, with the total and the notes", async () => {
    const { client, agentId, path } = await beginArchive();
    const hits = [hit(1, { occurredAt: "2025-05-31" }), hit(2), hit(3)];
    const { send, asked } = appFinding(hits, ["index-building"]);

    const first = await send(client, "GET", `${path}/search?query=a%20fact&limit=2`);
    const second = await send(
      client,
      "GET",
      `${path}/search?query=a%20fact&limit=2&cursor=${first.body.next_cursor}`,
    );

    const view = { created_at: "2025-06-01T10:00:00.000123+00:00" };
    expect(first.status).toBe(200);
    expect(first.body).toEqual({
      items: [
        { memory_id: "memory-1", content: "Fact 1", ...view, occurred_at: "2025-05-31", score: 1 },
        { memory_id: "memory-2", content: "Fact 2", ...view, score: 0.89 },
      ],
      total: 3,
      next_cursor: expect.any(String),
      has_more: true,
      notes: ["index-building"],
    });
    expect(second.body).toEqual({
      items: [{ memory_id: "memory-3", content: "Fact 3", ...view, score: 0.78 }],
      total: 3,
      next_cursor: null,
      has_more: false,
      notes: ["index-building"],
    });
    const request = { agentId, userId: client.email, accountEmail: client.email, query: "a fact", limit: 2 };
    expect(asked).toEqual([
      { ...request, offset: 0 },
      { ...request, offset: 2 },
    ]);
  });

  it("refuses the cursor of another query or of another list", async () => {
    const { client, path } = await beginArchive();
    const { send } = appFinding([hit(1), hit(2)]);
    const { body } = await send(client, "GET", `${path}/search?query=tea&limit=1`);

    for (const other of [`${path}/search?query=coffee`, `${path}?limit=1`]) {
      const separator = other.includes("?") ? "&" : "?";
      const answer = await send(client, "GET", `${other}${separator}cursor=${body.next_cursor}`);
      expect(answer.status).toBe(400);
    }
  });

  it.each(["", '"', "NEAR(", "content:x*", "💩", "x".repeat(10_000), "%00"])(
    "passes any query on unchanged: %j",
    async (query) => {
      const { client, path } = await beginArchive();
      const { send, asked } = appFinding([], ["nothing-stored"]);

      const encoded = query === "%00" ? query : encodeURIComponent(query);
      const { status, body } = await send(client, "GET", `${path}/search?query=${encoded}`);

      expect(status).toBe(200);
      expect(body).toEqual({
        items: [],
        total: 0,
        next_cursor: null,
        has_more: false,
        notes: ["nothing-stored"],
      });
      expect(asked).toMatchObject([{ query: decodeURIComponent(encoded), limit: 10, offset: 0 }]);
    },
  );

  it("refuses a query as long as a document", async () => {
    const { client, path } = await beginArchive();

    const { status } = await appFinding([]).send(client, "GET", `${path}/search?query=${"x".repeat(20_001)}`);

    expect(status).toBe(422);
  });

  it("does not search the memories of another account's agent", async () => {
    const [{ path }, stranger] = await Promise.all([beginArchive(), signUp()]);
    const { send, asked } = appFinding([hit(1)]);

    const { status, body } = await send(stranger, "GET", `${path}/search?query=fact`);

    expect(status).toBe(404);
    expect(body).toEqual(problem(404, "not-found", "Agent not found"));
    expect(asked).toEqual([]);
  });

  it("removes a deleted agent from the index", async () => {
    const { client, agentId } = await beginArchive();
    const { send, forgotten } = appFinding([]);

    expect((await send(client, "DELETE", `/agents/${agentId}`)).status).toBe(204);
    expect(forgotten).toEqual([`${agentId} ${client.email}`]);
  });
});

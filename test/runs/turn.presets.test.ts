import { afterEach, describe, expect, it } from "vitest";
import { LOCAL_PRESETS, PRESETS } from "../../src/llm/compatible-presets.ts";
import { isObject, type Json } from "../../src/shared/json.ts";
import { beginConversation, signUp } from "../support/app.ts";
import { say, typesOf } from "../support/sse.ts";
import { type FakeCall, FAKE_SERVERS, type FakeServer } from "../llm/fixtures/presets.ts";

const platformFetch = globalThis.fetch;
afterEach(() => {
  globalThis.fetch = platformFetch;
});

const KEY = "key-of-preset";
const HEADER = ["authorization", `Bearer ${KEY}`] as const;

/** Answers every first request of a turn with two calls, and every second one with a text. */
function standIn(server: FakeServer) {
  const asked: Json[] = [];
  const objections: string[] = [];
  const url = server.url ?? `${server.baseUrl}/chat/completions`;
  const [header, value] = server.header ?? HEADER;

  globalThis.fetch = async (input, init) => {
    const { host } = new URL(input instanceof Request ? input.url : String(input));
    if (host !== new URL(server.baseUrl).host) return platformFetch(input, init);
    const request = new Request(input, init);
    const parsed: unknown = await request.json();
    const body = isObject(parsed) ? parsed : {};
    const reached = request.url === url && request.headers.get(header) === value;
    const objection = reached ? server.objection?.(body) : `${request.url} was requested`;
    if (objection !== undefined) {
      objections.push(objection);
      return Response.json({ error: { message: objection } }, { status: 400 });
    }
    asked.push(body);
    return new Response(answerOf(server, asked.length - 1), {
      headers: { "content-type": server.contentType ?? "text/event-stream" },
    });
  };
  return { asked, objections };
}

function answerOf(server: FakeServer, request: number): string {
  const turn = Math.floor(request / 2) + 1;
  if (request % 2 === 1) return server.text(`Turn ${turn} is over.`) + server.end(false);
  const call = (id: string, content: string): FakeCall => ({
    id: `call_${turn}${id}`,
    name: "core_memory_append",
    arguments: JSON.stringify({ block: "human", content }),
  });
  return (
    server.calls([call("a", `Fact A of turn ${turn}`), call("b", `Fact B of turn ${turn}`)]) +
    server.end(true)
  );
}

it("has a fake of every preset", () => {
  expect(FAKE_SERVERS.map(({ label }) => label).toSorted()).toEqual(
    [...PRESETS, ...LOCAL_PRESETS].map(({ label }) => label).toSorted(),
  );
});

describe.each(FAKE_SERVERS.map((server) => [server.label, server] as const))("%s", (_label, server) => {
  it("remembers two facts in each of three turns", async () => {
    const client = await signUp();
    const { asked, objections } = standIn(server);
    const credentials = { base_url: server.baseUrl, api_key: KEY };
    expect((await client("POST", "/settings/providers/OpenAICompatible", credentials)).status).toBe(201);
    const { agentId, path } = await beginConversation(client, {
      agent_provider: "OpenAICompatible",
      agent_model: server.model,
    });

    for (const turn of [1, 2, 3]) {
      const { text, events, last } = await say(client, path, `I say two things in turn ${turn}`);
      expect([text, last?.event_type]).toEqual([`Turn ${turn} is over.`, "STREAM_COMPLETE"]);
      expect(typesOf(events).filter((type) => type === "TOOL_CALL_RESULT")).toHaveLength(2);
    }

    expect(objections).toEqual([]);
    expect(asked).toHaveLength(6);
    const { body } = await client("GET", `/agents/${agentId}/memory-blocks/human/content`);
    const facts = [1, 2, 3].flatMap((turn) => [`Fact A of turn ${turn}`, `Fact B of turn ${turn}`]);
    expect(body.lines).toEqual(facts);
  });
});

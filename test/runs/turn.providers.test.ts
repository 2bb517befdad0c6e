import { afterEach, describe, expect, it } from "vitest";
import { beginConversation, signUp } from "../support/app.ts";
import { say, typesOf } from "../support/sse.ts";
import { PROTOCOLS } from "../llm/protocols/all.ts";
import { type Step, strictServer } from "../llm/protocols/protocol.ts";

const platformFetch = globalThis.fetch;
afterEach(() => {
  globalThis.fetch = platformFetch;
});

/** Answers requests to the providers' own hosts; all others, such as those to the database, are passed on. */
function standInFor(serve: typeof fetch) {
  globalThis.fetch = (input, init) => {
    const { hostname } = new URL(input instanceof Request ? input.url : String(input));
    const isProvider = /\.(?:anthropic\.com|openai\.com|groq\.com|amazonaws\.com)$/u.test(hostname);
    return isProvider ? serve(input, init) : platformFetch(input, init);
  };
}

const remember = (id: string, content: string) => ({
  id,
  name: "core_memory_append",
  arguments: JSON.stringify({ block: "human", content }),
});

const ANSWERS: readonly (readonly Step[])[] = [
  [
    { text: "I note that." },
    { calls: [remember("one", "Name: Alice"), remember("two", "Likes tea")] },
    { stop: "calls", usage: { inputTokens: 20, outputTokens: 5, cachedTokens: 4 } },
  ],
  [{ text: " Noted." }, { stop: "answer", usage: { inputTokens: 30, outputTokens: 6, cachedTokens: 20 } }],
];

describe.each(PROTOCOLS)("a turn with memory, by way of %s", (_name, protocol) => {
  it("runs from the settings to the stored memories", async () => {
    const client = await signUp();
    const server = strictServer(protocol, ANSWERS);
    standInFor(server.fetch);

    const stored = await client("POST", `/settings/providers/${protocol.name}`, protocol.credentials);
    expect(stored.status).toBe(201);
    const { agentId, path } = await beginConversation(client, {
      agent_provider: protocol.name,
      agent_model: protocol.model,
    });
    const turn = await say(client, path, "I am Alice, and I like tea.");

    expect(server.mistakes).toEqual([]);
    expect(server.asked).toHaveLength(2);
    expect(turn.text).toBe("I note that. Noted.");
    expect(turn.last?.event_type).toBe("STREAM_COMPLETE");
    expect(typesOf(turn.events).filter((type) => type === "TOOL_CALL_RESULT")).toHaveLength(2);
    const { body: block } = await client("GET", `/agents/${agentId}/memory-blocks/human/content`);
    expect(JSON.stringify(block)).toMatch(/Name: Alice.*Likes tea/u);
    const secrets = Object.entries(protocol.credentials).flatMap(([field, value]) =>
      field.endsWith("key") ? [value] : [],
    );
    for (const secret of secrets) expect(String(turn.body)).not.toContain(secret);
  });
});

import { agentIdOf, conversationIdOf } from "../../src/shared/id-types.ts";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { toConversation } from "../../src/architectures/history.ts";
import { runToolLoop } from "../../src/architectures/tool-loop.ts";
import type { ModelMessage } from "../../src/llm/model.ts";
import { CoreMemory } from "../../src/memory/core-memory.ts";
import type { Message, StoredToolCall } from "../../src/messages/model.ts";
import type { AnswerEvent } from "../../src/architectures/events.ts";
import { systemClock } from "../../src/shared/clock.ts";
import { isObject } from "../../src/shared/json.ts";
import type { Toolbox } from "../../src/tools/toolbox.ts";
import { PROTOCOLS } from "./protocols/all.ts";
import { openWith, type Protocol, type Step, strictServer } from "./protocols/protocol.ts";

const TOOLS: Toolbox = {
  specs: [
    {
      name: "look_up",
      description: "Looks up",
      parameters: { type: "object", properties: { what: { type: "string" } } },
    },
    { name: "now", description: "Tells the time", parameters: { type: "object", properties: {} } },
  ],
  has: () => true,
  shown: (output) => output,
  invoke: ({ name }) => Promise.resolve({ ok: true, output: name === "now" ? "" : `<${name}> found` }),
};

const stored = (role: string, content: string, calls: readonly Partial<StoredToolCall>[] = []): Message => ({
  id: "m",
  conversationId: conversationIdOf("c"),
  createdBy: "u",
  role,
  content,
  attachments: [],
  createdAt: "2026-01-29T11:51:36.123456+00:00",
  status: "complete",
  toolCalls: calls.map((call) => ({
    id: "x",
    name: "now",
    arguments: "{}",
    output: "noon",
    success: true,
    ...call,
  })),
  usage: null,
  tokenRatio: null,
  runId: null,
});

/** What tables may hold: failed turns, calls of other providers, truncated arguments, blank texts. */
const HISTORY: readonly Message[] = [
  stored("assistant", "I begin, which may not be."),
  stored("user", "First"),
  stored("user", "Again, for nobody answered"),
  stored("assistant", "Both.", [
    { id: "call with spaces/and:more", name: "look_up", arguments: '{"what":"x"}', output: "" },
    {
      id: "call with spaces/and:more",
      name: "no such tool!",
      arguments: '{"cut": "of',
      output: "Error: Unknown tool",
    },
  ]),
  stored("user", "  "),
  stored("assistant", "", [{ id: `long ${"x".repeat(100)}`, arguments: "" }]),
  stored("user", "Go on"),
];

async function runTurn(protocol: Protocol, answers: readonly (readonly Step[])[], maxModelCalls = 10) {
  const server = strictServer(protocol, answers);
  const messages: readonly ModelMessage[] = [
    { role: "system", content: "You are Ada. You remember." },
    { role: "system", content: "It is noon." },
    ...toConversation(
      HISTORY.map((message) => ({ message, maxTokens: null })),
      "What is it?",
    ),
  ];
  const owner = { agentId: agentIdOf("a"), userId: "u@example.com" };
  const memory = new CoreMemory({
    owner,
    blocks: [],
    save: () => Promise.reject(new Error("not to be saved")),
    clock: systemClock,
  });
  const turn = {
    agent: { persona: "Ada" },
    history: [],
    summary: null,
    message: null,
    now: 0,
    model: openWith(protocol, server.fetch, { settings: { temperature: 0.5, maxOutputTokens: 500 } }),
    window: { contextTokens: 32_000, maxOutputTokens: 500, tokenRatio: 1 },
    memory,
    knowledgeBases: 0,
    httpCalls: { tools: [] },
    mcpCalls: { tools: [] },
    approvals: { asks: () => false },
    waitsUntil: null,
    showsReasoning: false,
    learnWindow: () => undefined,
  };
  const prompt = {
    sections: [],
    volatile: { name: "context", text: "" },
    messages,
    tools: TOOLS.specs,
    window: [],
    historyTokens: 1_000,
    resultTokens: 1_000,
    hiddenBlocks: [],
  };
  const loop = runToolLoop({
    turn,
    assemble: () => prompt,
    tools: () => TOOLS,
    maxModelCalls,
    signal: new AbortController().signal,
  });

  const events: AnswerEvent[] = [];
  let next = await loop.next();
  for (; !next.done; next = await loop.next()) events.push(next.value);
  return { ...server, events, result: next.value };
}

const TWO_CALLS: readonly Step[] = [
  { text: "Let me see." },
  {
    calls: [
      { id: "one", name: "look_up", arguments: '{"what":"it"}' },
      { id: "two", name: "now", arguments: "{}" },
    ],
  },
  { stop: "calls", usage: { inputTokens: 20, outputTokens: 5, cachedTokens: 4 } },
];
const ANSWER: readonly Step[] = [
  { text: "It is noon." },
  { stop: "answer", usage: { inputTokens: 30, outputTokens: 6, cachedTokens: 20 } },
];

describe.each(PROTOCOLS)("%s", (_name, protocol) => {
  it("completes a turn with two tool calls against a server as strict as the real one", async () => {
    const { events, asked, mistakes, result } = await runTurn(protocol, [TWO_CALLS, ANSWER]);

    expect(mistakes).toEqual([]);
    expect(asked).toHaveLength(2);
    expect(events.map((event) => (event.type === "text" ? event.text : event.type))).toEqual([
      "Let me see.",
      "tool-started",
      "tool-started",
      "tool-finished",
      "tool-finished",
      "It is noon.",
    ]);
    expect(result.usage).toEqual({ inputTokens: 50, outputTokens: 11, cachedTokens: 24 });
    // The results reach the model, each behind its call.
    const second = JSON.stringify(asked[1]);
    expect(second).toContain("<look_up> found");
    expect(second.indexOf("Let me see.")).toBeLessThan(second.indexOf("<look_up> found"));
  });

  it("withholds tools in the last step, although earlier messages contain calls", async () => {
    const { mistakes, asked, events } = await runTurn(protocol, [TWO_CALLS, ANSWER], 2);

    expect(mistakes).toEqual([]);
    expect(JSON.stringify(asked[0])).toContain("Tells the time");
    expect(JSON.stringify(asked[1])).not.toContain("Tells the time");
    expect(events.at(-1)).toEqual({ type: "text", text: "It is noon." });
  });

  it("repeats the beginning of the previous request byte for byte", async () => {
    const { asked } = await runTurn(protocol, [TWO_CALLS, ANSWER]);

    const [first = [], second = []] = asked.map((body) => messagesIn(body));
    expect(first.length).toBeGreaterThan(5);
    expect(second.slice(0, first.length)).toEqual(first);
  });

  it("sends the agent's settings", async () => {
    const { asked } = await runTurn(protocol, [ANSWER]);

    const sent = JSON.stringify(asked[0]);
    expect(sent.includes('"temperature":0.5')).toBe(protocol.takesTemperature ?? true);
    expect(sent).toMatch(/"(?:max_tokens|max_completion_tokens|max_output_tokens|maxTokens)":500/u);
  });
});

/** Whatever the table holds and a model has sent, the server must accept the request. */
describe.each(PROTOCOLS)("%s", (_name, protocol) => {
  const text = fc.constantFrom("", " ", "\n", "Hi", "Go on");
  const id = fc.constantFrom("a", "b", "", "c d");
  const call = fc.record({
    id,
    name: fc.constantFrom("now", "", "no such!", "x".repeat(99)),
    arguments: fc.constantFrom("", "{}", "{", "[1]", "null", '{"a":1}'),
  });
  const message: fc.Arbitrary<ModelMessage> = fc.oneof(
    fc.record({ role: fc.constantFrom("user" as const, "system" as const), content: text }),
    fc.record({
      role: fc.constant("assistant" as const),
      content: text,
      calls: fc.array(call, { maxLength: 3 }),
    }),
    fc.record({ role: fc.constant("tool" as const), callId: id, content: text }),
  );

  it("makes a valid request from any messages that end with the user", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(message, { maxLength: 8 }), fc.boolean(), async (messages, offers) => {
        const { fetch, mistakes } = strictServer(protocol, [ANSWER]);
        const model = openWith(protocol, fetch);
        const request = {
          messages: [...messages, { role: "user", content: "So?" } as const],
          tools: offers ? TOOLS.specs : [],
        };

        await Array.fromAsync(model.stream(request, new AbortController().signal)).catch(() => []);

        expect(mistakes).toEqual([]);
      }),
      { numRuns: 200 },
    );
  });
});

/** The messages of a request without the marks of what is to be cached, which move on. */
function messagesIn(body: unknown): readonly string[] {
  const members = isObject(body) ? body : {};
  const messages = members["messages"] ?? members["input"];
  return (Array.isArray(messages) ? messages : []).map((message) =>
    JSON.stringify(message).replaceAll(/,\{"cachePoint":\{[^}]*\}\}|,"cache_control":\{[^}]*\}/gu, ""),
  );
}

import { afterEach, expect, it } from "vitest";
import { isObject, objectsAt, textAt } from "../../src/shared/json.ts";
import { strictServer } from "../llm/protocols/protocol.ts";
import { responsesProtocol } from "../llm/protocols/responses.ts";
import { beginConversation, signUp } from "../support/app.ts";
import { say, typesOf } from "../support/sse.ts";

const platformFetch = globalThis.fetch;
afterEach(() => {
  globalThis.fetch = platformFetch;
});

const remember = (turn: number, id: string) => ({
  id: `call_${turn}${id}`,
  name: "core_memory_append",
  arguments: JSON.stringify({ block: "human", content: `Fact ${id} of turn ${turn}` }),
});

const TURNS = [1, 2, 3];
const ANSWERS = TURNS.flatMap(
  (turn) =>
    [
      [{ thinking: "Hm" }, { calls: [remember(turn, "A"), remember(turn, "B")] }, { stop: "calls" }],
      [{ thinking: "So" }, { text: `Turn ${turn} is over.` }, { stop: "answer" }],
    ] as const,
);

/** The kinds of items in a request, without the words. */
const kindsIn = (body: unknown): readonly string[] =>
  objectsAt(isObject(body) ? body : {}, "input").map((item) => textAt(item, "type") || textAt(item, "role"));

it("remembers two facts in each of three turns, and returns the reasoning with the calls", async () => {
  const client = await signUp();
  const server = strictServer(responsesProtocol, ANSWERS);
  globalThis.fetch = (input, init) => {
    const { hostname } = new URL(input instanceof Request ? input.url : String(input));
    return hostname === "api.openai.com" ? server.fetch(input, init) : platformFetch(input, init);
  };
  expect((await client("POST", "/settings/providers/OpenAI", responsesProtocol.credentials)).status).toBe(
    201,
  );
  const { agentId, path } = await beginConversation(client, {
    agent_provider: "OpenAI",
    agent_model: responsesProtocol.model,
  });

  for (const turn of TURNS) {
    const { text, events, last } = await say(client, path, `I say two things in turn ${turn}`);
    expect([text, last?.event_type]).toEqual([`Turn ${turn} is over.`, "STREAM_COMPLETE"]);
    expect(typesOf(events).filter((type) => type === "TOOL_CALL_RESULT")).toHaveLength(2);
  }

  expect(server.mistakes).toEqual([]);
  expect(server.asked).toHaveLength(6);
  const called = [
    "reasoning",
    "function_call",
    "function_call",
    "function_call_output",
    "function_call_output",
  ];
  const turn = ["user", ...called, "assistant"];
  const spoken = kindsIn(server.asked[5]).filter((kind) => kind !== "developer");
  expect(spoken.slice(0, 20)).toEqual([...turn, ...turn, "user", ...called]);
  const { body } = await client("GET", `/agents/${agentId}/memory-blocks/human/content`);
  expect(body.lines).toEqual(TURNS.flatMap((one) => [`Fact A of turn ${one}`, `Fact B of turn ${one}`]));
});

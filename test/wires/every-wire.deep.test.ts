import { abortAllDurableObjects } from "cloudflare:test";
import { describe, expect, it } from "vitest";
import { ada, type Client } from "../support/app.ts";
import { signUpNaming } from "../support/call-names.ts";
import { injectFault, scriptModel } from "../support/control.ts";
import type { FaultRule, ScriptStep } from "../support/control-protocol.ts";
import { messagesUsed, storedLines, storedMessages } from "../support/items.ts";
import { untilLogged as untilRunnerLogged } from "../support/runs.ts";
import { parseEvents, textOf } from "../support/sse.ts";
import { partsIn, reading, textOf as textOfParts, typesOf, type WirePart } from "../support/wires.ts";
import { valuesIn } from "./events.ts";

/** What can happen to a run, repeated over each wire: what a client sees in the end, and what is stored. */

interface Place {
  readonly agentId: string;
  readonly conversationId: string;
}

/** What a stream says: the text, and how the answer ended: `completed`, `cut`, `cancelled` or the code of a problem. */
interface Verdict {
  readonly text: string;
  readonly end: string | undefined;
}

interface AnyWire {
  readonly path: (place: Place) => string;
  readonly body: (place: Place, text: string, key: string) => object;
  readonly headers?: (place: Place, key: string) => Record<string, string>;
  readonly read: (frames: string) => Verdict;
  /** How a cancelled answer ends, if the wire has no word for it. */
  readonly cancelled?: string;
  /** What a request says that offers the tool `look_up` of the client, and what one says that brings the result of the call `c1`. */
  readonly clientTools?: { readonly offer: object; readonly result: object };
}

const keyed = (_place: Place, key: string) => ({ "Idempotency-Key": key });

interface Chunk {
  readonly choices?: {
    readonly delta: { readonly content?: string };
    readonly finish_reason: string | null;
  }[];
  readonly error?: { readonly code: string };
}

interface ResponseEvent {
  readonly type: string;
  readonly delta?: string;
  readonly response?: { readonly status: string; readonly error: { readonly type: string } | null };
}

const WIRES: Readonly<Record<string, AnyWire>> = {
  native: {
    path: ({ agentId, conversationId }) => `/agents/${agentId}/${conversationId}/send-message`,
    body: (_place, content) => ({ content }),
    headers: keyed,
    read: (frames) => {
      const events = parseEvents(frames);
      const last = events.at(-1);
      const completed = last?.content === "Cancelled" ? "cancelled" : "completed";
      const end = last?.["stop_reason"] === "length" ? "cut" : completed;
      return { text: textOf(events), end: last?.event_type === "ERROR" ? String(last["code"]) : end };
    },
  },
  "AI SDK": {
    path: ({ agentId }) => `/agents/${agentId}/chat`,
    body: ({ conversationId }, text, key) => ({
      id: conversationId,
      trigger: "submit-message",
      messages: [{ id: key, role: "user", parts: [{ type: "text", text }] }],
    }),
    read: (frames) => {
      const parts = partsIn(frames);
      const types = typesOf(parts);
      const end = types.includes("data-stop") ? "cut" : "completed";
      return {
        text: textOfParts(parts),
        end: codeIn(parts) ?? (types.includes("abort") ? "cancelled" : end),
      };
    },
    clientTools: {
      offer: { tools: { look_up: { parameters: { type: "object" } } } },
      result: {
        messages: [
          {
            id: "a",
            role: "assistant",
            parts: [{ type: "tool-look_up", toolCallId: "c1", state: "output-available", output: "Sunny" }],
          },
        ],
      },
    },
  },
  "chat completions": {
    path: () => "/v1/chat/completions",
    body: ({ agentId }, content) => ({ model: agentId, stream: true, messages: [{ role: "user", content }] }),
    headers: ({ conversationId }, key) => ({
      ...keyed({ agentId: "", conversationId }, key),
      "X-Conversation-Id": conversationId,
    }),
    read: (frames) => {
      const chunks = valuesIn(frames).filter((chunk): chunk is Chunk => typeof chunk === "object");
      const text = chunks.map(({ choices }) => choices?.[0]?.delta.content ?? "").join("");
      const reason = chunks.findLast(({ choices }) => choices?.[0]?.finish_reason)?.choices?.[0]
        ?.finish_reason;
      const code = chunks.find(({ error }) => error)?.error?.code;
      return { text, end: code ?? (reason === "length" ? "cut" : "completed") };
    },
    cancelled: "completed",
    clientTools: {
      offer: { tools: [{ type: "function", function: { name: "look_up" } }] },
      result: {
        messages: [
          { role: "user", content: "Weather?" },
          {
            role: "assistant",
            tool_calls: [{ id: "c1", type: "function", function: { name: "look_up", arguments: "{}" } }],
          },
          { role: "tool", tool_call_id: "c1", content: "Sunny" },
        ],
      },
    },
  },
  responses: {
    path: () => "/v1/responses",
    body: ({ agentId, conversationId: conversation }, input) => ({
      model: agentId,
      stream: true,
      input,
      conversation,
    }),
    headers: keyed,
    read: (frames) => {
      const events = [...frames.matchAll(/^data: (.*)$/gmu)].map(
        ([, data = ""]) => JSON.parse(data) as ResponseEvent,
      );
      const last = events.findLast(({ response }) => response)?.response;
      const text = events
        .map(({ type, delta }) => (type === "response.output_text.delta" ? delta : ""))
        .join("");
      return { text, end: last?.error?.type ?? (last?.status === "incomplete" ? "cut" : last?.status) };
    },
    clientTools: {
      offer: { tools: [{ type: "function", name: "look_up" }] },
      result: { input: [{ type: "function_call_output", call_id: "c1", output: "Sunny" }] },
    },
  },
};

const codeIn = (parts: readonly WirePart[]): string | undefined => {
  const error = parts.find((part) => typeof part === "object" && part.type === "data-error");
  return typeof error === "object" ? (error["data"] as { code: string }).code : undefined;
};

async function prepare(...replies: readonly (readonly ScriptStep[])[]) {
  const client = await signUpNaming();
  const model = await scriptModel(...replies);
  const { body } = await client("POST", "/agents", { ...ada, agent_model: model.name });
  const agentId = body.agent_id as string;
  const begun = await client("POST", "/conversations", { title: "Talk", agent_id: agentId });
  return { client, model, place: { agentId, conversationId: begun.body.conversation_id as string } };
}

/** Sends a message, and returns the response whose stream is not read yet. */
async function send(
  client: Client,
  wire: AnyWire,
  place: Place,
  text: string,
  key: string = crypto.randomUUID(),
) {
  const headers = wire.headers?.(place, key) ?? {};
  return (await client.raw("POST", wire.path(place), wire.body(place, text, key), { headers })).response;
}

/** Sends a message, and returns what the whole stream says. */
async function say(
  client: Client,
  wire: AnyWire,
  place: Place,
  text: string,
  key?: string,
): Promise<Verdict> {
  const response = await send(client, wire, place, text, key);
  expect(response.status).toBe(200);
  return wire.read(await response.text());
}

const untilLogged = (client: Client, { conversationId }: Place, text: string): Promise<void> =>
  untilRunnerLogged(client, `/agents/-/${conversationId}`, text);

const append = {
  call: { name: "core_memory_append", arguments: '{"block":"human","content":"Name: Alice"}' },
};
const refusal = (status: number, code: string | null): ScriptStep => ({
  status,
  body: { error: { message: "No", type: "error", code } },
});
const contentsOf = async ({ conversationId }: Place) =>
  (await storedMessages(conversationId)).map(({ content, status }) => [content, status]);

describe.each(Object.entries(WIRES))("on the wire %s", (_name, wire) => {
  it("an answer is whole, and what its tools have done is stored", async () => {
    const { client, place } = await prepare([{ text: "One moment. " }, append], [{ text: "Hello." }]);

    expect(await say(client, wire, place, "I am Alice")).toEqual({
      text: "One moment. Hello.",
      end: "completed",
    });
    expect(await storedLines(place.agentId, client.email, "human")).toEqual(["Name: Alice"]);
    expect(await messagesUsed(client.email)).toBe(1);
  });

  it("a run goes on when its client leaves, and the next message is answered", async () => {
    const { client, model, place } = await prepare(
      [{ text: "One " }, { hold: true }, { text: "two." }],
      [{ text: "Next." }],
    );
    const turn = reading(await send(client, wire, place, "Count"));
    await turn.until("One");
    await turn.leave();
    await model.release();
    await expect.poll(() => contentsOf(place)).toContainEqual(["One two.", "complete"]);

    expect(await say(client, wire, place, "And?")).toEqual({ text: "Next.", end: "completed" });
  });

  it.each<[string, readonly ScriptStep[], string, number]>([
    ["refuses the key", [refusal(401, "invalid_api_key")], "provider-auth", 0],
    ["has no quota left", [refusal(429, "insufficient_quota")], "provider-quota", 0],
    ["finds the context too long", [refusal(400, "context_length_exceeded")], "provider-overflow", 0],
    ["refuses the content", [refusal(400, "content_filter")], "provider-content", 0],
    ["ends without a word", [{ end: true }], "provider-truncated", 0],
    ["ends early", [{ text: "Half" }, { hold: true }, { end: true }], "provider-truncated", 1],
    ["loses the connection", [{ text: "Half" }, { hold: true }, { cut: true }], "provider-unavailable", 1],
    [
      "sends nonsense",
      [{ text: "Half" }, { hold: true }, { raw: "data: }{\n\n" }],
      "provider-unavailable",
      1,
    ],
    [
      "stops for the content",
      [{ text: "Half" }, { hold: true }, { finish: "content_filter" }],
      "provider-content",
      1,
    ],
  ])(
    "a provider that %s ends the stream with its error, and what was said is kept",
    async (_case, reply, code, used) => {
      const { client, model, place } = await prepare(reply);

      const turn = reading(await send(client, wire, place, "Hello"));
      if (used === 1) await turn.until("Half");
      await model.release();
      const verdict = wire.read(await turn.rest());

      expect(turn.response.status).toBe(200);
      expect(verdict).toEqual({ text: used === 1 ? "Half" : "", end: code });
      const answer = used === 1 ? [["Half", "interrupted"]] : [];
      expect(await contentsOf(place)).toEqual([["Hello", "complete"], ...answer]);
      expect(await messagesUsed(client.email)).toBe(used);
    },
  );

  it("an answer is cut off at the limit of the model", async () => {
    const { client, place } = await prepare([{ text: "Half" }, { finish: "length" }]);

    expect(await say(client, wire, place, "Hello")).toEqual({ text: "Half", end: "cut" });
    expect(await contentsOf(place)).toContainEqual(["Half", "truncated"]);
  });

  it("a run is cancelled, and what was said is kept", async () => {
    const { client, place } = await prepare([{ text: "One " }, { hold: true }]);
    const turn = reading(await send(client, wire, place, "Count"));
    await turn.until("One");
    const runs = `/conversations/${place.conversationId}/runs`;
    const { body } = await client("GET", runs);

    await client("POST", `${runs}/${body.items[0].run_id}/cancel`);

    expect(wire.read(await turn.rest())).toEqual({ text: "One ", end: wire.cancelled ?? "cancelled" });
    expect(await contentsOf(place)).toContainEqual(["One ", "interrupted"]);
  });

  it("a run whose runner has died is told to a repeated request, and the next message is answered", async () => {
    const { client, place } = await prepare([{ text: "One " }, { hold: true }], [{ text: "Next." }]);
    const turn = reading(await send(client, wire, place, "Count", "k1"));
    await untilLogged(client, place, "One ");

    await abortAllDurableObjects();
    await turn.rest();

    expect(await say(client, wire, place, "Count", "k1")).toEqual({ text: "One ", end: "unavailable" });
    expect(await contentsOf(place)).toContainEqual(["One ", "interrupted"]);
    expect((await say(client, wire, place, "And?")).text).toBe("Next.");
  });

  it("an answer that the database does not accept ends with an error, after its text", async () => {
    const text = `Stubborn words ${crypto.randomUUID()}`;
    const { client, place } = await prepare([{ text }]);
    const fault = { kind: "answer", status: 500, body: "" } as const;
    await injectFault({ match: [text], times: 10_000, fault });

    expect(await say(client, wire, place, "Hello")).toEqual({
      text,
      end: "persist-failed",
    });
  });

  it.each<[string, Omit<FaultRule, "match">]>([
    [
      "throttles the first attempts",
      {
        operation: "TransactWriteItems",
        times: 2,
        fault: { kind: "answer", status: 400, body: { __type: "x#ThrottlingException" } },
      },
    ],
    [
      "loses the answer to the first write",
      { operation: "TransactWriteItems", after: 0, fault: { kind: "lose-answer" } },
    ],
    [
      "loses the answer to the second write",
      { operation: "TransactWriteItems", after: 1, fault: { kind: "lose-answer" } },
    ],
  ])("a message is answered once if the database %s", async (_case, rule) => {
    const { client, place } = await prepare([{ text: "Hi." }]);
    await injectFault({ match: [place.conversationId], ...rule });

    expect(await say(client, wire, place, "Hello")).toEqual({ text: "Hi.", end: "completed" });
    expect(await contentsOf(place)).toEqual([
      ["Hello", "complete"],
      ["Hi.", "complete"],
    ]);
    expect(await messagesUsed(client.email)).toBe(1);
  });

  it("one of many messages at once is answered, and the others are told that the conversation is busy", async () => {
    const { client, model, place } = await prepare([{ text: "One" }, { hold: true }]);

    const responses = await Promise.all(
      Array.from({ length: 6 }, (_, index) => send(client, wire, place, `Message ${index}`)),
    );

    const refused = responses.filter(({ status }) => status === 409);
    expect(refused).toHaveLength(5);
    for (const response of refused) expect(await response.text()).toContain("conversation-busy");
    await model.release();
    await Promise.all(responses.filter(({ status }) => status === 200).map((response) => response.text()));
    expect((await model.log()).requests).toHaveLength(1);
  });

  it("a message that is sent three times with one key is one run, whose stream each of them gets", async () => {
    const { client, model, place } = await prepare([{ text: "One." }]);

    const verdicts = await Promise.all([1, 2, 3].map(() => say(client, wire, place, "Hello", "k1")));
    const other = await send(client, wire, place, "Other", "k1");

    expect(verdicts).toEqual(verdicts.map(() => ({ text: "One.", end: "completed" })));
    expect([other.status, (await other.text()).includes("idempotency-mismatch")]).toEqual([422, true]);
    expect((await model.log()).requests).toHaveLength(1);
    expect(await messagesUsed(client.email)).toBe(1);
  });
});

describe.each(Object.entries(WIRES).filter(([, { clientTools }]) => clientTools))(
  "tools of a client on the wire %s",
  (_name, wire) => {
    const { offer = {}, result = {} } = wire.clientTools ?? {};
    const asking = async (...replies: readonly (readonly ScriptStep[])[]) => {
      const { client, model, place } = await prepare(
        [{ text: "One moment. " }, { call: { id: "c1", name: "look_up", arguments: "{}" } }],
        ...replies,
      );
      const post = async (more: object) => {
        const body = { ...wire.body(place, "Weather?", "m1"), ...offer, ...more };
        const headers = wire.headers?.(place, crypto.randomUUID()) ?? {};
        return (await client.raw("POST", wire.path(place), body, { headers })).response;
      };
      const ask = async (more: object) => wire.read(await (await post(more)).text());
      expect(await ask({})).toEqual({ text: "One moment. ", end: "completed" });
      return { client, model, place, post, ask };
    };

    it.each([false, true])(
      "a run goes on once with results that come three times, its runner having died: %s",
      async (hasDied) => {
        const { client, model, place, ask } = await asking([{ text: "Sunny." }]);
        if (hasDied) await abortAllDurableObjects();

        const verdicts = await Promise.all([1, 2, 3].map(() => ask(result)));

        expect(verdicts).toEqual(verdicts.map(() => ({ text: "Sunny.", end: "completed" })));
        expect((await model.log()).requests).toHaveLength(2);
        expect(await messagesUsed(client.email)).toBe(1);
        expect(await contentsOf(place)).toContainEqual(["One moment. Sunny.", "complete"]);
      },
    );

    it("a run whose runner dies between a result and the answer is reported to the repeated result, and the next message is answered", async () => {
      const { client, place, post, ask } = await asking(
        [{ text: "It is " }, { hold: true }],
        [{ text: "Next." }],
      );
      const turn = reading(await post(result));
      await untilLogged(client, place, "It is ");

      await abortAllDurableObjects();
      await turn.rest();

      expect((await ask(result)).end).toBe("unavailable");
      expect(await contentsOf(place)).toContainEqual(["One moment. It is ", "interrupted"]);
      expect((await say(client, wire, place, "And?")).text).toBe("Next.");
    });
  },
);

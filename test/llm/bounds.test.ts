import { afterEach, beforeEach, describe, expect, inject, it, vi } from "vitest";
import { BUDGETS } from "../../src/llm/budgets.ts";
import { type ChatModel, MODEL_TIMEOUTS, type ModelChunk, type ModelTimeouts } from "../../src/llm/model.ts";
import { IdleTimer } from "../../src/llm/idle-timer.ts";
import { findProvider } from "../../src/llm/providers.ts";
import { scriptModel } from "../support/control.ts";
import { fatBody } from "../support/endless.ts";
import { PROTOCOLS } from "./protocols/all.ts";
import { compatibleProtocol } from "./protocols/openai.ts";
import { bytesOf, contextOf, openWith, type Protocol, type Step } from "./protocols/protocol.ts";

/** Asks a model whose server answers with this body. */
function ask(protocol: Protocol, body: ReadableStream<Uint8Array>, timeouts: Partial<ModelTimeouts> = {}) {
  const response = new Response(body, { headers: { "content-type": protocol.contentType } });
  const model = openWith(protocol, () => Promise.resolve(response), {
    timeouts: { ...MODEL_TIMEOUTS, ...timeouts },
  });
  return read(model);
}

/** The chunks of an answer, and the code of the error that ended it. */
async function read(model: ChatModel) {
  const request = { messages: [{ role: "user", content: "Hi" }], tools: [] } as const;
  const chunks: ModelChunk[] = [];
  try {
    for await (const chunk of model.stream(request, new AbortController().signal)) chunks.push(chunk);
  } catch (error) {
    return { chunks, code: error instanceof Error && "code" in error ? error.code : String(error) };
  }
  return { chunks, code: "none" };
}

const textIn = (chunks: readonly ModelChunk[]): string =>
  chunks.map((chunk) => (chunk.type === "text" ? chunk.text : "")).join("");

/** Sends the bytes, repeats them every `everyMs`, and then ends the answer. */
function dripping(
  protocol: Protocol,
  first: readonly Step[],
  drop: Uint8Array,
  { everyMs, times }: { readonly everyMs: number; readonly times: number },
): ReadableStream<Uint8Array> {
  let left = times;
  return new ReadableStream<Uint8Array>({
    start: (controller) => controller.enqueue(first.length > 0 ? protocol.encode(first) : drop),
    async pull(controller) {
      await new Promise((resolve) => setTimeout(resolve, everyMs));
      if (left-- > 0) return controller.enqueue(drop);
      controller.enqueue(protocol.encode([{ text: " there" }, { stop: "answer" }]));
      controller.close();
    },
  });
}

/**
 * The same, with a clock that each piece moves on, so that pieces arrive in time on any machine. A piece is made when it is read, because
 * only waiting counts.
 */
function passing(
  protocol: Protocol,
  first: readonly Step[],
  drop: Uint8Array,
  { everyMs, times }: { readonly everyMs: number; readonly times: number },
): ReadableStream<Uint8Array> {
  const end = protocol.encode([{ text: " there" }, { stop: "answer" }]);
  const begin = first.length > 0 ? protocol.encode(first) : drop;
  const pieces = [begin, ...Array.from({ length: times }, () => drop), end];
  return new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        vi.setSystemTime(Date.now() + everyMs);
        const piece = pieces.shift();
        if (piece) controller.enqueue(piece);
        else controller.close();
      },
    },
    { highWaterMark: 0 },
  );
}

/** Returns the signs of life that a server of this protocol can send without saying anything. */
const signsOf = (protocol: Protocol): readonly (readonly [string, Uint8Array])[] => [
  ["empty pieces", protocol.encode([{ text: "" }])],
  ...(protocol.contentType.includes("text/event-stream")
    ? [["comments", bytesOf(": ping\n\n")] as const]
    : []),
];

describe.each(PROTOCOLS)("%s", (_name, protocol) => {
  const thinking = protocol.encode(Array.from({ length: 200 }, () => ({ thinking: "m".repeat(200) })));

  it.each([["thoughts", thinking] as const, ...signsOf(protocol)])(
    "ends as truncated an answer of %s that is longer than 16 MB",
    async (_case, piece) => {
      const { body, count } = fatBody(joined(piece), BUDGETS.answerBytes * 2);
      const hello = protocol.encode([{ text: "Hi" }]);

      const { chunks, code } = await ask(protocol, behind(hello, body));

      expect([textIn(chunks), code]).toEqual(["Hi", "provider-truncated"]);
      expect(count.given).toBeGreaterThan(BUDGETS.answerBytes * 0.9);
      expect(count.given).toBeLessThan(BUDGETS.answerBytes * 1.1);
    },
  );
});

// These tests only wait, so they wait together.
describe.concurrent.each(PROTOCOLS)("%s", (_name, protocol) => {
  const signs = signsOf(protocol);

  it.each(signs)("ends an answer as stalled if only %s arrive after its beginning", async (_case, drop) => {
    const body = dripping(protocol, [{ text: "Hi" }], drop, { everyMs: 20, times: 100 });

    const { chunks, code } = await ask(protocol, body, { idleMs: 300 });

    expect([textIn(chunks), code]).toEqual(["Hi", "provider-stalled"]);
  });

  it.each(signs)("waits at most for the header timeout while only %s arrive", async (_case, drop) => {
    const body = dripping(protocol, [], drop, { everyMs: 20, times: 200 });

    const { chunks, code } = await ask(protocol, body, { headersMs: 200, idleMs: 300 });

    expect([textIn(chunks), code]).toEqual(["", "provider-stalled"]);
  });
});

describe.each(PROTOCOLS)("%s, read with a clock of the test", (_name, protocol) => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ["Date"] });
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it.each(signsOf(protocol))("waits for an answer while %s arrive before it", async (_case, drop) => {
    const body = passing(protocol, [], drop, { everyMs: 500, times: 20 });

    const { chunks, code } = await ask(protocol, body, { headersMs: 20_000, idleMs: 600 });

    expect([textIn(chunks), code]).toEqual([" there", "none"]);
  });

  it.each<[string, Step]>([
    ["thoughts", { thinking: "Hm" }],
    ["words", { text: "Hm" }],
    ["pieces of a call", { call: { id: "c1", name: "one", arguments: '{"x":"Hm"}' } }],
  ])("continues for as long as %s arrive", async (_case, step) => {
    const drop = protocol.encode([step]);
    const body = passing(protocol, [step], drop, { everyMs: 500, times: 20 });

    const { code } = await ask(protocol, body, { headersMs: 100, idleMs: 600 });

    expect(code).toBe("none");
  });
});

/** Repeats a piece many times, so that a body has few reads. */
function joined(piece: Uint8Array): Uint8Array {
  const times = Math.ceil(64_000 / piece.length);
  const all = new Uint8Array(piece.length * times);
  for (let index = 0; index < times; index++) all.set(piece, index * piece.length);
  return all;
}

function behind(first: Uint8Array, rest: ReadableStream<Uint8Array>): ReadableStream<Uint8Array> {
  const reader = rest.getReader();
  return new ReadableStream<Uint8Array>({
    start: (controller) => controller.enqueue(first),
    async pull(controller) {
      const { done, value } = await reader.read();
      if (done) controller.close();
      else controller.enqueue(value);
    },
    cancel: () => reader.cancel(),
  });
}

it("stops reading an endless answer, and keeps the text so far", async () => {
  const thought = `data: ${JSON.stringify({ choices: [{ delta: { reasoning_content: "m".repeat(10_000) } }] })}\n\n`;
  const { name } = await scriptModel([{ text: "Hi" }, { raw: thought, times: 2_000 }]);
  const context = contextOf({ fetch: (input, init) => fetch(input, init), isLocal: true });
  const credentials = { base_url: inject("model"), model: name };
  const model = findProvider("OpenAICompatible", true)?.open(credentials, null, {}, context);
  if (!model) throw new Error("There is no such provider.");

  const { chunks, code } = await read(model);

  expect([textIn(chunks), code]).toEqual(["Hi", "provider-truncated"]);
});

describe("the idle timer", () => {
  it("counts only waits since the last piece of the answer", () => {
    const idleTimer = new IdleTimer({ headersMs: 10, idleMs: 100 });
    expect(idleTimer.leftMs).toBe(100);

    idleTimer.received(60);
    expect(idleTimer.leftMs).toBe(40);
    idleTimer.advanced();
    idleTimer.received(30);
    idleTimer.received(30);
    expect(idleTimer.leftMs).toBe(40);
    idleTimer.received(40);
    expect(idleTimer.leftMs).toBe(0);
  });

  it("lets signs of life extend the wait up to the header timeout in all", () => {
    const idleTimer = new IdleTimer({ headersMs: 100, idleMs: 50 });

    idleTimer.received(49);
    idleTimer.received(49);
    expect(idleTimer.leftMs).toBe(50);
    idleTimer.received(49);
    expect(idleTimer.leftMs).toBe(1);
    idleTimer.received(1);
    expect(idleTimer.leftMs).toBe(0);
  });

  it("ignores signs of life after the first piece", () => {
    const idleTimer = new IdleTimer({ headersMs: 1_000, idleMs: 50 });

    idleTimer.advanced();
    idleTimer.received(49);

    expect(idleTimer.leftMs).toBe(1);
  });
});

it("waits at most two seconds for the usage after the stop reason, whatever keeps the connection alive", () => {
  const idleTimer = new IdleTimer({ headersMs: 30_000, idleMs: 60_000 });
  idleTimer.advanced();
  idleTimer.ended();
  expect(idleTimer.leftMs).toBe(2_000);

  idleTimer.received(1_500);
  idleTimer.advanced();
  idleTimer.ended();

  expect(idleTimer.leftMs).toBe(500);
});

it("completes an answer whose connection stays open after the stop reason", async () => {
  const end = bytesOf('data: {"choices":[{"delta":{"content":"Hi"},"finish_reason":"stop"}]}\n\n');
  const body = new ReadableStream<Uint8Array>({ start: (controller) => controller.enqueue(end) });

  expect(await ask(compatibleProtocol, body, { idleMs: 50 })).toEqual({
    chunks: [
      { type: "text", text: "Hi" },
      { type: "finish", reason: "stop" },
    ],
    code: "none",
  });
});

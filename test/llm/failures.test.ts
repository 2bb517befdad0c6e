import { describe, expect, it } from "vitest";
import { BUDGETS } from "../../src/llm/budgets.ts";
import { retryAfterMs } from "../../src/llm/exchange.ts";
import { MODEL_TIMEOUTS, type ModelChunk, type ModelTimeouts } from "../../src/llm/model.ts";
import { AppError } from "../../src/shared/errors.ts";
import { findProvider } from "../../src/llm/providers.ts";
import { PROTOCOLS } from "./protocols/all.ts";
import { compatibleProtocol } from "./protocols/openai.ts";
import {
  answering,
  contextOf,
  KEY,
  openWith,
  type Protocol,
  type RefusalKind,
  refusing,
  streamed,
} from "./protocols/protocol.ts";

const HELLO = [{ role: "user", content: "Hi" }] as const;
const GOOD = [{ text: "Hi" }, { stop: "answer" }] as const;
const HI = [
  { type: "text", text: "Hi" },
  { type: "finish", reason: "stop" },
];

/** Asks a model whose server returns these answers in turn. The last one is repeated. */
function ask(
  protocol: Protocol,
  answers: readonly ((signal: AbortSignal) => Response | Promise<Response>)[],
  more: { timeouts?: Partial<ModelTimeouts>; signal?: AbortSignal } = {},
) {
  const requests: Request[] = [];
  const fetch: typeof globalThis.fetch = async (input, init) => {
    const request = new Request(input, init);
    const answer = answers[Math.min(requests.length, answers.length - 1)];
    requests.push(request);
    if (!answer) throw new Error("no answer");
    return answer(request.signal);
  };
  const model = openWith(protocol, fetch, { timeouts: { ...MODEL_TIMEOUTS, ...more.timeouts } });
  const signal = more.signal ?? new AbortController().signal;
  return { requests, chunks: Array.fromAsync(model.stream({ messages: HELLO, tools: [] }, signal)) };
}

const never = (signal: AbortSignal): Promise<never> =>
  new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));

/** Everything about an error that a log could show. */
function shown(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const own = Object.getOwnPropertyNames(error).map((name) => String(Reflect.get(error, name)));
  return [error.message, error.stack, ...own, JSON.stringify(error), shown(error.cause ?? "")].join(" ");
}

async function failureOf(chunks: Promise<ModelChunk[]>): Promise<AppError> {
  const error = await chunks.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof AppError)) throw new Error(`No AppError: ${String(error)}`);
  return error;
}

const REFUSALS: readonly (readonly [RefusalKind, string, boolean, number])[] = [
  ["auth", "provider-auth", false, 1],
  ["forbidden", "provider-auth", false, 1],
  ["quota", "provider-quota", false, 1],
  ["rate", "provider-rate", true, 2],
  ["overflow", "provider-overflow", false, 1],
  ["content", "provider-content", false, 1],
  ["unknown model", "provider-unavailable", false, 1],
  ["rejected", "provider-unavailable", false, 1],
  ["broken", "provider-unavailable", true, 2],
  ["overloaded", "provider-unavailable", true, 2],
];

it("has one table of budgets", () => {
  expect(BUDGETS).toEqual({
    headersMs: 30_000,
    compatibleHeadersMs: 120_000,
    idleMs: 60_000,
    totalMs: 600_000,
    retryAfterMs: 2_000,
    attempts: 2,
    retryWaitMs: 500,
    usageMs: 2_000,
    listMs: 10_000,
    listBytes: 4_000_000,
    answerBytes: 16_000_000,
    errorBytes: 64_000,
    resolveMs: 3_000,
    resolvedForMs: 60_000,
  });
});

// Most of these tests wait for a retry, so they wait together.
describe.concurrent.each(PROTOCOLS)("%s", (_name, protocol) => {
  it.each(REFUSALS)(
    "reports %s as %s (retryable: %s), without the key",
    async (kind, code, retryable, sent) => {
      const { requests, chunks } = ask(protocol, [() => refusing(protocol, kind)]);

      const error = await failureOf(chunks);

      // For an unknown model, the list of models is requested too.
      const posted = requests.filter(({ method }) => method === "POST");
      expect([error.code, error.retryable, posted.length]).toEqual([code, retryable, sent]);
      expect(shown(error)).not.toContain(KEY);
      expect(shown(error)).not.toContain("canary");
    },
  );

  it("does not obey a `Retry-After` of a minute", async () => {
    const { requests, chunks } = ask(protocol, [() => refusing(protocol, "rate", { "retry-after": "59" })]);

    expect((await failureOf(chunks)).code).toBe("provider-rate");
    expect(requests).toHaveLength(1);
  });

  it.each([
    ["a limit that ends at once", () => refusing(protocol, "rate", { "retry-after": "0" })],
    ["a failure", () => refusing(protocol, "broken")],
    ["a connection that can't be made", () => Promise.reject(new TypeError("Network connection lost."))],
  ])("tries once more after %s", async (_case, answer) => {
    const { requests, chunks } = ask(protocol, [answer, () => answering(protocol, GOOD)]);

    expect(await chunks).toEqual(HI);
    expect(requests).toHaveLength(2);
  });

  it("does not retry after the answer has begun", async () => {
    const broken = () => {
      const [half] = [protocol.encode([{ text: "Half" }])];
      const pieces = [half];
      const body = new ReadableStream<Uint8Array>({
        pull(controller) {
          const piece = pieces.shift();
          if (piece) controller.enqueue(piece);
          else controller.error(new TypeError("Network connection lost."));
        },
      });
      return new Response(body, { headers: { "content-type": protocol.contentType } });
    };
    const { requests, chunks } = ask(protocol, [broken]);

    expect((await failureOf(chunks)).code).toBe("provider-unavailable");
    expect(requests).toHaveLength(1);
  });

  it.each([
    ["a page", () => new Response("<html>Bad gateway</html>", { headers: { "content-type": "text/html" } })],
    ["JSON that is not a stream", () => Response.json({ choices: [] })],
    ["nothing", () => new Response(null, { status: 204 })],
  ])("reports %s as unreadable", async (_case, answer) => {
    expect(await failureOf(ask(protocol, [answer]).chunks)).toMatchObject({
      code: "provider-unavailable",
      retryable: true,
    });
  });

  it("refuses an HTML error page and a redirect, and does not follow the redirect", async () => {
    const page = () =>
      new Response("<html>No</html>", { status: 403, headers: { "content-type": "text/html" } });
    expect((await failureOf(ask(protocol, [page]).chunks)).code).toBe("provider-auth");

    const redirect = () =>
      new Response(null, { status: 302, headers: { location: "http://169.254.169.254/" } });
    const { requests, chunks } = ask(protocol, [redirect]);
    const error = await failureOf(chunks);
    expect([error.code, error.retryable, requests.length]).toEqual(["provider-unavailable", false, 1]);
    expect(requests[0]?.redirect).toBe("manual");
  });

  it("limits how much of an error's body it reads", async () => {
    let given = 0;
    const endless = () =>
      new Response(
        new ReadableStream({
          pull(controller) {
            given += 10_000;
            controller.enqueue(new Uint8Array(10_000));
          },
        }),
        { status: 400 },
      );

    expect((await failureOf(ask(protocol, [endless]).chunks)).code).toBe("provider-unavailable");
    expect(given).toBeLessThan(200_000);
  });

  it.each<[string, Partial<ModelTimeouts>, () => (signal: AbortSignal) => Response | Promise<Response>]>([
    ["its headers take", { headersMs: 40 }, () => never],
    ["it pauses", { idleMs: 40 }, () => () => stalling(protocol)],
    ["its answer takes", { totalMs: 80 }, () => () => dripping(protocol)],
  ])("gives up when %s too long", async (_case, timeouts, answer) => {
    const { requests, chunks } = ask(protocol, [answer()], { timeouts });

    expect((await failureOf(chunks)).code).toBe("provider-stalled");
    expect(requests).toHaveLength(1);
  });

  it.each<[string, (abort: () => void) => (signal: AbortSignal) => Response | Promise<Response>]>([
    [
      "before the headers",
      (abort) => (signal) => {
        const answer = never(signal);
        abort();
        return answer;
      },
    ],
    ["in mid-answer", (abort) => () => stalling(protocol, abort)],
    ["while it waits to try again", (abort) => () => thenCalling(refusing(protocol, "broken"), abort)],
  ])("ends with the signal's reason when it is aborted %s", async (_case, answer) => {
    const abort = new AbortController();
    const stub = answer(() => abort.abort(new Error("enough")));
    const { requests, chunks } = ask(protocol, [stub], { signal: abort.signal });

    await expect(chunks).rejects.toThrow("enough");
    expect(requests).toHaveLength(1);
  });

  it("sends nothing if the signal is already aborted", async () => {
    const { requests, chunks } = ask(protocol, [() => answering(protocol, GOOD)], {
      signal: AbortSignal.abort(new Error("enough")),
    });

    await expect(chunks).rejects.toThrow("enough");
    expect(requests).toHaveLength(0);
  });

  it("accepts an empty answer", async () => {
    expect(await ask(protocol, [() => answering(protocol, [{ stop: "answer" }])]).chunks).toEqual([
      { type: "finish", reason: "stop" },
    ]);
  });
});

/** An answer that stops after its first words. `stalled` is called when these have been read. */
const stalling = (protocol: Protocol, stalled?: () => void): Response => {
  const body = new ReadableStream<Uint8Array>({
    start: (controller) => controller.enqueue(protocol.encode([{ text: "Hi" }])),
    pull: () => stalled?.(),
  });
  return new Response(body, { headers: { "content-type": protocol.contentType } });
};

/** The same response, with a call in the turn of the event loop after the one in which its body has been read. */
const thenCalling = (response: Response, call: () => void): Response => {
  const source = response.body?.getReader();
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      const piece = await source?.read();
      if (piece?.value) return controller.enqueue(piece.value);
      controller.close();
      setTimeout(call, 0);
    },
  });
  return new Response(body, response);
};

/** An endless answer, a byte at a time. */
const dripping = (protocol: Protocol): Response => {
  const bytes = protocol.encode(Array.from({ length: 100 }, () => ({ text: "more " })));
  const left = Array.from(bytes, (byte) => Uint8Array.of(byte));
  const slow = streamed(protocol, left);
  const source = slow.body?.getReader();
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      await new Promise((resolve) => setTimeout(resolve, 5));
      const piece = await source?.read();
      if (piece?.value) controller.enqueue(piece.value);
      else controller.close();
    },
  });
  return new Response(body, { headers: slow.headers });
};

describe("a compatible server with its own error texts", () => {
  const google = (message: string) => [{ error: { code: 400, message, status: "INVALID_ARGUMENT" } }];

  it.each([
    ["a refused key in a list", google(`API key not valid: ${KEY}`), "provider-auth"],
    ["a long request in a list", google("The input is too long: prompt is too long"), "provider-overflow"],
    [
      "a long request at the top",
      { object: "error", message: "Prompt has 40000 tokens, maximum context length is 32768" },
      "provider-overflow",
    ],
    ["a long request as a text", { error: "context length exceeded" }, "provider-overflow"],
    ["something else", [`no ${KEY}`], "provider-unavailable"],
  ])("is understood: %s", async (_case, body, code) => {
    const error = await failureOf(
      ask(compatibleProtocol, [() => Response.json(body, { status: 400 })]).chunks,
    );

    expect(error.code).toBe(code);
    expect(shown(error)).not.toContain(KEY);

    const context = contextOf({ fetch: () => Promise.resolve(Response.json(body, { status: 400 })) });
    const listing = findProvider("OpenAICompatible", false)?.listModels(
      compatibleProtocol.credentials,
      context,
      new AbortController().signal,
    );
    await expect(listing).rejects.toMatchObject({ code });
  });

  it("is asked again without the token usage if it refuses that option", async () => {
    const detail = [{ type: "extra_forbidden", loc: ["body", "stream_options"] }];
    const refusal = () => Response.json({ object: "error", message: { detail } }, { status: 422 });

    const { requests, chunks } = ask(compatibleProtocol, [
      refusal,
      () => answering(compatibleProtocol, GOOD),
    ]);

    expect(await chunks).toEqual(HI);
    expect(requests).toHaveLength(2);
  });
});

describe("an error as the first event after a 200", () => {
  it.each(PROTOCOLS)("is retried like a status: %s", async (_name, protocol) => {
    const { requests, chunks } = ask(protocol, [
      () => answering(protocol, [{ error: "overloaded" }]),
      () => answering(protocol, GOOD),
    ]);

    expect(await chunks).toEqual(HI);
    expect(requests).toHaveLength(2);
  });
});

describe("the wait before the retry", () => {
  const now = Date.parse("2026-11-22T10:00:00Z");

  it.each([
    [{ "retry-after-ms": "250", "retry-after": "9" }, 250],
    [{ "retry-after": "2" }, 2_000],
    [{ "retry-after": "Sun, 22 Nov 2026 10:00:03 GMT" }, 3_000],
    [{ "retry-after": "Sun, 22 Nov 2026 09:00:00 GMT" }, 0],
    [{ "retry-after": "soon" }, undefined],
    [{}, undefined],
  ])("is read from %j", (headers, expected) => {
    expect(retryAfterMs(new Headers(headers), now)).toBe(expected);
  });
});

describe("each cause has a sentence of its own", () => {
  const refusal =
    (status: number, body: unknown, type = "application/json") =>
    () =>
      new Response(typeof body === "string" ? body : JSON.stringify(body), {
        status,
        headers: { "content-type": type },
      });
  const said = (message: string) => ({ error: { message } });

  it.each([
    [
      "a wrong key",
      refusal(400, said("API key not valid. Please pass a valid API key.")),
      "provider-auth",
      "API key",
    ],
    ["no credit", refusal(402, said("Insufficient Balance")), "provider-quota", "no credit left"],
    [
      "a limit of the organisation",
      refusal(400, said("You have reached your specified API usage limits.")),
      "provider-quota",
      "usage limit of your organisation",
    ],
    [
      "a quota that comes back at once",
      refusal(429, said("You exceeded your current quota. Please retry in 20.5s.")),
      "provider-rate",
      "limiting requests",
    ],
    [
      "a filter",
      refusal(400, said("The response was filtered due to the content management policy")),
      "provider-content",
      "content",
    ],
    [
      "an unknown model",
      refusal(400, said("Model 'gpt-9' does not exist")),
      "provider-unavailable",
      "does not offer",
    ],
    [
      "a page of a proxy",
      refusal(502, "<html>Bad gateway</html>", "text/html"),
      "provider-unavailable",
      "web page",
    ],
  ])("%s", async (_case, answer, code, words) => {
    const error = await failureOf(ask(compatibleProtocol, [answer]).chunks);

    expect(error).toMatchObject({ code, message: expect.stringContaining(words) });
  });

  it("an unknown model, with similar names from the provider's list", async () => {
    const ids = [
      "whisper-1",
      "llama-3.3-70b-versatile",
      "llama-3.1-8b-instant",
      "<b>llama-3.3-70b</b>",
      "gemma2-9b-it",
    ];
    const answers = [refusal(404, { error: { message: "No", code: "model_not_found" } })];
    const list = () => Response.json({ data: ids.map((id) => ({ id })) });
    const { requests, chunks } = ask(compatibleProtocol, [...answers, list]);

    const { message } = await failureOf(chunks);

    expect(requests[1]?.url).toBe("https://api.groq.com/openai/v1/models");
    expect(message).toContain("Similar models: llama-3.3-70b-versatile, llama-3.1-8b-instant");
    expect(message).not.toContain("<b>");
  });

  it("an address without a version", async () => {
    const protocol = {
      ...compatibleProtocol,
      credentials: { api_key: "k", base_url: "https://llm.example.com" },
    };

    const error = await failureOf(ask(protocol, [refusal(404, "404 page not found")]).chunks);

    expect(error.message).toContain("the address seems to lack /v1");
  });
});

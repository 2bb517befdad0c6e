import { afterEach, expect, it, vi } from "vitest";
import { AgentBuilder, type Fetch } from "../../client/src/index.ts";

afterEach(() => {
  vi.useRealTimers();
});

const STREAM = { headers: { "content-type": "text/event-stream" } };
const MEGABYTE = new Uint8Array(1024 * 1024).fill(0x61);

/** A body that begins with a text and then does what `pull` says. */
const bodyOf = (
  text: string,
  pull: (controller: ReadableStreamDefaultController<Uint8Array>) => void = () => undefined,
): ReadableStream<Uint8Array> =>
  new ReadableStream({
    start: (controller) => controller.enqueue(new TextEncoder().encode(text)),
    pull,
  });

const frame = (event: object): string => `data: ${JSON.stringify({ run_id: "run-1", ...event })}\n\n`;
const FIRST = frame({ event_type: "LIFECYCLE_NOTIFICATION", seq: 1 });
const LAST = frame({ event_type: "STREAM_COMPLETE", seq: 2 });

/** Returns a client with these answers, one to each request, and the requests that it sends. */
function answeredBy(...answers: readonly (() => Response | Promise<Response>)[]) {
  const sent: { method: string | undefined; url: string }[] = [];
  const fetch: Fetch = async (url, { method, signal }) => {
    sent.push({ method, url });
    const answer = answers[sent.length - 1];
    if (!answer) throw new Error(`Nothing answers ${method} ${url}.`);
    // Like the platform's, it ends when its signal is aborted.
    return await Promise.race([
      answer(),
      new Promise<never>((_, reject) => signal?.addEventListener("abort", () => reject(signal.reason))),
    ]);
  };
  return { sent, client: new AgentBuilder({ baseUrl: "https://api.test", token: "token", fetch }) };
}

const never = (): Promise<Response> => new Promise(() => undefined);

it("takes a stream for lost that is silent for 45 seconds, but not while pings arrive", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  let controller: ReadableStreamDefaultController<Uint8Array> | undefined;
  const { client, sent } = answeredBy(
    () =>
      new Response(
        bodyOf(FIRST, (one) => {
          controller = one;
        }),
        STREAM,
      ),
    () => new Response(bodyOf(FIRST + LAST), STREAM),
  );
  const states: string[] = [];
  const answer = client.agents("a").send("c", "Hello", { onConnection: (state) => states.push(state) });
  const events = Array.fromAsync(answer);

  await vi.advanceTimersByTimeAsync(44_000);
  controller?.enqueue(new TextEncoder().encode(": ping\n\n"));
  await vi.advanceTimersByTimeAsync(44_000);
  expect(states).toEqual([]);
  await vi.advanceTimersByTimeAsync(2_000);
  expect(states).toEqual(["lost", "resumed"]);
  expect((await events).map(({ seq }) => seq)).toEqual([1, 2]);
  expect(sent.map(({ url }) => url)).toEqual([
    "https://api.test/agents/a/c/send-message",
    "https://api.test/conversations/c/runs/run-1/events?after=0",
  ]);
});

it("does not count the time that the caller takes for an event as silence", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  const { client, sent } = answeredBy(() => new Response(bodyOf(FIRST + LAST), STREAM));
  for await (const event of client.agents("a").send("c", "Hello"))
    if (event.seq === 1) await vi.advanceTimersByTimeAsync(100_000);
  expect(sent).toHaveLength(1);
});

it("waits 10 seconds for the run that an aborted answer has to cancel", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  const { client, sent } = answeredBy(never);
  const aborting = new AbortController();
  const text = client.agents("a").send("c", "Hello", { signal: aborting.signal }).text();
  const failure = text.catch((error: unknown) => error);
  await vi.advanceTimersByTimeAsync(1_000);
  aborting.abort(new Error("Enough."));
  await vi.advanceTimersByTimeAsync(9_000);
  await expect(Promise.race([failure, Promise.resolve("waiting")])).resolves.toBe("waiting");
  await vi.advanceTimersByTimeAsync(1_000);
  await expect(text).rejects.toThrow("Enough.");
  expect(sent).toHaveLength(1);
});

it("has nothing to cancel in an answer whose signal was aborted before", async () => {
  const { client, sent } = answeredBy();
  const answer = client.agents("a").send("c", "Hello", { signal: AbortSignal.abort(new Error("Enough.")) });
  await expect(answer.text()).rejects.toThrow("Enough.");
  await answer.cancel();
  expect(sent).toEqual([]);
});

it("throws why the run of an aborted answer could not be cancelled", async () => {
  const { client, sent } = answeredBy(
    () => new Response(bodyOf(FIRST), STREAM),
    () => Response.json({ code: "forbidden", detail: "You may not cancel this." }, { status: 403 }),
  );
  const aborting = new AbortController();
  const read = async () => {
    for await (const event of client.agents("a").send("c", "Hello", { signal: aborting.signal }))
      if (event.seq === 1) aborting.abort(new Error("Enough."));
  };
  await expect(read()).rejects.toThrow("You may not cancel this.");
  expect(sent.at(-1)).toEqual({
    method: "POST",
    url: "https://api.test/conversations/c/runs/run-1/cancel",
  });
});

it("throws the refusal of a resumption, such as of a run whose events are gone", async () => {
  const { client } = answeredBy(
    () =>
      new Response(
        bodyOf(FIRST, (controller) => controller.close()),
        STREAM,
      ),
    () => Response.json({ code: "gone", detail: "The events are gone." }, { status: 410 }),
  );
  await expect(client.agents("a").send("c", "Hello").text()).rejects.toMatchObject({ code: "gone" });
});

it("refuses an answer of more than 64 MB and a line of more than 16 MB", async () => {
  const endless = () => bodyOf("", (controller) => controller.enqueue(MEGABYTE));
  const tooLarge = { name: "ConnectionError", reason: "unreadable" };

  const answer = answeredBy(() => new Response(endless()));
  await expect(answer.client.agents.list()).rejects.toMatchObject(tooLarge);
  const stream = answeredBy(() => new Response(endless(), STREAM));
  await expect(stream.client.agents("a").send("c", "Hello").text()).rejects.toMatchObject(tooLarge);
  expect([answer.sent, stream.sent].map(({ length }) => length)).toEqual([1, 1]);
});

it("refuses an event that consists of too many lines", async () => {
  const line = new TextEncoder().encode(`data: ${"a".repeat(1024 * 1024)}\n`);
  const { client } = answeredBy(
    () =>
      new Response(
        bodyOf("", (controller) => controller.enqueue(line)),
        STREAM,
      ),
  );
  await expect(client.agents("a").send("c", "Hello").text()).rejects.toMatchObject({ reason: "unreadable" });
});

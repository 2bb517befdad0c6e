import { Hono } from "hono";
import { streamSSE } from "hono/streaming";
import { expect, it } from "vitest";
import { relay, unbuffered } from "../../src/http/sse.ts";

const encoder = new TextEncoder();

/** The answer of a route that relays these frames. */
async function answerOf(frames: ReadableStream<Uint8Array>): Promise<Response> {
  const app = new Hono().get("/", (c) => {
    c.header("x-before", "kept");
    return unbuffered(c, streamSSE(c, relay(frames)), { "x-more": "1" });
  });
  return app.request("/");
}

/** Frames that never end, with the number of requested frames, and whether the reader has cancelled. */
function endless() {
  const seen = { pulled: 0, cancelled: false };
  const frames = new ReadableStream({
    type: "bytes",
    pull: (controller) => controller.enqueue(encoder.encode(`data: ${++seen.pulled}\n\n`)),
    cancel: () => {
      seen.cancelled = true;
    },
  });
  return { frames, seen };
}

it("passes frames on unchanged, with headers that keep proxies from changing them", async () => {
  const text = 'data: {"content":"a\\nb"}\n\n: ping\n\ndata: {}\n\n';
  const frames = new Response(text).body;

  const response = await answerOf(frames ?? new ReadableStream());

  expect(Object.fromEntries(response.headers)).toEqual({
    "content-type": "text/event-stream; charset=utf-8",
    "cache-control": "no-store, no-transform",
    "x-accel-buffering": "no",
    "x-before": "kept",
    "x-more": "1",
  });
  expect(await response.text()).toBe(text);
});

it("requests no frames that a slow client does not read", async () => {
  const { frames, seen } = endless();
  const response = await answerOf(frames);
  const reader = response.body?.getReader();
  await reader?.read();

  await scheduler.wait(20);

  // A few wait in the pipes on the way.
  expect(seen.pulled).toBeLessThan(10);
  await reader?.cancel();
});

it("notifies the source that the client has left", async () => {
  const { frames, seen } = endless();
  const response = await answerOf(frames);
  const reader = response.body?.getReader();
  await reader?.read();

  await reader?.cancel();

  await expect.poll(() => seen.cancelled).toBe(true);
});

it("aborts the answer if its frames break off, so that no client mistakes it for complete", async () => {
  let pulls = 0;
  const frames = new ReadableStream<Uint8Array>({
    pull(controller) {
      if (pulls++ > 0) throw new Error("The runner has died.");
      controller.enqueue(encoder.encode("data: 1\n\n"));
    },
  });

  await expect((await answerOf(frames)).text()).rejects.toThrow("The runner has died.");
});

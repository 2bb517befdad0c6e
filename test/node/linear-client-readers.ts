import { AgentBuilder } from "../../client/src/index.ts";
import type { HardText, Reads } from "./linear.ts";
import { piecesOf } from "./linear-inputs.ts";

/** Bytes per piece in which answers arrive. */
const PIECE = 1024;

/** Lets the client read a body that arrives in small pieces. */
const answering =
  (contentType: string, read: (client: AgentBuilder) => Promise<unknown>) =>
  (text: string): Promise<unknown> => {
    const bytes = new TextEncoder().encode(text);
    let at = 0;
    const body = new ReadableStream<Uint8Array>({
      pull(controller) {
        if (at >= bytes.length) return controller.close();
        controller.enqueue(bytes.slice(at, (at += PIECE)));
      },
    });
    const response = new Response(body, { headers: { "content-type": contentType } });
    return read(
      new AgentBuilder({ baseUrl: "https://api.test", retries: 0, fetch: () => Promise.resolve(response) }),
    );
  };

const asEvents = answering("text/event-stream", async (client) => {
  const path = { kbId: "kb", jobId: "job" };
  const stream = client.events("GET", "/knowledge-bases/{kbId}/crawl-jobs/{jobId}/stream", { path });
  for await (const event of stream) if (typeof event !== "object") throw new Error("An event is an object.");
});
const asJson = answering("application/json", (client) => client.agents.list());

/** The readers of the client, which reads what a service sends that may not be ours. */
export const CLIENT_READERS: Readonly<Record<string, Reads>> = {
  "client: events": (text) =>
    asEvents(
      piecesOf(text)
        .map((piece) => `data: ${JSON.stringify({ piece })}\n\n`)
        .join(""),
    ),
  "client: one event": (text) => asEvents(`data: ${JSON.stringify({ text })}\n\n`),
  "client: an event without an end": (text) => asEvents(`data: ${text}`),
  "client: an answer": (text) => asJson(JSON.stringify([text])),
  "client: an answer that is no JSON": asJson,
};

/** Texts that are hard for one of these functions. */
export const CLIENT_TEXTS: readonly HardText[] = [
  [
    "client: one event of many lines",
    asEvents,
    (size) => `data: {"a":\n${"data:\n".repeat(size)}data:1}\n\n`,
  ],
];

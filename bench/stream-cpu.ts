/**
 * Measures the CPU time that reading one streamed answer of 500 tokens takes, without network. With the path of another
 * checkout, measures both in turns, so that they share the machine's moods:
 *
 *     node bench/stream-cpu.ts [/path/to/another/checkout]
 */
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";

const TOKENS = 500;
const STREAMS = 200;
const ROUNDS = 15;
const TIMEOUTS = { headersMs: 30_000, idleMs: 60_000, totalMs: 600_000, retryAfterMs: 2_000 };

const encoder = new TextEncoder();
const chunk = (delta: object, finish: string | null = null) =>
  encoder.encode(
    `data: ${JSON.stringify({ id: "chatcmpl-1", object: "chat.completion.chunk", created: 1, model: "m", choices: [{ index: 0, delta, finish_reason: finish }] })}\n\n`,
  );
const PIECES = [
  chunk({ role: "assistant", content: "" }),
  ...Array.from({ length: TOKENS }, (_, index) => chunk({ content: ` token${index}` })),
  chunk({}, "stop"),
  encoder.encode(
    `data: ${JSON.stringify({ choices: [], usage: { prompt_tokens: 9, completion_tokens: 500 } })}\n\n`,
  ),
  encoder.encode("data: [DONE]\n\n"),
];

/** A body that has one piece for each read, or many tokens in each. */
function body(perRead: number): ReadableStream<Uint8Array> {
  let at = 0;
  return new ReadableStream({
    pull(controller) {
      if (at >= PIECES.length) return controller.close();
      controller.enqueue(Buffer.concat(PIECES.slice(at, at + perRead)));
      at += perRead;
    },
  });
}

interface Module {
  readonly openAiModel: (options: object) => {
    stream(request: object, signal: AbortSignal): AsyncIterable<{ readonly type: string }>;
  };
}

async function streamsOf(root: string) {
  // A module of this project, from whichever checkout.
  const { openAiModel } = (await import(pathToFileURL(resolve(root, "src/llm/openai.ts")).href)) as Module;
  return async (perRead: number): Promise<number> => {
    const model = openAiModel({
      apiKey: "k",
      baseUrl: "http://bench.test/v1",
      model: "m",
      contextTokens: 1_000,
      timeouts: TIMEOUTS,
      fetch: () =>
        Promise.resolve(new Response(body(perRead), { headers: { "content-type": "text/event-stream" } })),
    });
    const signal = new AbortController().signal;
    const before = process.cpuUsage();
    for (let stream = 0; stream < STREAMS; stream++) {
      let texts = 0;
      for await (const part of model.stream({ messages: [], tools: [] }, signal))
        if (part.type === "text") texts++;
      if (texts !== TOKENS) throw new Error(`Read ${texts} texts.`);
    }
    const { user, system } = process.cpuUsage(before);
    return (user + system) / STREAMS;
  };
}

const median = (values: readonly number[]): number =>
  values.toSorted((one, other) => one - other)[values.length >> 1] ?? 0;

const roots = [".", ...process.argv.slice(2, 3)];
const readers = await Promise.all(roots.map(streamsOf));
for (const perRead of [1, 20]) {
  const times: number[][] = roots.map(() => []);
  for (let round = 0; round <= ROUNDS; round++)
    for (const [index, read] of readers.entries()) {
      const time = await read(perRead);
      // The first round warms up.
      if (round > 0) times[index]?.push(time);
    }
  const medians = times.map(median);
  const [own = 0, other] = medians;
  const compared =
    other === undefined
      ? ""
      : `, ${other.toFixed(0)} µs there: ${((1 - own / other) * 100).toFixed(0)} % less`;
  console.log(`${perRead} tokens per read: ${own.toFixed(0)} µs of CPU per stream${compared}`);
}

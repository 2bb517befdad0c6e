import { createTransport } from "../../src/table/transport.ts";

/** What the endpoint does with one request. */
export type Reply = (signal: AbortSignal | null | undefined) => Response | Promise<Response>;

export const answers =
  (body: object = {}): Reply =>
  () =>
    Response.json(body);

/** An exception as DynamoDB words it, namespace included. */
export const refuses =
  (type: string, { status = 400, body = {}, headers = {} } = {}): Reply =>
  () =>
    Response.json(
      { __type: `com.amazonaws.dynamodb.v20120810#${type}`, message: "No.", ...body },
      { status, headers },
    );

export const respondsWith =
  (status: number, text = ""): Reply =>
  () =>
    new Response(text, { status });

export const breaksConnection: Reply = () => Promise.reject(new TypeError("Network connection lost."));

/** Never answers. Rejects when its signal is aborted, as `fetch` does. */
export const hangs: Reply = (signal) =>
  new Promise((_resolve, reject) => {
    signal?.addEventListener("abort", () => reject(signal.reason as Error));
  });

export const times = (count: number, reply: Reply): Reply[] => Array.from({ length: count }, () => reply);

/**
 * A transport with scripted replies, the last of which is repeated. Waits are recorded instead of waited, and so are the times that
 * attempts may take, which are waited for as well.
 */
export function scriptedTransport(replies: readonly Reply[], random = () => 1 - Number.EPSILON) {
  const requests: Request[] = [];
  const waits: number[] = [];
  const timeouts: number[] = [];

  const send = createTransport({
    endpoint: "https://dynamodb.eu-west-2.amazonaws.com",
    region: "eu-west-2",
    credentials: { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "secret" },
    fetch: async (input, init) => {
      requests.push(new Request(input));
      const reply = replies[Math.min(requests.length, replies.length) - 1];
      return reply ? reply(init?.signal) : new Response("{}");
    },
    sleep: async (ms) => void waits.push(ms),
    timeout: (ms) => {
      timeouts.push(ms);
      return AbortSignal.timeout(ms);
    },
    random,
  });

  return { send, requests, waits, timeouts };
}

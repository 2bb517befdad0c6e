import type { Client } from "./app.ts";
import { valuesIn } from "../wires/events.ts";

/** Returns a `fetch` with which the clients of other services reach the app, as this client. */
export const fetchOf =
  (client: Client): typeof fetch =>
  async (input, init) => {
    const request = new Request(input, init);
    const { pathname, search } = new URL(request.url);
    const body = request.method === "GET" ? undefined : await request.text();
    const headers = Object.fromEntries(request.headers);
    return (await client.raw(request.method, pathname + search, body, { headers })).response;
  };

/** A part of the AI SDK's stream, as it came over the wire. */
export type WirePart = string | ({ readonly type: string } & Readonly<Record<string, unknown>>);

/** The body of a message of the AI SDK. */
export const chatBody = (chatId: string, text: string, messageId: string = crypto.randomUUID()) => ({
  id: chatId,
  trigger: "submit-message",
  messages: [{ id: messageId, role: "user", parts: [{ type: "text", text }] }],
});

/** Sends a message of the AI SDK, and reads the whole answer. */
export async function chat(client: Client, agentId: string, body: unknown, query = "") {
  const answer = await client("POST", `/agents/${agentId}/chat${query}`, body);
  const parts = answer.status === 200 ? partsIn(answer.body as string) : [];
  return {
    ...answer,
    parts,
    text: textOf(parts),
    runId: answer.headers.get("x-run-id") ?? "",
    conversationId: answer.headers.get("x-conversation-id") ?? "",
  };
}

/** The parts of a stream of the AI SDK. */
export const partsIn = (frames: string): readonly WirePart[] => valuesIn(frames) as readonly WirePart[];

/** The text that the parts contain. */
export const textOf = (parts: readonly WirePart[]): string =>
  parts.map((part) => (typeof part === "object" && part.type === "text-delta" ? part["delta"] : "")).join("");

/** The types of the parts. */
export const typesOf = (parts: readonly WirePart[]): readonly string[] =>
  parts.map((part) => (typeof part === "object" ? part.type : part));

/** A response that is read piece by piece. */
export interface Reading {
  readonly response: Response;
  /** Reads until the text so far contains `wanted`, and returns that text. */
  until(wanted: string): Promise<string>;
  /** Reads to the end, or as far as the stream comes, and returns the whole text. */
  rest(): Promise<string>;
  leave(): Promise<void>;
}

/** Begins to read a response. */
export function reading(response: Response): Reading {
  if (!response.body) throw new Error(`There is nothing to read: ${response.status}`);
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  const read = async (isEnough: () => boolean) => {
    while (!isEnough()) {
      // A stream of a runner that died breaks off.
      const next = await reader.read().catch(() => undefined);
      if (!next || next.done) return text;
      text += next.value;
    }
    return text;
  };
  return {
    response,
    async until(wanted) {
      const found = await read(() => text.includes(wanted));
      if (!found.includes(wanted)) throw new Error(`The stream ended without ${wanted}: ${found}`);
      return found;
    },
    rest: () => read(() => false),
    leave: () => reader.cancel(),
  };
}

/** Sends a message of the AI SDK, and begins to read the answer. */
export async function openChat(client: Client, agentId: string, body: unknown): Promise<Reading> {
  const { response } = await client.raw("POST", `/agents/${agentId}/chat`, body);
  if (response.status !== 200) throw new Error(await response.text());
  return reading(response);
}

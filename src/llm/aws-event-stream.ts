import { EventStreamCodec } from "@smithy/eventstream-codec";
import { bytesOf } from "./bytes.ts";
import { providerError } from "./errors.ts";
import { type Json, objectFrom } from "./json.ts";

/** A message of AWS's event stream. An exception is of the operation, an error of the transport. */
export interface AwsEvent {
  readonly kind: "event" | "exception" | "error";
  readonly type: string;
  readonly body: Json;
}

/** The longest message that is taken; AWS's own limit is 16 MB, and the pieces of an answer are small. */
const MAX_MESSAGE_BYTES = 1_000_000;
/** Length, length of the headers, and two checksums: no message is shorter. */
const MIN_MESSAGE_BYTES = 16;

const encoder = new TextEncoder();
const decoder = new TextDecoder();
const codec = new EventStreamCodec(
  (bytes) => (typeof bytes === "string" ? bytes : decoder.decode(bytes)),
  (text) => encoder.encode(text),
);

/** The messages of an event stream (`application/vnd.amazon.eventstream`). Ends early when the stream breaks off in one. */
export async function* awsEvents(
  { headers, body }: Response,
  idleMs: number,
  signal: AbortSignal,
): AsyncGenerator<AwsEvent, void, void> {
  const isStream = headers.get("content-type")?.includes("application/vnd.amazon.eventstream") ?? false;
  if (!body || !isStream) throw providerError.unreadable(new Error("The answer is not an event stream."));

  for await (const message of messagesOf(bytesOf(body, idleMs, signal))) yield decode(message);
}

/** Each message begins with its length, which counts itself. */
async function* messagesOf(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, void> {
  let rest = new Uint8Array();

  for await (const piece of pieces) {
    rest = joined(rest, piece);
    for (;;) {
      const length = rest.length < 4 ? undefined : lengthOf(rest);
      if (length === undefined || rest.length < length) break;
      yield rest.slice(0, length);
      rest = rest.slice(length);
    }
  }
}

function lengthOf(bytes: Uint8Array): number {
  const length = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0);
  if (length < MIN_MESSAGE_BYTES || length > MAX_MESSAGE_BYTES)
    throw providerError.unreadable(new Error("A message of the event stream has no possible length."));
  return length;
}

function joined(first: Uint8Array, second: Uint8Array): Uint8Array<ArrayBuffer> {
  const both = new Uint8Array(first.length + second.length);
  both.set(first);
  both.set(second, first.length);
  return both;
}

function decode(message: Uint8Array): AwsEvent {
  const { headers, body } = read(message);
  const header = (name: string) => String(headers[name]?.value ?? "");
  const kind = header(":message-type");

  if (kind === "error")
    return { kind, type: header(":error-code"), body: { message: header(":error-message") } };
  const content = objectFrom(decoder.decode(body)) ?? {};
  return kind === "exception"
    ? { kind, type: header(":exception-type"), body: content }
    : { kind: "event", type: header(":event-type"), body: content };
}

function read(message: Uint8Array) {
  try {
    return codec.decode(message);
  } catch (cause) {
    throw providerError.unreadable(cause);
  }
}

import { EventStreamCodec } from "@smithy/eventstream-codec";
import type { Decoder } from "./answer.ts";
import { providerError } from "./errors.ts";
import { type Json, objectFrom } from "../shared/json.ts";

/** A message of AWS's event stream. An `exception` comes from the operation, an `error` from the transport. */
export interface AwsEvent {
  readonly kind: "event" | "exception" | "error";
  readonly type: string;
  readonly body: Json;
}

/** The longest message that is accepted. AWS's own limit is 16 MB, but the pieces of an answer are small. */
const MAX_MESSAGE_BYTES = 1_000_000;
/** The total length, the length of the headers, and two checksums (4 bytes each). No message is shorter. */
const MIN_MESSAGE_BYTES = 16;
const LENGTH_BYTES = 4;

const encoder = new TextEncoder();
const decoder = new TextDecoder();
const codec = new EventStreamCodec(
  (bytes) => (typeof bytes === "string" ? bytes : decoder.decode(bytes)),
  (text) => encoder.encode(text),
);

/** Receives what an event stream contains. */
export interface AwsEvents {
  take(event: AwsEvent): void;
}

/**
 * Reads an event stream (`application/vnd.amazon.eventstream`). An incomplete last message is ignored. Pieces are joined
 * only once a message is complete, so the cost stays linear even if a message arrives a byte at a time. Throws
 * `provider-unavailable` if a message is malformed.
 */
export class AwsEventDecoder implements Decoder {
  readonly #events: AwsEvents;
  #parts: Uint8Array[] = [];
  #size = 0;
  #needed = LENGTH_BYTES;

  constructor(events: AwsEvents) {
    this.#events = events;
  }

  push(piece: Uint8Array): void {
    this.#parts.push(piece);
    this.#size += piece.length;
    if (this.#size < this.#needed) return;

    let rest = joined(this.#parts, this.#size);
    while (rest.length >= (this.#needed = neededFor(rest))) {
      this.#events.take(decode(rest.subarray(0, this.#needed)));
      rest = rest.subarray(this.#needed);
    }
    this.#parts = [rest];
    this.#size = rest.length;
  }

  end(): void {
    // A message that breaks off says nothing. The answer knows whether it is complete.
  }
}

/** The number of bytes that the next step needs: the length field, or the whole message. */
const neededFor = (bytes: Uint8Array): number =>
  bytes.length < LENGTH_BYTES ? LENGTH_BYTES : lengthOf(bytes);

function lengthOf(bytes: Uint8Array): number {
  const length = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0);
  if (length < MIN_MESSAGE_BYTES || length > MAX_MESSAGE_BYTES)
    throw providerError.unreadable(new Error("A message of the event stream has an invalid length."));
  return length;
}

function joined(parts: readonly Uint8Array[], size: number): Uint8Array {
  const [only] = parts;
  if (only && parts.length === 1) return only;
  const whole = new Uint8Array(size);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
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

import { isObject, type Json, valueFrom } from "../shared/json.ts";
import type { Decoder } from "./answer.ts";
import { providerError } from "./errors.ts";

/** Anti-DoS: the longest event, and the longest answer that is not a stream. An event without an end must not fill the memory. */
const MAX_EVENT_CHARS = 1_000_000;

/** The end mark of OpenAI's protocol. It is the only event that is not JSON. */
const END_MARK = "[DONE]";

/** Receives what a stream of JSON events contains. */
export interface JsonEvents {
  take(event: Json): void;
  /** Called for the end mark. Nothing is read after it. */
  end(): void;
}

/**
 * Reads a stream of JSON events, whatever its content type says: server-sent events, also without blank lines or spaces
 * between them, JSON lines, or one JSON document, as servers send that do not stream. Throws `provider-unavailable` for
 * anything else.
 */
export class JsonEventDecoder implements Decoder {
  readonly #events: JsonEvents;
  readonly #decoder = new TextDecoder();
  /** The pieces of the line that has not ended yet, and their length. Joined at its end, so that the cost stays linear. */
  #line: string[] = [];
  #lineChars = 0;
  #endsWithReturn = false;
  /** The lines of data that are not JSON on their own. */
  #data = "";
  /** How many lines were JSON objects of their own. */
  #jsonLines = 0;
  /** The lines of a JSON document that has several. `undefined` in a stream of events. */
  #document: string | undefined;
  #isError = false;
  #hasBegun = false;
  /** Whether the event that is being read is the last one, and may have been cut off. */
  #isLast = false;
  #isOver = false;

  constructor(events: JsonEvents) {
    this.#events = events;
  }

  push(bytes: Uint8Array): void {
    this.#feed(this.#decoder.decode(bytes, { stream: true }));
  }

  end(): void {
    // What breaks off says nothing. The answer knows whether it is complete.
    this.#isLast = this.#line.length > 0 || this.#data !== "";
    this.#feed(`${this.#decoder.decode()}\n\n`);
    if (this.#isOver) return;
    if (this.#document !== undefined) this.#readDocument(this.#document);
    // A single line is a whole answer. Of several, the answer knows whether they are complete.
    else if (this.#jsonLines === 1) this.#events.end();
  }

  #feed(text: string): void {
    if (text === "") return;
    const whole = this.#endsWithReturn || text.includes("\r") ? this.#withoutReturns(text) : text;
    let from = 0;
    for (let to = whole.indexOf("\n"); to >= 0 && !this.#isOver; to = whole.indexOf("\n", from)) {
      const rest = whole.slice(from, to);
      from = to + 1;
      if (this.#line.length === 0) this.#readLine(rest);
      else this.#readLine(this.#endOfLine(rest));
    }
    if (from === whole.length || this.#isOver) return;
    this.#line.push(from === 0 ? whole : whole.slice(from));
    this.#lineChars += whole.length - from;
    if (this.#lineChars > MAX_EVENT_CHARS) throw unreadable("An event is too long.");
  }

  #endOfLine(rest: string): string {
    const line = this.#line.join("") + rest;
    this.#line = [];
    this.#lineChars = 0;
    return line;
  }

  /** Lines may also end with a carriage return, or with both, in two reads. */
  #withoutReturns(text: string): string {
    const joined = this.#endsWithReturn && text.startsWith("\n") ? text.slice(1) : text;
    this.#endsWithReturn = text.endsWith("\r");
    return joined.replaceAll("\r\n", "\n").replaceAll("\r", "\n");
  }

  #readLine(line: string): void {
    if (line.startsWith("data:")) return this.#readData(line.slice(5));
    if (line === "") return this.#endEvent();
    if (this.#document !== undefined) return this.#grow(line);
    if (this.#jsonLines > 0) return this.#readJsonLine(valueFrom(line));
    if (line.startsWith(":")) return undefined;
    // llama.cpp reports errors in a field of their own.
    if (line.startsWith("error:")) return this.#readError(line.slice(6));
    if (line.startsWith("event:")) this.#isError = line.slice(6).trim() === "error";
    else if (!this.#hasBegun) this.#beginDocument(line);
    // The standard says to ignore unknown fields.
    return undefined;
  }

  #readData(data: string): void {
    this.#hasBegun = true;
    if (this.#data !== "") {
      this.#data += `\n${data}`;
      if (this.#data.length > MAX_EVENT_CHARS) throw unreadable("An event is too long.");
      return;
    }
    const text = data.trim();
    if (text === "") return;
    if (text === END_MARK) {
      this.#isOver = true;
      this.#events.end();
      return;
    }
    const event = valueFrom(text);
    // An event may be spread over several lines. One that never becomes JSON is noticed at its end.
    if (event === undefined) this.#data = data;
    else this.#take(event);
  }

  #endEvent(): void {
    const data = this.#data;
    this.#data = "";
    if (data !== "") this.#take(valueFrom(data));
    this.#isError = false;
  }

  #take(event: unknown): void {
    if (event === undefined && this.#isLast) return;
    if (!isObject(event)) throw unreadable("An event is not a JSON object.");
    this.#events.take(this.#isError && !event["error"] ? { error: event } : event);
  }

  #readError(text: string): void {
    this.#events.take({ error: valueFrom(text) ?? text.trim() });
  }

  #beginDocument(line: string): void {
    const begins = line.trimStart();
    if (begins.startsWith("<")) throw providerError.webPage();
    if (!begins.startsWith("{") && !begins.startsWith("[")) return;
    const value = valueFrom(line);
    // A document may be spread over several lines. A list on one line is a document as well.
    if (isObject(value)) this.#readJsonLine(value);
    else this.#grow(line);
  }

  #readJsonLine(value: unknown): void {
    this.#jsonLines++;
    this.#take(value);
  }

  #grow(line: string): void {
    this.#document = this.#document === undefined ? line : `${this.#document}\n${line}`;
    if (this.#document.length > MAX_EVENT_CHARS) throw unreadable("The answer is too long.");
  }

  /** Reads a document, or a list of them. One that was cut off says nothing. */
  #readDocument(text: string): void {
    const whole = valueFrom(text);
    for (const document of Array.isArray(whole) ? whole : [whole]) this.#take(document);
    if (whole !== undefined) this.#events.end();
  }
}

const unreadable = (why: string): Error => providerError.unreadable(new Error(why));

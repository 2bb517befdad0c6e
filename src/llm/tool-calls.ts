import { valueFrom } from "../shared/json.ts";
import type { ToolCall } from "./model.ts";

/** Anti-DoS: longer arguments are cut off. They become invalid JSON, which the model is told. */
const MAX_ARGUMENT_CHARS = 100_000;
/** The same limit for all calls of one answer together, because a run keeps its calls in memory until it ends. */
const MAX_ALL_ARGUMENT_CHARS = 400_000;
/** Longer names and ids are cut off. No tool has such a name. */
const MAX_NAME_CHARS = 200;
/** Further calls in one answer are ignored. */
const MAX_CALLS = 256;

/** Returns an id that no other call has. All providers accept it: some take at most 40 letters, digits, `_` and `-`. */
export const newCallId = (): string => `call_${crypto.randomUUID().replaceAll("-", "")}`;

/** A piece of a call. Servers omit, repeat and divide each of its members. An empty one counts as absent. */
export interface CallPiece {
  readonly id?: string | undefined;
  readonly name?: string | undefined;
  readonly arguments?: string | undefined;
}

/**
 * Assembles the tool calls of one answer from the pieces that providers stream. A piece belongs to the call with its id,
 * otherwise to the one at its index, and otherwise to the last one. A piece with another id and a name begins a call. A
 * call whose arguments are complete does not grow: servers repeat whole calls, and a call must never run twice.
 */
export class ToolCalls {
  readonly #calls: GrowingCall[] = [];
  readonly #byId = new Map<string, GrowingCall>();
  readonly #byIndex = new Map<number, GrowingCall>();
  #charsLeft = MAX_ALL_ARGUMENT_CHARS;

  /** Adds a piece. Returns the number of its call, from 0, or `undefined` if there are too many calls. */
  add(index: number | undefined, piece: CallPiece): number | undefined {
    let call = this.#callOf(index, piece);
    // Two calls must not share an id: their results could not be told apart.
    const isTaken = !call && piece.id !== undefined && this.#byId.has(piece.id);
    if (!call) {
      if (this.#calls.length >= MAX_CALLS) return undefined;
      call = new GrowingCall(this.#calls.length);
      this.#calls.push(call);
    }
    if (index !== undefined) this.#byIndex.set(index, call);
    if (piece.id) this.#byId.set(piece.id, call);
    call.identify(isTaken ? "" : (piece.id ?? ""), piece.name ?? "");
    if (piece.arguments) this.#charsLeft -= call.grow(piece.arguments, this.#charsLeft);
    return call.number;
  }

  /** Returns the call at this index, or the last one without an index, as far as it has arrived. */
  at(index: number | undefined): ToolCall | undefined {
    return index === undefined ? this.#calls.at(-1) : this.#byIndex.get(index);
  }

  all(): readonly ToolCall[] {
    return this.#calls.map(({ id, name, arguments: text }) => ({ id, name, arguments: text }));
  }

  get isEmpty(): boolean {
    return this.#calls.length === 0;
  }

  /** Whether there are calls and all are complete. Some servers send no finish reason after them. */
  areComplete(): boolean {
    return this.#calls.length > 0 && this.#calls.every((call) => valueFrom(call.arguments) !== undefined);
  }

  /** Returns the call that a piece belongs to, or `undefined` if it begins one. */
  #callOf(index: number | undefined, { id, name, arguments: text }: CallPiece): GrowingCall | undefined {
    const byId = id ? this.#byId.get(id) : undefined;
    if (byId) return byId.isAnother(name) ? undefined : byId;
    const last = this.#calls.at(-1);
    const known = index === undefined ? last : this.#byIndex.get(index);
    if (name) return known?.isContinuedBy(id, name, text ?? "", index !== undefined) ? known : undefined;
    if (id) return index === undefined ? undefined : known;
    // Some servers send the end of a call with another index than its beginning.
    return known ?? last;
  }
}

/** A call that is still arriving. */
class GrowingCall implements ToolCall {
  readonly number: number;
  id = newCallId();
  name = "";
  arguments = "";
  #hasId = false;
  readonly #shape = new JsonShape();

  constructor(number: number) {
    this.number = number;
  }

  /** Whether a piece with this name belongs to this call. `id` is one that no call has. */
  isContinuedBy(id: string | undefined, name: string, text: string, hasIndex: boolean): boolean {
    if (this.name === "") return !(id && this.#hasId);
    if (id) return !this.#hasId && name === this.name;
    // A name in pieces. Without an index it can't be told from a second call.
    if (this.arguments === "") return hasIndex || name === this.name;
    if (name !== this.name) return false;
    // The name is repeated with each piece, or with the whole call; other complete arguments are another call's.
    return !this.#shape.isComplete || this.#isPlaceholder || text.trim() === "" || text === this.arguments;
  }

  /** Whether a piece with this call's id is another call nevertheless: some servers send one id with all calls. */
  isAnother(name: string | undefined): boolean {
    if (!name || !this.#shape.isComplete || this.#isPlaceholder) return false;
    return name !== this.name && !name.startsWith(this.name);
  }

  identify(id: string, name: string): void {
    if (id !== "" && !this.#hasId) {
      this.id = id.slice(0, MAX_NAME_CHARS);
      this.#hasId = true;
    }
    if (name === "" || name === this.name) return;
    // Some servers send the name so far, others only what is new of it.
    if (name.startsWith(this.name)) this.name = name.slice(0, MAX_NAME_CHARS);
    else if (this.arguments === "") this.name = (this.name + name).slice(0, MAX_NAME_CHARS);
  }

  /** Adds arguments, as far as the limits allow. Returns how many characters were added. */
  grow(text: string, charsLeft: number): number {
    if (this.#isPlaceholder && text.trim() !== "" && text.trim() !== EMPTY) {
      this.arguments = "";
      this.#shape.reset();
    }
    if (this.#shape.isComplete) return 0;
    const more = text.slice(0, Math.max(0, Math.min(MAX_ARGUMENT_CHARS - this.arguments.length, charsLeft)));
    this.arguments += more;
    this.#shape.add(more);
    return more.length;
  }

  /** Some servers begin a call with empty arguments, and send the real ones later. */
  get #isPlaceholder(): boolean {
    return this.arguments === EMPTY;
  }
}

const EMPTY = "{}";

/** Notices when a JSON object is complete, in linear time: its last bracket has been closed. */
class JsonShape {
  isComplete = false;
  #depth = 0;
  #isInString = false;
  #isEscaped = false;

  reset(): void {
    this.isComplete = false;
    this.#depth = 0;
  }

  add(text: string): void {
    for (let index = 0; index < text.length && !this.isComplete; index++) this.#read(text.charCodeAt(index));
  }

  #read(code: number): void {
    if (this.#isEscaped) this.#isEscaped = false;
    else if (this.#isInString) {
      if (code === BACKSLASH) this.#isEscaped = true;
      else if (code === QUOTE) this.#isInString = false;
    } else if (code === QUOTE) this.#isInString = true;
    else if (code === OPEN_BRACE || code === OPEN_BRACKET) this.#depth++;
    else if (code === CLOSE_BRACE || code === CLOSE_BRACKET) this.isComplete = --this.#depth === 0;
  }
}

const [QUOTE, BACKSLASH, OPEN_BRACE, CLOSE_BRACE, OPEN_BRACKET, CLOSE_BRACKET] = Array.from(
  '"\\{}[]',
  (mark) => mark.charCodeAt(0),
);

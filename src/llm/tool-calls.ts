import type { ToolCall } from "./model.ts";

/** What is kept of one call's arguments; the rest is cut off, which makes them unreadable and tells the model so. */
const MAX_ARGUMENT_CHARS = 100_000;
/** The same for all calls of one answer together: a run keeps its calls in memory until it ends. */
const MAX_ALL_ARGUMENT_CHARS = 400_000;
/** Calls beyond these in one answer are not even collected. */
const MAX_CALLS = 256;

/** A piece of a call: the first has id and name, the following ones more of the arguments. */
export interface CallPiece {
  readonly id?: string | undefined;
  readonly name?: string | undefined;
  readonly arguments?: string | undefined;
}

/** Puts the tool calls of one answer together from the pieces in which providers stream them. */
export class ToolCalls {
  readonly #calls = new Map<number, ToolCall>();
  #room = MAX_ALL_ARGUMENT_CHARS;

  /** Adds a piece to the call at `index`; without an index, an id begins a new call. */
  add(index: number | undefined, piece: CallPiece): void {
    const at = index ?? (piece.id ? this.#calls.size : this.#calls.size - 1);
    const known = this.#calls.get(at);
    if (!known && this.#calls.size >= MAX_CALLS) return;

    const written = known?.arguments ?? "";
    const room = Math.min(MAX_ARGUMENT_CHARS - written.length, this.#room);
    const more = (piece.arguments ?? "").slice(0, Math.max(0, room));
    this.#room -= more.length;
    this.#calls.set(at, {
      id: known?.id || piece.id || `call_${crypto.randomUUID()}`,
      name: known?.name || piece.name || "",
      arguments: written + more,
    });
  }

  /** What has come of the call at this index. */
  at(index: number): ToolCall | undefined {
    return this.#calls.get(index);
  }

  all(): readonly ToolCall[] {
    return [...this.#calls.values()];
  }

  /** Whether the calls stand complete: some servers end after them without a finish reason. */
  areWhole(): boolean {
    return this.#calls.size > 0 && this.all().every((call) => isJson(call.arguments));
  }
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

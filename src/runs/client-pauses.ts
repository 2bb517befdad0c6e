import type { AgentEvent } from "../architectures/events.ts";
import type { TokenUsage, ToolCall } from "../llm/model.ts";
import { tokenUsageFrom, toTokenUsageView } from "../plans/token-usage.ts";
import { utf8Length } from "../shared/text.ts";
import { count, maps, text } from "../table/fields.ts";
import type { Item } from "../table/marshal.ts";
import type { RunId } from "../shared/id-types.ts";
import { FIRST_PART, type PartBeginning } from "../wires/wire.ts";
import type { NumberedEvent } from "./run-log.ts";

/** A point at which a run has left calls to its client. In protocols whose answers end there, the next answer begins behind it. */
export interface ClientPause {
  /** The length of the run's answer so far, in UTF-16 code units. */
  readonly chars: number;
  /** The tokens of the run so far; null if the provider has not counted them. */
  readonly usage: TokenUsage | null;
  /** The calls that were left to the client. */
  readonly calls: readonly ToolCall[];
}

/** A part of a run: what comes behind so many client pauses. */
export interface RunPart {
  readonly runId: RunId;
  readonly part: number;
}

/** Finds the client pauses of a run in its events. */
export class ClientPauseFinder {
  readonly #pauses: ClientPause[] = [];
  #asked: ToolCall[] = [];
  #chars = 0;
  #hasAsked = false;

  /** Whether the run has left a call to its client, whether or not it has paused since. */
  get hasAsked(): boolean {
    return this.#hasAsked;
  }

  /** Returns the pauses so far. With the `usage` so far, the calls since the last one make another pause. */
  pauses(usage?: TokenUsage | null): readonly ClientPause[] {
    if (usage === undefined || this.#asked.length === 0) return [...this.#pauses];
    return [...this.#pauses, { chars: this.#chars, usage, calls: this.#asked }];
  }

  /** Adds the next event of the run. */
  add(event: AgentEvent): void {
    if (event.type === "text") this.#chars += event.text.length;
    else if (event.type === "call-waiting" && event.waitsFor === "result") {
      this.#hasAsked = true;
      this.#asked.push({ id: event.callId, name: event.name, arguments: event.arguments });
    } else if (event.type === "waiting" && this.#asked.length > 0) {
      this.#pauses.push({ chars: this.#chars, usage: event.paused?.usage ?? null, calls: this.#asked });
      this.#asked = [];
    }
  }
}

/** Returns the client pauses in the events of a run; see `ClientPauseFinder.pauses`. */
export function clientPausesIn(
  events: Iterable<AgentEvent>,
  usage?: TokenUsage | null,
): readonly ClientPause[] {
  const finder = new ClientPauseFinder();
  for (const event of events) finder.add(event);
  return finder.pauses(usage);
}

/** Returns where the parts of a run begin that are in its log. Behind the last client pause, a part may still be to come. */
export function partsIn(events: Iterable<NumberedEvent>): readonly PartBeginning[] {
  const finder = new ClientPauseFinder();
  const parts = [FIRST_PART];
  for (const { seq, event } of events) {
    finder.add(event);
    if (event.type !== "waiting") continue;
    const pauses = finder.pauses();
    const last = pauses.at(-1);
    if (last && pauses.length === parts.length)
      parts.push({ part: pauses.length, seq, chars: last.chars, usage: last.usage });
  }
  return parts;
}

/** What the calls of all pauses of a run may take in its item, in bytes of JSON. The item holds 400 KB. */
const MAX_CALLS_BYTES = 100_000;

/** Returns the attribute with the client pauses of a run. Calls for which there is no room are left out, last ones first. */
export function clientPausesAttribute(pauses: readonly ClientPause[]): Item {
  let room = MAX_CALLS_BYTES;
  return {
    client_pauses: pauses.map(({ chars, usage, calls }) => ({
      chars,
      usage: usage && toTokenUsageView(usage),
      calls: calls.map(storedCall).filter((call) => {
        room -= utf8Length(JSON.stringify(call));
        return room >= 0;
      }),
    })),
  };
}

/** Returns the client pauses in the item of a run. */
export const clientPausesFrom = (item: Item): readonly ClientPause[] =>
  maps(item, "client_pauses").map((pause) => ({
    chars: count(pause, "chars"),
    usage: tokenUsageFrom(pause),
    calls: maps(pause, "calls").map((call) => ({
      id: text(call, "id"),
      name: text(call, "name"),
      arguments: text(call, "arguments"),
    })),
  }));

const storedCall = ({ id, name, arguments: text }: ToolCall) => ({
  id: id.toWellFormed(),
  name: name.toWellFormed(),
  arguments: text.toWellFormed(),
});

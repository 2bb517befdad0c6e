import type { ProviderData, ToolCall } from "../llm/model.ts";
import type { Citation } from "../knowledge/citation-model.ts";
import type { AgentEvent, Decision, PausedTurn, TurnOptions, WaitsFor } from "./events.ts";

/** A call that waits, or has waited. */
export interface WaitingCall extends ToolCall {
  readonly waitsFor: WaitsFor;
  readonly expiresAt: number | null;
  /** Undefined until somebody has decided. */
  readonly decision: Decision | undefined;
}

/** A response of the model that has called tools, and the results that there are. */
interface PastResponse {
  readonly text: string;
  readonly calls: readonly ToolCall[];
  readonly providerData: ProviderData | undefined;
  /** By the ids of the calls, which differ within a response. */
  readonly results: ReadonlyMap<string, string>;
  readonly waiting: readonly WaitingCall[];
}

/** What a turn has done before it paused. */
export interface TurnSoFar {
  readonly responses: readonly PastResponse[];
  /** How many of the turn's model requests and of its answer's characters are used up. */
  readonly modelCalls: number;
  readonly chars: number;
  readonly citations: readonly Citation[];
  readonly paused: PausedTurn;
}

interface GrowingResponse extends PastResponse {
  text: string;
  readonly calls: ToolCall[];
  providerData: ProviderData | undefined;
  readonly results: Map<string, string>;
  waiting: WaitingCall[];
}

const newResponse = (): GrowingResponse => ({
  text: "",
  calls: [],
  providerData: undefined,
  results: new Map(),
  waiting: [],
});

/**
 * Reads the responses of a turn from its events. What comes behind the result of a call, or behind a pause, belongs to the next
 * response.
 */
function responsesIn(events: Iterable<AgentEvent>): readonly PastResponse[] {
  const responses: GrowingResponse[] = [];
  const current = (): GrowingResponse => {
    const last = responses.at(-1);
    if (last && last.results.size === 0 && last.waiting.length === 0) return last;
    const next = newResponse();
    responses.push(next);
    return next;
  };

  for (const event of events) {
    const last = responses.at(-1);
    if (event.type === "text") current().text += event.text;
    else if (event.type === "tool-started") {
      const response = current();
      const { callId: id, name, arguments: text, providerData } = event;
      response.calls.push({ id, name, arguments: text });
      response.providerData ??= providerData;
    } else if (event.type === "tool-finished") last?.results.set(event.callId, event.output);
    else if (event.type === "call-waiting") {
      const { callId: id, name, arguments: text, waitsFor, expiresAt } = event;
      last?.waiting.push({ id, name, arguments: text, waitsFor, expiresAt, decision: undefined });
    } else if (event.type === "call-decided" && last)
      last.waiting = last.waiting.map((call) =>
        call.id === event.callId ? { ...call, decision: event.decision } : call,
      );
  }
  return responses;
}

/** Returns all calls of a turn that wait or have waited, in order. */
export const waitingCallsIn = (events: Iterable<AgentEvent>): readonly WaitingCall[] =>
  responsesIn(events).flatMap(({ waiting }) => waiting);

/** Returns the calls of a turn whose result is still to come, in order. */
export const openCallsIn = (events: Iterable<AgentEvent>): readonly WaitingCall[] =>
  responsesIn(events).flatMap(({ waiting, results }) => waiting.filter(({ id }) => !results.has(id)));

/** Returns what a turn has done, from the events that it has emitted; `undefined` if it has never paused. */
export function turnSoFar(events: readonly AgentEvent[]): TurnSoFar | undefined {
  const paused = pausedIn(events);
  if (!paused) return undefined;
  const responses = responsesIn(events);
  return {
    responses,
    modelCalls: responses.length,
    chars: responses.reduce((sum, { text }) => sum + text.length, 0),
    citations: events.flatMap((event) => (event.type === "tool-finished" ? (event.citations ?? []) : [])),
    paused,
  };
}

/** Returns how the turn has paused last, with what was said about the rest of it since; `undefined` if it has never paused. */
function pausedIn(events: Iterable<AgentEvent>): PausedTurn | undefined {
  let paused: PausedTurn | undefined;
  for (const event of events) {
    if (event.type === "waiting") paused = event.paused ?? paused;
    if (event.type === "call-decided" && event.options && paused) paused = withOptions(paused, event.options);
  }
  return paused;
}

/** What was said before in the turn remains said; what is repeated is said once. */
function withOptions(
  paused: PausedTurn,
  { clientTools, format, oneClientCall, preceding = [], toolChoice }: TurnOptions,
): PausedTurn {
  const before = paused.preceding ?? [];
  const said = new Set(before.map((message) => JSON.stringify(message)));
  const added = preceding.filter((message) => !said.has(JSON.stringify(message)));
  return { ...paused, clientTools, format, oneClientCall, toolChoice, preceding: [...before, ...added] };
}

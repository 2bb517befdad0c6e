import type { Decision, TurnOptions } from "../architectures/events.ts";
import { openCallsIn, type WaitingCall, waitingCallsIn } from "../architectures/turn-so-far.ts";
import { AppError, notFound } from "../shared/errors.ts";
import type { AgentId, RunId } from "../shared/id-types.ts";
import { clientPausesIn, partsIn, type RunPart } from "./client-pauses.ts";
import { hasGoneOn } from "./past-turn.ts";
import { FIRST_PART } from "../wires/wire.ts";
import type { LoggedRun, RunLog } from "./run-log.ts";

/** What somebody says about a call. */
export interface CallDecision {
  readonly callId: string;
  readonly decision: Decision;
}

/** What a request says that brings results of the client's tools, besides the results. */
interface Continuation {
  /** The agent that the request names. */
  readonly agentId: AgentId;
  /** The part of a run that has made the calls. If absent, any run of the conversation may have made them. */
  readonly follows: RunPart | undefined;
  /** See `SendInput.clientRequest`. */
  readonly clientRequest: string;
  readonly options: TurnOptions;
}

/** Which run decisions are for, and what else their request says. */
export interface DecisionRequest {
  /** The id of the answer that the run writes. If absent, it is the run that waits for the calls. */
  readonly answerId?: string | undefined;
  readonly continuation?: Continuation | undefined;
}

/** The parts of the log that decisions need. */
type DecidedLog = Pick<RunLog, "add" | "all" | "begun" | "decided" | "find" | "waiting">;

/**
 * Records what is decided about calls of a run: all of it or, if anything is wrong, nothing. A decision that was made before changes
 * nothing. `options` take the place of those with which the run has paused; see `turnSoFar`. Throws like `requireDecidable`. Does not await anything, so
 * that a call is decided once.
 */
export function recordDecisions(
  log: DecidedLog,
  runId: RunId,
  decisions: readonly CallDecision[],
  options?: TurnOptions,
): void {
  const { events, calls, fresh } = requireDecidable(log, runId, decisions);
  for (const [index, { call, decision }] of fresh.entries()) {
    const event = { type: "call-decided", callId: call.id, name: call.name, decision } as const;
    log.add(runId, index === 0 && options ? { ...event, options } : event);
  }
  if (fresh.length === calls.filter(({ decision }) => !decision).length) {
    if (fresh.length > 0) log.decided(runId);
  } else {
    const pause = events.findLast((event) => event.type === "waiting");
    // The last event of a stream says that the run waits.
    if (fresh.length > 0 && pause) log.add(runId, { type: "waiting", expiresAt: pause.expiresAt });
  }
}

/**
 * Returns the events and the calls of a run, and those decisions that were not made before. Throws `not-found` if the run has not asked
 * about a call, `validation-failed` if a decision is of the wrong kind or the result of a call is missing, and `conflict` if another
 * decision was made, or if the run does not wait any more.
 */
export function requireDecidable(
  log: Pick<DecidedLog, "all" | "find">,
  runId: RunId,
  decisions: readonly CallDecision[],
) {
  const run = log.find(runId);
  if (!run) throw notFound("Run");
  const events = eventsOf(log, runId);
  const calls = waitingCallsIn(events);
  const found = withoutRepeats(decisions).map((wanted) => ({ ...wanted, call: requireCall(calls, wanted) }));
  const fresh = found.filter(({ call }) => !call.decision);
  requireAllResults(calls, fresh);
  if (fresh.length > 0 && run.state !== "waiting") throw overdue();
  return { events, calls, fresh };
}

/**
 * Throws `conflict` if a run has gone on with the results of the calls with which a part has ended. One that has failed since or was
 * cancelled does not count.
 */
export function requireOpenPart(log: Pick<RunLog, "all" | "endOf">, { runId, part }: RunPart): void {
  const end = log.endOf(runId);
  if (end && end.type !== "completed") return;
  const events = eventsOf(log, runId);
  const ids = new Set(clientPausesIn(events)[part]?.calls.map(({ id }) => id));
  if (waitingCallsIn(events).some(({ id, decision }) => decision && ids.has(id))) throw hasGoneOn();
}

/** Returns the run that waits for these calls, or has waited for them. Throws `conflict` if there is none. */
export function runOfCalls(log: DecidedLog, decisions: readonly CallDecision[]): RunId {
  const runs = [...log.waiting(), ...log.begun()];
  const asked = ({ runIds }: LoggedRun) => {
    const ids = new Set(waitingCallsIn(eventsOf(log, runIds.runId)).map(({ id }) => id));
    return decisions.every(({ callId }) => ids.has(callId));
  };
  const run = runs.find(asked);
  if (!run) throw unknownCalls();
  return run.runIds.runId;
}

const eventsOf = (log: Pick<DecidedLog, "all">, runId: RunId) =>
  [...log.all(runId)].map(({ event }) => event);

/** Clients send the results of all their tools at once. Throws `validation-failed` if one is missing. */
function requireAllResults(calls: readonly WaitingCall[], fresh: readonly CallDecision[]): void {
  if (!fresh.some(({ decision }) => decision.kind === "answered")) return;
  const open = calls.filter(({ waitsFor, decision }) => waitsFor === "result" && !decision);
  const missing = open.find(({ id }) => !fresh.some(({ callId }) => callId === id));
  if (missing) throw new AppError("validation-failed", `The result of the call ${missing.id} is missing.`);
}

function requireCall(calls: readonly WaitingCall[], { callId, decision }: CallDecision): WaitingCall {
  const call = calls.find(({ id }) => id === callId);
  if (!call) throw notFound("Call");
  if ((call.waitsFor === "result") !== (decision.kind === "answered"))
    throw new AppError(
      "validation-failed",
      call.waitsFor === "result"
        ? "This call waits for the result of a tool that the client runs, not for an approval."
        : "This call waits for an approval, not for a result.",
    );
  if (call.decision && !isSame(call.decision, decision)) throw contradicted();
  return call;
}

/** Returns the decisions without those that repeat another. Throws `conflict` if two are about the same call and differ. */
function withoutRepeats(decisions: readonly CallDecision[]): readonly CallDecision[] {
  const byCall = new Map<string, CallDecision>();
  for (const wanted of decisions) {
    const other = byCall.get(wanted.callId);
    if (other && !isSame(other.decision, wanted.decision)) throw contradicted();
    byCall.set(wanted.callId, wanted);
  }
  return [...byCall.values()];
}

/** Returns whether the run has asked about one of these calls, and nobody has decided about it yet. */
export const isAsked = (log: DecidedLog, runId: RunId, decisions: readonly CallDecision[]): boolean =>
  openCallsIn(eventsOf(log, runId)).some(
    ({ id, decision }) => !decision && decisions.some(({ callId }) => callId === id),
  );

/** A reason does not make a rejection another one. */
const isSame = (a: Decision, b: Decision): boolean =>
  a.kind === b.kind &&
  (a.kind !== "answered" || (b.kind === "answered" && a.output === b.output && a.form === b.form));

const contradicted = (): AppError =>
  new AppError("conflict", "Another decision about this call was made before.");

/** The error for calls that nobody has been asked about. */
const unknownCalls = (): AppError =>
  new AppError("conflict", "No run of this conversation waits for these calls.");

const overdue = (): AppError => new AppError("conflict", "The run does not wait for this call any more.");

/**
 * Returns the run that these results belong to; `undefined` if there are none. Throws like `requireDecidable` and `partBehind` if they
 * can't be taken.
 */
export function requireResults(
  log: DecidedLog,
  results: readonly CallDecision[],
  follows: RunPart | undefined,
): RunId | undefined {
  if (results.length === 0) return undefined;
  const runId = runOfCalls(log, results);
  partBehind(log, runId, results, follows);
  requireDecidable(log, runId, results);
  return runId;
}

/**
 * Returns the part of a run that begins with these decisions, and the number of the event behind which it does. Throws `conflict` if the
 * request follows another part than the one before.
 */
export function partBehind(
  log: Pick<DecidedLog, "all">,
  runId: RunId,
  decisions: readonly CallDecision[],
  follows: RunPart | undefined,
): { readonly after: number; readonly part: number } {
  const after = pauseOf(log, runId, decisions);
  const { part } = partsIn(log.all(runId)).findLast(({ seq }) => seq <= after) ?? FIRST_PART;
  if (follows && (follows.runId !== runId || follows.part !== part - 1)) throw unknownCalls();
  return { after, part };
}

/** Returns the number of the event at which the run has waited for the last of these calls; 0 if it has not asked about them. */
function pauseOf(log: Pick<DecidedLog, "all">, runId: RunId, decisions: readonly CallDecision[]): number {
  const ids = new Set(decisions.map(({ callId }) => callId));
  let isAsked = false;
  let pausedAt = 0;
  for (const { seq, event } of log.all(runId)) {
    if (event.type === "call-waiting" && ids.has(event.callId)) isAsked = true;
    if (event.type !== "waiting" || !isAsked) continue;
    pausedAt = seq;
    isAsked = false;
  }
  return pausedAt;
}

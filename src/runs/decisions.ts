import type { Decision } from "../architectures/events.ts";
import { openCallsIn, type WaitingCall, waitingCallsIn } from "../architectures/turn-so-far.ts";
import { AppError, notFound } from "../shared/errors.ts";
import type { RunId } from "../shared/id-types.ts";
import type { LoggedRun, RunLog } from "./run-log.ts";

/** What somebody says about a call. */
export interface CallDecision {
  readonly callId: string;
  readonly decision: Decision;
}

/** The parts of the log that decisions need. */
type DecidedLog = Pick<RunLog, "add" | "all" | "begun" | "decided" | "find" | "waiting">;

/**
 * Records what is decided about calls of a run: all of it or, if anything is wrong, nothing. A decision that was made before changes
 * nothing. Returns the number of the event at which the run had waited for these calls. Throws `not-found` if the run has not asked
 * about a call, `validation-failed` if a decision is of the wrong kind, and `conflict` if another decision was made, or if the run
 * does not wait any more. Does not await anything, so that a call is decided once.
 */
export function recordDecisions(log: DecidedLog, runId: RunId, decisions: readonly CallDecision[]): number {
  const run = log.find(runId);
  if (!run) throw notFound("Run");
  const events = eventsOf(log, runId);
  const calls = waitingCallsIn(events);
  const found = withoutRepeats(decisions).map((wanted) => ({ ...wanted, call: requireCall(calls, wanted) }));
  const fresh = found.filter(({ call }) => !call.decision);
  requireAllResults(calls, fresh);
  if (fresh.length > 0 && run.state !== "waiting") throw overdue();

  for (const { call, decision } of fresh)
    log.add(runId, { type: "call-decided", callId: call.id, name: call.name, decision });
  if (fresh.length === calls.filter(({ decision }) => !decision).length) {
    if (fresh.length > 0) log.decided(runId);
  } else {
    const pause = events.findLast(({ type }) => type === "waiting");
    // The last event of a stream says that the run waits.
    if (fresh.length > 0 && pause) log.add(runId, pause);
  }
  return pauseBefore(log, runId, new Set(found.map(({ callId }) => callId)));
}

/** Returns the run that waits for these calls, or has waited for them. Throws `conflict` if there is none. */
export function runOfCalls(log: DecidedLog, decisions: readonly CallDecision[]): RunId {
  const runs = [...log.waiting(), ...log.begun()];
  const asked = ({ runIds }: LoggedRun) => {
    const ids = new Set(waitingCallsIn(eventsOf(log, runIds.runId)).map(({ id }) => id));
    return decisions.every(({ callId }) => ids.has(callId));
  };
  const run = runs.find(asked);
  if (!run) throw new AppError("conflict", "No run of this conversation waits for these calls.");
  return run.runIds.runId;
}

const eventsOf = (log: DecidedLog, runId: RunId) => [...log.all(runId)].map(({ event }) => event);

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

const overdue = (): AppError => new AppError("conflict", "The run does not wait for this call any more.");

/** Returns the number of the event `waiting` behind the last of these calls. */
function pauseBefore(log: DecidedLog, runId: RunId, callIds: ReadonlySet<string>): number {
  let isAsked = false;
  let pausedAt = 0;
  for (const { seq, event } of log.all(runId)) {
    if (event.type === "call-waiting" && callIds.has(event.callId)) isAsked = true;
    if (event.type !== "waiting" || !isAsked) continue;
    pausedAt = seq;
    isAsked = false;
  }
  return pausedAt;
}

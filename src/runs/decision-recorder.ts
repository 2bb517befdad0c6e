import type { RunId } from "../shared/id-types.ts";
import type { ContinuationRepository } from "./continuations.ts";
import {
  type CallDecision,
  type DecisionRequest,
  isAsked,
  partBehind,
  recordDecisions,
  requireDecidable,
  runOfCalls,
} from "./decisions.ts";
import type { RunHost } from "./run-host.ts";
import type { RunLog } from "./run-log.ts";
import type { RunReader } from "./run-reader.ts";
import type { RunnerCall } from "./runner-model.ts";

interface DecisionRecorderDeps {
  readonly log: RunLog;
  readonly reader: RunReader;
  readonly host: RunHost;
  readonly continuations: () => Promise<Pick<ContinuationRepository, "save">>;
}

/**
 * Where a run goes on once all its calls are decided: the number of the event behind which it does, and the part of the run that begins
 * there.
 */
export interface ContinuedRun {
  readonly runId: RunId;
  readonly after: number;
  readonly part: number;
}

/** Records what is decided about calls that runs of a conversation wait for, and lets these runs go on. */
export class DecisionRecorder {
  readonly #log: RunLog;
  readonly #reader: RunReader;
  readonly #host: RunHost;
  readonly #continuations: () => Promise<Pick<ContinuationRepository, "save">>;
  /** Resolves when the decisions of the requests so far are recorded or refused. */
  #deciding: Promise<unknown> = Promise.resolve();

  constructor({ log, reader, host, continuations }: DecisionRecorderDeps) {
    this.#log = log;
    this.#reader = reader;
    this.#host = host;
    this.#continuations = continuations;
  }

  /**
   * Decides about calls of one run. Throws like `requireDecidable`, `not-found` if the caller has no such run, and `gone` if its log has
   * expired.
   */
  async decide(call: RunnerCall, runId: RunId, decisions: readonly CallDecision[]): Promise<void> {
    await Promise.all([
      this.#reader.requireAccount(call.scope),
      this.#reader.requireAgentInScope(call),
      this.#reader.run(call, runId),
    ]);
    if (!this.#log.find(runId)) throw await this.#reader.goneOrNotFound(call, runId);
    await this.#untilPaused(runId, decisions);
    recordDecisions(this.#log, runId, decisions);
    this.#host.goOn();
  }

  /**
   * Decides about calls of the run that writes the answer `answerId`, or without it of the run that has asked about them. Resolves when the
   * run goes on, or still waits for other calls. Throws like `requireDecidable`, `conflict` if no run has asked about these calls or if the
   * request follows another part, and `unavailable` if all are decided and the run could not go on yet.
   */
  async decideByCalls(
    call: RunnerCall,
    decisions: readonly CallDecision[],
    { answerId, continuation }: DecisionRequest = {},
  ): Promise<ContinuedRun> {
    await Promise.all([
      this.#reader.requireAccount(call.scope),
      this.#reader.requireAgentInScope(call),
      this.#reader.requireConversation(call, continuation?.agentId),
    ]);
    const named = answerId === undefined ? undefined : this.#log.findByAnswer(answerId);
    const runId = named?.runIds.runId ?? runOfCalls(this.#log, decisions);
    await this.#untilPaused(runId, decisions);
    // Race: another request must not replace what is stored of the one whose decisions are recorded.
    const deciding = this.#deciding.then(async () => {
      const begins = partBehind(this.#log, runId, decisions, continuation?.follows);
      const { fresh: results } = requireDecidable(this.#log, runId, decisions);
      if (continuation && results.length > 0) {
        const continuations = await this.#continuations();
        const { conversationId } = call;
        const { clientRequest } = continuation;
        await continuations.save({ conversationId, runId, part: begins.part, clientRequest, results });
      }
      recordDecisions(this.#log, runId, decisions, continuation?.options);
      return begins;
    });
    // The request that has failed reports its error itself.
    this.#deciding = deciding.catch(() => undefined);
    const { after, part } = await deciding;
    this.#host.goOn();
    await this.#host.opened();
    this.#host.requireGoing(runId);
    return { runId, after, part };
  }

  /** Resolves when a run waits that has asked about these calls. It has asked shortly before. */
  async #untilPaused(runId: RunId, decisions: readonly CallDecision[]): Promise<void> {
    if (this.#host.activeRunId === runId && isAsked(this.#log, runId, decisions))
      await this.#host.endOf(runId);
  }
}

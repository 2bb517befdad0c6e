import type { ConversationId, RunId } from "../shared/id-types.ts";
import { type CallOptions, DurableClient } from "../shared/durable-client.ts";
import { type AccessScope, scopeName } from "../access/access-scope.ts";
import { MAX_RUN_MS } from "../plans/run-slots.ts";
import type { RunPart } from "./client-pauses.ts";
import type { ConversationRunner } from "./conversation-runner.ts";
import type { CallDecision, DecisionRequest } from "./decisions.ts";
import type { Run } from "./model.ts";
import type { RunAnswer } from "./run-reader.ts";
import type { BegunRun, RegenerateInput, RunnerCall, SendInput, StreamedRun } from "./runner-model.ts";
import type { RunWithCalls } from "./view.ts";
import type { Wire } from "../wires/wire.ts";

interface RunnerClientDeps {
  readonly namespace: DurableObjectNamespace<ConversationRunner>;
  readonly region: string;
}

/** Calls the runners of conversations, one Durable Object each. All methods throw the runner's errors. */
export class RunnerClient {
  readonly #runners: DurableClient<ConversationRunner>;

  /** `region` is the table's AWS region. Runners are placed near it. */
  constructor({ namespace, region }: RunnerClientDeps) {
    const unavailable = "The conversation is not available at the moment.";
    this.#runners = new DurableClient({ namespace, region, unavailable });
  }

  /** Runs a message or writes the last answer again, and returns the run's frames from the beginning. */
  send(call: RunnerCall, input: SendInput | RegenerateInput): Promise<StreamedRun> {
    return this.#runners.call(nameOf(call), (runner) => runner.send(call, input), repeatable(input));
  }

  /** Begins what `send` does. `answer` returns the run's answer. */
  begin(call: RunnerCall, input: SendInput | RegenerateInput): Promise<BegunRun> {
    return this.#runners.call(nameOf(call), (runner) => runner.begin(call, input), repeatable(input));
  }

  /**
   * Returns the answer of a run when it has ended or waits, with the text behind the event number `from`. If `from` is a part of the run,
   * returns when the part has ended; see `ConversationRunner.answer`. If the run failed, throws its error.
   */
  answer(call: RunnerCall, runId: RunId, from: number | Pick<RunPart, "part"> = 0): Promise<RunAnswer> {
    return this.#runners.call(nameOf(call), (runner) => runner.answer(call, runId, from), {
      // Waits for the model.
      timeoutMs: MAX_RUN_MS,
    });
  }

  /** Returns the frames of a run after an event number, or of a part of it, or null if there are none and none will come. */
  events(
    call: RunnerCall,
    runId: RunId | "active",
    from: number | Pick<RunPart, "part">,
    wire?: Wire,
  ): Promise<ReadableStream<Uint8Array> | null> {
    return this.#runners.call(nameOf(call), (runner) => runner.events(call, runId, from, wire));
  }

  /** Stops a run if it is active, and returns its new state. */
  cancel(call: RunnerCall, runId: RunId): Promise<Run> {
    return this.#runners.call(nameOf(call), (runner) => runner.cancel(call, runId));
  }

  getRun(call: RunnerCall, runId: RunId): Promise<RunWithCalls> {
    return this.#runners.call(nameOf(call), (runner) => runner.getRun(call, runId));
  }

  /** Decides about calls of a run that waits, and returns its new state. Safe to repeat. */
  decide(call: RunnerCall, runId: RunId, decisions: readonly CallDecision[]): Promise<RunWithCalls> {
    return this.#runners.call(nameOf(call), (runner) => runner.decide(call, runId, decisions));
  }

  /** Decides about calls of a run that waits in a conversation, and returns the frames behind its pause. Safe to repeat. */
  sendDecisions(
    call: RunnerCall,
    decisions: readonly CallDecision[],
    wire: Wire,
    request?: DecisionRequest,
  ): Promise<StreamedRun> {
    return this.#runners.call(nameOf(call), (runner) => runner.sendDecisions(call, decisions, wire, request));
  }

  /** Like `sendDecisions`; `answer` returns the answer of the run. */
  beginDecisions(
    call: RunnerCall,
    decisions: readonly CallDecision[],
    request?: DecisionRequest,
  ): Promise<BegunRun> {
    return this.#runners.call(nameOf(call), (runner) => runner.beginDecisions(call, decisions, request));
  }

  /** Stops a conversation's active run, and removes everything its runner stores. */
  async forget(scope: AccessScope, conversationId: ConversationId): Promise<void> {
    await this.forgetIn(scopeName(scope), conversationId);
  }

  /**
   * Like `forget`, for callers that have the name of a scope (see `scopeName`) instead of the scope. Returns true if no run was
   * active and nothing was left to save.
   */
  forgetIn(name: string, conversationId: ConversationId): Promise<boolean> {
    return this.#runners.call(`${name}/${conversationId}`, (runner) => runner.forget());
  }
}

/** Security: the name contains the scope, so a conversation id from another account leads to an empty runner. */
const nameOf = ({ scope, conversationId }: Pick<RunnerCall, "scope" | "conversationId">): string =>
  `${scopeName(scope)}/${conversationId}`;

/** Without an idempotency key, a lost request may have begun a run, and repeating it would begin a second one. */
const repeatable = ({ key }: SendInput | RegenerateInput): CallOptions => ({ isRepeatable: key !== null });

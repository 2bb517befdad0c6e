import type { Message, MessagePlace } from "../messages/model.ts";
import { AppError } from "../shared/errors.ts";
import type { RunId } from "../shared/id-types.ts";
import { requireOpenPart, requireResults } from "./decisions.ts";
import type { IdempotencyKey, IdempotencyKeys } from "./idempotency-keys.ts";
import { type LastExchange, requireLast } from "./last-exchange.ts";
import type { RunRecovery } from "./recover-run.ts";
import type { AcceptedRun, RunHost } from "./run-host.ts";
import type { RunLog } from "./run-log.ts";
import type { RunReader } from "./run-reader.ts";
import type { ClientMessage, RegenerateInput, RunnerCall, SendInput } from "./runner-model.ts";

/** The `Retry-After` of a busy conversation, in seconds. */
const BUSY_RETRY_SECONDS = 2;

interface RunAcceptanceDeps {
  readonly log: RunLog;
  readonly keys: IdempotencyKeys;
  readonly reader: RunReader;
  readonly recovery: RunRecovery;
  readonly host: RunHost;
}

/** Decides whether a message begins a run, belongs to one that has begun, or is refused. */
export class RunAcceptance {
  readonly #log: RunLog;
  readonly #keys: IdempotencyKeys;
  readonly #reader: RunReader;
  readonly #recovery: RunRecovery;
  readonly #host: RunHost;

  constructor({ log, keys, reader, recovery, host }: RunAcceptanceDeps) {
    this.#log = log;
    this.#keys = keys;
    this.#reader = reader;
    this.#recovery = recovery;
    this.#host = host;
  }

  /**
   * Begins a run, or finds the run of the message's idempotency key. A run that waits ends before the message is run, with the results
   * that the message brings. Throws `conversation-busy` if another run is active, or if one waits and an answer is to be written again;
   * `idempotency-mismatch` if the key was used with another request; what `requireOpenPart`, `requireResults` and `requireLast` throw;
   * `not-found` if the conversation is not the caller's or is with another agent; and what `RunHost.begin` throws.
   */
  async accept(call: RunnerCall, input: SendInput | RegenerateInput): Promise<AcceptedRun> {
    const { key } = input;
    // A new run checks the account and access itself. Any other reply needs the check here.
    if (this.#host.activeRunId !== undefined || this.#host.waiting || this.#keys.isUsed(key))
      await Promise.all([this.#reader.requireAccount(call.scope), this.#reader.requireAgentInScope(call)]);
    // The new turn reads the last answer. One that is not saved yet may be the last one, or take the place of the last one.
    if ("regenerates" in input || this.#log.unsaved().some(({ runIds }) => runIds.regenerates))
      await this.#recovery.saveUnsaved();
    const last = "regenerates" in input ? await this.#reader.lastExchange(call) : undefined;
    if ("regenerates" in input && input.message && !this.#isStored(input.message, last?.question))
      return this.accept(call, input.message.input);
    // A run that is still opening may be refused. Then its key is forgotten, and this request counts as the first.
    while (this.#keys.isOpening(key)) {
      await this.#host.opened();
      await this.#recovery.recoverRuns();
    }

    // Race: no await between this check of the key and the new run becoming active, or two requests could both begin.
    const known = this.#keys.runOf(key);
    if (known !== undefined) return { runId: known, messagesLeft: undefined };
    const active = this.#host.activeRunId;
    if (active !== undefined) throw busy(active);
    const waiting = this.#host.waiting;
    if ("regenerates" in input) {
      // The run that waits may still complete its answer. Whoever wants another one cancels it first.
      if (waiting) throw busy(waiting.runIds.runId);
      return this.#regenerate(call, input, last);
    }
    const { agentId, key: _key, wire: _wire, results = [], follows, ...message } = input;
    if (follows && results.length === 0) requireOpenPart(this.#log, follows);
    if (waiting) {
      // The conversation may have been given to another agent since.
      await this.#reader.requireConversation(call, agentId);
      const isAnswered = requireResults(this.#log, results, follows) === waiting.runIds.runId;
      await this.#host.giveUp(waiting, "message", isAnswered ? results : []);
      // Another request may have begun a run meanwhile.
      return this.accept(call, input);
    }
    requireResults(this.#log, results, follows);
    const place = { ...call.scope, agentId, conversationId: call.conversationId };
    return this.#host.begin(place, { ...message, follows: follows?.runId }, key);
  }

  /** Begins to write the last answer again. The turn itself notices if it is no longer the last one. */
  #regenerate(
    { scope, conversationId }: RunnerCall,
    { regenerates: { messageId }, message, key, timeZone, showsReasoning, clientTools }: RegenerateInput,
    last: LastExchange | undefined,
  ): Promise<AcceptedRun> {
    const wanted = { messageId, questionId: this.#questionOf(message?.input.key ?? null) };
    const attempt = messageId === undefined ? undefined : this.#log.findByAnswer(messageId)?.runIds;
    const { agentId, question, answer } = requireLast(last, wanted, attempt);
    const { content, attachments } = question;
    return this.#host.begin(
      { ...scope, agentId, conversationId },
      { content, attachments, timeZone, showsReasoning, clientTools },
      key,
      { question: placeOf(question), answer: answer && placeOf(answer) },
    );
  }

  /** Returns the id under which the message of a key is stored, if the key is known. */
  #questionOf(key: IdempotencyKey | null): string | undefined {
    const runId = this.#keys.runOf(key);
    return runId && this.#log.find(runId)?.runIds.userMessageId;
  }

  /**
   * Whether a message of a client is stored, `last` being the last one that is. Keys are known for a day; after that, its text has to
   * tell. As long as the key of the last message is known, it is another message, whatever its text.
   */
  #isStored({ clientId, input: { key, content } }: ClientMessage, last: Message | undefined): boolean {
    if (this.#keys.isUsed(key)) return true;
    if (last === undefined) return false;
    return last.id === clientId || (last.content === content && !this.#keys.isOfRun(last.runId));
  }
}

const placeOf = ({ id, createdAt }: Message): MessagePlace => ({ id, createdAt });

const busy = (runId: RunId): AppError =>
  new AppError("conversation-busy", "The agent is still answering in this conversation.", {
    extensions: { run_id: runId },
    retryAfter: BUSY_RETRY_SECONDS,
  });

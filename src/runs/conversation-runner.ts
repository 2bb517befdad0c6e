import { DurableObject } from "cloudflare:workers";
import { requireStanding } from "../end-users/standing.ts";
import { createRunnerDeps, portsFrom, type RunnerDeps } from "../deps.ts";
import { logProblem, problemResponse } from "../http/problem-document.ts";
import { toMessageView } from "../messages/view.ts";
import { systemClock } from "../shared/clock.ts";
import { AppError, notFound } from "../shared/errors.ts";
import { type RateLimit, rateLimitHeaders } from "../shared/rate-limit.ts";
import { personIn, type Space } from "../users/space.ts";
import { followRun } from "./follow.ts";
import { endedRun, LiveRun, SEQ_BLOCK } from "./live-run.ts";
import type { Run, RunSeed } from "./model.ts";
import { type KeyUse, type LoggedRun, RunLog } from "./run-log.ts";
import type { RunnerCall, RunnerRequest } from "./runner-protocol.ts";
import { settleRun } from "./settle.ts";
import { openTurn, RunCancelled, seedRun, type TurnInput } from "./turn.ts";
import { toRunView } from "./view.ts";

/**
 * A Durable Object without a client is stopped after two minutes or so, whatever it waits for; an alarm keeps it alive.
 * The same alarm finds a run whose runner has died, and tries again to save what could not be saved.
 */
const HEARTBEAT_MS = 30_000;
/** When a caller that found the conversation busy may ask again, in seconds. */
const BUSY_RETRY_SECONDS = 2;

/** A run that has been accepted, and what is left of the month's messages, where they are limited. */
interface Begun {
  readonly runId: string;
  readonly left?: RateLimit | undefined;
}

type Send = Extract<RunnerRequest, { kind: "send" }>;

/**
 * The runner of one conversation: one run at a time takes place here, whoever listens. A shell around `LiveRun`,
 * `RunLog`, `followRun` and `settleRun`, which know nothing of Durable Objects.
 */
export class ConversationRunner extends DurableObject<Env> {
  #openLog: RunLog | undefined;
  #live: LiveRun | undefined;
  /** Settles when the live run is accepted or refused. */
  #opening: Promise<void> = Promise.resolve();
  #settling: Promise<void> | undefined;
  /** What follows the answers so far, one after the other; nobody waits for it. */
  #following: Promise<void> = Promise.resolve();
  #followUps = 0;

  override async fetch(request: Request): Promise<Response> {
    // The Worker, and nobody else, asks in this shape.
    const call = await request.json<RunnerCall>();
    try {
      return await this.#answer(call);
    } catch (thrown) {
      const error = AppError.from(thrown);
      // Anybody may ask about any conversation: a runner that knows of nothing keeps nothing.
      if (error.code === "not-found") await this.#schedule();
      logProblem(error, call);
      return problemResponse(error, call);
    }
  }

  override async alarm(): Promise<void> {
    try {
      await this.#settleOrphans();
      await this.#saveUnsaved();
    } catch (error) {
      console.warn({ message: "Settling a run has to wait.", error: String(error) });
    }
    await this.#schedule();
  }

  async #answer(call: RunnerCall): Promise<Response> {
    const { request } = call;
    if (request.kind === "forget") return this.#forget();

    await this.#settleOrphans();
    switch (request.kind) {
      case "send":
        return this.#send(call, request);
      case "events":
        return this.#events(call, request.runId, request.after);
      case "cancel":
        return this.#cancel(call, request.runId);
      case "get":
        return Response.json(toRunView(await this.#runOf(call, request.runId)));
    }
  }

  async #send(call: RunnerCall, request: Send): Promise<Response> {
    // A run that begins reads the account beside everything else; who gets another answer is looked at here.
    if (this.#live || this.#keyUse(request.key))
      await Promise.all([this.#requireAccount(call.space), this.#requireReach(call)]);
    // A run that is not accepted yet may be refused: then its key is forgotten, and this request is a first one.
    while (this.#isOpening(request.key)) {
      await this.#opening.catch(() => undefined);
      await this.#settleOrphans();
    }

    // Nothing waits from the last look at the key to the moment the run is entered as live: two requests can't both begin.
    const known = this.#runOfKey(request.key);
    if (!known && this.#live) throw busy(this.#live.runId);
    const { runId, left } = known ? { runId: known } : await this.#begin(call, request);

    const headers = left && rateLimitHeaders(left);
    if (request.wantsJson) return this.#wholeAnswer(call, runId, headers);
    return followRun(runId, this.#sourceOf(runId), 0, headers);
  }

  async #requireAccount(space: Space): Promise<void> {
    const { users, endUsers } = await this.#deps();
    await requireStanding(space, users, endUsers);
  }

  /**
   * The name of the runner tells that a conversation is in the caller's space, but not which agent it is with. Throws a 404
   * where callers for certain agents ask about one with another.
   */
  async #requireReach({ space, conversationId }: RunnerCall): Promise<void> {
    if (!space.agentIds) return;
    const { conversations } = await this.#deps();
    await conversations.get(space, conversationId);
  }

  /** The run that a key stands for. Throws a 422 where it stands for another request. */
  #runOfKey(key: Send["key"]): string | undefined {
    const use = this.#keyUse(key);
    if (key && use && use.bodyHash !== key.bodyHash)
      throw new AppError("idempotency-mismatch", "This idempotency key was used with another request.");
    return use?.runId;
  }

  #keyUse(key: Send["key"]): KeyUse | undefined {
    return key ? this.#log.findKey(key.key, Date.now()) : undefined;
  }

  #isOpening(key: Send["key"]): boolean {
    const runId = this.#runOfKey(key);
    return runId !== undefined && this.#log.find(runId)?.state === "opening";
  }

  /** Begins a run; gives its id and what is left to say once it is accepted, and throws what refuses it. */
  async #begin({ space, conversationId }: RunnerCall, request: Send): Promise<Begun> {
    const { agentId, content, attachments, key } = request;
    const place = { ...space, agentId, conversationId };
    const seed = seedRun(systemClock);
    const run = new LiveRun(seed.runId, this.#log, systemClock.now);
    this.#live = run;
    this.#log.open(place, seed, SEQ_BLOCK, key);
    const opened = this.#open(run, { ...place, content, attachments }, seed);
    this.#opening = opened.then(() => undefined);

    try {
      // Awaited as `#opening` too, by whoever comes meanwhile: its refusal must not count as unhandled.
      this.#opening.catch(() => undefined);
      const [left] = await Promise.all([opened, this.ctx.storage.setAlarm(Date.now() + HEARTBEAT_MS)]);
      return { runId: seed.runId, left };
    } catch (error) {
      this.#live = undefined;
      // Behind an error of ours nobody knows whether it was stored: the log keeps it, and it is settled like a dead one.
      if (AppError.from(error).status < 500) this.#log.drop(seed.runId);
      throw error;
    }
  }

  async #open(run: LiveRun, input: TurnInput, seed: RunSeed): Promise<RateLimit | undefined> {
    const { turnDeps } = await this.#deps();
    const deps = {
      ...turnDeps,
      keepUnsaved: this.#log.keepUnsaved.bind(this.#log),
      follow: (work: () => Promise<void>) => this.#follow(run, work),
    };
    const { events, messagesLeft } = await openTurn(input, seed, deps, run.signal);

    this.#log.accept(seed.runId);
    const playing = run.play(events).catch((error: unknown) => {
      // Turns do not throw: this is the log that failed. The run counts as dead, and is settled like one.
      console.error({ message: "A run could not be logged.", runId: seed.runId, error });
    });
    this.ctx.waitUntil(playing.then(() => this.#leave(run)));
    return messagesLeft;
  }

  /** Does what follows a run's answer, behind its end and behind what earlier answers have left to do. */
  #follow(run: LiveRun, work: () => Promise<void>): void {
    this.#followUps++;
    this.#following = Promise.all([this.#following, run.ended])
      .then(work)
      .finally(() => {
        this.#followUps--;
      });
    this.ctx.waitUntil(this.#following.then(() => this.#schedule()));
  }

  async #leave(run: LiveRun): Promise<void> {
    if (this.#live === run) this.#live = undefined;
    await this.#schedule();
  }

  async #events(call: RunnerCall, wanted: string, afterText: string): Promise<Response> {
    if (!/^\d{1,15}$/u.test(afterText))
      throw new AppError("malformed-request", "`after` is the number of an event.");
    const after = Number(afterText);
    await this.#requireReach(call);
    if (wanted === this.#live?.runId || wanted === "active") await this.#opening.catch(() => undefined);

    const runId = wanted === "active" ? this.#live?.runId : wanted;
    if (runId === undefined) {
      const { conversations } = await this.#deps();
      await conversations.get(call.space, call.conversationId);
      return new Response(null, { status: 204 });
    }
    const logged = this.#log.find(runId);
    if (!logged) throw await this.#whyNotLogged(call, runId);

    const last = this.#lastNumber(logged);
    if (after > last) throw new AppError("malformed-request", "`after` is beyond the end of the run.");
    if (logged.state === "ended" && after === last) return new Response(null, { status: 204 });
    return followRun(runId, this.#sourceOf(runId), after);
  }

  /** The highest number that a client can have seen. */
  #lastNumber({ seed, lastSeq }: LoggedRun): number {
    if (lastSeq !== null) return lastSeq;
    return this.#live?.runId === seed.runId ? this.#live.lastSeq : 0;
  }

  async #whyNotLogged(call: RunnerCall, runId: string): Promise<AppError> {
    await this.#runOf(call, runId);
    return new AppError(
      "gone",
      "The events of this run are kept for a day, and are gone. Its messages are not.",
    );
  }

  async #cancel(call: RunnerCall, runId: string): Promise<Response> {
    await this.#requireReach(call);
    if (this.#live?.runId === runId) await this.#stopLive(this.#live);
    return Response.json(toRunView(await this.#runOf(call, runId)));
  }

  /** Ends the live run, accepted or not, and waits until it has ended. */
  async #stopLive(run: LiveRun): Promise<void> {
    run.stop(new RunCancelled());
    await this.#opening.catch(() => undefined);
    await run.ended;
  }

  async #forget(): Promise<Response> {
    if (this.#live) await this.#stopLive(this.#live);
    // What dead runs, and runs that could not be saved, had counted is given back while the log knows of them.
    await this.#settleOrphans();
    await this.#saveUnsaved();
    await this.ctx.storage.deleteAlarm();
    await this.ctx.storage.deleteAll();
    this.#openLog = undefined;
    return new Response(null, { status: 204 });
  }

  /** The whole answer of a run, for callers that do not stream. A run that failed is answered as a problem. */
  async #wholeAnswer(
    { conversationId }: RunnerCall,
    runId: string,
    headers: HeadersInit = {},
  ): Promise<Response> {
    if (this.#live?.runId === runId) await this.#live.ended;
    const logged = this.#log.find(runId);
    const end = logged?.lastSeq ? this.#log.read(runId, logged.lastSeq - 1)[0]?.event : undefined;
    if (!logged || !end)
      throw new AppError("unavailable", "The answer was interrupted. What had been said is kept.");
    if (end.type === "failed")
      throw new AppError(end.code, end.message, { retryable: end.retryable, extensions: { run_id: runId } });

    const { messages } = await this.#deps();
    const found = await messages.find(conversationId, logged.seed.answeredAt, logged.seed.answerId);
    const message = found ? toMessageView(found) : null;
    const whole = {
      message,
      tool_calls: message?.tool_calls ?? [],
      usage: message?.usage ?? null,
      run_id: runId,
    };
    return Response.json(whole, { headers });
  }

  /** A run as it stands. Throws a 404 for one that is not of this caller's conversation. */
  async #runOf({ space, conversationId }: RunnerCall, runId: string): Promise<Run> {
    const { conversations, runs } = await this.#deps();
    // A conversation that is being deleted is gone at once, its runs included.
    const [, run] = await Promise.all([
      conversations.get(space, conversationId),
      runs.find(conversationId, runId),
    ]);
    if (run?.createdBy !== personIn(space)) throw notFound("Run");

    // The table may not have taken its end yet.
    const unsaved = this.#log.unsaved().find(({ seed }) => seed.runId === runId);
    return unsaved ? { ...run, ...unsaved.end } : run;
  }

  #sourceOf(runId: string) {
    return this.#live?.runId === runId ? this.#live : endedRun(runId, this.#log);
  }

  /** Settles runs whose runner has died; callers of the same moment wait for the same work. */
  async #settleOrphans(): Promise<void> {
    const orphans = this.#log.unfinished().filter(({ seed }) => seed.runId !== this.#live?.runId);
    if (orphans.length === 0 && !this.#settling) return;

    this.#settling ??= this.#settle(orphans).finally(() => {
      this.#settling = undefined;
    });
    await this.#settling;
  }

  async #settle(orphans: readonly LoggedRun[]): Promise<void> {
    const deps = await this.#deps();

    for (const run of orphans) {
      const { runId } = run.seed;
      const event = await settleRun(run, this.#log.all(runId), deps);
      if (!event) {
        this.#log.drop(runId);
        continue;
      }

      // The numbers of the last block may have been seen by clients, whether they are in the log or not.
      const seq = run.reserved + 1;
      this.#log.append(runId, [{ seq, event }]);
      this.#log.end(runId, seq, Date.now());
    }
    await this.#schedule();
  }

  async #saveUnsaved(): Promise<void> {
    const ends = this.#log.unsaved();
    if (ends.length === 0) return;
    const { turns } = await this.#deps();

    for (const end of ends) {
      try {
        await turns.end(end);
      } catch (error) {
        const { code, retryable } = AppError.from(error);
        if (retryable) throw error;
        // A conversation that is gone wants nothing saved; what the table will never take must not be tried for ever.
        if (code !== "not-found") {
          console.error({ message: "An answer can't be saved.", runId: end.seed.runId, code });
          await turns.end({ ...end, message: null, end: { ...end.end, messageId: null } });
        }
      }
      this.#log.saved(end.seed.runId);
    }
  }

  /** Sets the alarm for whatever comes next: the heartbeat, another try, or the end of a log's day. Without any of them, nothing is kept. */
  async #schedule(): Promise<void> {
    const now = Date.now();
    const expiry = this.#log.prune(now);
    const isBusy =
      this.#live ||
      this.#followUps > 0 ||
      this.#log.unfinished().length > 0 ||
      this.#log.unsaved().length > 0;
    const next = isBusy ? now + HEARTBEAT_MS : expiry;
    if (next !== undefined) return this.ctx.storage.setAlarm(next);

    // Nothing waits in between: a run that begins next finds a fresh log.
    this.#openLog = undefined;
    await Promise.all([this.ctx.storage.deleteAlarm(), this.ctx.storage.deleteAll()]);
  }

  /** Made at first use: a runner that is only asked to forget keeps nothing. */
  get #log(): RunLog {
    this.#openLog ??= new RunLog(this.ctx.storage.sql);
    return this.#openLog;
  }

  async #deps(): Promise<RunnerDeps> {
    return createRunnerDeps(await portsFrom(this.env));
  }
}

const busy = (runId: string): AppError =>
  new AppError("conversation-busy", "The agent is still answering in this conversation.", {
    extensions: { run_id: runId },
    retryAfter: BUSY_RETRY_SECONDS,
  });

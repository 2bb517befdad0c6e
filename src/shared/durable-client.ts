import { nearestArea } from "./areas.ts";
import type { Refusal, Reply } from "./durable-reply.ts";
import { withTimeout } from "./async.ts";
import { AppError } from "./errors.ts";

/** A Durable Object that was reset during a call can be called again immediately. */
const ATTEMPTS = 3;

/**
 * In milliseconds, for one call. The longest calls stop a run and wait until it has been saved, which takes about a minute if the
 * table is slow. Calls that return a stream end before the stream does. Calls that wait for a model state their own time.
 */
const CALL_MS = 2 * 60_000;

/** How a call is made. */
export interface CallOptions {
  /** Whether a call that failed may be made again, although it may have had its effect; by default true. */
  readonly isRepeatable?: boolean;
  /** How long one call may take, in milliseconds; by default two minutes. */
  readonly timeoutMs?: number;
}

interface DurableClientDeps<Target extends Rpc.DurableObjectBranded> {
  readonly namespace: Pick<DurableObjectNamespace<Target>, "getByName">;
  /** The AWS region of the table: objects are created near it. */
  readonly region: string;
  /** The error message for callers if an object can't be reached. */
  readonly unavailable: string;
}

/** Calls the Durable Objects of one class by their names: creates them near the table, and calls again after a reset. */
export class DurableClient<Target extends Rpc.DurableObjectBranded> {
  readonly #namespace: DurableClientDeps<Target>["namespace"];
  readonly #unavailable: string;
  readonly #placement: DurableObjectNamespaceGetDurableObjectOptions;

  constructor({ namespace, region, unavailable }: DurableClientDeps<Target>) {
    const area = nearestArea(region);
    this.#namespace = namespace;
    this.#unavailable = unavailable;
    this.#placement = area === undefined ? {} : { locationHint: area };
  }

  /**
   * Calls a method of the object with this name and returns its answer. Throws the object's refusal, or `unavailable` if
   * the object can't be reached or does not answer in time. A call that failed may have had its effect: it is made again only if
   * `isRepeatable`. A call that took too long is not made again.
   */
  async call<Answer>(
    name: string,
    method: (object: DurableObjectStub<Target>) => Promise<Reply<Answer>>,
    options: CallOptions = {},
  ): Promise<Answer> {
    const reply = await this.#reach(name, method, options);
    if ("error" in reply) throw toAppError(reply.error);
    return reply.answer;
  }

  async #reach<Answer>(
    name: string,
    method: (object: DurableObjectStub<Target>) => Promise<Reply<Answer>>,
    { isRepeatable = true, timeoutMs = CALL_MS }: CallOptions,
  ): Promise<Reply<Answer>> {
    for (let attempt = 1; ; attempt++) {
      try {
        // A new stub each time: the stub of an object that was reset repeats its error for good.
        const object = this.#namespace.getByName(name, this.#placement);
        return await withTimeout(timeoutMs, () => method(object));
      } catch (cause) {
        if (attempt === ATTEMPTS || !isRepeatable || isOverloaded(cause) || isTimeout(cause))
          throw new AppError("unavailable", this.#unavailable, { cause, retryAfter: 1 });
      }
    }
  }
}

/** The object has more calls than it can serve. The platform asks callers not to retry. */
const isOverloaded = (cause: unknown): boolean =>
  cause instanceof Error && "overloaded" in cause && cause.overloaded === true;

/** The object had its time already. A caller that has waited for so long should not wait again. */
const isTimeout = (cause: unknown): boolean => cause instanceof DOMException && cause.name === "TimeoutError";

/** The `cause` in the caller's log, which may log the refusal a second time. */
const CAUSE = "The cause is in the log of the Durable Object.";

const toAppError = ({ code, message, retryable, retryAfter, rateLimit, extensions }: Refusal): AppError =>
  new AppError(code, message, {
    cause: CAUSE,
    retryable,
    extensions,
    ...(retryAfter !== null && { retryAfter }),
    ...(rateLimit !== null && { rateLimit }),
  });

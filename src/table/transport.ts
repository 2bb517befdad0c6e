import { AwsClient } from "aws4fetch";
import { AdmissionQueue, QueueTooLong } from "../shared/admission-queue.ts";
import { sleep } from "../shared/async.ts";
import { objectFrom } from "../shared/json.ts";
import { BodyTooLong, limitedFetch } from "../shared/limited-fetch.ts";
import { TableUnavailable } from "./errors.ts";
import { retryQuota } from "./retry-quota.ts";

export interface TransportConfig {
  /** For example `https://dynamodb.eu-west-2.amazonaws.com`. */
  readonly endpoint: string;
  readonly region: string;
  readonly credentials: {
    readonly accessKeyId: string;
    readonly secretAccessKey: string;
    readonly sessionToken?: string;
  };
  readonly fetch?: typeof fetch;
  /** The queue that requests wait in before they are sent; by default one of this transport's own. */
  readonly queue?: AdmissionQueue;
  /** Waits `ms` milliseconds. Tests pass one that does not wait. */
  readonly sleep?: (ms: number) => Promise<void>;
  /** Returns a signal that aborts after `ms` milliseconds. Tests pass one that notes the times. */
  readonly timeout?: (ms: number) => AbortSignal;
  /** Returns a number from 0 to 1 (exclusive), for the jitter. */
  readonly random?: () => number;
}

/**
 * Sends one DynamoDB operation, such as `GetItem`, and returns its answer. Retries temporary errors. Throws `TableUnavailable` if
 * they persist or if too many requests wait to be sent, and `OperationFailed` for everything else that DynamoDB refuses.
 */
export type Send = (operation: string, input: object) => Promise<Record<string, unknown>>;

/** DynamoDB refused an operation. The message is DynamoDB's. */
export class OperationFailed extends Error {
  override readonly name = "OperationFailed";
  /** The exception's name without its namespace, such as `ConditionalCheckFailedException`. */
  readonly type: string;
  /** Private, because it may contain items, and errors are logged. */
  readonly #body: Record<string, unknown>;
  /** How often the operation was sent. From the second time on, it may have met the effect of an earlier attempt. */
  readonly attempts: number;

  constructor(type: string, body: Record<string, unknown>, attempts: number) {
    // Security: DynamoDB quotes the text to be signed in signature errors, including the session token.
    const isQuoting = type.includes("Signature");
    super(`${type}: ${isQuoting ? "" : (textMember(body, "message") ?? textMember(body, "Message") ?? "")}`);
    this.type = type;
    this.#body = body;
    this.attempts = attempts;
  }

  get body(): Record<string, unknown> {
    return this.#body;
  }
}

/**
 * Attempts, waits and names follow the AWS SDK's current retry mode for DynamoDB: four attempts, full jitter over
 * 50 ms doubling (1 s doubling when throttled) and at most 20 s. Conflicts between transactions, which the SDK leaves
 * to its caller, have attempts of their own: parallel turns of one user meet on the same counter all the time.
 */
const RETRY_RULES = {
  transient: { attempts: 4, baseMs: 50, maxMs: 20_000, cost: 10 },
  throttled: { attempts: 4, baseMs: 1_000, maxMs: 20_000, cost: 10 },
  // Cheaper, because a database that reports conflicts is well.
  conflict: { attempts: 10, baseMs: 25, maxMs: 500, cost: 1 },
  skewed: { attempts: 2, baseMs: 0, maxMs: 0, cost: 0 },
} as const;

type Retry = keyof typeof RETRY_RULES;

/** For one attempt, including its answer. DynamoDB answers in milliseconds, so after this a retry is faster than waiting. */
const ATTEMPT_TIMEOUT_MS = 3_000;
/**
 * For all attempts and waits of one operation, from its first attempt on. After this, a 503 is better than waiting longer.
 */
const TOTAL_TIMEOUT_MS = 10_000;

/**
 * An isolate's requests to the database. 64 at one time, at 5 ms each, are ten times what an isolate's CPU can prepare, so nobody
 * waits while the database is well. If it is slow, a request waits here, where its attempt's timeout has not begun.
 */
const QUEUE = { limit: 64, patienceMs: 5_000, leaseMs: ATTEMPT_TIMEOUT_MS + 1_000, expectedMs: 10 } as const;

/** DynamoDB returns at most 16 MB of items, by its own count. The JSON format adds to that. */
const MAX_ANSWER_BYTES = 48_000_000;

/** DynamoDB reports throttling with status 400, so it must be recognized by the name of the error. */
const THROTTLES = new Set([
  "ProvisionedThroughputExceededException",
  "ThrottlingException",
  "Throttling",
  "RequestLimitExceeded",
  "LimitExceededException",
  "TooManyRequestsException",
  "BandwidthLimitExceeded",
  "SlowDown",
  "PriorRequestNotComplete",
]);
const TRANSIENT = new Set([
  "InternalServerError",
  "InternalFailure",
  "ServiceUnavailable",
  "RequestTimeout",
  "TimeoutError",
]);
const CONFLICTS = new Set([
  "TransactionInProgressException",
  "TransactionConflictException",
  "ReplicatedWriteConflictException",
]);
const SKEWED = new Set([
  "RequestExpired",
  "RequestTimeTooSkewed",
  "InvalidSignatureException",
  "SignatureDoesNotMatch",
]);
/** Reasons for which a cancelled transaction may succeed if it is sent again unchanged. */
const PASSING_REASONS: ReadonlyMap<string, Retry> = new Map([
  ["TransactionConflict", "conflict"],
  ["ThrottlingError", "throttled"],
  ["ProvisionedThroughputExceeded", "throttled"],
]);

/**
 * Returns a transport with one signer, one queue and one retry quota. Create one per isolate, so that signing keys are derived
 * once a day, and so that the requests under way and the retries of all requests together are limited.
 */
export function createTransport(config: TransportConfig): Send {
  // Called as a property, workerd's fetch throws "Illegal invocation".
  const { fetch: unlimited = fetch, sleep: pause = sleep, random = Math.random } = config;
  const { queue = new AdmissionQueue(QUEUE), timeout = (ms: number) => AbortSignal.timeout(ms) } = config;
  const fetchOnce = limitedFetch(unlimited, MAX_ANSWER_BYTES);
  const aws = new AwsClient({
    ...config.credentials,
    region: config.region,
    service: "dynamodb",
    retries: 0,
  });
  const quota = retryQuota();
  let skewMs = 0;

  async function once(operation: string, body: string, deadline: number): Promise<Attempt> {
    try {
      const request = await aws.sign(config.endpoint, {
        method: "POST",
        headers: {
          "content-type": "application/x-amz-json-1.0",
          "x-amz-target": `DynamoDB_20120810.${operation}`,
        },
        body,
        ...(skewMs !== 0 && { aws: { datetime: amzDate(Date.now() + skewMs) } }),
      });
      const timeoutMs = Math.min(ATTEMPT_TIMEOUT_MS, Math.max(0, deadline - Date.now()));
      const response = await fetchOnce(request, { signal: timeout(timeoutMs) });
      const answer = objectFrom(await response.text());

      if (response.ok && answer) return { answer };
      if (!answer)
        return { failure: new Error(`HTTP ${response.status} without a JSON body`), retry: "transient" };
      return refused(answer, response);
    } catch (failure) {
      // A refused or reset connection, or a timeout. The request may have arrived, so every write must be safe to repeat.
      return { failure, retry: failure instanceof BodyTooLong ? undefined : "transient" };
    }
  }

  function refused(body: Record<string, unknown>, response: Response): Attempt {
    const type = errorType(body);
    const retry = retryFor(type, body, response.status);
    if (retry === "skewed") skewMs = Date.parse(response.headers.get("date") ?? "") - Date.now() || 0;
    return { type, body, retry };
  }

  return async function send(operation, input) {
    const body = JSON.stringify(input);
    let deadline: number | undefined;
    let last: FailedAttempt | undefined;
    quota.began();

    for (let attempts = 1; ; attempts++) {
      const leave = await queue.enter().catch(unavailableIfTooLong);
      // The time for answers begins when the request leaves the queue. Otherwise requests would time out while they wait in it.
      deadline ??= Date.now() + TOTAL_TIMEOUT_MS;
      if (last && Date.now() >= deadline) {
        leave();
        throw finalError(last, attempts - 1);
      }

      const attempt = await once(operation, body, deadline).finally(leave);
      if ("answer" in attempt) return attempt.answer;

      if (!attempt.retry || !(await mayRetry(attempt.retry, attempts, deadline)))
        throw finalError(attempt, attempts);
      last = attempt;
    }
  };

  async function mayRetry(retry: Retry, attempts: number, deadline: number): Promise<boolean> {
    const rule = RETRY_RULES[retry];
    const waitMs = random() * Math.min(rule.baseMs * 2 ** (attempts - 1), rule.maxMs);
    if (attempts >= rule.attempts || Date.now() + waitMs >= deadline || !quota.spend(rule.cost)) return false;

    await pause(waitMs);
    return true;
  }
}

type Attempt =
  | { readonly answer: Record<string, unknown> }
  | { readonly failure: unknown; readonly retry: Retry | undefined }
  | { readonly type: string; readonly body: Record<string, unknown>; readonly retry: Retry | undefined };

function unavailableIfTooLong(error: unknown): never {
  throw error instanceof QueueTooLong ? new TableUnavailable(error) : error;
}

type FailedAttempt = Exclude<Attempt, { answer: unknown }>;

function finalError(attempt: FailedAttempt, attempts: number): Error {
  if ("failure" in attempt) return new TableUnavailable(attempt.failure);

  const failed = new OperationFailed(attempt.type, attempt.body, attempts);
  // To the caller, a temporary error that persists is an outage.
  return attempt.retry && attempt.retry !== "skewed" ? new TableUnavailable(failed) : failed;
}

function retryFor(type: string, body: Record<string, unknown>, status: number): Retry | undefined {
  if (type === "TransactionCanceledException") return retryForReasons(cancellationReasons(body));
  if (THROTTLES.has(type)) return "throttled";
  if (CONFLICTS.has(type)) return "conflict";
  if (SKEWED.has(type)) return "skewed";
  return TRANSIENT.has(type) || status >= 500 ? "transient" : undefined;
}

/** A cancelled transaction may be sent again only if all of its reasons are temporary. */
function retryForReasons(reasons: readonly CancellationReason[]): Retry | undefined {
  const codes = reasons.map(({ Code }) => Code).filter((code) => code !== undefined && code !== "None");
  const retries = codes.map((code) => PASSING_REASONS.get(code ?? ""));
  if (retries.length === 0 || retries.includes(undefined)) return undefined;
  return retries.includes("throttled") ? "throttled" : "conflict";
}

export interface CancellationReason {
  readonly Code?: string;
  readonly Item?: unknown;
}

/** Returns why a transaction was cancelled: one reason per action, in the order of the actions. */
export function cancellationReasons(body: Record<string, unknown>): readonly CancellationReason[] {
  const reasons = body["CancellationReasons"];
  // The cast follows DynamoDB's wire format.
  return Array.isArray(reasons) ? (reasons as CancellationReason[]) : [];
}

/** `com.amazonaws.dynamodb.v20120810#ThrottlingException` → `ThrottlingException`. */
const errorType = (body: Record<string, unknown>): string =>
  (textMember(body, "__type") ?? "UnknownError").replace(/^.*#/u, "");

function textMember(body: Record<string, unknown>, name: string): string | undefined {
  const value = body[name];
  return typeof value === "string" ? value : undefined;
}

/** Returns a time in the form that signatures use, such as `20260129T115136Z`. */
const amzDate = (ms: number): string => new Date(ms).toISOString().replaceAll(/[-:]|\.\d{3}/gu, "");

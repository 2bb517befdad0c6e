import { AwsClient } from "aws4fetch";
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
  /** Waits so many milliseconds; tests hand in one that does not. */
  readonly sleep?: (ms: number) => Promise<void>;
  /** A number from 0 up to 1, for the jitter. */
  readonly random?: () => number;
}

/**
 * Sends one DynamoDB operation, such as `GetItem`, and gives its answer. Retries what may pass; throws
 * `TableUnavailable` when it did not pass in time and `OperationFailed` for everything DynamoDB refused.
 */
export type Send = (operation: string, input: object) => Promise<Record<string, unknown>>;

/** An operation that DynamoDB refused, in its own words. */
export class OperationFailed extends Error {
  override readonly name = "OperationFailed";
  /** The exception's name without its namespace, such as `ConditionalCheckFailedException`. */
  readonly type: string;
  /** Private, because it may hold items, and errors are logged. */
  readonly #body: Record<string, unknown>;
  /** How often the operation was sent; from the second time on, it may have met its own first effect. */
  readonly attempts: number;

  constructor(type: string, body: Record<string, unknown>, attempts: number) {
    // About a signature, DynamoDB quotes all that should have been signed, the session token included.
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
  throttled: { attempts: 4, baseMs: 1_000, maxMs: 20_000, cost: 5 },
  conflict: { attempts: 10, baseMs: 25, maxMs: 500, cost: 0 },
  skewed: { attempts: 2, baseMs: 0, maxMs: 0, cost: 0 },
} as const;

type Retry = keyof typeof RETRY_RULES;

/** One attempt, answer included. DynamoDB answers in milliseconds; what takes longer is better asked again. */
const ATTEMPT_TIMEOUT_MS = 3_000;
/** All attempts and waits of one operation: a caller would rather hear 503 than wait longer. */
const TOTAL_TIMEOUT_MS = 10_000;

/** DynamoDB reports throttling as 400, so it is told by its name and not by its status. */
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
/** The reasons for which a cancelled transaction may pass if it is sent again unchanged. */
const PASSING_REASONS: Record<string, Retry> = {
  TransactionConflict: "conflict",
  ThrottlingError: "throttled",
  ProvisionedThroughputExceeded: "throttled",
};

/**
 * A transport with one signer and one retry quota; make it once per isolate, so that signing keys are derived once a
 * day and a failing database is not hammered by many requests' retries at a time.
 */
export function createTransport(config: TransportConfig): Send {
  // Called as a property, workerd's fetch throws "Illegal invocation".
  const { fetch: fetchOnce = fetch, sleep = defaultSleep, random = Math.random } = config;
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
      const response = await fetchOnce(request, { signal: AbortSignal.timeout(timeoutMs) });
      const answer = parseObject(await response.text());

      if (response.ok && answer) return { answer };
      if (!answer)
        return { failure: new Error(`HTTP ${response.status} without a JSON body`), retry: "transient" };
      return refused(answer, response);
    } catch (failure) {
      // A refused or reset connection, or the timeout: nobody knows whether it arrived, so every write can be repeated.
      return { failure, retry: "transient" };
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
    const deadline = Date.now() + TOTAL_TIMEOUT_MS;
    let lastCost = 0;

    for (let attempts = 1; ; attempts++) {
      const attempt = await once(operation, body, deadline);
      if ("answer" in attempt) {
        quota.succeeded(lastCost);
        return attempt.answer;
      }

      if (!attempt.retry || !(await mayRetry(attempt.retry, attempts, deadline)))
        throw finalError(attempt, attempts);
      lastCost = RETRY_RULES[attempt.retry].cost;
    }
  };

  async function mayRetry(retry: Retry, attempts: number, deadline: number): Promise<boolean> {
    const rule = RETRY_RULES[retry];
    const waitMs = random() * Math.min(rule.baseMs * 2 ** (attempts - 1), rule.maxMs);
    if (attempts >= rule.attempts || Date.now() + waitMs >= deadline || !quota.spend(rule.cost)) return false;

    await sleep(waitMs);
    return true;
  }
}

type Attempt =
  | { readonly answer: Record<string, unknown> }
  | { readonly failure: unknown; readonly retry: Retry }
  | { readonly type: string; readonly body: Record<string, unknown>; readonly retry: Retry | undefined };

function finalError(attempt: Exclude<Attempt, { answer: unknown }>, attempts: number): Error {
  if ("failure" in attempt) return new TableUnavailable(attempt.failure);

  const failed = new OperationFailed(attempt.type, attempt.body, attempts);
  // What could have passed and did not is an outage to the caller, whatever its name.
  return attempt.retry && attempt.retry !== "skewed" ? new TableUnavailable(failed) : failed;
}

function retryFor(type: string, body: Record<string, unknown>, status: number): Retry | undefined {
  if (type === "TransactionCanceledException") return retryForReasons(cancellationReasons(body));
  if (THROTTLES.has(type)) return "throttled";
  if (CONFLICTS.has(type)) return "conflict";
  if (SKEWED.has(type)) return "skewed";
  return TRANSIENT.has(type) || status >= 500 ? "transient" : undefined;
}

/** A cancelled transaction may be sent again only if nothing but passing reasons stood in its way. */
function retryForReasons(reasons: readonly CancellationReason[]): Retry | undefined {
  const codes = reasons.map(({ Code }) => Code).filter((code) => code !== undefined && code !== "None");
  const retries = codes.map((code) => PASSING_REASONS[code ?? ""]);
  if (retries.length === 0 || retries.includes(undefined)) return undefined;
  return retries.includes("throttled") ? "throttled" : "conflict";
}

export interface CancellationReason {
  readonly Code?: string;
  readonly Item?: unknown;
}

/** Why a transaction was cancelled, one reason per action in the order sent. */
export function cancellationReasons(body: Record<string, unknown>): readonly CancellationReason[] {
  const reasons = body["CancellationReasons"];
  // DynamoDB's wire format states that each reason is an object of this shape.
  return Array.isArray(reasons) ? (reasons as CancellationReason[]) : [];
}

/** `com.amazonaws.dynamodb.v20120810#ThrottlingException` → `ThrottlingException`. */
const errorType = (body: Record<string, unknown>): string =>
  (textMember(body, "__type") ?? "UnknownError").replace(/^.*#/u, "");

function textMember(body: Record<string, unknown>, name: string): string | undefined {
  const value = body[name];
  return typeof value === "string" ? value : undefined;
}

function parseObject(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}

/** `20260129T115136Z`, the form that signatures carry. */
const amzDate = (ms: number): string => new Date(ms).toISOString().replaceAll(/[-:]|\.\d{3}/gu, "");

const defaultSleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

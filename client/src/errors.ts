import type { Problem, ProblemCode } from "./api.ts";

/** What is wrong with one member of a request. */
export interface MemberError {
  /** The path of the member, such as `["form", "agent_name"]`. */
  readonly path: readonly string[];
  /** A sentence for people. */
  readonly message: string;
  /** The kind of violation. */
  readonly code: string | undefined;
}

/**
 * The API has refused a request, or has failed to answer it. `message` is a sentence for people; programs use `code`.
 *
 * @example
 * try {
 *   await client.agents.create(agent);
 * } catch (error) {
 *   if (error instanceof ApiError && error.code === "limit-exceeded") showUpgrade(error.problem.upgrade_url);
 *   else throw error;
 * }
 */
export class ApiError extends Error {
  override readonly name: string = "ApiError";
  /** The kind of problem; `unknown` if the answer was no problem document, such as one of a proxy. */
  readonly code: ProblemCode;
  /** The HTTP status. */
  readonly status: number;
  /** What is wrong and what to do, in a sentence for people; the same as `message`. */
  readonly detail: string;
  /** With `validation-failed`: what is wrong with each member. Otherwise empty. */
  readonly errors: readonly MemberError[];
  /** After how many seconds the request may be repeated; undefined if the service does not say. */
  readonly retryAfter: number | undefined;
  /** Finds the request in the service's log; undefined if the answer does not come from the service. */
  readonly requestId: string | undefined;
  /** All members of the problem document, such as `upgrade_url`. */
  readonly problem: Partial<Problem>;

  constructor(status: number, headers: Headers, body: string) {
    const problem = problemIn(body);
    const detail = text(problem?.detail) ?? `The service answered with status ${status}.`;
    super(detail);
    this.status = status;
    this.detail = detail;
    this.code = text(problem?.code) ?? "unknown";
    this.errors = memberErrors(problem?.errors);
    this.retryAfter = seconds(headers.get("retry-after"));
    this.requestId = text(problem?.request_id) ?? headers.get("x-request-id") ?? undefined;
    this.problem = problem ?? {};
  }
}

/** Why there is no complete answer. */
export type ConnectionFailure =
  /** The service could not be reached, or the connection broke. */
  | "network"
  /** Nothing arrived for too long. */
  | "timeout"
  /** A stream ended before its last event. */
  | "incomplete"
  /** What arrived is not what the API sends, or exceeds the client's limits. */
  | "unreadable";

/**
 * There is no complete answer. A request that was not repeatable may have had its effect nevertheless.
 */
export class ConnectionError extends Error {
  override readonly name: string = "ConnectionError";
  readonly reason: ConnectionFailure;

  constructor(reason: ConnectionFailure, message: string, options: { readonly cause?: unknown } = {}) {
    super(message, options);
    this.reason = reason;
  }
}

/** A turn has failed after its stream was opened. `message` is a sentence for the user. */
export class RunFailed extends Error {
  override readonly name: string = "RunFailed";
  /** The kind of problem, such as `provider-rate`. */
  readonly code: ProblemCode;
  /** Whether sending the message again may help. */
  readonly retryable: boolean;
  /** The run that has failed. */
  readonly runId: string;
  /** The text that had arrived before, which is kept in the conversation. */
  readonly text: string;

  constructor(
    message: string,
    {
      code,
      retryable,
      runId,
      text,
    }: {
      readonly code: ProblemCode;
      readonly retryable: boolean;
      readonly runId: string;
      readonly text: string;
    },
  ) {
    super(message);
    this.code = code;
    this.retryable = retryable;
    this.runId = runId;
    this.text = text;
  }
}

/** Returns the problem document in a body, or undefined if it is none. */
function problemIn(body: string): Partial<Problem> | undefined {
  try {
    const value: unknown = JSON.parse(body);
    return isObject(value) ? value : undefined;
  } catch {
    // Proxies answer with pages of their own, which nobody can act on. The status remains.
    return undefined;
  }
}

function memberErrors(value: unknown): readonly MemberError[] {
  if (!Array.isArray(value)) return [];
  return value.filter(isObject).map((error) => ({
    path: Array.isArray(error["path"]) ? error["path"].map(String) : [],
    message: text(error["message"]) ?? "",
    code: text(error["code"]),
  }));
}

/** Parses `Retry-After`, which is a number of seconds or a date. */
function seconds(header: string | null): number | undefined {
  if (header === null) return undefined;
  if (/^\d{1,9}$/u.test(header)) return Number(header);
  const date = Date.parse(header);
  return Number.isNaN(date) ? undefined : Math.max(0, Math.ceil((date - Date.now()) / 1_000));
}

const text = (value: unknown): string | undefined => (typeof value === "string" ? value : undefined);

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/**
 * Why a server has not answered. `address` and `redirect`: the address may not be asked, or leads elsewhere. `unauthorized`: it wants
 * another token. `insufficient-scope`: it wants a token for more. `rpc`: it has answered with an error of the protocol.
 */
type FailureReason =
  | "address"
  | "redirect"
  | "timeout"
  | "unreachable"
  | "unauthorized"
  | "insufficient-scope"
  | "expired-session"
  | "unreadable"
  | "http"
  | "rpc";

interface FailureOptions {
  /** The error of JSON-RPC. */
  readonly code?: number | undefined;
  /** The `WWW-Authenticate` header. */
  readonly challenge?: string;
  /** The revisions of the protocol that the server says it supports instead of the one of the request. */
  readonly revisions?: unknown;
  readonly cause?: unknown;
}

/** A server has not answered. `message` is a sentence for the owner and the model, without anything that the request contains. */
export class McpFailure extends Error {
  override readonly name = "McpFailure";
  readonly reason: FailureReason;
  readonly code: number | undefined;
  readonly challenge: string;
  readonly revisions: readonly unknown[];

  constructor(
    reason: FailureReason,
    message: string,
    { code, challenge = "", revisions, cause }: FailureOptions = {},
  ) {
    super(message, { cause });
    this.reason = reason;
    this.code = code;
    this.challenge = challenge;
    this.revisions = Array.isArray(revisions) ? revisions : [];
  }

  /** Whether another authorization of the owner helps. */
  get wantsAuthorization(): boolean {
    return this.reason === "unauthorized" || this.reason === "insufficient-scope";
  }
}

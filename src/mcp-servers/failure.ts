/**
 * Why a server has not answered. `address` and `redirect`: the address may not be asked, or leads elsewhere. `unauthorized`: it wants
 * another token. `rpc`: it has answered with an error of the protocol.
 */
type FailureReason =
  | "address"
  | "redirect"
  | "timeout"
  | "unreachable"
  | "unauthorized"
  | "expired-session"
  | "unreadable"
  | "http"
  | "rpc";

interface FailureOptions {
  /** The error of JSON-RPC. */
  readonly code?: number | undefined;
  /** The `WWW-Authenticate` header. */
  readonly challenge?: string;
  readonly cause?: unknown;
}

/** A server has not answered. `message` is a sentence for the owner and the model, without anything that the request contains. */
export class McpFailure extends Error {
  override readonly name = "McpFailure";
  readonly reason: FailureReason;
  readonly code: number | undefined;
  readonly challenge: string;

  constructor(reason: FailureReason, message: string, { code, challenge = "", cause }: FailureOptions = {}) {
    super(message, { cause });
    this.reason = reason;
    this.code = code;
    this.challenge = challenge;
  }
}

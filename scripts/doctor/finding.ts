import type { Variables } from "../dev-variables.ts";

/** What a check has found: everything is as it should be, something is worth knowing, or something is wrong. */
export interface Finding {
  readonly level: "ok" | "note" | "wrong";
  /** What is wrong and what to do, in sentences. */
  readonly text: string;
}

export const ok = (text: string): Finding => ({ level: "ok", text });
export const note = (text: string): Finding => ({ level: "note", text });
export const wrong = (text: string): Finding => ({ level: "wrong", text });

/** What checks are told. */
export interface CheckContext {
  /** The settings, without empty ones. */
  readonly variables: Variables;
  /** Whether they are for development on this machine, where fewer are required. */
  readonly isLocal: boolean;
  /** Ends when the time for a check is over. */
  readonly signal: AbortSignal;
  readonly fetch: typeof globalThis.fetch;
  /** Milliseconds since 1970, by this machine's clock. */
  readonly now: () => number;
}

/** A check of one subject. It does not throw for what is wrong with the configuration. */
export interface Check {
  readonly subject: string;
  readonly run: (context: CheckContext) => Promise<readonly Finding[]> | readonly Finding[];
}

/** Returns the reason for which a server gave no answer, in a few words. `signal` is the one that the request was sent with. */
export function reasonOf(error: unknown, signal: AbortSignal): string {
  if (signal.aborted) return "no answer in time";
  if (!(error instanceof Error)) return String(error);
  if ("code" in error && typeof error.code === "string") return error.code;
  // `fetch` says only that it has failed; why is in the cause.
  return error.cause instanceof Error ? reasonOf(error.cause, signal) : error.message;
}

/** Joins names as in a sentence: `a, b and c`. */
export const listed = (names: readonly string[]): string =>
  names.length < 2 ? (names[0] ?? "") : `${names.slice(0, -1).join(", ")} and ${names.at(-1)}`;

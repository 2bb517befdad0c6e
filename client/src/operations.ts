import type { Operations } from "./api.ts";

/** Settings of a single request. */
export interface RequestSettings {
  /** Ends the request; it then throws the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** How long the whole answer may take, in milliseconds. By default as the client's `timeoutMs`. */
  readonly timeoutMs?: number | undefined;
  /**
   * For operations that take an `Idempotency-Key`: the key, for 24 hours. The client makes one for each call by itself; set it
   * to repeat a call of an earlier process.
   */
  readonly idempotencyKey?: string | undefined;
}

export type Method = keyof Operations;

/** The paths whose answer is JSON or empty. */
export type AnsweredPath<M extends Method> = PathWith<M, "answer">;

/** The paths that answer with a stream of events or of lines. */
export type StreamedPath<M extends Method> = PathWith<M, "events">;

type PathWith<M extends Method, Member extends string> = {
  [P in keyof Operations[M]]: Operations[M][P] extends Record<Member, unknown> ? P : never;
}[keyof Operations[M]] &
  string;

/** What an operation answers. */
export type AnswerOf<M extends Method, P extends keyof Operations[M]> = Operations[M][P] extends {
  answer: infer Answer;
}
  ? Answer
  : never;

/** The events that an operation streams. */
export type EventOf<M extends Method, P extends keyof Operations[M]> = Operations[M][P] extends {
  events: infer Event;
}
  ? Event
  : never;

/** What an operation takes. */
export type OptionsOf<M extends Method, P extends keyof Operations[M]> = Operations[M][P] extends {
  options: infer Options;
}
  ? Options & RequestSettings
  : never;

/** The arguments behind method and path: the options may be left out if the operation needs none. */
export type Arguments<M extends Method, P extends keyof Operations[M]> =
  Partial<OptionsOf<M, P>> extends OptionsOf<M, P> ? [options?: OptionsOf<M, P>] : [options: OptionsOf<M, P>];

/** The query parameters of an operation. */
export type QueryOf<M extends Method, P extends keyof Operations[M]> = Operations[M][P] extends {
  options: { query?: infer Query };
}
  ? NonNullable<Query>
  : never;

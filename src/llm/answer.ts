import { BUDGETS } from "./budgets.ts";
import { BodyReader } from "./bytes.ts";
import { providerError } from "./errors.ts";
import type { Json } from "../shared/json.ts";
import type { FinishReason, ModelChunk, ModelTimeouts, TokenUsage } from "./model.ts";
import { IdleTimer } from "./idle-timer.ts";
import { ThinkTags } from "./think-tags.ts";
import { ToolCalls } from "./tool-calls.ts";

/** What a protocol's reasons for stopping mean. Those that make an answer unusable have an error. */
export type FinishReasons = Readonly<Record<string, FinishReason | ((cause: unknown) => Error)>>;

/** Provider data that is longer as JSON is not kept: it could not be stored, and would be sent with every request. */
const MAX_PROVIDER_DATA_CHARS = 200_000;

interface AnswerOptions {
  /** Names the server and the model. */
  readonly source: string;
  readonly finishes: FinishReasons;
}

/**
 * Collects an answer while it arrives. The reader of each protocol calls it for whatever an event contains; the chunks
 * that are ready are taken out after each read.
 */
export class Answer {
  readonly calls = new ToolCalls();
  usage: TokenUsage | undefined;
  /** The protocol's reason for stopping. Empty until the model has sent one. */
  finish = "";
  /** Whether the answer has ended and no more events need to be read. */
  isOver = false;
  /** Whether anything of the answer, including reasoning, has arrived since this was last set to false. */
  hasAdvanced = false;

  readonly #source: string;
  readonly #finishes: FinishReasons;
  readonly #tags = new ThinkTags();
  #chunks: ModelChunk[] = [];
  /** The first half of a character whose second half has not arrived yet. */
  #half = "";
  #providerData: (() => Json | undefined) | undefined;
  #isEmpty = true;
  #lacksTools = false;

  constructor({ source, finishes }: AnswerOptions) {
    this.#source = source;
    this.#finishes = finishes;
  }

  /** Adds text of the answer. Reasoning in tags at its beginning is set apart. */
  text(piece: string): void {
    if (piece === "") return;
    this.hasAdvanced = true;
    this.#isEmpty = false;
    if (!this.#tags.isDone) this.#tags.push(piece, this);
    else this.visible(piece);
  }

  /** Adds text that is known to belong to the answer. */
  visible(piece: string): void {
    const text = this.#half + piece;
    if (text === "") return;
    this.#half = isHighSurrogate(text.charCodeAt(text.length - 1)) ? text.slice(-1) : "";
    const whole = this.#half === "" ? text : text.slice(0, -1);
    if (whole !== "") this.#chunks.push({ type: "text", text: whole });
  }

  reasoning(text: string): void {
    if (text === "") return;
    this.hasAdvanced = true;
    this.#isEmpty = false;
    this.#chunks.push({ type: "reasoning", text });
  }

  /** Sets what returns, once the answer is complete, what the provider expects back with it, or `undefined`. */
  expectBack(data: () => Json | undefined): void {
    this.#providerData = data;
  }

  /**
   * Notes that the request had to be sent without tools. It is reported with the first piece of the answer, because a
   * request that is refused instead may be sent again.
   */
  withoutTools(): void {
    this.#lacksTools = true;
  }

  /** Returns the chunks that are ready, and forgets them. */
  take(): readonly ModelChunk[] {
    if (this.#chunks.length === 0) return NO_CHUNKS;
    const chunks = this.#chunks;
    if (this.#lacksTools) chunks.unshift({ type: "without-tools" });
    this.#lacksTools = false;
    this.#chunks = [];
    return chunks;
  }

  /**
   * Ends the answer, and returns its last chunks. An answer is complete if it has a stop reason, an end mark, or only
   * complete tool calls. Returns the error of any other answer, and of a stop reason that has one.
   */
  end(): { readonly chunks: readonly ModelChunk[]; readonly error?: Error } {
    this.#tags.end(this);
    if (this.#half !== "") this.#chunks.push({ type: "text", text: this.#half });
    if (this.usage) this.#chunks.push({ type: "usage", usage: this.usage });

    const finish = this.#finishReason();
    if (typeof finish === "function")
      return {
        chunks: this.take(),
        error: finish(new Error(`The model stopped: ${this.finish.slice(0, 40)}`)),
      };
    const calls = this.calls.all();
    if (this.finish === "" && !this.calls.areComplete()) {
      if (!this.isOver) return { chunks: this.take(), error: providerError.truncated() };
      const error = providerError.unreadable(new Error("The answer is empty."));
      if (this.#isEmpty && calls.length === 0) return { chunks: this.take(), error };
    }

    const data = this.#providerData?.();
    if (data && JSON.stringify(data).length <= MAX_PROVIDER_DATA_CHARS)
      this.#chunks.push({ type: "provider-data", providerData: { source: this.#source, data } });
    for (const call of calls) this.#chunks.push({ type: "call", call });
    // Some servers report `stop` for an answer that calls tools.
    const reason = calls.length > 0 && finish !== "length" ? "tool-calls" : finish;
    this.#chunks.push({ type: "finish", reason });
    return { chunks: this.take() };
  }

  #finishReason(): FinishReasons[string] {
    return (Object.hasOwn(this.#finishes, this.finish) && this.#finishes[this.finish]) || "other";
  }
}

const NO_CHUNKS: readonly ModelChunk[] = [];

const isHighSurrogate = (code: number): boolean => code >= 0xd8_00 && code <= 0xdb_ff;

/** Turns the bytes of a response into calls of an `Answer`. Both methods throw an `AppError` for what can't be read. */
export interface Decoder {
  push(bytes: Uint8Array): void;
  /** Called once, at the end of the body. */
  end(): void;
}

/**
 * Reads one answer. Yields after each read what has arrived, and at the end the usage, the provider data, the tool calls
 * and the finish reason. What arrived before an error is yielded before it is thrown.
 */
export async function* readAnswer(
  response: Response,
  answer: Answer,
  decoder: Decoder,
  timeouts: ModelTimeouts,
  signal: AbortSignal,
): AsyncGenerator<readonly ModelChunk[], void, void> {
  if (!response.body) throw providerError.unreadable(new Error("The answer is empty."));
  const idleTimer = new IdleTimer(timeouts);
  const reader = new BodyReader(response.body, { maxBytes: BUDGETS.answerBytes, idleTimer, signal });

  try {
    while (!answer.isOver) {
      const failure = await readOnce(reader, decoder);
      const chunks = answer.take();
      if (chunks.length > 0) yield chunks;
      if (failure === END) break;
      // If the connection breaks after the stop reason, only the token count is lost.
      if (failure !== undefined && answer.finish === "") throw failure;
      if (failure !== undefined) break;

      if (answer.hasAdvanced) idleTimer.advanced();
      answer.hasAdvanced = false;
      if (answer.finish !== "") reader.ended();
    }
  } finally {
    reader.close();
  }

  const { chunks, error } = answer.end();
  if (chunks.length > 0) yield chunks;
  if (error) throw error;
}

const END = Symbol("end");

/** Reads and decodes one piece. Returns `END` at the end of the body, the error that occurred, or `undefined`. */
async function readOnce(reader: BodyReader, decoder: Decoder): Promise<unknown> {
  try {
    const bytes = await reader.read();
    if (bytes) decoder.push(bytes);
    else decoder.end();
    return bytes ? undefined : END;
  } catch (error) {
    return error ?? new Error("Aborted without a reason.");
  }
}

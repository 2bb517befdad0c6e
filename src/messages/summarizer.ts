import type { ConversationId, RunId } from "../shared/id-types.ts";
import { withTimeout } from "../shared/async.ts";
import type { AccessScope } from "../access/access-scope.ts";
import { providerError } from "../llm/errors.ts";
import type { ChatModel } from "../llm/model.ts";
import type { Clock } from "../shared/clock.ts";
import { AppError } from "../shared/errors.ts";
import type { Message } from "./model.ts";
import { estimateTokens } from "../llm/token-estimate.ts";
import type { Summary } from "./summary-model.ts";
import type { SummaryRepository } from "./summary-repository.ts";
import {
  MAX_SUMMARY_TOKENS,
  summaryFromModel,
  summaryRequest,
  summaryWithoutModel,
  transcriptLine,
} from "./summary-text.ts";
import { HISTORY_MESSAGES, messagesAfter, newestThatFit, placeOf, tokensOfAll } from "./window.ts";

/**
 * A window fuller than this share is moved on. The rest is for messages that arrive while the summary is written, which
 * may take longer than the user waits.
 */
const FULL_SHARE = 0.75;
/** The share of the window that is kept verbatim. The rest leaves it at once, which is enough for a useful summary. */
const KEPT_SHARE = 0.4;
/** The most tokens that go into one summary, and the largest share of what the model reads. */
const BATCH_TOKENS = 8_000;
const BATCH_SHARE = 0.6;
/** The most summaries made after one answer. A long conversation without a summary catches up over several turns. */
const MAX_BATCHES = 5;
/** The time limit of the model, in milliseconds. */
const LIMIT_MS = 60_000;
/** Reading the model's answer stops at this many characters, far beyond the longest summary. */
const MAX_WRITTEN_CHARS = 20_000;

/** The state of a conversation, as the turn has read it. */
interface Known {
  /** The newest messages, oldest first. */
  readonly history: readonly Message[];
  /** Whether there may be older messages than those in `history`. */
  readonly hasOlder: boolean;
  readonly summary: Summary | null;
}

interface SummaryRequest {
  readonly place: AccessScope & { readonly conversationId: ConversationId };
  readonly runId: RunId;
  readonly model: ChatModel;
  /** How many tokens a request to the model may have. */
  readonly promptTokens: number;
  /** How many tokens the conversation may take in a prompt. */
  readonly historyTokens: number;
  readonly known: Known;
}

interface ConversationSummarizerDeps {
  readonly summaries: SummaryRepository;
  readonly clock: Clock;
  readonly limitMs?: number;
}

/** Maintains the summary of the messages that no longer fit the window of a conversation. */
export class ConversationSummarizer {
  readonly #summaries: SummaryRepository;
  readonly #clock: Clock;
  readonly #limitMs: number;

  constructor({ summaries, clock, limitMs = LIMIT_MS }: ConversationSummarizerDeps) {
    this.#summaries = summaries;
    this.#clock = clock;
    this.#limitMs = limitMs;
  }

  /**
   * Summarizes the messages that have to leave the window before the next message, if there are any. If the model does
   * not answer, the summary is made of the messages' beginnings, so that the window always moves on.
   */
  async updateSummary(request: SummaryRequest): Promise<void> {
    const { place, historyTokens, known } = request;
    if (!isDue(known, historyTokens)) return;

    // The summary in `known` may be outdated: the turn may have begun before an earlier summary was stored.
    let summary = await this.#summaries.find(place.conversationId);
    for (let batch = 0; batch < MAX_BATCHES && isDue({ ...known, summary }, historyTokens); batch++) {
      const next = await this.#next(request, { ...known, summary });
      if (!next || !(await this.#summaries.replace(place, next, summary))) return;
      summary = next;
    }
  }

  async #next(request: SummaryRequest, known: Known): Promise<Summary | undefined> {
    const { place, runId, model, promptTokens, historyTokens } = request;
    const { summary } = known;
    const lines = transcript(
      await this.#leaving(place.conversationId, known, historyTokens),
      Math.min(BATCH_TOKENS, Math.floor(promptTokens * BATCH_SHARE)),
    );
    const last = lines.at(-1);
    if (!last) return undefined;

    const previous = summary?.content ?? "";
    const written = await this.#ask(
      model,
      previous,
      lines.map(({ line }) => line),
    );
    const updatedAt = this.#clock.timestamp();
    return {
      conversationId: place.conversationId,
      content:
        written ??
        summaryWithoutModel(
          previous,
          lines.map(({ message }) => message),
        ),
      coversUntil: placeOf(last.message),
      messagesCovered: (summary?.messagesCovered ?? 0) + lines.length,
      by: written === undefined ? "fallback" : "model",
      model: written === undefined ? null : model.id,
      runId,
      createdAt: summary?.createdAt ?? updatedAt,
      updatedAt,
    };
  }

  /** Returns the messages that leave the window, oldest first; at most one page if the summary is far behind. */
  async #leaving(
    conversationId: ConversationId,
    known: Known,
    historyTokens: number,
  ): Promise<readonly Message[]> {
    const coversUntil = known.summary?.coversUntil ?? null;
    const open = messagesAfter(known.history, coversUntil);
    const uncovered = hasGap(known)
      ? await this.#summaries.messagesAfter(conversationId, coversUntil, HISTORY_MESSAGES)
      : open;
    const firstKept = firstToKeep(open, historyTokens);
    return firstKept ? uncovered.filter((message) => placeOf(message) < placeOf(firstKept)) : uncovered;
  }

  /** Returns the model's summary, or `undefined` if it wrote no usable one in time. */
  async #ask(model: ChatModel, previous: string, lines: readonly string[]): Promise<string | undefined> {
    const write = async (signal: AbortSignal) => {
      let written = "";
      for await (const chunk of model.stream(summaryRequest(previous, lines), signal)) {
        if (chunk.type === "text") written += chunk.text;
        if (chunk.type === "finish" && chunk.reason === "length") throw providerError.truncated();
        if (written.length > MAX_WRITTEN_CHARS) break;
      }
      return written;
    };

    try {
      const reason = () => new Error("The model took too long to write a summary.");
      return summaryFromModel(await withTimeout(this.#limitMs, write, { reason }));
    } catch (error) {
      // Only the error code is logged: the provider's text may quote a key or the user.
      console.warn({ message: "The model wrote no summary; the fallback was used.", code: codeOf(error) });
      return undefined;
    }
  }
}

/**
 * Returns the first message of the window after it has moved on. The last exchange stays, however large it is: users who
 * send a long file usually ask about it next.
 */
function firstToKeep(open: readonly Message[], historyTokens: number): Message | undefined {
  const size = { tokens: Math.floor(historyTokens * KEPT_SHARE), messages: HISTORY_MESSAGES * KEPT_SHARE };
  const kept = newestThatFit(open, size);
  const first = kept.find(({ role }) => role !== "assistant");
  return first ?? open.findLast(({ role }) => role !== "assistant");
}

/** Returns whether the window is nearly full, or there are messages that are neither in it nor in the summary. */
function isDue(known: Known, historyTokens: number): boolean {
  const open = messagesAfter(known.history, known.summary?.coversUntil ?? null);
  if (open.length > HISTORY_MESSAGES * FULL_SHARE || hasGap(known)) return true;
  const full = historyTokens * FULL_SHARE;
  return tokensOfAll(open, full) > full;
}

/** Returns whether there may be messages that are neither covered by the summary nor read by a turn. */
function hasGap({ history, hasOlder, summary }: Known): boolean {
  const [oldest] = history;
  if (!hasOlder || !oldest) return false;
  return summary === null || summary.coversUntil < placeOf(oldest);
}

/** Returns the oldest messages that fit into one summary request, each with its line of the transcript. */
function transcript(messages: readonly Message[], maxTokens: number) {
  const lines: { readonly message: Message; readonly line: string }[] = [];
  let remaining = Math.max(1, maxTokens - MAX_SUMMARY_TOKENS);

  for (const message of messages) {
    // The first message is shortened rather than left out, so that a summary always gets on.
    const line = lines.length === 0 ? transcriptLine(message, remaining) : transcriptLine(message);
    remaining -= estimateTokens(line);
    if (remaining < 0 && lines.length > 0) break;
    lines.push({ message, line });
  }
  return lines;
}

const codeOf = (error: unknown): string => (error instanceof AppError ? error.code : "other");

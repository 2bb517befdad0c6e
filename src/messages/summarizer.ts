import type { Space } from "../users/space.ts";
import type { ChatModel } from "../llm/model.ts";
import type { Clock } from "../shared/clock.ts";
import { AppError } from "../shared/errors.ts";
import type { Message } from "./model.ts";
import { weight, weightOf } from "./reading.ts";
import type { Summary } from "./summary-model.ts";
import type { SummaryRepository } from "./summary-repository.ts";
import {
  MAX_SUMMARY_WORDS,
  summaryFromModel,
  summaryRequest,
  summaryWithoutModel,
  transcriptLine,
} from "./summary-text.ts";
import { behind, fromUser, HISTORY_MESSAGES, newestThatFit, placeOf } from "./window.ts";

/** A window that is fuller than this is cleared before the next message, which would not fit. */
const FULL_SHARE = 0.9;
/** What stays to be read word for word. What goes at once is a batch that is worth a summary, and a step of the window. */
const KEPT_SHARE = 0.5;
/** What one summary is made of, in words, as far as the model reads so much. */
const BATCH_WORDS = 6_000;
/** Summaries behind one answer; a long conversation that never had one catches up in several turns. */
const MAX_BATCHES = 5;
/** How long the model may take. */
const LIMIT_MS = 60_000;
/** Nobody reads on behind this. */
const MAX_WRITTEN_CHARS = 20_000;

/** What is known of a conversation. */
interface Known {
  /** The newest messages, oldest first. */
  readonly history: readonly Message[];
  /** Whether there may be older ones. */
  readonly hasOlder: boolean;
  readonly summary: Summary | null;
}

interface SummaryRequest {
  readonly place: Space & { readonly conversationId: string };
  readonly runId: string;
  readonly model: ChatModel;
  /** How many words the conversation may take in a prompt. */
  readonly words: number;
  readonly known: Known;
}

/** Keeps the summary of what no longer fits the window of a conversation. */
export class ConversationSummarizer {
  readonly #summaries: SummaryRepository;
  readonly #clock: Clock;
  readonly #limitMs: number;

  constructor(summaries: SummaryRepository, clock: Clock, limitMs: number = LIMIT_MS) {
    this.#summaries = summaries;
    this.#clock = clock;
    this.#limitMs = limitMs;
  }

  /**
   * Summarises what has to leave the window before the next message, if anything has. Without an answer of the model the
   * summary is put together from the messages' beginnings, so that the window moves on in any case.
   */
  async keepUp(request: SummaryRequest): Promise<void> {
    const { place, words, known } = request;
    if (!isDue(known, words)) return;

    // The turn may have begun before the work behind an earlier answer was done.
    let summary = await this.#summaries.find(place.conversationId);
    for (let batch = 0; batch < MAX_BATCHES && isDue({ ...known, summary }, words); batch++) {
      const next = await this.#next(request, { ...known, summary });
      if (!next || !(await this.#summaries.replace(place, next, summary))) return;
      summary = next;
    }
  }

  async #next({ place, runId, model, words }: SummaryRequest, known: Known): Promise<Summary | undefined> {
    const { summary } = known;
    const lines = transcript(
      await this.#leaving(place.conversationId, known, words),
      Math.min(BATCH_WORDS, Math.floor(model.contextWords / 2)),
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

  /** What leaves the window, oldest first; of a conversation that is far behind, as much as one page holds. */
  async #leaving(conversationId: string, known: Known, words: number): Promise<readonly Message[]> {
    const coversUntil = known.summary?.coversUntil ?? null;
    const open = behind(known.history, coversUntil);
    const fallen = hasGap(known)
      ? await this.#summaries.messagesBehind(conversationId, coversUntil, HISTORY_MESSAGES)
      : open;
    const firstKept = firstToKeep(open, words);
    return firstKept ? fallen.filter((message) => placeOf(message) < placeOf(firstKept)) : fallen;
  }

  /** The model's summary, or nothing where it gave none that can be used in time. */
  async #ask(model: ChatModel, previous: string, lines: readonly string[]): Promise<string | undefined> {
    const limit = new AbortController();
    const timer = setTimeout(() => limit.abort(new Error("A summary took too long.")), this.#limitMs);
    let written = "";

    try {
      for await (const chunk of model.stream(summaryRequest(previous, lines), limit.signal)) {
        if (chunk.type === "text") written += chunk.text;
        if (written.length > MAX_WRITTEN_CHARS) break;
      }
      return summaryFromModel(written);
    } catch (error) {
      // What a provider said may quote a key or the user: only its kind is logged.
      console.warn({ message: "A conversation was summarised without its model.", code: codeOf(error) });
      return undefined;
    } finally {
      clearTimeout(timer);
    }
  }
}

/**
 * Where the window begins after a step. The last exchange stays, however large, for as long as it fits: whoever sends a
 * long file asks about it next.
 */
function firstToKeep(open: readonly Message[], words: number): Message | undefined {
  const size = { words: Math.floor(words * KEPT_SHARE), messages: HISTORY_MESSAGES * KEPT_SHARE };
  const [first] = fromUser(newestThatFit(open, size));
  if (first) return first;

  const lastExchange = open.slice(open.findLastIndex(({ role }) => role !== "assistant"));
  return weightOfAll(lastExchange) <= words ? lastExchange[0] : undefined;
}

/** Whether the window has to be cleared before the next message, or what it can't hold is not summarised yet. */
function isDue(known: Known, words: number): boolean {
  const open = behind(known.history, known.summary?.coversUntil ?? null);
  if (open.length > HISTORY_MESSAGES * FULL_SHARE || hasGap(known)) return true;
  return weightOfAll(open) > words * FULL_SHARE;
}

const weightOfAll = (messages: readonly Message[]): number =>
  messages.reduce((sum, message) => sum + weightOf(message), 0);

/** Whether there may be messages that neither the summary covers nor a turn reads. */
function hasGap({ history, hasOlder, summary }: Known): boolean {
  const [oldest] = history;
  if (!hasOlder || !oldest) return false;
  return summary === null || summary.coversUntil < placeOf(oldest);
}

/** The oldest messages that one summary can be made of, with the line that stands for each. */
function transcript(messages: readonly Message[], maxWords: number) {
  const lines: { readonly message: Message; readonly line: string }[] = [];
  let left = maxWords - MAX_SUMMARY_WORDS;

  for (const message of messages) {
    const line = transcriptLine(message);
    left -= weight(line);
    if (left < 0 && lines.length > 0) break;
    lines.push({ message, line });
  }
  return lines;
}

const codeOf = (error: unknown): string => (error instanceof AppError ? error.code : "other");

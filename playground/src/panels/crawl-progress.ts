import type { CrawlEvent, CrawlJob } from "../../../client/src/index.ts";
import { formatNumber } from "../format.ts";
import { counted } from "./formats.ts";

/** A crawl job as it is shown while it runs. */
export interface CrawlState {
  readonly status: CrawlJob["status"];
  readonly outcome: CrawlJob["outcome"];
  readonly progress: CrawlJob["progress"];
  readonly errorMessage: string | null;
  /** What happened last, newest first. */
  readonly steps: readonly CrawlLine[];
  /** Where the stream goes on after it was interrupted; `undefined` before the first step. */
  readonly cursor: string | undefined;
}

/** A step of a job, such as a page that was stored. */
interface CrawlLine {
  readonly id: string;
  readonly kind: "stored" | "skipped" | "failed" | "removed";
  readonly url: string;
  readonly message: string;
}

/** How many steps are shown. */
const MAX_STEPS = 30;

/** The kinds of the steps that are about an address. `URL_DISCOVERED` is left out: the counts say it. */
const KINDS: Readonly<Record<string, CrawlLine["kind"]>> = {
  PAGE_INGEST_COMPLETE: "stored",
  URL_SKIPPED: "skipped",
  PAGE_ERROR: "failed",
  PAGE_REMOVED: "removed",
};

/** Returns the state of a job that was read without its steps. */
export const initialState = (job: CrawlJob): CrawlState => ({
  status: job.status,
  outcome: job.outcome,
  progress: job.progress,
  errorMessage: job.error_message,
  steps: [],
  cursor: undefined,
});

/** Returns whether the job has not ended. */
export const isUnfinished = (status: CrawlJob["status"]): boolean =>
  status === "pending" || status === "in_progress";

/** Returns the state after an event of the job's stream. A step that was seen before is not listed again. */
export function withEvent(state: CrawlState, event: CrawlEvent): CrawlState {
  switch (event.event_type) {
    case "connected":
    case "ERROR":
      return state;
    case "JOB_PROGRESS":
      return { ...state, status: event.status, progress: event.progress };
    case "JOB_COMPLETED":
    case "JOB_FAILED":
    case "JOB_CANCELLED":
      return {
        ...state,
        status: event.status ?? STATUS_OF[event.event_type],
        progress: event.progress ?? state.progress,
        outcome: event.outcome ?? state.outcome,
        errorMessage: event.error_message ?? state.errorMessage,
        cursor: event.cursor ?? state.cursor,
      };
    default:
      return withStep({ ...state, cursor: event.cursor }, event);
  }
}

const STATUS_OF = { JOB_COMPLETED: "completed", JOB_FAILED: "failed", JOB_CANCELLED: "cancelled" } as const;

function withStep(
  state: CrawlState,
  event: {
    readonly event_type: string;
    readonly step_id: string;
    readonly url: string | null;
    readonly details: { readonly message: string } | null;
  },
): CrawlState {
  const kind = KINDS[event.event_type];
  if (kind === undefined || event.url === null) return state;
  if (state.steps.some(({ id }) => id === event.step_id)) return state;
  const line = { id: event.step_id, kind, url: event.url, message: event.details?.message ?? "" };
  return { ...state, steps: [line, ...state.steps].slice(0, MAX_STEPS) };
}

/**
 * Returns how far a job is, from 0 to 1: the share of the known addresses that are done. It may become lower when more addresses are
 * found, so people are shown the numbers as well.
 */
export function crawledShare({ status, progress }: CrawlState): number {
  if (status === "completed") return 1;
  if (progress.discovered_urls === 0) return 0;
  return Math.min(1, progress.processed_urls / progress.discovered_urls);
}

/** Returns what a job has done so far, as a sentence. */
export function progressSentence({ status, outcome, progress, errorMessage }: CrawlState): string {
  if (status === "pending")
    return "Waits for its turn: the jobs of a knowledge base run one after the other.";
  const { discovered_urls: found, processed_urls: done, successful_urls: stored } = progress;
  const parts = [
    `${formatNumber(done)} of ${counted(found, "address", "addresses")} done`,
    counted(stored, "page") +
      (progress.unchanged_urls > 0 ? ` (${formatNumber(progress.unchanged_urls)} unchanged)` : ""),
    progress.failed_urls > 0 ? `${formatNumber(progress.failed_urls)} failed` : "",
    progress.skipped_urls > 0 ? `${formatNumber(progress.skipped_urls)} skipped` : "",
    progress.removed_pages > 0 ? `${formatNumber(progress.removed_pages)} removed` : "",
  ].filter((part) => part !== "");
  const ending = {
    completed: outcome === "partial" ? "Ended before it had read everything." : "Finished.",
    failed: errorMessage ?? "Failed.",
    cancelled: "Cancelled.",
    in_progress: "",
  }[status];
  return [ending, `${parts.join(", ")}.`].filter((part) => part !== "").join(" ");
}

import type { SSEStreamingApi } from "hono/streaming";
import { AppError } from "../../shared/errors.ts";
import { type CrawlJob, type CrawlJobRef, stepCursor } from "./crawl-model.ts";
import type { CrawlNews } from "./crawl-service.ts";
import { toCrawlStepView, toProgressView } from "./crawl-view.ts";

/** The news of a job, until the signal is aborted. */
export type Follow = (signal: AbortSignal) => AsyncIterable<CrawlNews>;

/** An event of a crawl stream; its type is also the name of the SSE event. */
interface CrawlEvent {
  readonly event_type: string;
  readonly [member: string]: unknown;
}

/** The last event, by the status of the job. */
const END_EVENTS: { readonly [status in CrawlJob["status"]]?: string } = {
  completed: "JOB_COMPLETED",
  cancelled: "JOB_CANCELLED",
};

/** Returns a callback for `streamSSE` that writes the news of a job, until it has ended or the client has left. */
export const crawlStream =
  (ref: CrawlJobRef, follow: Follow, timestamp: () => string) => async (stream: SSEStreamingApi) => {
    const left = new AbortController();
    stream.onAbort(() => left.abort());
    const ids = { job_id: ref.jobId, kb_id: ref.base.kbId };
    const write = (event: CrawlEvent) =>
      stream.writeSSE({ event: event.event_type, data: JSON.stringify(event) });

    try {
      await write({ event_type: "connected", ...ids, timestamp: timestamp() });
      for await (const news of follow(left.signal)) {
        if (stream.aborted) return;
        if (news.kind === "quiet") await stream.write(PING);
        else await write(toEvent(news, ids));
      }
    } catch (thrown) {
      if (stream.aborted) return;
      // The job goes on: only this stream has failed. The client continues it from its cursor.
      console.warn({ message: "A crawl stream failed.", error: String(thrown) });
      const { code, message, retryable } = AppError.from(thrown);
      await write({ event_type: "ERROR", ...ids, code, message, retryable });
    }
  };

/** Keeps proxies from closing a quiet stream. */
const PING = ": ping\n\n";

function toEvent(
  news: Exclude<CrawlNews, { readonly kind: "quiet" }>,
  ids: { readonly job_id: string; readonly kb_id: string },
): CrawlEvent {
  switch (news.kind) {
    case "step": {
      const { step_id, step_type, url, details, duration_ms, timestamp } = toCrawlStepView(news.step);
      // Clients of the legacy service's `run-stream` look into `data`.
      const data = { url, duration_ms, ...details };
      const cursor = stepCursor(news.step);
      return { event_type: step_type, step_id, ...ids, url, details, duration_ms, timestamp, data, cursor };
    }
    case "progress":
      return { event_type: "JOB_PROGRESS", ...ids, ...stateOf(news.job) };
    case "end": {
      const { errorMessage, outcome, status } = news.job;
      const event_type = END_EVENTS[status] ?? "JOB_FAILED";
      const end = { outcome, error_message: errorMessage, cursor: news.cursor ?? null };
      return { event_type, ...ids, ...stateOf(news.job), ...end };
    }
  }
}

const stateOf = ({ status, progress }: CrawlJob) => ({ status, progress: toProgressView(progress) });

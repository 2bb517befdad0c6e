import { describe, expect, test } from "vitest";
import type { ApiKey, CrawlEvent, CrawlJob } from "../../client/src/index.ts";
import {
  crawledShare,
  initialState,
  isUnfinished,
  progressSentence,
  withEvent,
} from "../../playground/src/panels/crawl-progress.ts";
import { exportEnding } from "../../playground/src/panels/export-check.ts";
import { endOfDay, keyState, SCOPE_ROWS } from "../../playground/src/panels/key-state.ts";
import { uploadBatches } from "../../playground/src/panels/upload-batches.ts";

const PROGRESS: CrawlJob["progress"] = {
  discovered_urls: 4,
  processed_urls: 1,
  successful_urls: 1,
  failed_urls: 0,
  skipped_urls: 0,
  unchanged_urls: 0,
  removed_pages: 0,
  total_chunks: 3,
  total_embeddings: 0,
};

const JOB: CrawlJob = {
  job_id: "j",
  kb_id: "k",
  status: "in_progress",
  outcome: null,
  config: {
    source_type: "url",
    source_url: "https://a.example/",
    max_pages: 10,
    max_depth: 3,
    rate_limit_ms: 1_000,
    respect_robots_txt: true,
    chunking_strategy: "hierarchical",
  },
  progress: PROGRESS,
  timing: { started_at: null, completed_at: null, total_duration_ms: null, avg_page_duration_ms: null },
  notes: [],
  error_message: null,
  is_scheduled: false,
  created_by: "ada@example.com",
  created_at: "2026-06-01T09:30:00.000Z",
};

const IDS = { job_id: "j", kb_id: "k" };
const step = (
  id: string,
  event_type: "PAGE_INGEST_COMPLETE" | "URL_DISCOVERED" | "URL_SKIPPED",
  url = `https://a.example/${id}`,
): CrawlEvent => ({
  event_type,
  step_id: id,
  ...IDS,
  url,
  details: { message: `About ${id}.` },
  duration_ms: 10,
  timestamp: "2026-06-01T09:30:01.000Z",
  data: {},
  cursor: `Step#${id}`,
});

describe("the state of a crawl", () => {
  test("lists stored and skipped pages, newest first, and remembers where to resume", () => {
    const state = [
      step("1", "PAGE_INGEST_COMPLETE"),
      step("2", "URL_DISCOVERED"),
      step("3", "URL_SKIPPED"),
    ].reduce(withEvent, initialState(JOB));
    expect(state.steps.map(({ id, kind }) => `${id} ${kind}`)).toEqual(["3 skipped", "1 stored"]);
    expect(state.cursor).toBe("Step#3");
  });

  test("does not list a step twice that a resumed stream repeats", () => {
    const twice = [step("1", "PAGE_INGEST_COMPLETE"), step("1", "PAGE_INGEST_COMPLETE")];
    expect(twice.reduce(withEvent, initialState(JOB)).steps).toHaveLength(1);
  });

  test("keeps the latest steps only", () => {
    const events = Array.from({ length: 100 }, (_, index) => step(String(index), "PAGE_INGEST_COMPLETE"));
    const { steps } = events.reduce(withEvent, initialState(JOB));
    expect(steps).toHaveLength(30);
    expect(steps[0]?.id).toBe("99");
  });

  test("follows the progress to the end", () => {
    const progress = { ...PROGRESS, processed_urls: 2 };
    const running = withEvent(initialState(JOB), {
      event_type: "JOB_PROGRESS",
      ...IDS,
      status: "in_progress",
      progress,
    });
    expect(crawledShare(running)).toBe(0.5);
    const ended = withEvent(running, {
      event_type: "JOB_COMPLETED",
      ...IDS,
      status: "completed",
      outcome: "partial",
      progress: { ...progress, processed_urls: 4, failed_urls: 1 },
      error_message: null,
      cursor: "Step#9",
    });
    expect(isUnfinished(ended.status)).toBe(false);
    expect(crawledShare(ended)).toBe(1);
    expect(progressSentence(ended)).toBe(
      "Ended before it had read everything. 4 of 4 addresses done, 1 page, 1 failed.",
    );
  });

  test("takes the status from the last step of a job, which does not state it", () => {
    const cancelled = withEvent(initialState(JOB), {
      event_type: "JOB_CANCELLED",
      ...IDS,
      step_id: "9",
      url: null,
      details: null,
      cursor: "Step#9",
    });
    expect(cancelled.status).toBe("cancelled");
    expect(cancelled.progress).toEqual(PROGRESS);
  });

  test("says why a job waits or has failed", () => {
    expect(progressSentence({ ...initialState(JOB), status: "pending" })).toMatch(/^Waits for its turn/u);
    const failed = { ...initialState(JOB), status: "failed", errorMessage: "The site is down." } as const;
    expect(progressSentence(failed)).toMatch(/^The site is down\./u);
  });
});

describe("uploadBatches", () => {
  const MB = 1024 * 1024;
  const sizes = (...files: number[]) =>
    uploadBatches(files.map((size) => ({ size }))).map((batch) => batch.length);

  test("puts up to 20 files into a request", () => {
    expect(sizes(...Array.from({ length: 45 }, () => 1))).toEqual([20, 20, 5]);
  });

  test("puts less than 10 MB into a request", () => {
    expect(sizes(4 * MB, 4 * MB, 4 * MB, 1)).toEqual([2, 2]);
  });

  test("gives a file that is too large a request of its own, so that the others are stored", () => {
    expect(sizes(1, 30 * MB, 1)).toEqual([1, 1, 1]);
    expect(sizes()).toEqual([]);
  });
});

describe("keys", () => {
  const key: ApiKey = {
    key_id: "1",
    name: "Back end",
    hint: "dab_…x7Qw",
    scopes: [],
    agent_ids: null,
    created_at: "2026-06-01T00:00:00.000Z",
    expires_at: null,
    last_used_at: null,
    revoked_at: null,
  };
  const now = Date.parse("2026-06-10T00:00:00.000Z");

  test("are valid until they are revoked or expire", () => {
    expect(keyState(key, now)).toBe("valid");
    expect(keyState({ ...key, expires_at: "2026-06-10T00:00:00.000Z" }, now)).toBe("expired");
    expect(keyState({ ...key, expires_at: "2026-06-11T00:00:00.000Z" }, now)).toBe("valid");
    expect(
      keyState({ ...key, expires_at: "2026-01-01T00:00:00Z", revoked_at: "2026-01-02T00:00:00Z" }, now),
    ).toBe("revoked");
  });

  test("can be given every scope, each once", () => {
    const scopes = SCOPE_ROWS.flatMap(({ read, write }) => [read, write]);
    expect(new Set(scopes).size).toBe(10);
  });

  test("expire at the end of the chosen day", () => {
    const end = endOfDay("2026-06-10") ?? "";
    expect(new Date(end).getDate()).toBe(10);
    expect(new Date(end).getHours()).toBe(23);
    expect(endOfDay("")).toBeUndefined();
  });
});

describe("exportEnding", () => {
  test("takes an export for complete only if its last line is the end", () => {
    expect(exportEnding({ type: "end", items: 12 })).toEqual({ kind: "complete", items: 12 });
    expect(exportEnding({ type: "message" })).toMatchObject({ kind: "incomplete" });
    expect(exportEnding(undefined)).toMatchObject({ kind: "incomplete" });
  });

  test("repeats the sentence of an error", () => {
    const line = {
      type: "error",
      code: "unavailable",
      detail: "The database does not answer.",
      retryable: true,
    } as const;
    expect(exportEnding(line)).toEqual({
      kind: "incomplete",
      detail: "The database does not answer. The export is not complete. Please try again.",
    });
  });
});

import * as z from "zod";
import { EXAMPLE, type StreamDocs } from "../../http/docs.ts";
import { CRAWL_STATUSES, type StepType } from "./crawl-model.ts";
import { ProgressView } from "./crawl-view.ts";

/** The progress of a job in examples. */
export const PROGRESS_EXAMPLE = {
  discovered_urls: 40,
  processed_urls: 12,
  successful_urls: 10,
  failed_urls: 1,
  skipped_urls: 1,
  unchanged_urls: 0,
  removed_pages: 0,
  total_chunks: 85,
  total_embeddings: 0,
};

/** The cursor of a step in examples. */
export const CURSOR_EXAMPLE = `Step#${EXAMPLE.later}#0193b2f8-6c1d-7e88-8fb9-8cdaadfecf12`;

/** A step of a job in examples, without its type. */
export const STEP_EXAMPLE = {
  step_id: "0193b2f8-6c1d-7e88-8fb9-8cdaadfecf12",
  url: "https://library.example.org/opening-hours",
  details: { message: "Stored: 210 words." },
  duration_ms: 340,
  timestamp: EXAMPLE.later,
};

/** The steps that a stream has as events. The last ones of a job are also the names of its end events. */
const STEP_TYPES = [
  "JOB_STARTED",
  "URL_DISCOVERED",
  "URL_SKIPPED",
  "PAGE_INGEST_COMPLETE",
  "PAGE_ERROR",
  "PAGE_REMOVED",
] as const satisfies readonly StepType[];

const IDS = {
  job_id: z.string().describe("The crawl job's id."),
  kb_id: z.string().describe("The knowledge base's id."),
};
const STATE = {
  status: z.enum(CRAWL_STATUSES).describe("The status of the job."),
  progress: ProgressView.describe("What became of the addresses so far."),
};
const Cursor = z.string().describe("Send it as `cursor` to resume behind this event.");

const Connected = z
  .strictObject({
    event_type: z.literal("connected").describe("The type of the event."),
    ...IDS,
    timestamp: z.string().describe("When the stream began (UTC)."),
  })
  .describe("The stream has begun.")
  .meta({ id: "CrawlConnectedEvent" });

const stepMembers = {
  step_id: z.string().describe("The id of the step."),
  ...IDS,
  url: z.string().nullable().describe("The address that the step is about; null if it is about none."),
  details: z
    .object({ message: z.string().describe("A sentence for people.") })
    .nullable()
    .describe("What happened; null if there is nothing to say."),
  duration_ms: z.number().nullable().describe("How long it took, in milliseconds; null if unknown."),
  timestamp: z.string().describe("When it happened (UTC)."),
  data: z
    .looseObject({})
    .describe("`url`, `duration_ms` and the members of `details`, for clients of the legacy service."),
  cursor: Cursor,
};

const Step = z
  .strictObject({ event_type: z.enum(STEP_TYPES).describe("The type of the step."), ...stepMembers })
  .describe("A step of the job, such as a page that was stored.")
  .meta({ id: "CrawlStepEvent" });

const Progress = z
  .strictObject({
    event_type: z.literal("JOB_PROGRESS").describe("The type of the event."),
    ...IDS,
    ...STATE,
  })
  .meta({ id: "CrawlProgressEvent" });

/** A job's last step and the end of the stream have the same types; the end has no step. */
const End = z
  .strictObject({
    event_type: z.enum(["JOB_COMPLETED", "JOB_FAILED", "JOB_CANCELLED"]).describe("How the job has ended."),
    ...IDS,
    status: STATE.status.optional(),
    progress: STATE.progress.optional(),
    outcome: z
      .enum(["whole", "partial"])
      .nullable()
      .optional()
      .describe("Of a completed job: whether it read everything that it found."),
    error_message: z
      .string()
      .nullable()
      .optional()
      .describe("Why it failed, in a sentence; null if it did not."),
    step_id: stepMembers.step_id.optional(),
    url: stepMembers.url.optional(),
    details: stepMembers.details.optional(),
    duration_ms: stepMembers.duration_ms.optional(),
    timestamp: stepMembers.timestamp.optional(),
    data: stepMembers.data.optional(),
    cursor: Cursor.nullable().describe(
      "Send it as `cursor` to resume behind this event; null if there was no step.",
    ),
  })
  .meta({ id: "CrawlEndEvent" });

const Failure = z
  .strictObject({
    event_type: z.literal("ERROR").describe("The type of the event."),
    ...IDS,
    code: z.string().describe("The code of the problem, as in problem documents."),
    message: z.string().describe("A sentence for people."),
    retryable: z.boolean().describe("Whether following the job again may help."),
  })
  .describe("This stream has failed; the job goes on. Follow it again from the last `cursor`.")
  .meta({ id: "CrawlStreamErrorEvent" });

const EVENT_IDS = { job_id: EXAMPLE.jobId, kb_id: EXAMPLE.kbId };

/** The events of a crawl stream, as `crawlStream` writes them. */
export const CRAWL_EVENTS: StreamDocs = {
  id: "CrawlEvent",
  description:
    "What one `data:` line holds; the line `event:` before it repeats the type. Lines that begin with `:` keep the connection alive.",
  discriminator: "event_type",
  events: [Connected, Step, Progress, End, Failure],
  examples: [
    { event_type: "connected", ...EVENT_IDS, timestamp: EXAMPLE.at },
    {
      event_type: "PAGE_INGEST_COMPLETE",
      ...STEP_EXAMPLE,
      ...EVENT_IDS,
      data: {
        url: STEP_EXAMPLE.url,
        duration_ms: STEP_EXAMPLE.duration_ms,
        message: STEP_EXAMPLE.details.message,
      },
      cursor: CURSOR_EXAMPLE,
    },
    { event_type: "JOB_PROGRESS", ...EVENT_IDS, status: "in_progress", progress: PROGRESS_EXAMPLE },
    {
      event_type: "JOB_COMPLETED",
      ...EVENT_IDS,
      status: "completed",
      progress: PROGRESS_EXAMPLE,
      outcome: "whole",
      error_message: null,
      cursor: CURSOR_EXAMPLE,
    },
    {
      event_type: "ERROR",
      ...EVENT_IDS,
      code: "unavailable",
      message: "The database does not answer. Please try again.",
      retryable: true,
    },
  ],
};

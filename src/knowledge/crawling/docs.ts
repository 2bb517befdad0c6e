import { EXAMPLE, type FeatureDocs } from "../../http/docs.ts";
import { CRAWL_EVENTS, CURSOR_EXAMPLE, PROGRESS_EXAMPLE, STEP_EXAMPLE } from "./event-docs.ts";

const CONFIG = {
  source_type: "url",
  source_url: "https://library.example.org/",
  max_pages: 200,
  max_depth: 3,
  rate_limit_ms: 1_000,
};

const STORED_CONFIG = { ...CONFIG, respect_robots_txt: true, chunking_strategy: "hierarchical" };

const JOB = {
  job_id: EXAMPLE.jobId,
  kb_id: EXAMPLE.kbId,
  status: "in_progress",
  outcome: null,
  config: STORED_CONFIG,
  progress: PROGRESS_EXAMPLE,
  timing: {
    started_at: EXAMPLE.at,
    completed_at: null,
    total_duration_ms: null,
    avg_page_duration_ms: null,
  },
  notes: [],
  error_message: null,
  is_scheduled: false,
  created_by: EXAMPLE.email,
  created_at: EXAMPLE.at,
};

const SCHEDULE = {
  every: "weekly",
  config: STORED_CONFIG,
  status: "active",
  problem: null,
  next_run_at: "2026-06-08T09:30:00.000Z",
  created_at: EXAMPLE.at,
};

/** The texts about a job's source and limits. */
const SOURCE = {
  source_type: "`sitemap`: the pages that a sitemap or feed lists. `url`: the pages that links lead to.",
  source_url: "The address of the sitemap or of the start page; http or https, at most 2,000 characters.",
  max_pages:
    "The most pages that the job stores or finds unchanged, 1 to 10,000; 100 by default. Your plan may allow fewer.",
  max_depth: "How many links a page may be away from the start page, 0 to 10; 3 by default.",
  rate_limit_ms:
    "The pause between two requests to one host in milliseconds, 1,000 to 60,000; 1,000 by default. The site may ask for a longer one.",
  chunking_strategy: "Always `hierarchical`; kept for clients of the legacy service.",
} as const;

const CONFIG_FIELDS = {
  ...Object.fromEntries(Object.entries(SOURCE).map(([name, text]) => [`config.${name}`, text])),
  "config.respect_robots_txt": "Always true.",
};

const PROGRESS_FIELDS = {
  "progress.discovered_urls": "Addresses that were found.",
  "progress.processed_urls": "Addresses that are done.",
  "progress.successful_urls": "Pages that were stored or had not changed.",
  "progress.failed_urls": "Pages that could not be read.",
  "progress.skipped_urls": "Addresses that were not read, such as those that robots.txt forbids.",
  "progress.unchanged_urls": "The successful pages that had not changed. They cost nothing.",
  "progress.removed_pages": "Stored pages that were removed, because two crawls in a row did not find them.",
  "progress.total_chunks": "The passages of the successful pages.",
  "progress.total_embeddings": "Always 0; kept for clients of the legacy service.",
} as const;

/** The texts and examples of crawls. */
export const crawlDocs: FeatureDocs = {
  operations: {
    getCrawlForm: {
      tag: "Knowledge",
      summary: "Get the form that creates a crawl job",
      description:
        "Describes the inputs of `createCrawlJob` for a front end that renders them without knowing them.",
      answers: {
        200: {
          form_name: "Crawl Configuration",
          submit_path: `/knowledge-bases/${EXAMPLE.kbId}/crawl-jobs`,
          form_inputs: [{ input_type: "text", name: "source_url", label: "Source URL", required: true }],
        },
      },
      problems: ["not-found"],
    },
    createCrawlJob: {
      tag: "Knowledge",
      summary: "Crawl a site into a knowledge base",
      description:
        "Creates a job that reads a site and stores its pages, and starts it unless `auto_start` is `false`. The crawler obeys robots.txt, reaches public addresses only and stays on the host of the source. Jobs of one knowledge base run one after the other; ten may be unfinished, one more is a 409. The job reserves `max_pages` of the plan's pages of the month and gives back what it does not use; if none are left, the answer is a 429. Follow it with `followCrawlJob`.",
      request: CONFIG,
      answers: { 201: { ...JOB, status: "pending" } },
      problems: ["not-found", "conflict", "limit-exceeded", "not-configured"],
    },
    listCrawlJobs: {
      tag: "Knowledge",
      summary: "List crawl jobs, newest first",
      description:
        "Returns the newest jobs of a knowledge base as an array without pages: 5 by default, at most 50.",
      answers: { 200: [JOB] },
      problems: ["not-found"],
    },
    getCrawlJob: {
      tag: "Knowledge",
      summary: "Get a crawl job",
      description:
        "Returns the status and the progress of a job, and of an ended one what it left out and why.",
      answers: { 200: JOB },
      problems: ["not-found"],
    },
    runCrawlJob: {
      tag: "Knowledge",
      summary: "Start a crawl job",
      description:
        "Starts a job that was created with `auto_start=false`. A job that runs already or has ended is a 409.",
      answers: { 200: JOB },
      problems: ["not-found", "conflict", "limit-exceeded", "not-configured"],
    },
    runAndFollowCrawlJob: {
      tag: "Knowledge",
      summary: "Start a crawl job and stream its events",
      description:
        "Starts a job like `runCrawlJob` and streams its events like `followCrawlJob`. An API key needs `knowledge:read` as well. The job goes on if the client disconnects.",
      stream: CRAWL_EVENTS,
      problems: ["not-found", "conflict", "limit-exceeded", "not-configured"],
    },
    followCrawlJob: {
      tag: "Knowledge",
      summary: "Stream the events of a crawl job",
      description:
        "Streams server-sent events until the job ends. After a lost connection, send the `cursor` of the last step to go on behind it. Tokens belong into the `Authorization` header, which `EventSource` can't send; use `fetch`.",
      parameters: {
        cursor: {
          description: "The `cursor` of the last step that you have received; only steps after it are sent.",
          example: CURSOR_EXAMPLE,
        },
      },
      stream: CRAWL_EVENTS,
      problems: ["malformed-request", "not-found"],
    },
    cancelCrawlJob: {
      tag: "Knowledge",
      summary: "Cancel a crawl job",
      description:
        "Stops a job within one page. What it has stored stays, and what it has reserved is given back. Cancelling a job that has ended changes nothing.",
      problems: ["not-found", "conflict"],
    },
    listCrawlSteps: {
      tag: "Knowledge",
      summary: "List the steps of a crawl job, oldest first",
      description:
        "Returns the job's log as an array; if there is more, the header `Next-Cursor` says where to go on. Steps are kept for 90 days.",
      parameters: {
        cursor: { description: "The header `Next-Cursor` of the answer before.", example: EXAMPLE.cursor },
      },
      answers: { 200: [{ ...STEP_EXAMPLE, step_type: "PAGE_INGEST_COMPLETE" }] },
      headers: ["Next-Cursor"],
      problems: ["not-found"],
    },
    listCrawledPages: {
      tag: "Knowledge",
      summary: "List what a crawl job did with each address",
      description:
        "Returns addresses with their status and the reason as an array; if there is more, the header `Next-Cursor` says where to go on. They are kept for 90 days.",
      parameters: {
        cursor: { description: "The header `Next-Cursor` of the answer before.", example: EXAMPLE.cursor },
      },
      answers: {
        200: [
          {
            url: "https://library.example.org/opening-hours",
            status: "success",
            change: "new",
            page_id: EXAMPLE.pageId,
            page_metadata: {
              title: "Opening hours",
              description: null,
              content_length: 5_120,
              word_count: 210,
            },
            chunk_count: 2,
            timing: { fetch_duration_ms: 210, total_duration_ms: 340 },
            error: null,
            crawled_at: EXAMPLE.later,
          },
        ],
      },
      headers: ["Next-Cursor"],
      problems: ["not-found"],
    },
    getCrawlSchedule: {
      tag: "Knowledge",
      summary: "Get the crawl schedule of a knowledge base",
      description:
        "Returns how often the knowledge base is crawled again, and when next. 404 also means that there is none.",
      answers: { 200: SCHEDULE },
      problems: ["not-found"],
    },
    setCrawlSchedule: {
      tag: "Knowledge",
      summary: "Crawl a knowledge base daily or weekly",
      description:
        "Sets the schedule, and replaces an earlier one. Pages that have not changed cost nothing. If the plan's pages are used up, the schedule waits for the next time; `problem` says so.",
      request: { ...CONFIG, every: "weekly" },
      answers: { 200: SCHEDULE },
      problems: ["not-found", "conflict", "not-configured"],
    },
    removeCrawlSchedule: {
      tag: "Knowledge",
      summary: "Stop crawling a knowledge base by a schedule",
      description:
        "Removes the schedule. A job that it has begun goes on. Without a schedule, it is a 204 as well.",
      problems: ["not-found", "conflict"],
    },
  },
  schemas: {
    NewCrawlJob: { description: "A crawl job to create.", fields: SOURCE },
    NewCrawlSchedule: {
      description: "A schedule to set.",
      fields: { ...SOURCE, every: "How often the knowledge base is crawled." },
    },
    CrawlJob: {
      description: "A crawl job.",
      fields: {
        status: "`pending` until it begins. All states but `pending` and `in_progress` are final.",
        outcome: "Of a completed job: whether it read everything it found. `notes` says what it left out.",
        config: "What the job reads.",
        ...CONFIG_FIELDS,
        progress: "What became of the addresses so far.",
        ...PROGRESS_FIELDS,
        timing: "How long it takes.",
        "timing.total_duration_ms": "From begin to end, in milliseconds; null while it has not ended.",
        "timing.avg_page_duration_ms": "Per address, in milliseconds; null while the job has not ended.",
        notes: "What the job left out and why, in sentences for people.",
        error_message: "Why it failed, in a sentence for people; null if it did not.",
        is_scheduled: "Whether a schedule has created it.",
      },
    },
    CrawlProgressEvent: { description: "The counts of the job have changed.", fields: PROGRESS_FIELDS },
    CrawlEndEvent: {
      description:
        "The job has ended. It comes twice: first as the job's last step with `step_id`, then with `status` and `progress` as the end of the stream.",
      fields: PROGRESS_FIELDS,
    },
    CrawlJobReference: { description: "A crawl job, for callers that may not read it.", like: "CrawlJob" },
    CrawlStep: {
      description: "A step of a crawl job.",
      fields: {
        step_id: "The step's id.",
        step_type: "What happened, such as `PAGE_INGEST_COMPLETE` or `PAGE_ERROR`.",
        url: "The address that the step is about; null if it is about none.",
        details: "What happened; null if there is nothing to say.",
        duration_ms: "How long it took, in milliseconds; null if unknown.",
      },
    },
    CrawledPage: {
      description: "What a crawl job did with an address.",
      fields: {
        status: "What became of the address.",
        change:
          "What happened to the stored page. `missing`: it was not found; the next crawl that does not find it either removes it.",
        page_id: "The stored page; null if none is concerned.",
        page_metadata: "What is known about the page.",
        "page_metadata.description": "The description that the page states; null if it states none.",
        "page_metadata.content_length": "Its length in bytes.",
        chunk_count: "The number of passages.",
        timing: "How long it took.",
        "timing.fetch_duration_ms": "To fetch it, in milliseconds; null if it was not fetched.",
        "timing.total_duration_ms": "In all, in milliseconds; null if it was not fetched.",
        error: "Why it failed or was skipped, in a sentence for people.",
        crawled_at: { description: "When the job was done with it (UTC).", format: "date-time" },
      },
    },
    CrawlSchedule: {
      description: "When a knowledge base is crawled by itself.",
      fields: {
        every: "How often the knowledge base is crawled.",
        config: "What the crawls read.",
        ...CONFIG_FIELDS,
        status: "`stopped` if the account is not active any more.",
        problem: "Why the schedule stopped, or why its last crawl did not begin, in a sentence for people.",
        next_run_at: {
          description: "When the next crawl begins (UTC); null if the schedule has stopped.",
          format: "date-time",
        },
      },
    },
    CrawlScheduleReference: {
      description: "A schedule, for callers that may not read it.",
      like: "CrawlSchedule",
    },
  },
};

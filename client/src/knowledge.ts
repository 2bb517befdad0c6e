import type {
  CrawlEvent,
  CrawlJob,
  CrawlSchedule,
  Form,
  FoundPassages,
  KnowledgeBase,
  KnowledgeBaseChanges,
  KnowledgePage,
  KnowledgePageText,
  KnowledgeSearch,
  NewCrawlJob,
  NewCrawlSchedule,
  NewKnowledgeBase,
  Passage,
  Uploads,
} from "./api.ts";
import type { FollowOptions } from "./answer.ts";
import { type ApiCalls, split, type WithSettings } from "./api-calls.ts";
import { ConnectionError } from "./errors.ts";
import { resuming } from "./event-stream.ts";
import type { QueryOf, RequestSettings } from "./operations.ts";
import type { Pages } from "./pages.ts";

const BASE = "/knowledge-bases/{kbId}";
const JOBS = `${BASE}/crawl-jobs` as const;
const JOB = `${JOBS}/{jobId}` as const;
const SCHEDULE = `${BASE}/crawl-schedule` as const;

/** How long uploads may take, in milliseconds: files of many megabytes on a slow line, which the service then reads. */
const UPLOAD_TIMEOUT_MS = 10 * 60_000;

const RECONNECTS = 10;
const LAST_EVENTS: ReadonlySet<string> = new Set(["JOB_COMPLETED", "JOB_FAILED", "JOB_CANCELLED", "ERROR"]);

/** A file to upload. */
export interface NamedFile {
  readonly name: string;
  readonly content: Blob | string;
}

/** The knowledge bases of the account; called with an id, one of them. */
export type KnowledgeBases = ReturnType<typeof knowledgeBasesOf>;

export const knowledgeBasesOf = (api: ApiCalls) =>
  Object.assign((kbId: string) => new KnowledgeBaseClient(api, kbId), {
    /** Returns all knowledge bases. */
    list: async (settings: RequestSettings = {}): Promise<KnowledgeBase[]> =>
      await api.request("GET", "/knowledge-bases", settings),

    /** Creates a knowledge base. */
    create: async (base: NewKnowledgeBase, settings: RequestSettings = {}): Promise<KnowledgeBase> =>
      (await api.request("POST", "/knowledge-bases", { ...settings, body: base })) as KnowledgeBase,

    /** Returns the form that asks for a new knowledge base. */
    form: async (settings: RequestSettings = {}): Promise<Form> =>
      await api.request("GET", "/knowledge-bases/create-schema", settings),
  });

/** A knowledge base. Making it sends nothing. */
export class KnowledgeBaseClient {
  readonly #api: ApiCalls;
  readonly #path: { kbId: string };
  readonly kbId: string;

  /** @internal */
  constructor(api: ApiCalls, kbId: string) {
    this.#api = api;
    this.kbId = kbId;
    this.#path = { kbId };
  }

  /** Returns the knowledge base. */
  async get(settings: RequestSettings = {}): Promise<KnowledgeBase> {
    return await this.#api.request("GET", BASE, { ...settings, path: this.#path });
  }

  /** Changes the name or the description. */
  async update(changes: KnowledgeBaseChanges, settings: RequestSettings = {}): Promise<KnowledgeBase> {
    const options = { ...settings, path: this.#path, body: changes };
    return (await this.#api.request("PATCH", BASE, options)) as KnowledgeBase;
  }

  /** Deletes the knowledge base and its pages. Returns false if the service removes the rest after its answer. */
  async delete(settings: RequestSettings = {}): Promise<boolean> {
    return (await this.#api.request("DELETE", BASE, { ...settings, path: this.#path })) === undefined;
  }

  /** The pages and files. */
  pages(options: WithSettings<{ readonly limit?: number | undefined }> = {}): Pages<KnowledgePage> {
    const { query, ...settings } = split(options);
    return this.#api.list(`${BASE}/pages`, { ...settings, path: this.#path, query });
  }

  /** Returns a page with a part of its text. */
  async page(
    pageId: string,
    options: WithSettings<QueryOf<"GET", `${typeof BASE}/pages/{pageId}`>> = {},
  ): Promise<KnowledgePageText> {
    const { query, ...settings } = split(options);
    const path = { ...this.#path, pageId };
    return await this.#api.request("GET", `${BASE}/pages/{pageId}`, { ...settings, path, query });
  }

  /** Deletes a page. */
  async deletePage(pageId: string, settings: RequestSettings = {}): Promise<void> {
    const options = { ...settings, path: { ...this.#path, pageId } };
    await this.#api.request("DELETE", `${BASE}/pages/{pageId}`, options);
  }

  /** Searches by words and by meaning. */
  async search(search: string | KnowledgeSearch, settings: RequestSettings = {}): Promise<FoundPassages> {
    const body = typeof search === "string" ? { query: search } : search;
    return await this.#api.request("POST", `${BASE}/search`, { ...settings, path: this.#path, body });
  }

  /** Returns the passage that a citation refers to. */
  async passage(passageId: string, settings: RequestSettings = {}): Promise<Passage> {
    const options = { ...settings, path: { ...this.#path, passageId } };
    return await this.#api.request("GET", `${BASE}/passages/{passageId}`, options);
  }

  /** Uploads files. The answer says what has become of each of them. */
  async upload(files: readonly (File | NamedFile)[], settings: RequestSettings = {}): Promise<Uploads> {
    const body = new FormData();
    for (const file of files) {
      const content = file instanceof File ? file : new Blob([file.content]);
      body.append("file", content, file.name);
    }
    const options = { timeoutMs: UPLOAD_TIMEOUT_MS, ...settings, path: this.#path, body };
    return (await this.#api.request("POST", `${BASE}/uploads`, options)) as Uploads;
  }

  /** Returns the form that asks for a crawl. */
  async crawlForm(settings: RequestSettings = {}): Promise<Form> {
    return await this.#api.request("GET", `${BASE}/crawl-config-schema`, { ...settings, path: this.#path });
  }

  /** Returns the latest crawl jobs. */
  async crawlJobs(options: WithSettings<{ readonly limit?: number | undefined }> = {}): Promise<CrawlJob[]> {
    const { query, ...settings } = split(options);
    return await this.#api.request("GET", JOBS, { ...settings, path: this.#path, query });
  }

  /** Creates a crawl job, and starts it unless `auto_start` says otherwise. */
  async crawl(job: NewCrawlJob, options: WithSettings<QueryOf<"POST", typeof JOBS>> = {}): Promise<CrawlJob> {
    const { query, ...settings } = split(options);
    return (await this.#api.request("POST", JOBS, {
      ...settings,
      path: this.#path,
      query,
      body: job,
    })) as CrawlJob;
  }

  /** Returns a crawl job. */
  async crawlJob(jobId: string, settings: RequestSettings = {}): Promise<CrawlJob> {
    return await this.#api.request("GET", JOB, { ...settings, path: { ...this.#path, jobId } });
  }

  /** Starts a crawl job that was created without. */
  async runCrawlJob(jobId: string, settings: RequestSettings = {}): Promise<CrawlJob> {
    const options = { ...settings, path: { ...this.#path, jobId } };
    return (await this.#api.request("POST", `${JOB}/run`, options)) as CrawlJob;
  }

  /** Stops a crawl job; the pages that it has stored remain. */
  async cancelCrawlJob(jobId: string, settings: RequestSettings = {}): Promise<void> {
    await this.#api.request("DELETE", JOB, { ...settings, path: { ...this.#path, jobId } });
  }

  /**
   * Follows a crawl job to its end, behind the step `cursor` if it is given. A lost connection is resumed: no step comes twice, and
   * none is missing; the progress is repeated.
   */
  followCrawlJob(
    jobId: string,
    {
      cursor,
      signal,
      reconnects = RECONNECTS,
      onConnection,
    }: Omit<FollowOptions, "onAbort"> & {
      readonly cursor?: string | undefined;
    } = {},
  ): AsyncGenerator<CrawlEvent, void, void> {
    const { transport } = this.#api;
    const path = { ...this.#path, jobId };
    let place = cursor;
    const following = signal ?? new AbortController().signal;
    return resuming<CrawlEvent>(
      {
        open: () => transport.open("GET", `${JOB}/stream`, { path, query: { cursor: place }, signal }),
        accept: (event) => {
          // Only the stream has failed; the job goes on.
          if (event.event_type === "ERROR" && event.retryable)
            throw new ConnectionError("network", event.message);
          if ("cursor" in event) place = event.cursor ?? place;
          return true;
        },
        isLast: ({ event_type: type }) => LAST_EVENTS.has(type),
      },
      { transport, signal: following, reconnects, onConnection },
    );
  }

  /** Returns the schedule of crawls. */
  async crawlSchedule(settings: RequestSettings = {}): Promise<CrawlSchedule> {
    return await this.#api.request("GET", SCHEDULE, { ...settings, path: this.#path });
  }

  /** Has a site crawled regularly. */
  async setCrawlSchedule(schedule: NewCrawlSchedule, settings: RequestSettings = {}): Promise<CrawlSchedule> {
    const options = { ...settings, path: this.#path, body: schedule };
    return (await this.#api.request("PUT", SCHEDULE, options)) as CrawlSchedule;
  }

  /** Ends the regular crawls. */
  async removeCrawlSchedule(settings: RequestSettings = {}): Promise<void> {
    await this.#api.request("DELETE", SCHEDULE, { ...settings, path: this.#path });
  }
}

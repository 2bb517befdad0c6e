import { type Context, Hono } from "hono";
import { streamSSE } from "hono/streaming";
import * as z from "zod";
import { validateBasePath } from "../../access/base-path.ts";
import { limitBursts } from "../../access/burst-limit.ts";
import type { AppEnv, UserEnv } from "../../access/env.ts";
import { requireAccess } from "../../access/require-access.ts";
import { requireReadAccess, written, writtenAs } from "../../access/written.ts";
import { operation } from "../../http/openapi.ts";
import { blankAsAbsent, wholeNumber } from "../../http/schemas.ts";
import { unbuffered } from "../../http/sse.ts";
import { validate } from "../../http/validate.ts";
import { idempotent } from "../../idempotency/middleware.ts";
import { AppError } from "../../shared/errors.ts";
import { Form } from "../../shared/forms.ts";
import type { CrawlJobId, KnowledgeBaseId } from "../../shared/id-types.ts";
import { activeBase } from "../active-base.ts";
import { BaseParam } from "../schemas.ts";
import { type CrawlJobRef, STEP_PREFIX } from "./crawl-model.ts";
import { crawlConfigForm, JobParam, NewCrawlJob, NewCrawlSchedule, toCrawlConfig } from "./crawl-schemas.ts";
import { crawlStream } from "./crawl-stream.ts";
import {
  CrawledPageView,
  CrawlJobReference,
  CrawlJobView,
  CrawlScheduleReference,
  CrawlScheduleView,
  CrawlStepView,
  toCrawledPageView,
  toCrawlJobView,
  toCrawlScheduleView,
  toCrawlStepView,
} from "./crawl-view.ts";

const StartQuery = z.object({
  auto_start: blankAsAbsent(z.enum(["true", "false"]).default("true")),
});
const JobsQuery = z.object({ limit: blankAsAbsent(wholeNumber(1, 50).default(5)) });
const ListQuery = z.object({
  limit: blankAsAbsent(wholeNumber(1, 500).default(100)),
  cursor: blankAsAbsent(z.string().max(2_048).optional()),
});
const StreamQuery = z.object({
  cursor: blankAsAbsent(z.string().max(300).optional()),
});

const WrittenJob = writtenAs(CrawlJobView, CrawlJobReference);
const WrittenSchedule = writtenAs(CrawlScheduleView, CrawlScheduleReference);

export const crawlRoutes = new Hono<AppEnv>()
  .get(
    "/:kbId/crawl-config-schema",
    operation("getCrawlForm", { 200: Form }),
    requireAccess("user", "knowledge:read"),
    validateBasePath(BaseParam),
    async (c) => {
      const { kbId } = await activeBase(c, c.req.valid("param").kbId);
      return c.json(crawlConfigForm(kbId), 200);
    },
  )
  .post(
    "/:kbId/crawl-jobs",
    operation("createCrawlJob", { 201: WrittenJob }),
    requireAccess("user", "knowledge:write"),
    limitBursts("costly"),
    validateBasePath(BaseParam),
    validate("query", StartQuery),
    validate("json", NewCrawlJob),
    idempotent,
    async (c) => {
      const base = await activeBase(c, c.req.valid("param").kbId);
      const { deps, entityId } = c.var;
      const job = await deps.crawlService.create(base, toCrawlConfig(c.req.valid("json")), {
        autoStart: c.req.valid("query").auto_start === "true",
        wantedId: entityId,
      });
      return c.json(written(c, toCrawlJobView(job), CrawlJobReference), 201);
    },
  )
  .get(
    "/:kbId/crawl-jobs",
    operation("listCrawlJobs", {
      200: z.array(CrawlJobView),
    }),
    requireAccess("user", "knowledge:read"),
    validateBasePath(BaseParam),
    validate("query", JobsQuery),
    async (c) => {
      const base = await activeBase(c, c.req.valid("param").kbId);
      const jobs = await c.var.deps.crawlService.list(base, c.req.valid("query").limit);
      return c.json(jobs.map(toCrawlJobView), 200);
    },
  )
  .get(
    "/:kbId/crawl-jobs/:jobId",
    operation("getCrawlJob", { 200: CrawlJobView }),
    requireAccess("user", "knowledge:read"),
    validateBasePath(JobParam),
    async (c) => {
      const ref = await jobRef(c, c.req.valid("param"));
      return c.json(toCrawlJobView(await c.var.deps.crawlService.get(ref)), 200);
    },
  )
  .post(
    "/:kbId/crawl-jobs/:jobId/run",
    operation("runCrawlJob", { 200: WrittenJob }),
    requireAccess("user", "knowledge:write"),
    limitBursts("costly"),
    validateBasePath(JobParam),
    async (c) => {
      const ref = await jobRef(c, c.req.valid("param"));
      const job = await c.var.deps.crawlService.run(ref);
      return c.json(written(c, toCrawlJobView(job), CrawlJobReference), 200);
    },
  )
  .post(
    "/:kbId/crawl-jobs/:jobId/run-stream",
    operation("runAndFollowCrawlJob", { 200: "event-stream" }),
    requireAccess("user", "knowledge:write"),
    limitBursts("costly"),
    validateBasePath(JobParam),
    async (c) => {
      const ref = await jobRef(c, c.req.valid("param"));
      requireReadAccess(c);
      await c.var.deps.crawlService.run(ref);
      return streamed(c, ref, undefined);
    },
  )
  .get(
    "/:kbId/crawl-jobs/:jobId/stream",
    operation("followCrawlJob", { 200: "event-stream" }),
    requireAccess("user", "knowledge:read"),
    validateBasePath(JobParam),
    validate("query", StreamQuery),
    async (c) => {
      const ref = await jobRef(c, c.req.valid("param"));
      const { cursor } = c.req.valid("query");
      if (cursor !== undefined && !cursor.startsWith(STEP_PREFIX))
        throw new AppError("malformed-request", "`cursor` must be the cursor of an event of this job.");
      await c.var.deps.crawlService.get(ref);
      return streamed(c, ref, cursor);
    },
  )
  .delete(
    "/:kbId/crawl-jobs/:jobId",
    operation("cancelCrawlJob", { 204: "empty" }),
    requireAccess("user", "knowledge:write"),
    validateBasePath(JobParam),
    async (c) => {
      await c.var.deps.crawlService.cancel(await jobRef(c, c.req.valid("param")));
      return c.body(null, 204);
    },
  )
  .get(
    "/:kbId/crawl-jobs/:jobId/steps",
    operation("listCrawlSteps", {
      200: z.array(CrawlStepView),
    }),
    requireAccess("user", "knowledge:read"),
    validateBasePath(JobParam),
    validate("query", ListQuery),
    async (c) => {
      const ref = await jobRef(c, c.req.valid("param"));
      const { limit, cursor } = c.req.valid("query");
      const { items, nextCursor } = await c.var.deps.crawlService.listSteps(ref, limit, cursor);
      if (nextCursor !== null) c.header("next-cursor", nextCursor);
      return c.json(items.map(toCrawlStepView), 200);
    },
  )
  .get(
    "/:kbId/crawl-jobs/:jobId/pages",
    operation("listCrawledPages", {
      200: z.array(CrawledPageView),
    }),
    requireAccess("user", "knowledge:read"),
    validateBasePath(JobParam),
    validate("query", ListQuery),
    async (c) => {
      const ref = await jobRef(c, c.req.valid("param"));
      const { limit, cursor } = c.req.valid("query");
      const { items, nextCursor } = await c.var.deps.crawlService.listPages(ref, limit, cursor);
      if (nextCursor !== null) c.header("next-cursor", nextCursor);
      return c.json(items.map(toCrawledPageView), 200);
    },
  )
  .get(
    "/:kbId/crawl-schedule",
    operation("getCrawlSchedule", {
      200: CrawlScheduleView,
    }),
    requireAccess("user", "knowledge:read"),
    validateBasePath(BaseParam),
    async (c) => {
      const base = await activeBase(c, c.req.valid("param").kbId);
      return c.json(toCrawlScheduleView(await c.var.deps.crawlService.schedule(base)), 200);
    },
  )
  .put(
    "/:kbId/crawl-schedule",
    operation("setCrawlSchedule", {
      200: WrittenSchedule,
    }),
    requireAccess("user", "knowledge:write"),
    validateBasePath(BaseParam),
    validate("json", NewCrawlSchedule),
    async (c) => {
      const base = await activeBase(c, c.req.valid("param").kbId);
      const { every, ...config } = c.req.valid("json");
      const schedule = await c.var.deps.crawlService.setSchedule(base, every, toCrawlConfig(config));
      return c.json(written(c, toCrawlScheduleView(schedule), CrawlScheduleReference), 200);
    },
  )
  .delete(
    "/:kbId/crawl-schedule",
    operation("removeCrawlSchedule", { 204: "empty" }),
    requireAccess("user", "knowledge:write"),
    validateBasePath(BaseParam),
    async (c) => {
      await c.var.deps.crawlService.removeSchedule(await activeBase(c, c.req.valid("param").kbId));
      return c.body(null, 204);
    },
  );

/** Identifies the job that a request is about. Throws `not-found` if the base is not the caller's. */
async function jobRef(
  c: Context<UserEnv>,
  { kbId, jobId }: { readonly kbId: KnowledgeBaseId; readonly jobId: CrawlJobId },
): Promise<CrawlJobRef> {
  return { base: await activeBase(c, kbId), jobId };
}

function streamed(c: Context<UserEnv>, ref: CrawlJobRef, cursor: string | undefined) {
  const { crawlService, clock } = c.var.deps;
  const follow = (signal: AbortSignal) => crawlService.follow(ref, cursor, signal);
  return unbuffered(c, streamSSE(c, crawlStream(ref, follow, clock.timestamp)));
}

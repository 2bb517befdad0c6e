import * as z from "zod";
import { blankAsAbsent, Id, wholeNumber } from "../../http/schemas.ts";
import { type Form, rulesOf } from "../../shared/forms.ts";
import { crawlJobIdOf, type KnowledgeBaseId } from "../../shared/id-types.ts";
import { BaseParam } from "../schemas.ts";
import { type CrawlConfig, SOURCE_TYPES } from "./crawl-model.ts";
import { PERIODS } from "./schedule-model.ts";

const SourceUrl = z.string().trim().min(1).max(2_000);
const MaxPages = wholeNumber(1, 10_000);
const MaxDepth = wholeNumber(0, 10);
const RateLimit = wholeNumber(1_000, 60_000);
const ChunkingStrategy = z.enum(["hierarchical"]);

const CrawlFields = z.strictObject({
  source_type: blankAsAbsent(z.enum(SOURCE_TYPES).default("sitemap")),
  source_url: SourceUrl,
  max_pages: blankAsAbsent(MaxPages.default(100)),
  max_depth: blankAsAbsent(MaxDepth.default(3)),
  rate_limit_ms: blankAsAbsent(RateLimit.default(1_000)),
  chunking_strategy: blankAsAbsent(ChunkingStrategy.default("hierarchical")),
});

/** The body that creates a crawl job. */
export const NewCrawlJob = CrawlFields.meta({ id: "NewCrawlJob" });

/** The body that sets the schedule of a knowledge base. */
export const NewCrawlSchedule = CrawlFields.extend({
  every: z.enum(Object.keys(PERIODS) as (keyof typeof PERIODS)[]),
}).meta({ id: "NewCrawlSchedule" });

export const JobParam = BaseParam.extend({ jobId: Id.transform(crawlJobIdOf) });

export const toCrawlConfig = (input: z.output<typeof CrawlFields>): CrawlConfig => ({
  sourceType: input.source_type,
  sourceUrl: input.source_url,
  maxPages: input.max_pages,
  maxDepth: input.max_depth,
  rateLimitMs: input.rate_limit_ms,
});

/** Returns the form that creates a crawl job. Does not check that the base exists: the submission does. */
export const crawlConfigForm = (kbId: KnowledgeBaseId): Form => ({
  form_name: "Crawl Configuration",
  submit_path: `/knowledge-bases/${encodeURIComponent(kbId)}/crawl-jobs`,
  form_inputs: [
    {
      input_type: "select",
      name: "source_type",
      label: "Source Type",
      value: "sitemap",
      options: [
        { value: "sitemap", label: "Sitemap URL" },
        { value: "url", label: "Starting URL (Crawl)" },
      ],
    },
    {
      input_type: "text",
      name: "source_url",
      label: "URL",
      attr: { placeholder: "https://www.example.com/sitemap.xml" },
      ...rulesOf(SourceUrl),
    },
    numberInput("max_pages", "Max Pages", "100", 1, 10_000),
    numberInput("max_depth", "Max Depth (for URL crawling)", "3", 0, 10),
    numberInput("rate_limit_ms", "Rate Limit (ms between requests)", "1000", 1_000, 60_000),
    {
      input_type: "select",
      name: "chunking_strategy",
      label: "Chunking Strategy",
      value: "hierarchical",
      options: [{ value: "hierarchical", label: "Hierarchical (Recommended)" }],
    },
  ],
});

const numberInput = (name: string, label: string, value: string, min: number, max: number) => ({
  input_type: "text" as const,
  name,
  label,
  value,
  attr: { type: "number", min: String(min), max: String(max) },
  min,
  max,
});

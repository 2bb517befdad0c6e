import type { SSEStreamingApi } from "hono/streaming";
import { expect, it } from "vitest";
import * as z from "zod";
import type { AgentEvent } from "../../src/architectures/events.ts";
import type { StreamDocs } from "../../src/http/docs.ts";
import type { CrawlJob, CrawlJobRef, CrawlStep, StepType } from "../../src/knowledge/crawling/crawl-model.ts";
import type { CrawlNews } from "../../src/knowledge/crawling/crawl-service.ts";
import { crawlStream } from "../../src/knowledge/crawling/crawl-stream.ts";
import { CRAWL_EVENTS } from "../../src/knowledge/crawling/event-docs.ts";
import { UI_PARTS } from "../../src/ai-sdk/part-docs.ts";
import { CHUNKS } from "../../src/openai-api/docs.ts";
import { RESPONSE_EVENTS } from "../../src/openai-api/response-event-docs.ts";
import { frameWriterOf } from "../../src/wires/frame-writers.ts";
import type { Wire } from "../../src/wires/wire.ts";
import { RUN_EVENTS } from "../../src/runs/event-docs.ts";
import { toFrames } from "../../src/wires/native.ts";
import {
  accountEmailOf,
  conversationIdOf,
  crawlJobIdOf,
  knowledgeBaseIdOf,
  pageIdOf,
  runIdOf,
} from "../../src/shared/id-types.ts";

const citation = {
  n: 1,
  kbId: knowledgeBaseIdOf("kb"),
  pageId: pageIdOf("page"),
  url: null,
  title: null,
  heading: null,
  passageId: "passage",
};

const onPage = { ...citation, url: "https://example.com/", title: "Page" };

const PAUSED = {
  usage: null,
  answeredBy: { provider: "Demo", model: "demo" },
  seenLines: {},
  showsReasoning: false,
};

/** Events of every type; an event that the code emits and this list lacks is an error of types. */
const RUN: { readonly [T in AgentEvent["type"]]: readonly Extract<AgentEvent, { readonly type: T }>[] } = {
  status: [{ type: "status", text: "Loading memory..." }],
  "message-saved": [{ type: "message-saved", messageId: "m1" }],
  "block-compacted": [
    { type: "block-compacted", compaction: { block: "human", version: 2, wordsBefore: 90, wordsAfter: 45 } },
  ],
  text: [{ type: "text", text: "Hello" }],
  reasoning: [{ type: "reasoning", text: "Hm" }],
  "tool-started": [
    {
      type: "tool-started",
      callId: "c1",
      name: "core_memory_append",
      arguments: "{}",
      input: { block: "human" },
    },
    {
      type: "tool-started",
      callId: "c1",
      name: "send_mail",
      arguments: "{}",
      input: {},
      waitsFor: "approval",
    },
    {
      type: "tool-started",
      callId: "c1",
      name: "open_page",
      arguments: "{}",
      input: {},
      waitsFor: "result",
    },
    {
      type: "tool-started",
      callId: "c1",
      name: "open_page",
      arguments: "[1",
      input: {},
      waitsFor: "result",
    },
  ],
  "tool-finished": [
    { type: "tool-finished", callId: "c1", name: "core_memory_append", ok: true, output: "Done" },
    { type: "tool-finished", callId: "c1", name: "search", ok: true, output: "[1]", citations: [citation] },
  ],
  "call-waiting": [
    {
      type: "call-waiting",
      callId: "c1",
      name: "send_mail",
      arguments: "{}",
      input: {},
      waitsFor: "approval",
      expiresAt: 1_780_306_200_000,
    },
    {
      type: "call-waiting",
      callId: "c1",
      name: "open_page",
      arguments: "{}",
      input: {},
      waitsFor: "result",
      expiresAt: null,
    },
  ],
  "call-decided": [
    { type: "call-decided", callId: "c1", name: "send_mail", decision: { kind: "approved" } },
    { type: "call-decided", callId: "c1", name: "send_mail", decision: { kind: "rejected", reason: "No" } },
    { type: "call-decided", callId: "c1", name: "open_page", decision: { kind: "answered", output: "Done" } },
    {
      type: "call-decided",
      callId: "c1",
      name: "open_page",
      decision: { kind: "answered", output: "[1]", form: "json" },
    },
    {
      type: "call-decided",
      callId: "c1",
      name: "open_page",
      decision: { kind: "answered", output: "No", form: "error" },
    },
  ],
  waiting: [{ type: "waiting", expiresAt: 1_780_306_200_000, paused: PAUSED }],
  "memory-updated": [{ type: "memory-updated", update: { block: "human", version: 3 } }],
  usage: [
    { type: "usage", usage: { inputTokens: 5, outputTokens: 2, cachedTokens: 0 } },
    { type: "usage", usage: { inputTokens: 5, outputTokens: 2, cachedTokens: 0, reasoningTokens: 1 } },
  ],
  completed: [
    { type: "completed", content: "Response complete", messageId: "m2" },
    { type: "completed", content: "Response complete", messageId: "m2", isCut: true },
    { type: "completed", content: "Response complete (tools only)", messageId: null },
  ],
  cancelled: [
    { type: "cancelled", messageId: "m2" },
    { type: "cancelled", messageId: null },
  ],
  failed: [{ type: "failed", code: "provider-rate", message: "Please wait.", retryable: true }],
};

const payloadsIn = (frames: string): unknown[] =>
  [...frames.matchAll(/^data: (.*)$/gmu)].map(([, data = ""]) => JSON.parse(data));

/** Returns the schemas that each payload matches. */
const matchesOf = ({ events }: StreamDocs, payloads: readonly unknown[]) =>
  payloads.map((payload) => ({
    payload,
    ids: events.flatMap((event) => (event.safeParse(payload).success ? [idOf(event)] : [])),
  }));

const idOf = (schema: StreamDocs["events"][number]) => z.globalRegistry.get(schema)?.id;

it("describes every event that a run emits", () => {
  const frames = Object.values(RUN)
    .flat()
    .map((event: AgentEvent) => toFrames(event, runIdOf("r1"), 2, () => "Hello"));

  const matches = matchesOf(RUN_EVENTS, payloadsIn(frames.join("")));
  expect(matches.filter(({ ids }) => ids.length !== 1)).toEqual([]);
  expect(new Set(matches.flatMap(({ ids }) => ids))).toEqual(new Set(RUN_EVENTS.events.map(idOf)));
});

/** A run of these tests, for the wires of other services. */
const FRAMED_RUN = {
  runId: runIdOf("r1"),
  conversationId: conversationIdOf("c1"),
  userMessageId: "m1",
  answerId: "m2",
  startedAt: 1_780_306_200_000,
};

it("describes every event that visitors of web pages see, and shows them nothing of tools, memory and tokens", () => {
  const write = frameWriterOf({ kind: "widget" }, FRAMED_RUN);
  const payloads = Object.values(RUN)
    .flat()
    .flatMap((event: AgentEvent) => payloadsIn(write(event, 2, () => "Hello")));

  const matches = matchesOf(RUN_EVENTS, payloads);
  expect(matches.filter(({ ids }) => ids.length !== 1)).toEqual([]);
  expect(new Set(matches.flatMap(({ ids }) => ids))).toEqual(
    new Set([
      "LifecycleEvent",
      "MessageSavedEvent",
      "UserMessageSavedEvent",
      "TextEvent",
      "ToolCallStartEvent",
      "ToolCallResultEvent",
      "ApprovalRequestedEvent",
      "ToolResultRequestedEvent",
      "ApprovalDecidedEvent",
      "ToolResultReceivedEvent",
      "RunWaitingEvent",
      "AssistantMessageSavedEvent",
      "StreamCompleteEvent",
      "ErrorEvent",
    ]),
  );
  expect(JSON.stringify(payloads)).not.toMatch(/human|Done|\[1\]|citations|passage/u);
});

/** Every event after the beginnings of a run that it can follow. */
const sequences = Object.values(RUN)
  .flat()
  .flatMap((event: AgentEvent): (readonly AgentEvent[])[] => [
    [event],
    [{ type: "text", text: "Hello" }, event],
    [{ type: "reasoning", text: "Hm" }, event],
    [{ type: "tool-finished", callId: "c1", name: "search", ok: false, output: "Error: no" }, event],
    [
      { type: "tool-finished", callId: "c1", name: "search", ok: true, output: "[1]", citations: [onPage] },
      event,
    ],
    ...RUN["call-waiting"].map((call) => [call, event]),
  ]);

const framesOn = (wire: Wire): string =>
  sequences
    .map((events) => {
      const write = frameWriterOf(wire, FRAMED_RUN);
      return events.map((event, index) => write(event, index + 1, () => "")).join("");
    })
    .join("")
    .replaceAll("data: [DONE]\n\n", "");

/** The parts that earlier releases refuse. */
const SINCE_6: readonly string[] = ["UiApprovalRequest", "UiOutputDenied"];
/** The parts that later releases get others for. */
const BEFORE_6: readonly string[] = ["UiApproval"];

it.each([5, 6, 7] as const)(
  "describes every part that a run becomes for release %i of the AI SDK",
  (version) => {
    const matches = matchesOf(UI_PARTS, payloadsIn(framesOn({ kind: "ai-sdk", version })));

    expect(matches.filter(({ ids }) => ids.length !== 1)).toEqual([]);
    const others = version >= 6 ? BEFORE_6 : SINCE_6;
    const known = UI_PARTS.events.map(idOf).filter((id) => !others.includes(id ?? ""));
    expect(new Set(matches.flatMap(({ ids }) => ids))).toEqual(new Set(known));
  },
);

it.each([true, false])("describes every chunk that a run becomes for OpenAI's clients", (includesUsage) => {
  const frames = framesOn({ kind: "chat-completions", model: "Ada", includesUsage });
  const chunks = payloadsIn(frames).filter((payload) => !JSON.stringify(payload).startsWith('{"error":'));

  expect(matchesOf(CHUNKS, chunks).filter(({ ids }) => ids.length !== 1)).toEqual([]);
});

it("describes every event that a run becomes for OpenAI's responses", () => {
  const request = {
    model: "Ada",
    instructions: "Be brief.",
    previousResponseId: null,
    metadata: { ticket: "4711" },
    format: { type: "json_object" },
    isBackground: false,
    isStored: true,
    user: "bob",
    safetyIdentifier: null,
    isEndUsers: false,
  };
  const frames = framesOn({ kind: "responses", request, endUser: null, startingAfter: -1 });
  const matches = matchesOf(RESPONSE_EVENTS, payloadsIn(frames));

  expect(matches.filter(({ ids }) => ids.length !== 1)).toEqual([]);
  expect(new Set(matches.flatMap(({ ids }) => ids))).toEqual(new Set(RESPONSE_EVENTS.events.map(idOf)));
});

const ref: CrawlJobRef = {
  base: { accountEmail: accountEmailOf("ada@example.com"), kbId: knowledgeBaseIdOf("kb") },
  jobId: crawlJobIdOf("job"),
};

const job: CrawlJob = {
  id: ref.jobId,
  base: ref.base,
  status: "in_progress",
  outcome: null,
  config: {
    sourceType: "url",
    sourceUrl: "https://example.com/",
    maxPages: 1,
    maxDepth: 0,
    rateLimitMs: 1_000,
  },
  progress: {
    discovered: 1,
    processed: 0,
    successful: 0,
    failed: 0,
    skipped: 0,
    unchanged: 0,
    removed: 0,
    totalChunks: 0,
  },
  startedAt: null,
  completedAt: null,
  notes: [],
  errorMessage: null,
  isScheduled: false,
  createdAt: "2026-06-01T09:30:00.000Z",
  updatedAt: "2026-06-01T09:30:00.000Z",
};

const step = (type: StepType): CrawlStep => ({
  id: "1",
  type,
  url: null,
  details: "What happened.",
  durationMs: 3,
  timestamp: "2026-06-01T09:30:00.000Z",
});

/** A step of every type; a type that the code knows and this object lacks is an error of types. */
const STEPS: { readonly [T in StepType]: CrawlStep } = {
  JOB_STARTED: step("JOB_STARTED"),
  URL_DISCOVERED: step("URL_DISCOVERED"),
  URL_SKIPPED: step("URL_SKIPPED"),
  PAGE_INGEST_COMPLETE: step("PAGE_INGEST_COMPLETE"),
  PAGE_ERROR: step("PAGE_ERROR"),
  PAGE_REMOVED: step("PAGE_REMOVED"),
  JOB_COMPLETED: step("JOB_COMPLETED"),
  JOB_FAILED: step("JOB_FAILED"),
  JOB_CANCELLED: step("JOB_CANCELLED"),
};

/** Returns the payloads that a crawl stream writes for these news. */
async function payloadsOf(news: readonly CrawlNews[], failure?: Error): Promise<unknown[]> {
  const written: string[] = [];
  const stream: Pick<SSEStreamingApi, "onAbort" | "writeSSE" | "write" | "aborted"> = {
    aborted: false,
    onAbort: () => undefined,
    writeSSE: async ({ data }) => {
      written.push(`data: ${await data}\n\n`);
    },
    write: () => Promise.reject(new Error("Nothing but events is written here.")),
  };
  async function* follow() {
    yield* news;
    if (failure) throw failure;
  }
  // The cast adds what `crawlStream` does not use.
  await crawlStream(ref, follow, () => "2026-06-01T09:30:00.000Z")(stream as SSEStreamingApi);
  return payloadsIn(written.join(""));
}

it("describes every event of a crawl", async () => {
  const steps = Object.values(STEPS).map((step) => ({ kind: "step" as const, step }));
  const ends = (["completed", "failed", "cancelled"] as const).map((status) => ({
    kind: "end" as const,
    job: { ...job, status },
    cursor: status === "failed" ? undefined : "STEP#1",
  }));
  const payloads = await Promise.all([
    payloadsOf([...steps, { kind: "progress", job }, ...ends]),
    payloadsOf([], new Error("The database is gone.")),
  ]);

  const matches = matchesOf(CRAWL_EVENTS, payloads.flat());
  expect(matches.filter(({ ids }) => ids.length !== 1)).toEqual([]);
  expect(new Set(matches.flatMap(({ ids }) => ids))).toEqual(new Set(CRAWL_EVENTS.events.map(idOf)));
});

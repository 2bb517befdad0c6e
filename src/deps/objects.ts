import type { AccountEmail, AgentId } from "../shared/id-types.ts";
import type { DeletionStep } from "../accounts/deletion-model.ts";
import { deletionSteps } from "../accounts/deletion-steps.ts";
import { AccountSweep } from "../accounts/sweep.ts";
import { MAX_MODEL_CALLS } from "../architectures/tool-loop.ts";
import { MAX_TURN_MS as MAX_HTTP_TOOLS_MS } from "../http-tools/calls.ts";
import { MAX_TURN_MS as MAX_MCP_MS } from "../mcp-servers/calls.ts";
import type { PageFeed } from "../knowledge/page-model.ts";
import type { CrawlDeps } from "../knowledge/crawling/crawl.ts";
import type { ScheduledRunDeps } from "../knowledge/crawling/scheduled-run.ts";
import { readDocument } from "../knowledge/reading/read-document.ts";
import type { Embedder } from "../llm/embeddings.ts";
import type { Reranker } from "../llm/rerank.ts";
import { ConversationSummarizer } from "../messages/summarizer.ts";
import { EMBEDDED_TEXTS, RERANKED_SEARCHES } from "../plans/daily-counts.ts";
import type { TurnDeps } from "../runs/turn-deps.ts";
import { meteredReranker } from "../search/reranking.ts";
import { meteredEmbedder } from "../search/metered-embedder.ts";
import { embedderOfAgent } from "../settings/agent-embedder.ts";
import type { Clock } from "../shared/clock.ts";
import { guardedFetch } from "../shared/guarded-fetch.ts";
import type { UserRepository } from "../users/repository.ts";
import type { DispatchDeps } from "../webhooks/dispatch.ts";
import type { SenderClient } from "../webhooks/sender-client.ts";
import { createPoliteFetcher, PRODUCT_TOKEN } from "./crawling.ts";
import { createHttpToolPorts } from "./http-tools.ts";
import { createMcpPorts } from "./mcp-servers.ts";
import { createPageServices } from "./knowledge.ts";
import { createPaymentServices } from "./payments.ts";
import type { Ports } from "./ports.ts";
import { createRepositories, type Repositories } from "./repositories.ts";
import { createUsageNotices } from "./usage-notices.ts";

/** What a conversation's runner may use. */
export interface RunnerDeps extends Pick<
  Repositories,
  "continuations" | "conversations" | "endUsers" | "messages" | "runs" | "turns" | "users" | "webhooks"
> {
  readonly webhookSender: SenderClient;
  readonly turnDeps: Omit<TurnDeps, "keepUnsaved" | "follow">;
  readonly clock: Clock;
}

/** What the deletion of an account may use. */
export interface DeletionDeps {
  readonly users: UserRepository;
  readonly steps: readonly DeletionStep[];
  readonly clock: Clock;
  /** How long late writes may still arrive after the first sweep, in milliseconds: the longest turn plus its save. */
  readonly restMs: number;
  /** The same if no run was active: the time that requests in flight may take. */
  readonly quietRestMs: number;
}

/** What the crawls of a knowledge base may use. */
export interface CrawlRunnerDeps
  extends Omit<CrawlDeps, "frontier" | "flush" | "keep" | "onProgress">, ScheduledRunDeps {}

/** In milliseconds. How long a runner may take to end its run, besides saving what it holds. */
const RUNNER_MS = 30_000;
/** In milliseconds. A request that was let in before the account was marked has ended by then, except for runs. */
const QUIET_REST_MS = 20_000;

/** Builds the dependencies of a conversation's runner. */
export function createRunnerDeps(ports: Ports): RunnerDeps {
  const { config, meterClient, models, clock, memorySearch, messageSearch, documentIndexes } = ports;
  const repositories = createRepositories(ports);
  const { turns, messages, credentials, rules } = repositories;
  return {
    ...repositories,
    webhookSender: ports.senderClient,
    turnDeps: {
      turns,
      meterClient,
      memory: repositories.blocks,
      capacity: repositories.capacityWarnings,
      versions: repositories.blockVersions,
      archive: repositories.memories,
      memorySearch,
      messageSearch,
      documentIndexes,
      httpTools: createHttpToolPorts(ports, repositories),
      mcp: createMcpPorts(ports, repositories),
      messages,
      summarizer: new ConversationSummarizer({ summaries: repositories.summaries, clock }),
      models,
      credentials,
      usage: repositories.usage,
      webhooks: repositories.webhooks,
      usageNotices: createUsageNotices(ports, repositories),
      webhookSender: ports.senderClient,
      cloudflareTurnsPerDay: config.cloudflareTurnsPerDay,
      clock,
      upgradeUrl: rules.upgradeUrl,
      saveMs: config.saveMs,
    },
    clock,
  };
}

/** Builds the dependencies of the crawls of a knowledge base. */
export function createCrawlDeps(ports: Ports, later: (work: Promise<void>) => void): CrawlRunnerDeps {
  const { clock, config } = ports;
  const repositories = createRepositories(ports);
  const { knowledgeBases } = repositories;
  const { pageBudgetService, pageService } = createPageServices(ports, repositories, later);
  return {
    jobs: repositories.crawlJobs,
    schedules: repositories.crawlSchedules,
    users: repositories.users,
    isActiveBase: async ({ accountEmail, kbId }) =>
      (await knowledgeBases.listByIds(accountEmail, [kbId])).length > 0,
    pages: pageService,
    budget: pageBudgetService,
    fetcher: createPoliteFetcher(ports),
    read: (source) => readDocument(source, { pdfReader: ports.pdfReader }),
    clock,
    productToken: PRODUCT_TOKEN,
    timeoutMs: config.crawling.timeoutMs,
    pauseMs: config.crawling.pauseMs,
  };
}

/**
 * Builds what the deliveries of an account's webhooks may use. SSRF: the same guard as for the base URLs of model providers,
 * private origins that the operator allows included.
 */
export function createWebhookDeps(ports: Ports): DispatchDeps {
  const { clock, ciphers, providerContext } = ports;
  return {
    webhooks: createRepositories(ports).webhooks,
    attempts: { fetch: guardedFetch(providerContext), vault: ciphers.vault },
    clock,
    random: () => Math.random(),
  };
}

/** Builds the dependencies of an account deletion. */
export function createDeletionDeps(ports: Ports): DeletionDeps {
  const { config, clock, crawlClient, documentIndexes, runnerClient, memorySearch } = ports;
  const { accountItems: items, users } = createRepositories(ports);
  const sweep = new AccountSweep({
    items,
    runs: runnerClient,
    indexes: memorySearch,
    crawls: crawlClient,
    documentIndexes,
    runnerMs: config.saveMs + RUNNER_MS,
    clock,
  });
  const payments = config.stripe && createPaymentServices(ports).managementService;
  const toolsMs = MAX_HTTP_TOOLS_MS + MAX_MCP_MS;
  const restMs = config.modelTimeouts.totalMs * MAX_MODEL_CALLS + toolsMs + config.saveMs;
  return {
    users,
    steps: deletionSteps(sweep, payments, ports.senderClient),
    clock,
    restMs,
    quietRestMs: Math.min(restMs, QUIET_REST_MS),
  };
}

/** Returns the deployment's own embedder, metered by account, or `undefined` if it has none. */
export function accountEmbedderFor(ports: Ports, accountEmail: AccountEmail): Embedder | undefined {
  return ports.embedder && meteredFor(ports, accountEmail)(ports.embedder);
}

/**
 * Returns the embedder for the semantic search of an agent's memories: the deployment's own, metered by account, or else the
 * agent's provider's. Returns `undefined` if there is neither.
 */
export function embedderFor(
  ports: Ports,
  accountEmail: AccountEmail,
  agentId: AgentId,
): Promise<Embedder | undefined> {
  const own = accountEmbedderFor(ports, accountEmail);
  if (own) return Promise.resolve(own);
  const { providers, providerContext: context } = ports;
  const { agents, credentials, providerSettings: settings } = createRepositories(ports);
  const metered = meteredFor(ports, accountEmail);
  const sources = { agents, settings, credentials, providers, context, metered };
  return embedderOfAgent(accountEmail, agentId, sources);
}

/** Returns a function that meters an embedder which the deployment pays for. */
function meteredFor(ports: Ports, accountEmail: AccountEmail): (paid: Embedder) => Embedder {
  const { usage } = createRepositories(ports);
  const meter = usage.dailyMeter(
    EMBEDDED_TEXTS,
    accountEmail,
    ports.config.embeddingsPerDay,
    ports.clock.now,
  );
  return (paid) => meteredEmbedder(paid, meter);
}

/** What the index of a knowledge base reads. */
export interface DocumentIndexDeps {
  readonly feed: PageFeed;
}

/** Builds the dependencies of the index of a knowledge base. */
export const createDocumentIndexDeps = (ports: Ports): DocumentIndexDeps => ({
  feed: createPageServices(ports, createRepositories(ports)).pageService,
});

/** Returns the deployment's reranker, metered by account, or `undefined` if there is none. */
export function rerankerFor(ports: Ports, accountEmail: AccountEmail): Reranker | undefined {
  const { config, reranker, clock } = ports;
  if (!reranker) return undefined;
  const { usage } = createRepositories(ports);
  const meter = usage.dailyMeter(RERANKED_SEARCHES, accountEmail, config.rerankPerDay, clock.now);
  return meteredReranker(reranker, () => meter(1));
}

import { AccountItems } from "../accounts/repository.ts";
import { AgentRepository } from "../agents/repository.ts";
import { ApiKeyRepository } from "../api-keys/repository.ts";
import { SessionRepository } from "../auth/session-repository.ts";
import { ConversationRepository } from "../conversations/repository.ts";
import { PartialDeletionRepository } from "../deletions/repository.ts";
import { EndUserRepository } from "../end-users/repository.ts";
import { HttpToolRepository } from "../http-tools/repository.ts";
import { IdempotencyRepository } from "../idempotency/repository.ts";
import { CrawlRepository } from "../knowledge/crawling/crawl-repository.ts";
import { ScheduleRepository } from "../knowledge/crawling/schedule-repository.ts";
import { PageBudgetRepository } from "../knowledge/budget-repository.ts";
import { LegacyChunkRepository } from "../knowledge/legacy-chunk-repository.ts";
import { LinkRepository } from "../knowledge/link-repository.ts";
import { PageRepository } from "../knowledge/page-repository.ts";
import { KnowledgeBaseRepository } from "../knowledge/repository.ts";
import { ArchivalRepository } from "../memory/archival-repository.ts";
import { CapacityRepository } from "../memory/capacity-repository.ts";
import { MemoryRepository } from "../memory/repository.ts";
import { RunChangeRepository } from "../memory/run-change-repository.ts";
import { BlockVersionRepository } from "../memory/version-repository.ts";
import { McpCallRepository } from "../mcp/repository.ts";
import { McpServerRepository } from "../mcp-servers/repository.ts";
import { MessageRepository } from "../messages/repository.ts";
import { SummaryRepository } from "../messages/summary-repository.ts";
import { rulesOf } from "../plans/account-plan.ts";
import { PublishableKeyRepository } from "../publishable-keys/repository.ts";
import { UsageRepository } from "../plans/usage-repository.ts";
import { ConnectionRepository } from "../oauth/repository.ts";
import { ContinuationRepository } from "../runs/continuations.ts";
import { RunRepository } from "../runs/repository.ts";
import { ContactPauseRepository } from "../contact/repository.ts";
import { TurnRepository } from "../runs/turn-repository.ts";
import { ProviderCredentials } from "../settings/provider-credentials.ts";
import { ProviderSettingsRepository } from "../settings/repository.ts";
import { Cursors } from "../table/cursor.ts";
import { SignInRepository } from "../users/sign-in-repository.ts";
import { UserRepository } from "../users/repository.ts";
import { WebhookRepository } from "../webhooks/repository.ts";
import type { Ports } from "./ports.ts";

export type Repositories = ReturnType<typeof createRepositories>;

/** Constructs all repositories, each named by the plural of what it stores, and what several services share. */
export function createRepositories({ config, table, cursorKey, ciphers, clock }: Ports) {
  const cursors = new Cursors(cursorKey);
  const rules = rulesOf(config);
  const providerSettings = new ProviderSettingsRepository({ table });
  return {
    cursors,
    rules,
    accountItems: new AccountItems({ table }),
    agents: new AgentRepository({ table, rules }),
    apiKeys: new ApiKeyRepository({ table, cursors }),
    blocks: new MemoryRepository({ table }),
    blockVersions: new BlockVersionRepository({ table, cursors }),
    runChanges: new RunChangeRepository({ table, cursors }),
    capacityWarnings: new CapacityRepository({ table }),
    contactPauses: new ContactPauseRepository({ table }),
    conversations: new ConversationRepository({ table, cursors }),
    crawlJobs: new CrawlRepository({ table, cursors }),
    crawlSchedules: new ScheduleRepository({ table }),
    credentials: new ProviderCredentials({ settings: providerSettings, ...ciphers }),
    endUsers: new EndUserRepository({ table, cursors }),
    httpTools: new HttpToolRepository({ table }),
    idempotencyRecords: new IdempotencyRepository({ table }),
    knowledgeBases: new KnowledgeBaseRepository({ table }),
    knowledgeLinks: new LinkRepository({ table }),
    legacyChunks: new LegacyChunkRepository({ table, cursors }),
    mcpConnections: new ConnectionRepository({ table, cursors }),
    mcpCalls: new McpCallRepository({ table }),
    mcpServers: new McpServerRepository({ table }),
    memories: new ArchivalRepository({ table, cursors }),
    messages: new MessageRepository({ table, cursors }),
    pageReservations: new PageBudgetRepository({ table }),
    pages: new PageRepository({ table }),
    partialDeletions: new PartialDeletionRepository({ table }),
    providerSettings,
    publishableKeys: new PublishableKeyRepository({ table, cursors }),
    continuations: new ContinuationRepository({ table, clock }),
    runs: new RunRepository({ table, cursors }),
    sessions: new SessionRepository({ table, cursors }),
    signIns: new SignInRepository({ table }),
    summaries: new SummaryRepository({ table }),
    turns: new TurnRepository({ table, rules }),
    usage: new UsageRepository({ table, cursors, rules }),
    users: new UserRepository({ table }),
    webhooks: new WebhookRepository({ table }),
  };
}

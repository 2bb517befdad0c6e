import type { HttpToolPorts } from "../http-tools/calls.ts";
import type { DocumentIndexes } from "../knowledge/search-model.ts";
import type { Models } from "../llm/model.ts";
import type { McpPorts } from "../mcp-servers/calls.ts";
import type { ArchivalRepository } from "../memory/archival-repository.ts";
import type { CapacityRepository } from "../memory/capacity-repository.ts";
import type { MemoryRepository } from "../memory/repository.ts";
import type { BlockVersionRepository } from "../memory/version-repository.ts";
import type { MessageRepository } from "../messages/repository.ts";
import type { PlanRules } from "../plans/account-plan.ts";
import type { ProviderCredentials } from "../settings/provider-credentials.ts";
import type { MemorySearch, MessageSearch } from "../search/model.ts";
import type { ConversationSummarizer } from "../messages/summarizer.ts";
import type { Clock } from "../shared/clock.ts";
import type { UsageRepository } from "../plans/usage-repository.ts";
import type { WebhookRepository } from "../webhooks/repository.ts";
import type { SenderClient } from "../webhooks/sender-client.ts";
import type { UsageNotices } from "../webhooks/usage-notices.ts";
import type { MeterClient } from "./meter-client.ts";
import type { TurnEnd, TurnRepository } from "./turn-repository.ts";

/** The dependencies of a turn. */
export interface TurnDeps {
  readonly turns: TurnRepository;
  readonly meterClient: Pick<MeterClient, "begin" | "end">;
  readonly memory: MemoryRepository;
  readonly capacity: CapacityRepository;
  readonly versions: BlockVersionRepository;
  readonly archive: ArchivalRepository;
  readonly memorySearch: MemorySearch;
  readonly messageSearch: MessageSearch;
  readonly documentIndexes: Pick<DocumentIndexes, "search" | "read">;
  readonly httpTools: HttpToolPorts;
  readonly mcp: McpPorts;
  readonly messages: MessageRepository;
  readonly summarizer: ConversationSummarizer;
  readonly models: Models;
  readonly credentials: ProviderCredentials;
  readonly usage: Pick<UsageRepository, "countCloudflareTurn">;
  readonly webhooks: Pick<WebhookRepository, "wanted">;
  readonly usageNotices: Pick<UsageNotices, "ofMessages">;
  readonly webhookSender: Pick<SenderClient, "nudge">;
  /** How many turns per account and day (UTC) models of Cloudflare answer; null means no limit. */
  readonly cloudflareTurnsPerDay: number | null;
  readonly clock: Clock;
  /** The page on which plans are bought. */
  readonly upgradeUrl: PlanRules["upgradeUrl"];
  /** How long saving an answer is retried before the turn fails, in milliseconds. */
  readonly saveMs: number;
  /** Stores an end that could not be saved in that time, for a later retry. */
  keepUnsaved(end: TurnEnd): void;
  /** Schedules work for after the answer. `work` must not reject. */
  follow(work: () => Promise<void>): void;
}

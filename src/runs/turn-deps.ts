import type { Models } from "../llm/model.ts";
import type { ArchivalRepository } from "../memory/archival-repository.ts";
import type { CapacityRepository } from "../memory/capacity-repository.ts";
import type { MemoryRepository } from "../memory/repository.ts";
import type { MessageRepository } from "../messages/repository.ts";
import type { PlanRules } from "../plans/account-plan.ts";
import type { ProviderCredentials } from "../settings/provider-credentials.ts";
import type { MemorySearch, MessageSearch } from "../search/model.ts";
import type { ConversationSummarizer } from "../messages/summarizer.ts";
import type { Clock } from "../shared/clock.ts";
import type { TurnEnd, TurnRepository } from "./turn-repository.ts";

/** What a turn may reach. */
export interface TurnDeps {
  readonly turns: TurnRepository;
  readonly memory: MemoryRepository;
  readonly capacity: CapacityRepository;
  readonly archive: ArchivalRepository;
  readonly memorySearch: MemorySearch;
  readonly messageSearch: MessageSearch;
  readonly messages: MessageRepository;
  readonly summarizer: ConversationSummarizer;
  readonly models: Models;
  readonly credentials: ProviderCredentials;
  readonly clock: Clock;
  /** The page on which plans are bought. */
  readonly upgradeUrl: PlanRules["upgradeUrl"];
  /** How long the save of an answer that was shown is tried again before the turn fails, in milliseconds. */
  readonly saveMs: number;
  /** Takes over an end that could not be stored in that time. */
  keepUnsaved(end: TurnEnd): void;
  /** Takes over what is to be done when the answer is out; it never fails. */
  follow(work: () => Promise<void>): void;
}

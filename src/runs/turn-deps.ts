import type { Models } from "../llm/model.ts";
import type { ArchivalRepository } from "../memory/archival-repository.ts";
import type { MemoryRepository } from "../memory/repository.ts";
import type { MessageRepository } from "../messages/repository.ts";
import type { MemorySearch } from "../search/model.ts";
import type { ProviderCredentials } from "../settings/provider-credentials.ts";
import type { Clock } from "../shared/clock.ts";
import type { TurnEnd, TurnRepository } from "./turn-repository.ts";

/** What a turn may reach. */
export interface TurnDeps {
  readonly turns: TurnRepository;
  readonly memory: MemoryRepository;
  readonly archive: ArchivalRepository;
  readonly memorySearch: MemorySearch;
  readonly messages: MessageRepository;
  readonly models: Models;
  readonly credentials: ProviderCredentials;
  readonly clock: Clock;
  /** How long the save of an answer that was shown is tried again before the turn fails, in milliseconds. */
  readonly saveMs: number;
  /** Takes over an end that could not be stored in that time. */
  keepUnsaved(end: TurnEnd): void;
}

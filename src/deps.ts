import { AgentRepository } from "./agents/repository.ts";
import { AgentService } from "./agents/service.ts";
import { LocalAccounts } from "./auth/local-accounts.ts";
import { AccessTokens } from "./auth/tokens.ts";
import { type Config, configFrom } from "./config.ts";
import { ConversationRepository } from "./conversations/repository.ts";
import { ConversationService } from "./conversations/service.ts";
import type { Models } from "./llm/model.ts";
import { createModels, type ProviderOption, providerOptions } from "./llm/providers.ts";
import { IdempotencyRepository } from "./idempotency/repository.ts";
import { IdempotencyService } from "./idempotency/service.ts";
import { ArchivalRepository } from "./memory/archival-repository.ts";
import { ArchivalService } from "./memory/archival-service.ts";
import { MemoryRepository } from "./memory/repository.ts";
import { MemoryService } from "./memory/service.ts";
import { BlockVersionRepository } from "./memory/version-repository.ts";
import { MessageRepository } from "./messages/repository.ts";
import { type Payments, createPayments } from "./payments/payments.ts";
import { RunRepository } from "./runs/repository.ts";
import { Runners } from "./runs/runners.ts";
import type { TurnDeps } from "./runs/turn-deps.ts";
import { TurnRepository } from "./runs/turn-repository.ts";
import { MemorySearches } from "./search/memory-searches.ts";
import type { MemorySearch } from "./search/model.ts";
import { type Clock, systemClock } from "./shared/clock.ts";
import { deriveHmacKey } from "./shared/crypto.ts";
import { TableClient } from "./table/client.ts";
import { Cursors } from "./table/cursor.ts";
import { createTransport, type Send } from "./table/transport.ts";
import { UserRepository } from "./users/repository.ts";

/** Access tokens live a quarter of an hour; in local development half a day, because nothing refreshes them there. */
const TOKEN_SECONDS = 15 * 60;
const LOCAL_TOKEN_SECONDS = 12 * 60 * 60;

/** The outside world. Tests hand in their own. */
export interface Ports {
  readonly config: Config;
  readonly table: TableClient;
  readonly models: Models;
  readonly clock: Clock;
  readonly cursorKey: CryptoKey;
  readonly runners: Runners;
  readonly memorySearch: MemorySearch;
  readonly fetch: typeof fetch;
}

/** What a handler may reach. Made once per request, here and nowhere else. */
export interface Deps {
  readonly users: UserRepository;
  readonly tokens: AccessTokens;
  readonly localAccounts: LocalAccounts;
  readonly agents: AgentRepository;
  readonly agentService: AgentService;
  readonly conversations: ConversationRepository;
  readonly conversationService: ConversationService;
  readonly memoryService: MemoryService;
  readonly archivalService: ArchivalService;
  readonly idempotency: IdempotencyService;
  readonly providerOptions: readonly ProviderOption[];
  readonly runs: RunRepository;
  readonly runners: Runners;
  readonly memorySearch: MemorySearch;
  /** Throws where payments are not set up. */
  readonly payments: () => Payments;
}

/** What a conversation's runner may reach. */
export interface RunnerDeps {
  readonly users: UserRepository;
  readonly turnDeps: Omit<TurnDeps, "keepUnsaved">;
  readonly turns: TurnRepository;
  readonly runs: RunRepository;
  readonly conversations: ConversationRepository;
  readonly messages: MessageRepository;
  readonly clock: Clock;
}

export function createDeps(ports: Ports): Deps {
  const { config, table, clock, cursorKey, runners, memorySearch } = ports;
  const cursors = new Cursors(cursorKey);
  const users = new UserRepository(table);
  const agents = new AgentRepository(table);
  const conversations = new ConversationRepository(table, cursors);
  const messages = new MessageRepository(table, cursors);
  const memory = new MemoryRepository(table);
  const versions = new BlockVersionRepository(table, cursors);
  const archivalService = new ArchivalService({
    memories: new ArchivalRepository(table, cursors),
    agents,
    search: memorySearch,
    cursors,
    clock,
  });
  const conversationService = new ConversationService(conversations, messages, runners, clock);
  const lifetimeSeconds = config.isLocal ? LOCAL_TOKEN_SECONDS : TOKEN_SECONDS;
  const tokens = new AccessTokens({ keys: config.signingKeys, lifetimeSeconds, now: clock.now });

  return {
    users,
    tokens,
    localAccounts: new LocalAccounts(users, tokens, clock, config.isLocal),
    agents,
    agentService: new AgentService(agents, conversationService, archivalService, clock),
    conversations,
    conversationService,
    memoryService: new MemoryService({ memory, versions, agents, clock }),
    archivalService,
    idempotency: new IdempotencyService(new IdempotencyRepository(table), clock),
    providerOptions: providerOptions(config.isLocal),
    runs: new RunRepository(table, cursors),
    runners,
    memorySearch,
    payments: () => createPayments({ config, table, clock, fetch: ports.fetch }),
  };
}

export function createRunnerDeps(ports: Ports): RunnerDeps {
  const { config, table, models, clock, cursorKey, memorySearch } = ports;
  const cursors = new Cursors(cursorKey);
  const turns = new TurnRepository(table);
  const memory = new MemoryRepository(table);
  const archive = new ArchivalRepository(table, cursors);
  const messages = new MessageRepository(table, cursors);
  return {
    users: new UserRepository(table),
    turnDeps: { turns, memory, archive, memorySearch, messages, models, clock, saveMs: config.saveMs },
    turns,
    runs: new RunRepository(table, cursors),
    conversations: new ConversationRepository(table, cursors),
    messages,
    clock,
  };
}

/** One transport per isolate and endpoint: it keeps the signing key of the day and the quota of retries. */
const transports = new Map<string, Send>();
/** One cursor key per isolate and secret. */
const cursorKeys = new Map<string, CryptoKey>();

/** The ports of the real world, as the environment describes it. */
export async function portsFrom(env: Env): Promise<Ports> {
  const config = configFrom(env);
  const clock = systemClock;
  return {
    config,
    table: new TableClient({ send: transportOf(config), table: config.table.name, now: clock.now }),
    models: createModels({ demoModelUrl: config.demoModelUrl, fetch, timeouts: config.modelTimeouts }),
    clock,
    cursorKey: await cursorKeyOf(config),
    runners: new Runners(env.CONVERSATION_RUNNER, config.table.region),
    memorySearch: new MemorySearches(env.SEARCH_INDEX, config.table.region),
    // Called as a method of anything else, the platform's fetch throws.
    fetch: (input: RequestInfo | URL, init?: RequestInit) => fetch(input, init),
  };
}

function transportOf({ table }: Config): Send {
  const id = JSON.stringify(table);
  const known = transports.get(id);
  if (known) return known;

  const send = createTransport(table);
  transports.set(id, send);
  return send;
}

async function cursorKeyOf({ signingKeys: [{ secret }] }: Config): Promise<CryptoKey> {
  const known = cursorKeys.get(secret);
  if (known) return known;

  const key = await deriveHmacKey(secret, "list cursors");
  cursorKeys.set(secret, key);
  return key;
}

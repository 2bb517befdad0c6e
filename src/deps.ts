import { AgentRepository } from "./agents/repository.ts";
import { AgentService } from "./agents/service.ts";
import { LocalAccounts } from "./auth/local-accounts.ts";
import { AccessTokens } from "./auth/tokens.ts";
import { type Config, configFrom } from "./config.ts";
import { ConversationRepository } from "./conversations/repository.ts";
import { ConversationService } from "./conversations/service.ts";
import { BUDGETS } from "./llm/budgets.ts";
import type { Models } from "./llm/model.ts";
import { ModelListCache, ModelLists } from "./llm/model-lists.ts";
import type { Provider, ProviderContext } from "./llm/provider.ts";
import { availableProviders, createModels } from "./llm/providers.ts";
import { IdempotencyRepository } from "./idempotency/repository.ts";
import { IdempotencyService } from "./idempotency/service.ts";
import { ArchivalRepository } from "./memory/archival-repository.ts";
import { ArchivalService } from "./memory/archival-service.ts";
import { MemoryRepository } from "./memory/repository.ts";
import { MemoryService } from "./memory/service.ts";
import { BlockVersionRepository } from "./memory/version-repository.ts";
import { MessageRepository } from "./messages/repository.ts";
import { RunRepository } from "./runs/repository.ts";
import { Runners } from "./runs/runners.ts";
import type { TurnDeps } from "./runs/turn-deps.ts";
import { TurnRepository } from "./runs/turn-repository.ts";
import { MemorySearches } from "./search/memory-searches.ts";
import type { MemorySearch } from "./search/model.ts";
import { ProviderCredentials } from "./settings/provider-credentials.ts";
import { ProviderSettingsRepository } from "./settings/repository.ts";
import { ProviderService } from "./settings/service.ts";
import { type Clock, systemClock } from "./shared/clock.ts";
import { deriveHmacKey } from "./shared/crypto.ts";
import { createResolver } from "./shared/dns.ts";
import { Vault } from "./shared/encryption.ts";
import { FernetReader } from "./shared/fernet.ts";
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
  readonly providers: readonly Provider[];
  readonly providerContext: ProviderContext;
  readonly models: Models;
  readonly ciphers: Ciphers;
  readonly clock: Clock;
  readonly cursorKey: CryptoKey;
  readonly runners: Runners;
  readonly memorySearch: MemorySearch;
}

/** What credentials are encrypted with, and were before. */
interface Ciphers {
  readonly vault: Vault;
  readonly legacy: FernetReader | undefined;
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
  readonly providers: ProviderService;
  readonly runs: RunRepository;
  readonly runners: Runners;
  readonly memorySearch: MemorySearch;
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
    providers: providerService(ports),
    runs: new RunRepository(table, cursors),
    runners,
    memorySearch,
  };
}

function providerService(ports: Ports): ProviderService {
  const { table, providers, providerContext: context, clock } = ports;
  return new ProviderService({
    settings: new ProviderSettingsRepository(table),
    credentials: credentialsOf(ports),
    providers,
    context,
    modelLists: new ModelLists(modelLists, context),
    clock,
  });
}

const credentialsOf = ({ table, ciphers: { vault, legacy } }: Ports): ProviderCredentials =>
  new ProviderCredentials(new ProviderSettingsRepository(table), vault, legacy);

export function createRunnerDeps(ports: Ports): RunnerDeps {
  const { config, table, models, clock, cursorKey, memorySearch } = ports;
  const cursors = new Cursors(cursorKey);
  const turns = new TurnRepository(table);
  const memory = new MemoryRepository(table);
  const archive = new ArchivalRepository(table, cursors);
  const messages = new MessageRepository(table, cursors);
  return {
    users: new UserRepository(table),
    turnDeps: {
      turns,
      memory,
      archive,
      memorySearch,
      messages,
      models,
      credentials: credentialsOf(ports),
      clock,
      saveMs: config.saveMs,
    },
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
/** What encrypts keeps its derived keys. */
const ciphers = new WeakMap<Config, Ciphers>();
const modelLists = new ModelListCache();
const resolveHost = createResolver({
  fetch,
  now: Date.now,
  timeoutMs: BUDGETS.resolveMs,
  keepMs: BUDGETS.resolvedForMs,
});

/** The ports of the real world, as the environment describes it. */
export async function portsFrom(env: Env): Promise<Ports> {
  const config = configFrom(env);
  const clock = systemClock;
  const providerContext = contextOf(config);
  return {
    config,
    table: new TableClient({ send: transportOf(config), table: config.table.name, now: clock.now }),
    providers: availableProviders(config.isLocal),
    providerContext,
    models: createModels(providerContext),
    ciphers: ciphersOf(config),
    clock,
    cursorKey: await cursorKeyOf(config),
    runners: new Runners(env.CONVERSATION_RUNNER, config.table.region),
    memorySearch: new MemorySearches(env.SEARCH_INDEX, config.table.region),
  };
}

const contextOf = ({ isLocal, demoModelUrl, modelTimeouts, frontendOrigins }: Config): ProviderContext => ({
  // The platform's own function refuses to be called as anybody's method.
  fetch: (input, init) => fetch(input, init),
  timeouts: modelTimeouts,
  isLocal,
  ownHosts: frontendOrigins.flatMap((origin) => URL.parse(origin)?.hostname ?? []),
  resolve: resolveHost,
  now: Date.now,
  demoModelUrl,
});

function ciphersOf(config: Config): Ciphers {
  const known = ciphers.get(config);
  if (known) return known;

  const { encryptionKeys, legacyEncryptionSecret: secret } = config;
  const made = {
    vault: new Vault(encryptionKeys),
    legacy: secret === undefined ? undefined : new FernetReader(secret),
  };
  ciphers.set(config, made);
  return made;
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

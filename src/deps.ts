import { Deletions } from "./accounts/deletions.ts";
import type { DeletionStep } from "./accounts/deletion-model.ts";
import { deletionSteps } from "./accounts/deletion-steps.ts";
import { exportAccount } from "./accounts/export.ts";
import { AccountItems } from "./accounts/repository.ts";
import { AccountService } from "./accounts/service.ts";
import { AccountSweep } from "./accounts/sweep.ts";
import { AgentRepository } from "./agents/repository.ts";
import { AgentService } from "./agents/service.ts";
import { ApiKeyRepository } from "./api-keys/repository.ts";
import { ApiKeyService } from "./api-keys/service.ts";
import { Callers } from "./auth/callers.ts";
import { ClientTokens } from "./auth/client-tokens.ts";
import { MAX_MODEL_CALLS } from "./agents/architectures/tool-loop.ts";
import { OpenIdIssuer } from "./auth/issuer.ts";
import { LocalAccounts } from "./auth/local-accounts.ts";
import { SessionRepository } from "./auth/session-repository.ts";
import { Sessions } from "./auth/sessions.ts";
import { SignIn } from "./auth/sign-in.ts";
import { AccessTokens } from "./auth/tokens.ts";
import { SignInTransactions } from "./auth/transactions.ts";
import { type Config, configFrom } from "./config.ts";
import { ConversationRepository } from "./conversations/repository.ts";
import { ContextService } from "./conversations/context-service.ts";
import { ConversationService } from "./conversations/service.ts";
import { BUDGETS } from "./llm/budgets.ts";
import { type Embedder, openAiEmbedder } from "./llm/embeddings.ts";
import type { Models } from "./llm/model.ts";
import { ModelListCache, ModelLists } from "./llm/model-lists.ts";
import type { Provider, ProviderContext } from "./llm/provider.ts";
import { availableProviders, createModels } from "./llm/providers.ts";
import { type Exported, exportEndUser } from "./end-users/export.ts";
import type { EndUser } from "./end-users/model.ts";
import { EndUserRepository } from "./end-users/repository.ts";
import { EndUserService } from "./end-users/service.ts";
import { IdempotencyRepository } from "./idempotency/repository.ts";
import { IdempotencyService } from "./idempotency/service.ts";
import { ArchivalRepository } from "./memory/archival-repository.ts";
import { ArchivalService } from "./memory/archival-service.ts";
import { CapacityRepository } from "./memory/capacity-repository.ts";
import { MemoryRepository } from "./memory/repository.ts";
import { MemoryService } from "./memory/service.ts";
import { BlockVersionRepository } from "./memory/version-repository.ts";
import { RecallService } from "./messages/recall-service.ts";
import { MessageRepository } from "./messages/repository.ts";
import { type Payments, createPayments } from "./payments/payments.ts";
import { ConversationSummarizer } from "./messages/summarizer.ts";
import { SummaryRepository } from "./messages/summary-repository.ts";
import type { PlanRules } from "./plans/account-plan.ts";
import { UsageRepository } from "./plans/usage-repository.ts";
import { RunRepository } from "./runs/repository.ts";
import { Runners } from "./runs/runners.ts";
import type { TurnDeps } from "./runs/turn-deps.ts";
import { TurnRepository } from "./runs/turn-repository.ts";
import { embedderOfAgent } from "./search/embedders.ts";
import { MemorySearches } from "./search/memory-searches.ts";
import { ProviderCredentials } from "./settings/provider-credentials.ts";
import { ProviderSettingsRepository } from "./settings/repository.ts";
import { ProviderService } from "./settings/service.ts";
import type { MemorySearch, MessageSearch } from "./search/model.ts";
import { type Clock, systemClock } from "./shared/clock.ts";
import { deriveHmacKey } from "./shared/crypto.ts";
import { createResolver } from "./shared/dns.ts";
import { Vault } from "./shared/encryption.ts";
import { FernetReader } from "./shared/fernet.ts";
import { AppError } from "./shared/errors.ts";
import { TableClient } from "./table/client.ts";
import { Cursors } from "./table/cursor.ts";
import { createTransport, type Send } from "./table/transport.ts";
import { UserRepository } from "./users/repository.ts";
import { SignInRepository } from "./users/sign-in-repository.ts";

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
  readonly deletions: Deletions;
  /** For what is neither the table nor a model: the issuer of sign-ins. */
  readonly fetch: typeof fetch;
  readonly messageSearch: MessageSearch;
  /** What search finds meanings with; nothing where none is configured. */
  readonly embedder: Embedder | undefined;
}

/** What credentials are encrypted with, and were before. */
interface Ciphers {
  readonly vault: Vault;
  readonly legacy: FernetReader | undefined;
}

/** What a handler may reach. Made once per request, here and nowhere else. */
export interface Deps {
  readonly callers: Callers;
  readonly apiKeys: ApiKeyService;
  readonly endUserService: EndUserService;
  /** Everything that there is of an end user, one thing after the other. */
  readonly exportEndUser: (endUser: EndUser) => AsyncGenerator<Exported, void, void>;
  readonly users: UserRepository;
  readonly tokens: AccessTokens;
  readonly accountService: AccountService;
  /** Everything an account owns, as lines of JSON. */
  readonly exportAccount: (email: string) => AsyncGenerator<string, void, void>;
  readonly localAccounts: LocalAccounts;
  readonly sessions: Sessions;
  /** Throws where sign-in through an issuer is not configured. */
  readonly signIn: () => SignIn;
  readonly agents: AgentRepository;
  readonly agentService: AgentService;
  readonly conversations: ConversationRepository;
  readonly conversationService: ConversationService;
  readonly contextService: ContextService;
  readonly memoryService: MemoryService;
  readonly archivalService: ArchivalService;
  readonly recallService: RecallService;
  readonly idempotency: IdempotencyService;
  readonly providers: ProviderService;
  readonly runs: RunRepository;
  readonly runners: Runners;
  readonly memorySearch: MemorySearch;
  readonly usage: UsageRepository;
  readonly rules: PlanRules;
  readonly clock: Clock;
  /** Throws where payments are not set up. */
  readonly payments: () => Payments;
}

/** What a conversation's runner may reach. */
export interface RunnerDeps {
  readonly users: UserRepository;
  readonly endUsers: EndUserRepository;
  readonly turnDeps: Omit<TurnDeps, "keepUnsaved" | "follow">;
  readonly turns: TurnRepository;
  readonly runs: RunRepository;
  readonly conversations: ConversationRepository;
  readonly messages: MessageRepository;
  readonly clock: Clock;
}

/** What the deletion of an account may reach. */
export interface DeletionDeps {
  readonly users: UserRepository;
  readonly steps: readonly DeletionStep[];
  readonly clock: Clock;
  /** How long after the first sweep nothing can arrive any more that was on its way: the longest turn, and its save. */
  readonly restMs: number;
}

export function createDeps(ports: Ports): Deps {
  const { config, table, models, clock, cursorKey, runners, memorySearch, messageSearch, deletions } = ports;
  const cursors = new Cursors(cursorKey);
  const users = new UserRepository(table);
  const rules = rulesOf(config);
  const usage = new UsageRepository(table, cursors, rules);
  const agents = new AgentRepository(table, rules);
  const conversations = new ConversationRepository(table, cursors);
  const runs = new RunRepository(table, cursors);
  const summaries = new SummaryRepository(table);
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
  const endUsers = new EndUserRepository(table, cursors);
  const conversationService = new ConversationService(conversations, messages, runners, clock);
  const lifetimeSeconds = config.isLocal ? LOCAL_TOKEN_SECONDS : TOKEN_SECONDS;
  const tokens = new AccessTokens({ keys: config.signingKeys, lifetimeSeconds, now: clock.now });
  const clientTokens = new ClientTokens({ keys: config.signingKeys, now: clock.now });
  const apiKeys = new ApiKeyService(new ApiKeyRepository(table, cursors), agents, clock);
  const endUserService = new EndUserService({
    endUsers,
    agents,
    conversations: conversationService,
    memories: archivalService,
    tokens: clientTokens,
    clock,
  });

  const memoryService = new MemoryService({ memory, versions, agents, plans: usage, rules, clock });

  const sessions = new Sessions(new SessionRepository(table, cursors), config.signingKeys, clock);

  return {
    callers: new Callers({ tokens, clientTokens, apiKeys, users, endUsers }),
    apiKeys,
    endUserService,
    exportEndUser: (endUser) =>
      exportEndUser(endUser, {
        conversations: (space, limit, cursor) => conversations.list(space, limit, cursor),
        messages: (space, id, limit, cursor) => conversationService.messages(space, id, limit, cursor),
        runs: (id, limit, cursor) => runs.list(id, limit, cursor),
        summary: (id) => summaries.find(id),
        blocks: (space, agentId) => memoryService.blocks(space, agentId),
        versions: (space, agentId, block, limit, cursor) =>
          memoryService.versions(space, agentId, block, limit, cursor),
        memories: (space, agentId, limit, cursor) => archivalService.list(space, agentId, limit, cursor),
      }),
    users,
    tokens,
    accountService: new AccountService(users, deletions),
    exportAccount: (email) => exportAccount(email, new AccountItems(table), clock),
    localAccounts: new LocalAccounts(users, tokens, clock, config.isLocal),
    sessions,
    signIn: () => signInFrom(ports, sessions),
    agents,
    agentService: new AgentService(
      agents,
      conversationService,
      archivalService,
      endUserService,
      rules,
      clock,
    ),
    conversations,
    conversationService,
    memoryService,
    contextService: new ContextService({
      conversations,
      summaries,
      turns: new TurnRepository(table, rules),
      models,
      credentials: credentialsOf(ports),
      clock,
    }),
    archivalService,
    recallService: new RecallService(agents, messageSearch, cursors),
    idempotency: new IdempotencyService(new IdempotencyRepository(table), clock),
    providers: providerService(ports),
    runs,
    runners,
    memorySearch,
    usage,
    rules,
    clock,
    payments: () => createPayments({ config, table, clock, fetch: ports.fetch }),
  };
}

const rulesOf = ({ superusers, frontendOrigins }: Config): PlanRules => ({
  isSuperuser: (email) => superusers.includes("*") || superusers.includes(email.toLowerCase()),
  upgradeUrl: `${frontendOrigins[0] ?? ""}/pricing`,
});

/** What an agent's memories are searched with beside words: the deployment's own embedder, else the agent's. */
export function embedderFor(ports: Ports, account: string, agentId: string): Promise<Embedder | undefined> {
  const { config, embedder, table, providers, providerContext: context } = ports;
  if (embedder) return Promise.resolve(embedder);

  return embedderOfAgent(account, agentId, {
    agents: new AgentRepository(table, rulesOf(config)),
    settings: new ProviderSettingsRepository(table),
    credentials: credentialsOf(ports),
    providers,
    context,
  });
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

function signInFrom({ config, table, clock, fetch }: Ports, sessions: Sessions): SignIn {
  if ("missing" in config.signIn) {
    const cause = new Error(`Missing configuration: ${config.signIn.missing.join(", ")}`);
    throw new AppError("unavailable", "Google OAuth is not configured", { cause, retryable: false });
  }
  const { issuer, frontend } = config.signIn;
  return new SignIn({
    issuer: new OpenIdIssuer(issuer, fetch, clock.now),
    transactions: new SignInTransactions(config.signingKeys, clock.now),
    accounts: new SignInRepository(table),
    sessions,
    clock,
    frontend,
  });
}

const credentialsOf = ({ table, ciphers: { vault, legacy } }: Ports): ProviderCredentials =>
  new ProviderCredentials(new ProviderSettingsRepository(table), vault, legacy);
export function createRunnerDeps(ports: Ports): RunnerDeps {
  const { config, table, models, clock, cursorKey, memorySearch, messageSearch } = ports;
  const cursors = new Cursors(cursorKey);
  const rules = rulesOf(config);
  const turns = new TurnRepository(table, rules);
  const memory = new MemoryRepository(table);
  const capacity = new CapacityRepository(table);
  const archive = new ArchivalRepository(table, cursors);
  const messages = new MessageRepository(table, cursors);
  const summarizer = new ConversationSummarizer(new SummaryRepository(table), clock);
  return {
    users: new UserRepository(table),
    endUsers: new EndUserRepository(table, cursors),
    turnDeps: {
      turns,
      memory,
      capacity,
      archive,
      memorySearch,
      messageSearch,
      messages,
      summarizer,
      models,
      credentials: credentialsOf(ports),
      clock,
      upgradeUrl: rules.upgradeUrl,
      saveMs: config.saveMs,
    },
    turns,
    runs: new RunRepository(table, cursors),
    conversations: new ConversationRepository(table, cursors),
    messages,
    clock,
  };
}

export function createDeletionDeps(ports: Ports): DeletionDeps {
  const { config, table, clock, runners, memorySearch } = ports;
  const items = new AccountItems(table);
  const sweep = new AccountSweep({ items, runs: runners, indexes: memorySearch, clock });
  const payments = config.stripe && createPayments({ config, table, clock, fetch: ports.fetch }).service;
  const restMs = config.modelTimeouts.totalMs * MAX_MODEL_CALLS + config.saveMs;
  return { users: new UserRepository(table), steps: deletionSteps(sweep, payments), clock, restMs };
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
  const searches = new MemorySearches(env.SEARCH_INDEX, config.table.region);
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
    // Called as a method of anything else, the platform's fetch throws.
    fetch: (input: RequestInfo | URL, init?: RequestInit) => fetch(input, init),
    deletions: new Deletions(env.ACCOUNT_DELETION, config.table.region),
    memorySearch: searches,
    messageSearch: searches,
    embedder: config.embeddings && openAiEmbedder(config.embeddings, fetch),
  };
}

const contextOf = ({
  isLocal,
  demoModelUrl,
  modelTimeouts,
  frontendOrigins,
  publicOrigin,
}: Config): ProviderContext => ({
  // The platform's own function refuses to be called as anybody's method.
  fetch: (input, init) => fetch(input, init),
  timeouts: modelTimeouts,
  isLocal,
  ownHosts: [...frontendOrigins, publicOrigin ?? ""].flatMap((origin) => URL.parse(origin)?.hostname ?? []),
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

import { AccountService } from "../accounts/service.ts";
import { ExportService } from "../accounts/export-service.ts";
import { type AgentModels, AgentService } from "../agents/service.ts";
import { ApiKeyService } from "../api-keys/service.ts";
import { CallerService } from "../auth/callers.ts";
import { ClientTokens } from "../auth/client-tokens.ts";
import { IssuerSignIn } from "../auth/issuer-sign-in.ts";
import { OpenIdIssuer } from "../auth/issuer.ts";
import { LocalAccountService } from "../auth/local-accounts.ts";
import { SessionService } from "../auth/sessions.ts";
import { type SignInMethods, signInMethodsOf } from "../auth/sign-in-methods.ts";
import { SignInService } from "../auth/sign-in.ts";
import { AccessTokens } from "../auth/tokens.ts";
import { SignInTransactions } from "../auth/sign-in-transactions.ts";
import { VisitorTokens } from "../auth/visitor-tokens.ts";
import { ContactService } from "../contact/service.ts";
import { ConversationService } from "../conversations/service.ts";
import { ThreadService } from "../conversations/thread-service.ts";
import { PartialDeletionService } from "../deletions/service.ts";
import { EndUserService } from "../end-users/service.ts";
import { IdempotencyService } from "../idempotency/service.ts";
import { ModelListCache, ModelLists } from "../llm/model-lists.ts";
import { AuthorizationService } from "../oauth/service.ts";
import { OAuthClients } from "../oauth/clients.ts";
import { ConnectionService } from "../oauth/connections.ts";
import { ConnectionTokens } from "../oauth/tokens.ts";
import { ArchivalService } from "../memory/archival-service.ts";
import { ChangeRecords } from "../memory/change-records.ts";
import { RunChangeService } from "../memory/run-change-service.ts";
import { MemoryService } from "../memory/service.ts";
import { RecallService } from "../messages/recall-service.ts";
import { ContextService } from "../runs/context-service.ts";
import { PublishableKeyService } from "../publishable-keys/service.ts";
import type { RunnerClient } from "../runs/runner-client.ts";
import { AccountModelLists } from "../settings/account-model-lists.ts";
import { ModelCheck } from "../settings/model-check.ts";
import { ProviderService } from "../settings/service.ts";
import type { Clock } from "../shared/clock.ts";
import { AppError } from "../shared/errors.ts";
import { createHttpToolService } from "./http-tools.ts";
import { createMcpServices } from "./mcp-servers.ts";
import { WebhookService } from "../webhooks/service.ts";
import { VisitorService } from "../widget/visitor-service.ts";
import { VisitorSignIn } from "../widget/visitor-sign-in.ts";
import { createKnowledgeServices } from "./knowledge.ts";
import { createPaymentServices, type PaymentServices } from "./payments.ts";
import type { Ports } from "./ports.ts";
import { createRepositories, type Repositories } from "./repositories.ts";

/** Access tokens live 15 minutes. In local development nothing refreshes them, so they live 12 hours. */
const TOKEN_SECONDS = 15 * 60;
const LOCAL_TOKEN_SECONDS = 12 * 60 * 60;

/** One cache per isolate. */
const modelLists = new ModelListCache();

/** What a handler may use. Built once per request, only here. */
export interface Deps
  extends
    Services,
    Pick<
      Repositories,
      | "agents"
      | "continuations"
      | "conversations"
      | "legacyChunks"
      | "mcpCalls"
      | "messages"
      | "rules"
      | "runs"
      | "usage"
      | "users"
    > {
  readonly clock: Clock;
  readonly runnerClient: RunnerClient;
  /** Throws `not-configured` if sign-in through an issuer is not configured. */
  readonly requireSignInService: () => SignInService;
  /** Throws `not-configured` if the address of this service, which is the issuer, is not known. */
  readonly requireAuthorizationService: () => AuthorizationService;
  /** Throws `not-configured` if sign-in through an issuer is not configured. */
  readonly requireVisitorSignIn: () => VisitorSignIn;
  /** Where the addresses for the sign-in of visitors begin; `undefined` if it is not configured. */
  readonly visitorAuthUrl: string | undefined;
  /** Throws `not-configured` if payments are not set up. */
  readonly requirePaymentServices: () => PaymentServices;
  /** Undefined if payments are not set up. */
  readonly paymentServices: () => PaymentServices | undefined;
  /** The application's first page, to which browsers return; `undefined` if none is configured. */
  readonly frontend: string | undefined;
  /** The origin of this service's own pages; `undefined` if it is not configured. */
  readonly publicOrigin: string | undefined;
  /** How people can sign in. */
  readonly signInMethods: SignInMethods;
}

/** Keeps a request alive for work that continues after its answer. */
type Later = (work: Promise<void>) => void;

type Services = ReturnType<typeof createServices>;

/** Builds the dependencies of a request. */
export function createDeps(ports: Ports, later: Later): Deps {
  const repositories = createRepositories(ports);
  const { agents, continuations, conversations, legacyChunks, mcpCalls, messages, rules, runs } =
    repositories;
  const { usage, users, signIns } = repositories;
  const services = createServices(ports, repositories, later);
  return {
    ...services,
    agents,
    continuations,
    conversations,
    legacyChunks,
    mcpCalls,
    messages,
    rules,
    runs,
    usage,
    users,
    clock: ports.clock,
    runnerClient: ports.runnerClient,
    requireSignInService: () => createSignInService(ports, signIns, services.sessionService),
    requireAuthorizationService: () => createAuthorizationService(ports, repositories),
    requireVisitorSignIn: () => createVisitorSignIn(ports, services),
    visitorAuthUrl: "missing" in ports.config.signIn ? undefined : ports.config.signIn.visitorAuthUrl,
    requirePaymentServices: () => createPaymentServices(ports),
    paymentServices: () => (ports.config.stripe ? createPaymentServices(ports) : undefined),
    frontend: ports.config.frontendOrigins[0],
    publicOrigin: ports.config.publicOrigin,
    signInMethods: signInMethodsOf(ports.config),
  };
}

function createServices(ports: Ports, repositories: Repositories, later: Later) {
  const { clock, deletionClient, messageSearch } = ports;
  const { agents, blocks, blockVersions, cursors, idempotencyRecords, rules, runChanges, usage, users } =
    repositories;
  const records = new ChangeRecords({
    webhooks: repositories.webhooks,
    sender: ports.senderClient,
    clock,
    later,
  });
  const memoryService = new MemoryService({
    memory: blocks,
    versions: blockVersions,
    agents,
    plans: usage,
    rules,
    records,
    clock,
    later,
  });
  const knowledgeServices = createKnowledgeServices(ports, repositories, later);
  const accountLists = new AccountModelLists({
    modelLists: new ModelLists({ cache: modelLists, context: ports.providerContext }),
    settings: repositories.providerSettings,
    later,
  });
  const modelCheck = new ModelCheck({
    settings: repositories.providerSettings,
    credentials: repositories.credentials,
    providers: ports.providers,
    modelLists: accountLists,
    clock,
    later,
  });
  const callerServices = createCallerServices(ports, repositories);
  const agentServices = createAgentServices(ports, repositories, {
    ...knowledgeServices,
    connections: callerServices.connectionService,
    models: modelCheck,
    records,
    later,
  });
  const { agentService, conversationService, archivalService, endUserService } = agentServices;
  return {
    ...knowledgeServices,
    ...agentServices,
    ...callerServices,
    memoryService,
    runChangeService: new RunChangeService({
      changes: runChanges,
      blocks: memoryService,
      memories: archivalService,
      agents,
    }),
    accountService: new AccountService({ users, deletions: deletionClient }),
    contactService: new ContactService({
      pauses: repositories.contactPauses,
      webhookUrl: ports.config.contactWebhookUrl,
      fetch: ports.fetch,
      clock,
    }),
    contextService: new ContextService({ ...repositories, models: ports.models, clock }),
    exportService: new ExportService({
      items: repositories.accountItems,
      pages: knowledgeServices.pageService,
      conversations: repositories.conversations,
      messages: conversationService,
      runs: repositories.runs,
      summaries: repositories.summaries,
      blocks: memoryService,
      memories: archivalService,
      clock,
    }),
    httpToolService: createHttpToolService(ports, repositories),
    ...createMcpServices(ports, repositories),
    idempotencyService: new IdempotencyService({ records: idempotencyRecords, clock }),
    partialDeletionService: new PartialDeletionService({
      deletions: repositories.partialDeletions,
      agents: agentService,
      endUsers: endUserService,
      conversations: conversationService,
      knowledgeBases: knowledgeServices.knowledgeBaseService,
      runners: ports.deletionRunnerClient,
      later,
    }),
    providerService: createProviderService(ports, repositories, accountLists),
    recallService: new RecallService({ agents, search: messageSearch, cursors }),
    webhookService: new WebhookService({
      webhooks: repositories.webhooks,
      sender: ports.senderClient,
      vault: ports.ciphers.vault,
      policy: ports.providerContext,
      cursors,
      clock,
      later,
    }),
  };
}

/** Constructs the services about agents and what is deleted with them. */
function createAgentServices(
  { clock, config, memorySearch, runnerClient, senderClient }: Ports,
  repositories: Repositories,
  {
    connections,
    linkService,
    models,
    records,
    later,
  }: Pick<ReturnType<typeof createKnowledgeServices>, "linkService"> & {
    connections: ConnectionService;
    models: AgentModels;
    records: ChangeRecords;
    later: Later;
  },
) {
  const { agents, conversations, cursors, endUsers, memories, messages, rules, usage, webhooks } =
    repositories;
  const archivalService = new ArchivalService({
    memories,
    agents,
    search: memorySearch,
    cursors,
    plans: usage,
    rules,
    records,
    clock,
  });
  const conversationService = new ConversationService({
    conversations,
    messages,
    runs: runnerClient,
    plans: usage,
    rules,
    clock,
  });
  const threadService = new ThreadService({ conversations, plans: usage, rules, clock });
  const endUserService = new EndUserService({
    endUsers,
    agents,
    conversations: conversationService,
    memories: archivalService,
    tokens: new ClientTokens({ keys: config.signingKeys, now: clock.now }),
    webhooks,
    webhookSender: senderClient,
    clock,
    later,
  });
  const publishableKeyService = new PublishableKeyService({
    keys: repositories.publishableKeys,
    agents,
    clock,
  });
  const visitorTokens = new VisitorTokens({ keys: config.signingKeys, now: clock.now });
  const visitorService = new VisitorService({ endUsers: endUserService, tokens: visitorTokens, clock });
  const agentService = new AgentService({
    agents,
    conversations: conversationService,
    memories: archivalService,
    endUsers: endUserService,
    publishableKeys: publishableKeyService,
    knowledgeLinks: linkService,
    connections,
    models,
    rules,
    clock,
  });
  return {
    agentService,
    archivalService,
    conversationService,
    endUserService,
    publishableKeyService,
    threadService,
    visitorService,
  };
}

/** Constructs the services that recognise callers and sign people in. */
function createCallerServices(
  { clock, config: { signingKeys: keys, isLocal } }: Ports,
  { agents, apiKeys, endUsers, mcpConnections, sessions, users }: Repositories,
) {
  const lifetimeSeconds = isLocal ? LOCAL_TOKEN_SECONDS : TOKEN_SECONDS;
  const tokens = new AccessTokens({ keys, lifetimeSeconds, now: clock.now });
  const clientTokens = new ClientTokens({ keys, now: clock.now });
  const visitorTokens = new VisitorTokens({ keys, now: clock.now });
  const apiKeyService = new ApiKeyService({ keys: apiKeys, agents, clock });
  const connectionService = new ConnectionService({
    connections: mcpConnections,
    tokens: new ConnectionTokens({ keys, now: clock.now }),
    clock,
  });
  return {
    tokens,
    apiKeyService,
    connectionService,
    callerService: new CallerService({
      tokens,
      clientTokens,
      visitorTokens,
      apiKeys: apiKeyService,
      mcpClients: connectionService,
      users,
      endUsers,
    }),
    localAccountService: new LocalAccountService({ users, tokens, clock, isLocal }),
    sessionService: new SessionService({ sessions, keys, clock }),
  };
}

function createProviderService(
  { providers, providerContext: context, clock }: Ports,
  { agents, credentials, providerSettings: settings }: Repositories,
  lists: AccountModelLists,
): ProviderService {
  return new ProviderService({
    settings,
    credentials,
    providers,
    context,
    modelLists: lists,
    clock,
    agents,
  });
}

function createAuthorizationService(
  { clock, config, providerContext }: Ports,
  { agents, mcpConnections }: Repositories,
): AuthorizationService {
  const { signingKeys: keys, publicOrigin } = config;
  if (publicOrigin === undefined)
    throw new AppError("not-configured", "OAuth is not set up on this deployment.", {
      cause: new Error("Missing configuration: PUBLIC_URL"),
    });
  return new AuthorizationService({
    connections: mcpConnections,
    clients: new OAuthClients({ ...providerContext, keys }),
    tokens: new ConnectionTokens({ keys, now: clock.now }),
    agents,
    clock,
    origin: publicOrigin,
  });
}

function createSignInService(
  ports: Ports,
  accounts: Repositories["signIns"],
  sessions: SessionService,
): SignInService {
  const { issuer: config, frontend } = requireSignInConfig(ports);
  const issuer = createIssuerSignIn(ports, config.redirectUri, "sign-in transactions");
  return new SignInService({ issuer, accounts, sessions, clock: ports.clock, frontend });
}

function createVisitorSignIn(
  ports: Ports,
  {
    callerService,
    publishableKeyService,
    visitorService,
  }: Pick<Services, "callerService" | "publishableKeyService" | "visitorService">,
): VisitorSignIn {
  const { visitorAuthUrl } = requireSignInConfig(ports);
  return new VisitorSignIn({
    issuer: createIssuerSignIn(ports, `${visitorAuthUrl}/callback`, "visitor sign-in transactions"),
    keys: publishableKeyService,
    accounts: callerService,
    visitors: visitorService,
    callbackPage: `${visitorAuthUrl}/callback-page`,
  });
}

/** Constructs the way to the issuer, from which browsers return to `redirectUri`. */
function createIssuerSignIn(
  ports: Ports,
  redirectUri: string,
  purpose: "sign-in transactions" | "visitor sign-in transactions",
): IssuerSignIn {
  const { config, clock, fetch } = ports;
  const { issuer, trustsEmail } = requireSignInConfig(ports);
  return new IssuerSignIn({
    issuer: new OpenIdIssuer({ config: { ...issuer, redirectUri }, fetch, now: clock.now }),
    transactions: new SignInTransactions({ keys: config.signingKeys, now: clock.now, purpose }),
    trustsEmail,
  });
}

/** Returns the configuration of signing in. Throws `not-configured` if something is missing. */
function requireSignInConfig({ config: { signIn } }: Ports) {
  if (!("missing" in signIn)) return signIn;
  const cause = new Error(`Missing configuration: ${signIn.missing.join(", ")}`);
  throw new AppError("not-configured", "Google OAuth is not configured", { cause });
}

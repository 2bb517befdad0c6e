import { DeletionClient } from "../accounts/deletion-client.ts";
import { type Config, configFrom } from "../config.ts";
import { CrawlClient } from "../knowledge/crawling/crawl-client.ts";
import { DeletionRunnerClient } from "../deletions/runner-client.ts";
import { HostGateClient } from "../knowledge/crawling/host-gate-client.ts";
import type { HostGate } from "../knowledge/crawling/polite-fetcher.ts";
import { AmendmentCache } from "../llm/amendments.ts";
import { DocumentIndexClient } from "../knowledge/document-index-client.ts";
import type { PdfReader } from "../knowledge/reading/pdf.ts";
import type { DocumentIndexes } from "../knowledge/search-model.ts";
import { BUDGETS } from "../llm/budgets.ts";
import { type Embedder, openAiEmbedder } from "../llm/embeddings.ts";
import { httpReranker, type Reranker } from "../llm/rerank.ts";
import type { Models } from "../llm/model.ts";
import type { Provider, ProviderContext } from "../llm/provider.ts";
import { availableProviders, createModels } from "../llm/providers.ts";
import type { AiBinding } from "../llm/workers-ai.ts";
import { MeterClient } from "../runs/meter-client.ts";
import { RunnerClient } from "../runs/runner-client.ts";
import type { MemorySearch, MessageSearch } from "../search/model.ts";
import { SearchClient } from "../search/search-client.ts";
import { type Clock, systemClock } from "../shared/clock.ts";
import { deriveHmacKey } from "../shared/crypto.ts";
import { createResolver } from "../shared/dns.ts";
import { Vault } from "../shared/encryption.ts";
import { FernetReader } from "../shared/fernet.ts";
import { TableClient } from "../table/client.ts";
import { createTransport, type Send } from "../table/transport.ts";
import { SenderClient } from "../webhooks/sender-client.ts";

/** Everything outside the process. Tests pass their own. */
export interface Ports {
  readonly config: Config;
  readonly table: TableClient;
  readonly providers: readonly Provider[];
  readonly providerContext: ProviderContext;
  readonly models: Models;
  readonly ciphers: Ciphers;
  readonly clock: Clock;
  readonly cursorKey: CryptoKey;
  readonly runnerClient: RunnerClient;
  readonly meterClient: MeterClient;
  readonly memorySearch: MemorySearch;
  readonly documentIndexes: DocumentIndexes;
  readonly deletionClient: DeletionClient;
  readonly deletionRunnerClient: DeletionRunnerClient;
  readonly crawlClient: CrawlClient;
  readonly hostGate: HostGate;
  readonly senderClient: SenderClient;
  /** For calls to neither the table nor a model: the OpenID issuer and Stripe. */
  readonly fetch: typeof fetch;
  readonly messageSearch: MessageSearch;
  /** The Worker that reads PDF files, or `undefined` if the deployment has none. */
  readonly pdfReader: PdfReader | undefined;
  /** The deployment's embedder for semantic search, or `undefined` if none is configured. */
  readonly embedder: Embedder | undefined;
  /** The deployment's reranker, or `undefined` if none is configured. */
  readonly reranker: Reranker | undefined;
}

/** Encrypts and decrypts credentials; `legacy` reads those of the legacy Python service. */
interface Ciphers {
  readonly vault: Vault;
  readonly legacy: FernetReader | undefined;
}

/** One transport per isolate and endpoint: it caches the day's signing key and the retry quota. */
const transports = new Map<string, Send>();
/** One cursor key per isolate and secret. */
const cursorKeys = new Map<string, CryptoKey>();
/** One per configuration, because they cache their derived keys. */
const ciphers = new WeakMap<Config, Ciphers>();
/** One per environment: what no request changes. */
const isolatePorts = new WeakMap<object, IsolatePorts>();
const amendments = new AmendmentCache();
const resolveHost = createResolver({
  fetch,
  now: Date.now,
  timeoutMs: BUDGETS.resolveMs,
  keepMs: BUDGETS.resolvedForMs,
});

/** Bindings that a deployment may lack, so that `wrangler types` does not know them. */
interface OptionalBindings {
  readonly AI?: AiBinding;
}

/** The ports that all requests of an isolate share. A table client belongs to one request; see `TableClient.getBeside`. */
type IsolatePorts = Omit<Ports, "table">;

/** Builds the production ports from the environment. Throws `unavailable` if the configuration is incomplete. */
export async function portsFrom(env: Env & OptionalBindings): Promise<Ports> {
  const config = configFrom(env);
  // Race: two first requests build them twice. A shared promise would continue in the context of the request that made it.
  const shared = isolatePorts.get(env) ?? (await isolatePortsFrom(env, config));
  isolatePorts.set(env, shared);
  const table = new TableClient({
    send: transportOf(config),
    table: config.table.name,
    now: systemClock.now,
  });
  return { ...shared, table };
}

async function isolatePortsFrom(env: Env & OptionalBindings, config: Config): Promise<IsolatePorts> {
  const providerContext = contextOf(config, env.AI);
  const searchClient = new SearchClient({ namespace: env.SEARCH_INDEX, region: config.table.region });
  return {
    config,
    providers: availableProviders(config.isLocal, env.AI !== undefined),
    providerContext,
    models: createModels(providerContext),
    ciphers: ciphersOf(config),
    clock: systemClock,
    cursorKey: await cursorKeyOf(config),
    runnerClient: new RunnerClient({ namespace: env.CONVERSATION_RUNNER, region: config.table.region }),
    meterClient: new MeterClient({ namespace: env.ACCOUNT_METER, region: config.table.region }),
    // Workers' fetch throws "Illegal invocation" if it is called as a method of another object.
    fetch: (input: RequestInfo | URL, init?: RequestInit) => fetch(input, init),
    deletionClient: new DeletionClient({ namespace: env.ACCOUNT_DELETION, region: config.table.region }),
    deletionRunnerClient: new DeletionRunnerClient({
      namespace: env.DELETION_RUNNER,
      region: config.table.region,
    }),
    documentIndexes: new DocumentIndexClient({
      namespace: env.DOCUMENT_INDEX,
      region: config.table.region,
    }),
    crawlClient: new CrawlClient({ namespace: env.CRAWL_RUNNER, region: config.table.region }),
    hostGate: new HostGateClient({ namespace: env.HOST_GATE, region: config.table.region }),
    senderClient: new SenderClient({ namespace: env.WEBHOOK_SENDER, region: config.table.region }),
    memorySearch: searchClient,
    messageSearch: searchClient,
    // A deployment may remove this binding; wrangler's types do not know that.
    pdfReader: env.PDF_READER,
    embedder: config.embeddings && openAiEmbedder(config.embeddings, fetch),
    reranker: config.rerank && httpReranker(config.rerank, fetch),
  };
}

const contextOf = (
  { isLocal, demoModelUrl, modelTimeouts, frontendOrigins, publicOrigin, outboundAllow }: Config,
  ai: AiBinding | undefined,
): ProviderContext => ({
  // Workers' fetch throws "Illegal invocation" if it is called as a method of another object.
  fetch: (input, init) => fetch(input, init),
  timeouts: modelTimeouts,
  isLocal,
  ownHosts: [...frontendOrigins, publicOrigin ?? ""].flatMap((origin) => URL.parse(origin)?.hostname ?? []),
  allowedOrigins: outboundAllow,
  resolve: resolveHost,
  now: () => Date.now(),
  amendments,
  ai,
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

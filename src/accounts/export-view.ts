import { agentFrom } from "../agents/model.ts";
import { toView as toAgentView } from "../agents/schemas.ts";
import { apiKeyFrom } from "../api-keys/model.ts";
import { toApiKeyView } from "../api-keys/view.ts";
import { httpToolsFrom } from "../http-tools/model.ts";
import { toHttpToolView } from "../http-tools/view.ts";
import { mcpServersFrom } from "../mcp-servers/model.ts";
import { toMcpServerView } from "../mcp-servers/view.ts";
import { conversationFrom } from "../conversations/model.ts";
import { toConversationView } from "../conversations/view.ts";
import { crawledPageFrom, crawlJobFrom, crawlStepFrom } from "../knowledge/crawling/crawl-model.ts";
import {
  toCrawledPageView,
  toCrawlJobView,
  toCrawlScheduleView,
  toCrawlStepView,
} from "../knowledge/crawling/crawl-view.ts";
import { crawlScheduleFrom } from "../knowledge/crawling/schedule-model.ts";
import { legacyChunkFrom } from "../knowledge/legacy-chunk-model.ts";
import { knowledgeBaseFrom } from "../knowledge/model.ts";
import { storedPageFrom } from "../knowledge/stored-page-model.ts";
import { toKnowledgeBaseView, toLegacyChunkView, toPageView } from "../knowledge/view.ts";
import { memoryFrom, versionFrom as memoryVersionFrom } from "../memory/archival-model.ts";
import { toFormerMemoryView, toMemoryView } from "../memory/archival-view.ts";
import { toVersionView } from "../memory/view.ts";
import { versionFrom } from "../memory/version-model.ts";
import { messageFrom } from "../messages/model.ts";
import { summaryFrom } from "../messages/summary-model.ts";
import { toMessageView } from "../messages/view.ts";
import { toSummaryView } from "../runs/context-view.ts";
import { connectionFrom } from "../oauth/model.ts";
import { toConnectionView } from "../oauth/view.ts";
import { publishableKeyFrom } from "../publishable-keys/model.ts";
import { toPublishableKeyView } from "../publishable-keys/view.ts";
import { runFrom } from "../runs/model.ts";
import { toRunView } from "../runs/view.ts";
import type { AccountEmail } from "../shared/id-types.ts";
import { keyOf, optionalText, text } from "../table/fields.ts";
import type { Item, Value } from "../table/marshal.ts";
import { idsOf } from "./export-ids.ts";
import { endpointFrom } from "../webhooks/model.ts";
import { toWebhookView } from "../webhooks/view.ts";
import { withoutSecrets } from "./secrets.ts";

/** A line of an export, discriminated by `type`. */
export type ExportLine = { readonly type: string } & { readonly [name: string]: unknown };

/** How the API shows one kind of item. */
interface Kind {
  readonly type: string;
  readonly pk: RegExp;
  readonly sk: RegExp;
  /** Returns what the API's answers contain. They win over stored attributes of the same name. */
  readonly view?: (item: Item) => object;
  /** Attributes that the API calls otherwise. */
  readonly renamed?: Readonly<Record<string, string>>;
}

const USER = /^User#/u;
const CONVERSATION = /^CONVERSATION#/u;
const MEMORY = /^Agent#[^#]+#User#/u;
const KNOWLEDGE_BASE = /^KnowledgeBase#/u;
const CRAWL_JOB = /^CrawlJob#/u;

/** The type of the lines of pages, whose items store their text compressed. */
export const KNOWLEDGE_PAGE = "knowledge_page";

/** An agent with its HTTP tools and MCP servers, which the API shows apart. Their secrets are not a part of the views. */
const agentWithTools = (item: Item): object => ({
  ...toAgentView(agentFrom(item)),
  http_tools: httpToolsFrom(item).map(toHttpToolView),
  mcp_servers: mcpServersFrom(item).map(toMcpServerView),
});

/** The value is left out like those of all keys, although it is no secret. */
function publishableKeyWithoutValue(item: Item): object {
  const { public_key: _value, ...shown } = toPublishableKeyView(publishableKeyFrom(item));
  return shown;
}

/** The kinds that the API shows. All others are exported as `record`s. */
const KINDS: readonly Kind[] = [
  { type: "account", pk: USER, sk: /^User#Metadata$/u },
  { type: "agent", pk: USER, sk: /^Agent#/u, view: agentWithTools },
  {
    type: "api_key",
    pk: USER,
    sk: /^ApiKey#/u,
    view: (item) => toApiKeyView(apiKeyFrom(item)),
    renamed: { last_four: "hint" },
  },
  { type: "session", pk: USER, sk: /^AuthSession#/u },
  {
    type: "mcp_connection",
    pk: USER,
    sk: /^McpConnection#/u,
    view: (item) => toConnectionView(connectionFrom(item)),
  },
  {
    type: "webhook",
    pk: USER,
    sk: /^WebhookEndpoint#/u,
    view: (item) => toWebhookView(endpointFrom(item)),
    renamed: { event_types: "events" },
  },
  { type: "provider", pk: USER, sk: /^ProviderSettings#/u },
  { type: "model_list", pk: USER, sk: /^ProviderModels#/u },
  { type: "served_window", pk: USER, sk: /^ProviderServedWindow#/u, renamed: { model: "model_id" } },
  { type: "learned_window", pk: USER, sk: /^ProviderWindow#/u, renamed: { model: "model_id" } },
  { type: "subscription", pk: USER, sk: /^Subscription#/u, renamed: { plan_name: "plan" } },
  {
    type: "usage",
    pk: USER,
    sk: /^Usage#/u,
    renamed: {
      period_key: "period",
      messages_used: "messages",
      kb_pages_used: "kb_pages",
      agents_active: "agents",
    },
  },
  { type: "end_user", pk: /^Agent#[^#]+$/u, sk: /^EndUser#/u },
  { type: "publishable_key", pk: /^Agent#[^#]+$/u, sk: /^ApiKey#/u, view: publishableKeyWithoutValue },
  {
    type: "conversation",
    pk: /^USER#/u,
    sk: CONVERSATION,
    view: (item) => toConversationView(conversationFrom(item)),
  },
  {
    type: "message",
    pk: CONVERSATION,
    sk: /^MESSAGE#/u,
    // Unlike a list, an export includes the content of files.
    view: (item) => {
      const message = messageFrom(item);
      return { ...toMessageView(message), attachments: message.attachments };
    },
  },
  { type: "run", pk: CONVERSATION, sk: /^RUN#/u, view: (item) => toRunView(runFrom(item)) },
  { type: "summary", pk: CONVERSATION, sk: /^SUMMARY#/u, view: (item) => toSummaryView(summaryFrom(item)) },
  {
    type: "memory_block",
    pk: MEMORY,
    sk: /^MemoryBlockDef#/u,
    view: (item) => ({ name: text(item, "block_name") }),
  },
  {
    type: "memory_block_content",
    pk: MEMORY,
    sk: /^CoreMemory#/u,
    view: (item) => ({ name: text(item, "block_name") }),
  },
  {
    type: "memory_block_version",
    pk: MEMORY,
    sk: /^BlockVersion#/u,
    view: (item) => toVersionView(versionFrom(item)),
  },
  {
    type: "knowledge_base",
    pk: USER,
    sk: KNOWLEDGE_BASE,
    view: (item) => toKnowledgeBaseView(knowledgeBaseFrom(item)),
  },
  { type: "knowledge_base_link", pk: /^Agent#[^#]+$/u, sk: KNOWLEDGE_BASE },
  // The export adds `markdown`.
  {
    type: KNOWLEDGE_PAGE,
    pk: KNOWLEDGE_BASE,
    sk: /^Page#/u,
    view: (item) => toPageView(storedPageFrom(item)),
  },
  {
    type: "legacy_chunk",
    pk: KNOWLEDGE_BASE,
    sk: /^Chunk#/u,
    view: (item) => toLegacyChunkView(legacyChunkFrom(item)),
  },
  {
    type: "crawl_schedule",
    pk: KNOWLEDGE_BASE,
    sk: /^CrawlSchedule$/u,
    view: (item) => toCrawlScheduleView(crawlScheduleFrom(item)),
  },
  {
    type: "crawl_job",
    pk: KNOWLEDGE_BASE,
    sk: CRAWL_JOB,
    view: (item) => toCrawlJobView(crawlJobFrom(item)),
  },
  {
    type: "crawl_step",
    pk: CRAWL_JOB,
    sk: /^Step#/u,
    view: (item) => toCrawlStepView(crawlStepFrom(item)),
  },
  {
    type: "crawled_page",
    pk: CRAWL_JOB,
    sk: /^Page#/u,
    view: (item) => toCrawledPageView(crawledPageFrom(item)),
  },
  { type: "memory", pk: MEMORY, sk: /^Archival#[^#]+#/u, view: (item) => toMemoryView(memoryFrom(item)) },
  {
    type: "memory_version",
    pk: MEMORY,
    sk: /^ArchivalVersion#/u,
    view: (item) => toFormerMemoryView(memoryVersionFrom(item)),
  },
];

/** Attributes that serve the table only: keys, expiry, guards, and ids that the lines have under other names. */
const TABLE_ATTRIBUTES: ReadonlySet<string> = new Set([
  "gsi1_pk",
  "gsi1_sk",
  "gsi2_pk",
  "gsi2_sk",
  "entity_type",
  "ttl",
  "user_id",
  "user_email",
  "block_id",
  "content_hash",
  "has_slot",
  "sync_version",
  "packed",
  "part_revision",
  "part_count",
  "stale_revision",
  "stale_count",
  "markdown_hash",
  "page_count",
  "page_version",
  "url_hash",
  "generation",
  "type",
  "http_tools_revision",
  "mcp_servers_revision",
]);

/** Returns the types of the lines that describe items, for the API description. */
export const exportTypes = (): string[] => [...new Set(KINDS.map(({ type }) => type)), "record"];

/**
 * Returns an item of an account as its export shows it: what the API answers, under the API's names, with the ids of what it
 * belongs to, and without secrets. Attributes that no answer contains are included, too. What the API never shows is a
 * `record` with its attributes as stored, which `kind` and `key` describe.
 */
export function toExportLine(accountEmail: AccountEmail, item: Item): ExportLine {
  const key = keyOf(item);
  const kind = KINDS.find(({ pk, sk }) => pk.test(key.pk) && sk.test(key.sk));
  const { pk, sk, ...attributes } = withoutSecrets(item);
  if (!kind)
    return {
      ...attributes,
      ...(pk !== undefined && { key: { pk, sk } }),
      kind: kindOf(item),
      type: "record",
    };

  return {
    type: kind.type,
    ...apiNames(attributes, kind.renamed ?? {}),
    ...kind.view?.(item),
    ...idsOf(accountEmail, key),
  };
}

const apiNames = (attributes: Item, renamed: Readonly<Record<string, string>>): Record<string, Value> =>
  Object.fromEntries(
    Object.entries(attributes)
      .filter(([name]) => !TABLE_ATTRIBUTES.has(name))
      .map(([name, value]) => [renamed[name] ?? name, value]),
  );

/** The `entity_type` of an item, or else the first part of its sort key. */
const kindOf = (item: Item): string =>
  optionalText(item, "entity_type") ?? (text(item, "sk").split("#", 1)[0] || "Item");

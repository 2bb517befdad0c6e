import { accountDocs } from "../../src/accounts/docs.ts";
import { aiSdkDocs } from "../../src/ai-sdk/docs.ts";
import { openAiDocs } from "../../src/openai-api/docs.ts";
import { responseDocs } from "../../src/openai-api/response-docs.ts";
import { agentDocs } from "../../src/agents/docs.ts";
import { apiKeyDocs } from "../../src/api-keys/docs.ts";
import { authDocs } from "../../src/auth/docs.ts";
import { contactDocs } from "../../src/contact/docs.ts";
import { conversationDocs } from "../../src/conversations/docs.ts";
import { endUserDocs } from "../../src/end-users/docs.ts";
import type { FeatureDocs, OperationDocs, SchemaDocs } from "../../src/http/docs.ts";
import { httpToolDocs } from "../../src/http-tools/docs.ts";
import { mcpServerDocs } from "../../src/mcp-servers/docs.ts";
import { crawlDocs } from "../../src/knowledge/crawling/docs.ts";
import { knowledgeDocs } from "../../src/knowledge/docs.ts";
import { knowledgeSearchDocs } from "../../src/knowledge/search-docs.ts";
import { mcpDocs } from "../../src/mcp/docs.ts";
import { memoryDocs } from "../../src/memory/docs.ts";
import { messageDocs } from "../../src/messages/docs.ts";
import { oauthDocs } from "../../src/oauth/docs.ts";
import { paymentDocs } from "../../src/payments/docs.ts";
import { planDocs } from "../../src/plans/docs.ts";
import { publishableKeyDocs } from "../../src/publishable-keys/docs.ts";
import { runDocs } from "../../src/runs/docs.ts";
import { settingsDocs } from "../../src/settings/docs.ts";
import { systemDocs } from "../../src/system/docs.ts";
import { webhookDocs } from "../../src/webhooks/docs.ts";
import { widgetDocs } from "../../src/widget/docs.ts";

const FEATURES: readonly FeatureDocs[] = [
  runDocs,
  aiSdkDocs,
  openAiDocs,
  responseDocs,
  mcpDocs,
  oauthDocs,
  memoryDocs,
  messageDocs,
  agentDocs,
  httpToolDocs,
  mcpServerDocs,
  endUserDocs,
  publishableKeyDocs,
  conversationDocs,
  knowledgeDocs,
  knowledgeSearchDocs,
  crawlDocs,
  authDocs,
  apiKeyDocs,
  settingsDocs,
  accountDocs,
  webhookDocs,
  planDocs,
  paymentDocs,
  widgetDocs,
  contactDocs,
  systemDocs,
];

/** The texts and examples of all operations, by id. */
export const OPERATIONS: ReadonlyMap<string, OperationDocs> = merged(
  FEATURES.flatMap(({ operations }) => Object.entries(operations)),
);

/** The texts of all schemas, by id. */
export const SCHEMAS: ReadonlyMap<string, SchemaDocs> = merged(
  FEATURES.flatMap(({ schemas = {} }) => Object.entries(schemas)),
);

/** Returns the entries as a map. Throws an error if two have the same id. */
function merged<V>(entries: readonly (readonly [string, V])[]): ReadonlyMap<string, V> {
  const all = new Map(entries);
  if (all.size !== entries.length) {
    const ids = entries.map(([id]) => id).filter((id, index, list) => list.indexOf(id) !== index);
    throw new Error(`Two features describe ${ids.join(", ")}.`);
  }
  return all;
}

import type { AccountEmail } from "../shared/id-types.ts";
import type { Key } from "../table/marshal.ts";

/**
 * Ids that keys contain, by the form of a partition or of a sort key. The items of the legacy Python service have fewer
 * attributes, so the ids of an export come from the keys.
 */
const PARTITIONS: readonly RegExp[] = [
  /^CONVERSATION#(?<conversation_id>.+)$/u,
  /^USER#.*#EndUser#(?<agent_id>[^#]+)#(?<end_user_id>[^#]+)$/u,
  /^Agent#(?<agent_id>[^#]+)#User#(?<end_user_id>.+)$/u,
  /^Agent#(?<agent_id>[^#]+)$/u,
  /^KnowledgeBase#(?<kb_id>[^#]+)$/u,
  /^CrawlJob#(?<job_id>[^#]+)$/u,
];

const SORT_KEYS: readonly RegExp[] = [
  /^Agent#(?<agent_id>.+)$/u,
  /^ApiKey#(?<key_id>.+)$/u,
  /^AuthSession#(?<session_id>.+)$/u,
  /^Archival#[^#]*#(?<memory_id>.+)$/u,
  /^ArchivalVersion#[^#]*#(?<memory_id>.+)$/u,
  /^CONVERSATION#(?<conversation_id>.+)$/u,
  /^CrawlJob#(?<job_id>.+)$/u,
  /^EndUser#(?<end_user_id>.+)$/u,
  /^KnowledgeBase#(?<kb_id>.+)$/u,
  /^MESSAGE#[^#]*#(?<message_id>.+)$/u,
  /^ProviderSettings#(?<provider_name>.+)$/u,
  /^ProviderModels#(?<provider_name>.+)$/u,
  /^Provider(?:Served)?Window#(?<provider_name>[^#]+)#(?<model_id>.+)$/u,
  /^RUN#(?<run_id>.+)$/u,
  /^Subscription#(?<subscription_id>.+)$/u,
];

/**
 * Returns the ids in the key of an account's item that the API shows, under the names of the API. A memory of the account
 * itself has no `end_user_id`.
 */
export function idsOf(accountEmail: AccountEmail, { pk, sk }: Key): Readonly<Record<string, string>> {
  const { end_user_id: person, ...others } = groupsOf(PARTITIONS, pk);
  const isOwn = person?.toLowerCase() === accountEmail.toLowerCase();
  return {
    ...others,
    ...(person !== undefined && !isOwn && { end_user_id: person }),
    ...groupsOf(SORT_KEYS, sk),
  };
}

function groupsOf(forms: readonly RegExp[], text: string): Readonly<Record<string, string>> {
  for (const form of forms) {
    const groups = form.exec(text)?.groups;
    if (groups) return groups;
  }
  return {};
}

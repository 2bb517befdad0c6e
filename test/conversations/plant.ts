import { table } from "../support/app.ts";
import type { Item } from "../../src/table/marshal.ts";

/** A random id as the legacy Python service made them, with a beginning that puts it among sort keys. */
export const oldId = (start = "f"): string => start + crypto.randomUUID().slice(start.length);

/** A conversation as the legacy Python service wrote it. */
export async function plantConversation(
  email: string,
  { id = oldId(), createdAt = "2025-06-01T10:00:00.000123+00:00", ...more }: PlantedConversation = {},
): Promise<string> {
  await table.put({
    pk: `USER#${email}`,
    sk: `CONVERSATION#${id}`,
    entity_type: "Conversation",
    conversation_id: id,
    title: "Old talk",
    description: null,
    agent_id: "old-agent",
    created_by: email,
    created_at: createdAt,
    updated_at: null,
    gsi1_pk: `USER#${email}`,
    gsi1_sk: `CONVERSATION#${createdAt}`,
    ...more.attributes,
  });
  return id;
}

interface PlantedConversation {
  readonly id?: string;
  readonly createdAt?: string;
  readonly attributes?: Item;
}

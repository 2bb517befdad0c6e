import { type ConversationId, agentIdOf } from "../../src/shared/id-types.ts";
import { type Client, clientOf } from "./app.ts";

export const ALL_SCOPES = [
  "agents:read",
  "agents:write",
  "conversations:read",
  "conversations:write",
  "memory:read",
  "memory:write",
  "end-users:read",
  "end-users:write",
  "knowledge:read",
  "knowledge:write",
];

/** A program with a key of this account. */
export async function programOf(
  owner: Client,
  scopes: readonly string[] = ALL_SCOPES,
  more: Record<string, unknown> = {},
): Promise<Client & { readonly keyId: string }> {
  const { status, body } = await owner("POST", "/api-keys", { name: "A program", scopes, ...more });
  if (status !== 201) throw new Error(`Making a key failed: ${JSON.stringify(body)}`);
  return Object.assign(clientOf(body.secret as string, owner.email), { keyId: body.key_id as string });
}

/** An end user of an agent, from no page unless origins are named. */
export async function endUserOf(
  owner: Client,
  agentId: string,
  id = `visitor-${crypto.randomUUID().slice(0, 8)}`,
  more: Record<string, unknown> = {},
): Promise<Client & { readonly endUserId: string }> {
  const wish = { end_user_id: id, ...more };
  const { status, body } = await owner("POST", `/agents/${agentId}/client-tokens`, wish);
  if (status !== 201) throw new Error(`Minting a token failed: ${JSON.stringify(body)}`);
  return Object.assign(clientOf(body.token as string, owner.email), { endUserId: id });
}

/** A conversation of an end user. */
export async function beginOwnConversation(endUser: Client, agentId: string) {
  const { status, body } = await endUser("POST", "/conversations", { title: "Talk", agent_id: agentId });
  if (status !== 201) throw new Error(`Beginning a conversation failed: ${JSON.stringify(body)}`);
  const conversationId = body.conversation_id as ConversationId;
  return {
    agentId: agentIdOf(agentId),
    conversationId,
    path: `/agents/${agentId}/${conversationId}/send-message`,
  };
}

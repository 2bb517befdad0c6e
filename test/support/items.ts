import type { Item } from "../../src/table/marshal.ts";
import { table } from "./app.ts";

/** The messages of a conversation as they are stored, oldest first. */
export const storedMessages = (conversationId: string): Promise<readonly Item[]> =>
  table.query(`CONVERSATION#${conversationId}`, { range: { beginsWith: "MESSAGE#" } });

/** How many messages are counted for a user this month. */
export async function messagesUsed(email: string): Promise<unknown> {
  const month = new Date().toISOString().slice(0, 7);
  const item = await table.get({ pk: `User#${email}`, sk: `Usage#${month}` });
  return item?.["messages_used"];
}

/** The lines of a memory block as they are stored. */
export async function storedLines(agentId: string, email: string, block: string): Promise<unknown> {
  const item = await table.get({
    pk: `Agent#${agentId}#User#${email}`,
    sk: `CoreMemory#${agentId}:${email}:${block}`,
  });
  return item?.["lines"];
}

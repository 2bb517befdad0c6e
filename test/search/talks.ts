import { accountEmailOf, agentIdOf } from "../../src/shared/id-types.ts";
import { env } from "cloudflare:workers";
import { SearchClient } from "../../src/search/search-client.ts";
import type { RecallRequest } from "../../src/search/model.ts";
import { formatTimestamp } from "../../src/shared/clock.ts";
import type { Item } from "../../src/table/marshal.ts";
import { table } from "../support/app.ts";

const searches = new SearchClient({ namespace: env.SEARCH_INDEX, region: env.AWS_REGION });

/** A message to plant; by default the user's, with the current time, in the order of the list. */
export interface Said {
  readonly content: string;
  readonly role?: string;
  readonly at?: number;
  readonly runId?: string;
  readonly more?: Item;
}

/** Conversations between an agent and a user, written as turns write them, and searched through their index. */
export function testTalks(userId = `${crypto.randomUUID()}@example.com`) {
  const agentId = agentIdOf(crypto.randomUUID());
  let micros = 0;
  const stampOf = (at: number) => formatTimestamp(at, micros++ % 1_000);

  const itemOf = (conversationId: string, { content, role = "user", at = Date.now(), runId, more }: Said) => {
    const time = stampOf(at);
    const id = crypto.randomUUID();
    return {
      pk: `CONVERSATION#${conversationId}`,
      sk: `MESSAGE#${time}#${id}`,
      message_id: id,
      role,
      content,
      created_at: time,
      ...(runId !== undefined && { run_id: runId }),
      ...more,
    };
  };
  const search = (query: string, limit = 10, offset = 0, more: Partial<RecallRequest> = {}) =>
    searches.recall({
      agentId,
      userId,
      accountEmail: accountEmailOf("nobody@example.com"),
      conversationsOf: userId,
      query,
      limit,
      offset,
      ...more,
    });

  return {
    agentId,
    userId,
    index: () => env.SEARCH_INDEX.getByName(`${agentId}/${userId}`),
    /** Returns the conversation's id. */
    async begin(title: string, ...said: readonly (Said | string)[]): Promise<string> {
      const id = crypto.randomUUID();
      await this.say(id, title, ...said);
      return id;
    },
    /** Adds to a conversation and updates it, by default at the time of its last message. */
    async say(id: string, title: string, ...said: readonly (Said | string)[]): Promise<void> {
      const items = said.map((one) => itemOf(id, typeof one === "string" ? { content: one } : one));
      await table.batchWrite(items.map((put) => ({ put })));
      await this.touch(id, title, items.at(-1)?.created_at ?? null);
    },
    /** Writes the conversation's item, by which it is listed. */
    touch: (id: string, title: string, updatedAt: string | null, more: Item = {}) =>
      table.put({
        pk: `USER#${userId}`,
        sk: `CONVERSATION#${id}`,
        conversation_id: id,
        title,
        agent_id: agentId,
        updated_at: updatedAt,
        ...more,
      }),
    /** Adds a message without updating the conversation. */
    plant: (id: string, said: Said) => table.put(itemOf(id, said)),
    /** Removes a conversation as its deletion does. */
    async remove(id: string): Promise<void> {
      await table.removePartition(`CONVERSATION#${id}`, 10_000);
      await table.remove({ pk: `USER#${userId}`, sk: `CONVERSATION#${id}` });
    },
    search,
    /** The contents that a search finds. */
    async find(query: string, limit = 10, offset = 0): Promise<readonly string[]> {
      return (await search(query, limit, offset)).hits.map(({ content }) => content);
    },
  };
}

import type { AgentId, ConversationId } from "../shared/id-types.ts";
import type { Conversation } from "../conversations/model.ts";
import type { FormerMemory, Memory } from "../memory/archival-model.ts";
import type { Block } from "../memory/model.ts";
import type { StoredVersion } from "../memory/version-model.ts";
import type { Summary } from "../messages/summary-model.ts";
import type { Run } from "../runs/model.ts";
import type { Message } from "../messages/model.ts";
import type { ListPage } from "../table/list.ts";
import type { AccessScope } from "../access/access-scope.ts";
import { type EndUser, scopeOfEndUser } from "../end-users/model.ts";

type Page<T> = Promise<Pick<ListPage<T>, "items" | "nextCursor">>;

/** What an export reads from. All lists are paged, so memory use does not grow with the amount of data. */
export interface ExportSources {
  readonly conversations: {
    list(scope: AccessScope, limit: number, cursor: string | undefined): Page<Conversation>;
    transient(scope: AccessScope): AsyncIterable<Conversation>;
  };
  readonly messages: {
    messages(
      scope: AccessScope,
      conversationId: ConversationId,
      limit: number,
      cursor: string | undefined,
    ): Page<Message>;
  };
  readonly runs: {
    list(conversationId: ConversationId, limit: number, cursor: string | undefined): Page<Run>;
  };
  readonly summaries: { find(conversationId: ConversationId): Promise<Summary | null> };
  readonly blocks: {
    blocks(scope: AccessScope, agentId: AgentId): Promise<readonly Block[]>;
    versions(
      scope: AccessScope,
      agentId: AgentId,
      block: string,
      limit: number,
      cursor: string | undefined,
    ): Page<StoredVersion>;
  };
  readonly memories: {
    list(scope: AccessScope, agentId: AgentId, limit: number, cursor: string | undefined): Page<Memory>;
    formerTexts(
      scope: AccessScope,
      agentId: AgentId,
      limit: number,
      cursor: string | undefined,
    ): Page<FormerMemory>;
  };
}

/** One entry of an export, discriminated by `type`. */
export type Exported =
  | { readonly type: "conversation"; readonly value: Conversation }
  | { readonly type: "message"; readonly value: Message }
  | { readonly type: "run"; readonly value: Run }
  | { readonly type: "summary"; readonly value: Summary }
  | { readonly type: "memory_block"; readonly value: Block }
  | { readonly type: "memory_block_version"; readonly value: StoredVersion; readonly block: string }
  | { readonly type: "memory"; readonly value: Memory }
  | { readonly type: "memory_version"; readonly value: FormerMemory };

const PAGE = 100;

/** Yields everything stored for an end user. */
export async function* exportEndUser(
  endUser: EndUser,
  from: ExportSources,
): AsyncGenerator<Exported, void, void> {
  const scope = scopeOfEndUser(endUser);
  const { agentId } = endUser;

  for await (const value of conversations()) {
    yield { type: "conversation", value };
    for await (const message of all((cursor) => from.messages.messages(scope, value.id, PAGE, cursor)))
      yield { type: "message", value: message };
    for await (const run of all((cursor) => from.runs.list(value.id, PAGE, cursor)))
      yield { type: "run", value: run };
    const summary = await from.summaries.find(value.id);
    if (summary) yield { type: "summary", value: summary };
  }
  for (const value of await from.blocks.blocks(scope, agentId)) {
    yield { type: "memory_block", value };
    const { name: block } = value;
    for await (const version of all((cursor) => from.blocks.versions(scope, agentId, block, PAGE, cursor)))
      yield { type: "memory_block_version", value: version, block };
  }
  for await (const value of all((cursor) => from.memories.list(scope, agentId, PAGE, cursor)))
    yield { type: "memory", value };
  for await (const value of all((cursor) => from.memories.formerTexts(scope, agentId, PAGE, cursor)))
    yield { type: "memory_version", value };

  async function* conversations(): AsyncGenerator<Conversation, void, void> {
    yield* all((cursor) => from.conversations.list(scope, PAGE, cursor));
    yield* from.conversations.transient(scope);
  }
}

async function* all<T>(read: (cursor: string | undefined) => Page<T>): AsyncGenerator<T, void, void> {
  let cursor: string | undefined;
  do {
    const page = await read(cursor);
    yield* page.items;
    cursor = page.nextCursor ?? undefined;
  } while (cursor !== undefined);
}

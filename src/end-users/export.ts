import type { Conversation } from "../conversations/model.ts";
import type { Memory } from "../memory/archival-model.ts";
import type { Block } from "../memory/model.ts";
import type { StoredVersion } from "../memory/version-model.ts";
import type { Summary } from "../messages/summary-model.ts";
import type { Run } from "../runs/model.ts";
import type { Message } from "../messages/model.ts";
import type { ListPage } from "../table/list.ts";
import type { Space } from "../users/space.ts";
import { type EndUser, spaceOfEndUser } from "./model.ts";

type Page<T> = Promise<Pick<ListPage<T>, "items" | "nextCursor">>;

/** What an export reads from. Every list comes in pages, so a long life takes no more memory than a short one. */
export interface ExportSources {
  conversations(space: Space, limit: number, cursor: string | undefined): Page<Conversation>;
  messages(space: Space, conversationId: string, limit: number, cursor: string | undefined): Page<Message>;
  runs(conversationId: string, limit: number, cursor: string | undefined): Page<Run>;
  summary(conversationId: string): Promise<Summary | null>;
  blocks(space: Space, agentId: string): Promise<readonly Block[]>;
  versions(
    space: Space,
    agentId: string,
    block: string,
    limit: number,
    cursor: string | undefined,
  ): Page<StoredVersion>;
  memories(space: Space, agentId: string, limit: number, cursor: string | undefined): Page<Memory>;
}

/** One thing of an export, by its kind. */
export type Exported =
  | { readonly type: "conversation"; readonly value: Conversation }
  | { readonly type: "message"; readonly value: Message }
  | { readonly type: "run"; readonly value: Run }
  | { readonly type: "summary"; readonly value: Summary }
  | { readonly type: "memory_block"; readonly value: Block }
  | { readonly type: "memory_block_version"; readonly value: StoredVersion; readonly block: string }
  | { readonly type: "memory"; readonly value: Memory };

const PAGE = 100;

/** Everything that there is of an end user. */
export async function* exportEndUser(
  endUser: EndUser,
  from: ExportSources,
): AsyncGenerator<Exported, void, void> {
  const space = spaceOfEndUser(endUser);
  const { agentId } = endUser;

  for await (const value of all((cursor) => from.conversations(space, PAGE, cursor))) {
    yield { type: "conversation", value };
    for await (const message of all((cursor) => from.messages(space, value.id, PAGE, cursor)))
      yield { type: "message", value: message };
    for await (const run of all((cursor) => from.runs(value.id, PAGE, cursor)))
      yield { type: "run", value: run };
    const summary = await from.summary(value.id);
    if (summary) yield { type: "summary", value: summary };
  }
  for (const value of await from.blocks(space, agentId)) {
    yield { type: "memory_block", value };
    const { name: block } = value;
    for await (const version of all((cursor) => from.versions(space, agentId, block, PAGE, cursor)))
      yield { type: "memory_block_version", value: version, block };
  }
  for await (const value of all((cursor) => from.memories(space, agentId, PAGE, cursor)))
    yield { type: "memory", value };
}

async function* all<T>(read: (cursor: string | undefined) => Page<T>): AsyncGenerator<T, void, void> {
  let cursor: string | undefined;
  do {
    const page = await read(cursor);
    yield* page.items;
    cursor = page.nextCursor ?? undefined;
  } while (cursor !== undefined);
}

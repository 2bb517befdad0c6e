import type { Item } from "../../src/table/marshal.ts";
import { beginConversation, type Client, signUp, table } from "../support/app.ts";

/** An agent whose archival memory is tested. */
export interface Archive {
  readonly client: Client;
  readonly agentId: string;
  readonly conversationId: string;
  readonly pk: string;
  readonly path: string;
}

export async function beginArchive(): Promise<Archive> {
  const client = await signUp();
  const { agentId, conversationId } = await beginConversation(client);
  const pk = `Agent#${agentId}#User#${client.email}`;
  return { client, agentId, conversationId, pk, path: `/agents/${agentId}/archival-memory` };
}

export const sha256Of = async (text: string): Promise<string> => {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
};

/** The stored items of an archive: memories, pointers, tombstones, and the holders of these contents. */
export async function stored({ pk }: Archive, ...contents: readonly string[]) {
  const part = (beginsWith: string) => table.query(pk, { range: { beginsWith } });
  const hashes = contents.map(async (content) => table.query(`${pk}#Hash#${await sha256Of(content)}`));
  return {
    memories: await part("Archival#"),
    pointers: await part("ArchivalId#"),
    tombstones: await part("ArchivalGone#"),
    holders: (await Promise.all(hashes)).flat(),
  };
}

/** A memory as the legacy Python service wrote it: under a random id, and without a pointer. */
export async function plantOld(
  { pk, agentId, client }: Archive,
  content: string,
  createdAt = "2025-06-01T10:00:00.000123+00:00",
): Promise<{ readonly id: string; readonly item: Item; readonly holder: Item }> {
  const id = crypto.randomUUID();
  const hash = await sha256Of(content);
  const common = { agent_id: agentId, user_id: client.email, memory_id: id };
  const item = {
    pk,
    sk: `Archival#${createdAt}#${id}`,
    ...common,
    content,
    content_hash: hash,
    created_at: createdAt,
  };
  const holder = { pk: `${pk}#Hash#${hash}`, sk: `Archival#${id}`, ...common };
  await table.batchWrite([{ put: item }, { put: holder }]);
  return { id, item, holder };
}

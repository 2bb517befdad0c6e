import type {
  ArchivalMemoryStatus,
  FoundMemories,
  Memory,
  MemoryBlock,
  MemoryBlockChanges,
  MemoryBlockContent,
  MemoryBlockContentReference,
  MemoryBlockVersion,
  MemoryChanges,
  NewMemory,
  NewMemoryBlock,
  RevertedMemoryChanges,
  RunMemoryChange,
  StoredMemories,
} from "./api.ts";
import { type ApiCalls, split, type WithSettings } from "./api-calls.ts";
import type { QueryOf, RequestSettings } from "./operations.ts";
import type { Pages } from "./pages.ts";
import type { Exchange } from "./transport.ts";

/** Whose memory it is: the account's own with an agent, or that of one of the agent's end users. */
export interface MemoryPlace {
  readonly api: ApiCalls;
  readonly agentId: string;
  readonly endUserId: string | undefined;
}

const BLOCK = "/agents/{agentId}/memory-blocks/{blockName}";
const CONTENT = `${BLOCK}/content` as const;
const RESTORE = `${BLOCK}/restore` as const;
const VERSIONS = `${BLOCK}/versions` as const;
const ARCHIVE = "/agents/{agentId}/archival-memory";
const CHANGES = "/agents/{agentId}/runs/{runId}/memory-changes";

/** What a change of a block's lines depends on. */
export interface Precondition extends RequestSettings {
  /** The `etag` that was read: if the block has changed since, the change is refused with 412 `precondition-failed`. */
  readonly ifMatch?: string | undefined;
}

/** A block's lines and the tag of their version. */
export interface TaggedContent extends MemoryBlockContent {
  /** Identifies the version; pass it as `ifMatch`. */
  readonly etag: string | undefined;
}

/** The latest change of a block can't be undone, because it has not been changed, or because the version before was deleted. */
export class CannotUndo extends Error {
  override readonly name: string = "CannotUndo";

  constructor() {
    super("This change cannot be undone: the version before it is not kept.");
  }
}

/** The core memory of an agent: blocks of lines that are part of every prompt. */
export class CoreMemory {
  readonly #place: MemoryPlace;

  /** @internal */
  constructor(place: MemoryPlace) {
    this.#place = place;
  }

  /** Returns all blocks. */
  async list(settings: RequestSettings = {}): Promise<MemoryBlock[]> {
    const { api, agentId, endUserId: end_user_id } = this.#place;
    return await api.request("GET", "/agents/{agentId}/memory-blocks", {
      ...settings,
      path: { agentId },
      query: { end_user_id },
    });
  }

  /** Creates a block. */
  async create(block: NewMemoryBlock, settings: RequestSettings = {}): Promise<MemoryBlock> {
    const { api, agentId, endUserId: end_user_id } = this.#place;
    const created = await api.request("POST", "/agents/{agentId}/memory-blocks", {
      ...settings,
      path: { agentId },
      query: { end_user_id },
      body: block,
    });
    return created as MemoryBlock;
  }

  /** What the agent wrote to this memory and to the archive in a run, in order. */
  changesOf(
    runId: string,
    options: WithSettings<{ readonly limit?: number | undefined }> = {},
  ): Pages<RunMemoryChange> {
    const { api, agentId, endUserId: end_user_id } = this.#place;
    const { query, ...settings } = split(options);
    return api.list(CHANGES, { ...settings, path: { agentId, runId }, query: { ...query, end_user_id } });
  }

  /**
   * Takes back what the agent wrote to this memory and to the archive in a run, and returns what became of each block and memory. What
   * has been changed since stays as it is.
   */
  async revertChanges(
    runId: string,
    settings: RequestSettings = {},
  ): Promise<RevertedMemoryChanges["items"]> {
    const { api, agentId, endUserId: end_user_id } = this.#place;
    const options = { ...settings, path: { agentId, runId }, query: { end_user_id } };
    return (await api.request("POST", `${CHANGES}/revert`, options)).items;
  }

  /** A block, by its name. Sends nothing. */
  block(blockName: string): BlockClient {
    return new BlockClient(this.#place, blockName);
  }
}

/** A block of the core memory. */
export class BlockClient {
  readonly #api: ApiCalls;
  readonly #at: {
    readonly path: { agentId: string; blockName: string };
    readonly query: { end_user_id: string | undefined };
  };

  /** @internal */
  constructor({ api, agentId, endUserId }: MemoryPlace, blockName: string) {
    this.#api = api;
    this.#at = { path: { agentId, blockName }, query: { end_user_id: endUserId } };
  }

  /** Returns the lines. */
  async get(settings: RequestSettings = {}): Promise<TaggedContent> {
    return tagged(await this.#api.exchange("GET", CONTENT, { ...settings, ...this.#at }));
  }

  /** Replaces the lines, which become a new version. */
  async replace(lines: readonly string[], precondition: Precondition = {}): Promise<TaggedContent> {
    const { ifMatch, ...settings } = precondition;
    const options = { ...settings, ...this.#at, headers: { "If-Match": ifMatch }, body: { lines } };
    return tagged(await this.#api.exchange("PUT", CONTENT, options));
  }

  /** Changes the description or the limit. */
  async update(changes: MemoryBlockChanges, settings: RequestSettings = {}): Promise<MemoryBlock> {
    const updated = await this.#api.request("PATCH", BLOCK, { ...settings, ...this.#at, body: changes });
    return updated as MemoryBlock;
  }

  /** Deletes the block and its history. */
  async delete(settings: RequestSettings = {}): Promise<void> {
    await this.#api.request("DELETE", BLOCK, { ...settings, ...this.#at });
  }

  /** The history, newest first. */
  versions(options: WithSettings<{ readonly limit?: number | undefined }> = {}): Pages<MemoryBlockVersion> {
    const { query, ...settings } = split(options);
    return this.#api.list(VERSIONS, { ...settings, ...this.#at, query: { ...query, ...this.#at.query } });
  }

  /** Stores the lines of an earlier version as a new version. */
  async restore(version: number, precondition: Precondition = {}): Promise<TaggedContent> {
    const { ifMatch, ...settings } = precondition;
    const options = { ...settings, ...this.#at, headers: { "If-Match": ifMatch }, body: { version } };
    return tagged(await this.#api.exchange("POST", RESTORE, options));
  }

  /**
   * Undoes the latest change: stores the lines before it as a new version, or none if it was the first. Undoing twice restores the
   * change. Throws `CannotUndo` if the lines before it are not kept, and an `ApiError` with the code `precondition-failed` if the block
   * changes at the same time.
   */
  async undo(settings: RequestSettings = {}): Promise<TaggedContent> {
    const { etag: ifMatch } = await this.get(settings);
    const { items } = await this.versions({ ...settings, limit: 2 }).page();
    const [latest, before] = items;
    if (latest?.version === 1) return await this.replace([], { ...settings, ifMatch });
    if (!latest || before?.version !== latest.version - 1) throw new CannotUndo();
    return await this.restore(before.version, { ...settings, ifMatch });
  }

  /** Deletes an earlier version from the history. */
  async deleteVersion(version: number, settings: RequestSettings = {}): Promise<void> {
    await this.#api.request("DELETE", `${VERSIONS}/{version}`, {
      ...settings,
      ...this.#at,
      path: { ...this.#at.path, version: String(version) },
    });
  }
}

/** Without `If-None-Match`, an answer always has a body. */
const tagged = ({
  data,
  headers,
}: Exchange<MemoryBlockContent | MemoryBlockContentReference | undefined>) => ({
  ...(data as MemoryBlockContent),
  etag: headers.get("etag") ?? undefined,
});

/** The archival memory of an agent: what does not fit into the prompt, found by search. */
export class ArchivalMemory {
  readonly #api: ApiCalls;
  readonly #at: { readonly path: { agentId: string }; readonly query: { end_user_id: string | undefined } };

  /** @internal */
  constructor({ api, agentId, endUserId }: MemoryPlace) {
    this.#api = api;
    this.#at = { path: { agentId }, query: { end_user_id: endUserId } };
  }

  /** All memories, newest first. */
  list(options: WithSettings<{ readonly limit?: number | undefined }> = {}): Pages<Memory> {
    const { query, ...settings } = split(options);
    return this.#api.list(ARCHIVE, { ...settings, ...this.#at, query: { ...query, ...this.#at.query } });
  }

  /** Stores a memory; one with the same content is stored once. */
  async add(memory: NewMemory, settings: RequestSettings = {}): Promise<Memory> {
    return (await this.#api.request("POST", ARCHIVE, { ...settings, ...this.#at, body: memory })) as Memory;
  }

  /** Stores up to 100 memories. */
  async addMany(items: readonly NewMemory[], settings: RequestSettings = {}): Promise<StoredMemories> {
    const options = { ...settings, ...this.#at, body: { items } };
    return await this.#api.request("POST", `${ARCHIVE}/batch`, options);
  }

  /** Searches by words and by meaning. Further pages are found with the `cursor` of the page before. */
  async search(
    query: string,
    options: WithSettings<
      Omit<QueryOf<"GET", `${typeof ARCHIVE}/search`>, "query" | "end_user" | "end_user_id">
    > = {},
  ): Promise<FoundMemories> {
    const { query: others, ...settings } = split(options);
    return await this.#api.request("GET", `${ARCHIVE}/search`, {
      ...settings,
      ...this.#at,
      query: { ...others, ...this.#at.query, query },
    });
  }

  /** Returns a memory. */
  async get(memoryId: string, settings: RequestSettings = {}): Promise<Memory> {
    return await this.#api.request("GET", `${ARCHIVE}/{memoryId}`, this.#of(memoryId, settings));
  }

  /** Changes a memory. */
  async update(memoryId: string, changes: MemoryChanges, settings: RequestSettings = {}): Promise<Memory> {
    const options = { ...this.#of(memoryId, settings), body: changes };
    return (await this.#api.request("PATCH", `${ARCHIVE}/{memoryId}`, options)) as Memory;
  }

  /** Deletes a memory. */
  async delete(memoryId: string, settings: RequestSettings = {}): Promise<void> {
    await this.#api.request("DELETE", `${ARCHIVE}/{memoryId}`, this.#of(memoryId, settings));
  }

  /** Returns how many memories there are, and whether all of them can be found yet. */
  async status(settings: RequestSettings = {}): Promise<ArchivalMemoryStatus> {
    return await this.#api.request("GET", `${ARCHIVE}/status`, { ...settings, ...this.#at });
  }

  #of(memoryId: string, settings: RequestSettings) {
    return { ...settings, ...this.#at, path: { ...this.#at.path, memoryId } };
  }
}

import { DurableObject } from "cloudflare:workers";
import { embedderFor, portsFrom } from "../deps.ts";
import type { Embedder } from "../llm/embeddings.ts";
import { AppError } from "../shared/errors.ts";
import { memoryPartition } from "../table/keys.ts";
import { IndexKeeper } from "./index-keeper.ts";
import { Meaning } from "./meaning.ts";
import { MessageIndex } from "./message-index.ts";
import { MessageKeeper } from "./message-keeper.ts";
import type { MemorySearchAnswer, MemorySearchRequest, RecallAnswer, RecallRequest } from "./model.ts";
import { parseQuery } from "./query.ts";
import type { SearchCall, SearchReply } from "./search-protocol.ts";
import { TextIndex } from "./text-index.ts";
import { VectorShelf } from "./vector-shelf.ts";

/** How soon a build goes on: at once, or later where the table did not answer. */
const NEXT_STEP_MS = 1;
const RETRY_MS = 10_000;

/** Whose memory and conversations are indexed here. */
interface Owner {
  readonly agentId: string;
  readonly userId: string;
  /** The agent's, where it has been told. */
  readonly account?: string;
}

/** What is left to the alarm. */
interface Unfinished {
  readonly owner: Owner;
  readonly memories: boolean;
  /** The space whose conversations are left to be read; null where none is. */
  readonly conversationsOf: string | null;
}

interface Memories {
  readonly index: TextIndex;
  readonly keeper: IndexKeeper;
}

/** What finds memories by their meaning, and when it was last asked whether it still is what does. */
interface KnownMeaning {
  readonly meaning: Meaning | undefined;
  readonly askedAt: number;
}

interface Messages {
  readonly index: MessageIndex;
  readonly keeper: MessageKeeper;
}

/** Whether an agent's provider still offers embeddings is asked again after so long. */
const EMBEDDER_MS = 5 * 60_000;

/** Under which name `Unfinished` is stored. */
const UNFINISHED = "unfinished";

/**
 * The search indexes of one agent's memory of one user, and of what they have said to each other. Nothing lasts here that
 * the table does not have: an index that is lost is read anew. A shell around the indexes and their keepers, which know
 * nothing of Durable Objects but the storage.
 */
export class SearchIndex extends DurableObject<Env> {
  #memories: Memories | undefined;
  #messages: Messages | undefined;
  #meaning: KnownMeaning | undefined;
  #asking: Promise<Meaning | undefined> | undefined;

  override async fetch(request: Request): Promise<Response> {
    // The Worker and the runners, and nobody else, ask in this shape.
    const call = await request.json<SearchCall>();
    try {
      switch (call.kind) {
        case "forget":
          return await this.#forget();
        case "search":
          return answering(await this.#search(call.request));
        case "recall":
          return answering(await this.#recall(call.request));
      }
    } catch (thrown) {
      const error = AppError.from(thrown);
      if (error.status >= 500)
        console.error({ message: error.message, code: error.code, cause: error.cause ?? error });
      const { code, message, retryAfter = null } = error;
      return Response.json({ error: { code, message, retryAfter } } satisfies SearchReply<never>);
    }
  }

  /** Goes on with building. */
  override async alarm(): Promise<void> {
    const unfinished = await this.ctx.storage.get<Unfinished>(UNFINISHED);
    if (!unfinished) return;

    const { owner, conversationsOf: space } = unfinished;
    try {
      const left = {
        owner,
        memories: unfinished.memories && (await this.#buildMemories(owner)),
        conversationsOf: space !== null && (await this.#buildMessages(owner, space)) ? space : null,
      };
      await this.ctx.storage.put(UNFINISHED, left);
      if (left.memories || left.conversationsOf !== null)
        await this.ctx.storage.setAlarm(Date.now() + NEXT_STEP_MS);
    } catch (error) {
      console.warn({ message: "Building a search index has to wait.", error: String(error) });
      await this.ctx.storage.setAlarm(Date.now() + RETRY_MS);
    }
  }

  async #search(request: MemorySearchRequest): Promise<MemorySearchAnswer> {
    const { index, keeper } = await this.#openedMemories(request);
    const query = parseQuery(request.query);
    // Looked for while the index catches up, so that nobody waits for what most agents don't have.
    const begun = this.#meaningOf(request).then((found) => ({
      meaning: found,
      asked: query.kind === "words" ? found?.begin(request.query) : undefined,
    }));
    const [{ meaning, asked }] = await Promise.all([begun, keeper.catchUp()]);
    if (!keeper.isBuilding) meaning?.tidy();
    const meant = await asked?.();

    const { hits, total, stored } = index.search(query, request.limit, request.offset, meant?.near);
    if (hasMoreToDo(keeper, meaning)) await this.#leaveToAlarm(request, { memories: true });
    const notes = notesOf(keeper.isBuilding, total, stored);
    return { hits, total, notes: [...notes, ...(meant?.notes ?? [])] };
  }

  async #recall(request: RecallRequest): Promise<RecallAnswer> {
    const { index, keeper } = await this.#openedMessages(request, request.conversationsOf);
    await keeper.catchUp();

    const { query, limit, offset, exceptRunId, conversationsOf } = request;
    const { hits, total, stored } = index.search(parseQuery(query), limit, offset, exceptRunId);
    if (keeper.isBuilding) await this.#leaveToAlarm(request, { conversationsOf });
    return { hits, total, notes: notesOf(keeper.isBuilding, total, stored) };
  }

  /** Gives whether something is left. A server that does not embed is asked again by the next search, not by alarms. */
  async #buildMemories(owner: Owner): Promise<boolean> {
    const { keeper } = await this.#openedMemories(owner);
    const [meaning] = await Promise.all([this.#meaningOf(owner), keeper.catchUp()]);
    await meaning?.step();
    return hasMoreToDo(keeper, meaning);
  }

  async #buildMessages(owner: Owner, conversationsOf: string): Promise<boolean> {
    const { keeper } = await this.#openedMessages(owner, conversationsOf);
    await keeper.catchUp();
    return keeper.isBuilding;
  }

  /** Leaves what is left of the building to the alarm. */
  async #leaveToAlarm(
    { agentId, userId, account }: Owner,
    more: Partial<Pick<Unfinished, "memories" | "conversationsOf">>,
  ): Promise<void> {
    const before = await this.ctx.storage.get<Unfinished>(UNFINISHED);
    const nothing = { memories: false, conversationsOf: null, ...before };
    // Who recalls what was said does not tell the account, which the other index may need.
    const owner = { ...before?.owner, agentId, userId, ...(account !== undefined && { account }) };
    await this.ctx.storage.put(UNFINISHED, { ...nothing, ...more, owner });
    if ((await this.ctx.storage.getAlarm()) === null)
      await this.ctx.storage.setAlarm(Date.now() + NEXT_STEP_MS);
  }

  async #forget(): Promise<Response> {
    await Promise.all([this.#memories?.keeper.rest(), this.#messages?.keeper.rest()]);
    // Nobody may open an index that is about to lose its tables.
    await this.ctx.blockConcurrencyWhile(async () => {
      await this.ctx.storage.deleteAlarm();
      await this.ctx.storage.deleteAll();
      this.#memories = undefined;
      this.#messages = undefined;
      this.#meaning = undefined;
    });
    return new Response(null, { status: 204 });
  }

  async #openedMemories({ agentId, userId }: Owner): Promise<Memories> {
    if (this.#memories) return this.#memories;

    const { table, clock } = await portsFrom(this.env);
    // Another request may have been quicker.
    if (!this.#memories) {
      const index = new TextIndex(this.ctx.storage);
      const keeper = new IndexKeeper(index, table, memoryPartition(agentId, userId), clock.now);
      this.#memories = { index, keeper };
    }
    return this.#memories;
  }

  /** The same for all who ask at the same time. */
  #meaningOf(owner: Owner): Promise<Meaning | undefined> {
    this.#asking ??= this.#askForMeaning(owner).finally(() => {
      this.#asking = undefined;
    });
    return this.#asking;
  }

  /** What finds this memory by its meaning; nothing where there is no embedder, or it can't be looked for. */
  async #askForMeaning(owner: Owner): Promise<Meaning | undefined> {
    const known = this.#meaning;
    const ports = await portsFrom(this.env);
    const now = ports.clock.now();
    if (known && now - known.askedAt < EMBEDDER_MS) return known.meaning;

    let embedder: Embedder | undefined;
    try {
      embedder =
        owner.account === undefined ? ports.embedder : await embedderFor(ports, owner.account, owner.agentId);
    } catch (error) {
      console.warn({ message: "An agent's embeddings were not looked for.", error: String(error) });
      return known?.meaning;
    }

    // Made anew although it may be the same embedder: its credentials may be others. The vectors stay.
    const { index } = await this.#openedMemories(owner);
    const meaning =
      embedder &&
      new Meaning(new VectorShelf(this.ctx.storage, index, embedder.id), embedder, ports.clock.now);
    this.#meaning = { meaning, askedAt: now };
    return meaning;
  }

  async #openedMessages({ agentId }: Owner, conversationsOf: string): Promise<Messages> {
    if (this.#messages) return this.#messages;

    const { table, clock } = await portsFrom(this.env);
    if (!this.#messages) {
      const index = new MessageIndex(this.ctx.storage);
      this.#messages = {
        index,
        keeper: new MessageKeeper(index, table, { agentId, conversationsOf }, clock.now),
      };
    }
    return this.#messages;
  }
}

const answering = (answer: MemorySearchAnswer | RecallAnswer): Response =>
  Response.json({ answer } satisfies SearchReply<typeof answer>);

const hasMoreToDo = (keeper: IndexKeeper, meaning: Meaning | undefined): boolean =>
  keeper.isBuilding || (meaning !== undefined && meaning.isPending && !meaning.isResting);

const notesOf = (isBuilding: boolean, total: number, stored: number): readonly string[] => [
  ...(isBuilding ? ["index-building"] : []),
  ...(total > 0 ? [] : [stored === 0 ? "nothing-stored" : "nothing-matched"]),
];

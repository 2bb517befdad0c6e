import type { AgentBuilder, Answer } from "../../../client/src/index.ts";
import { ApiError } from "../../../client/src/index.ts";
import { bus } from "../bus.ts";
import type { Message } from "../types.ts";
import { beginTurn, type LiveTurn, type TurnEnd, withEvent } from "./live-turn.ts";

/** A text file that is sent with a message. */
export interface Attachment {
  readonly filename: string;
  readonly content: string;
  readonly size: number;
}

/** What a page shows of a conversation. */
export interface ThreadState {
  /** The stored messages that have been loaded, oldest first. */
  readonly messages: readonly Message[];
  /** Leads to the messages before them; null if there are none. */
  readonly earlier: string | null;
  readonly isLoading: boolean;
  /** Why messages could not be loaded. */
  readonly error: unknown;
  /** The turn that this page follows, or has followed last. */
  readonly live: LiveTurn | undefined;
  /** Whether the connection is lost, and the client is trying to get it back. */
  readonly isLost: boolean;
  /** Why the last message was refused. */
  readonly refusal: unknown;
}

const PAGE_SIZE = 30;

interface ThreadDeps {
  readonly client: AgentBuilder;
  readonly agentId: string;
  readonly conversationId: string;
}

/** A conversation that is shown: loads its messages, sends others, and follows the active turn, whoever has begun it. */
export class Thread {
  readonly #client: AgentBuilder;
  readonly #agentId: string;
  readonly conversationId: string;
  readonly #closing = new AbortController();
  readonly #listeners = new Set<(state: ThreadState) => void>();
  #answer: Answer | undefined;
  #isOpen = false;
  #isDeciding = false;
  #state: ThreadState = {
    messages: [],
    earlier: null,
    isLoading: true,
    error: undefined,
    live: undefined,
    isLost: false,
    refusal: undefined,
  };

  constructor({ client, agentId, conversationId }: ThreadDeps) {
    this.#client = client;
    this.#agentId = agentId;
    this.conversationId = conversationId;
  }

  get state(): ThreadState {
    return this.#state;
  }

  /** Calls the listener with each new state. Returns what ends that. */
  listen(listener: (state: ThreadState) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Loads the newest messages, and follows the active turn if there is one. The second call has no effect. */
  async open(): Promise<void> {
    if (this.#isOpen) return;
    this.#isOpen = true;
    await Promise.all([this.reload(), this.#followActive()]);
    const { live, messages } = this.#state;
    // The turn may have ended between the two requests, so that neither of them has brought its answer.
    if (live === undefined && messages.at(-1)?.role === "user") await this.reload();
  }

  /** Loads the newest messages again. Those before them that are shown stay. */
  async reload(): Promise<void> {
    this.#set({ isLoading: true, error: undefined });
    try {
      const page = await this.#page(null);
      const { messages } = this.#state;
      // What is not on the page and not before it is gone: an answer that was written again.
      const oldest = page.items.at(-1)?.created_at ?? "";
      const before = messages.filter(({ created_at: at }) => at < oldest);
      const isFirst = messages.length === 0;
      this.#set({
        messages: [...before, ...page.items.toReversed()],
        ...(isFirst && { earlier: page.next_cursor }),
        isLoading: false,
      });
    } catch (error) {
      this.#set({ isLoading: false, error });
    }
  }

  /** Loads the messages before those that are shown. */
  async loadEarlier(): Promise<void> {
    const { earlier, isLoading } = this.#state;
    if (earlier === null || isLoading) return;
    this.#set({ isLoading: true, error: undefined });
    try {
      const page = await this.#page(earlier);
      const { messages } = this.#state;
      this.#set({
        messages: [...page.items.toReversed(), ...messages],
        earlier: page.next_cursor,
        isLoading: false,
      });
    } catch (error) {
      this.#set({ isLoading: false, error });
    }
  }

  /** Sends a message and follows its turn to the end. Returns false at once if the service has refused it. */
  async send(content: string, attachments: readonly Attachment[]): Promise<boolean> {
    // The messages of this conversation are what is sent from here on.
    const isNew = !this.#isOpen;
    this.#isOpen = true;
    if (isNew) this.#set({ isLoading: false });
    this.#set({
      live: beginTurn({
        content,
        attachments: attachments.map(({ filename, size }) => ({ filename, size })),
      }),
      refusal: undefined,
    });
    const files = attachments.map((file) => ({ filename: file.filename, content: file.content }));
    return await this.#run(
      this.#client
        .agents(this.#agentId)
        .send(this.conversationId, { content, attachments: files }, this.#sending()),
    );
  }

  /** Has the last answer written again, or the last message answered if it has no answer, and follows the turn to the end. */
  async regenerate(messageId: string): Promise<void> {
    const { live } = this.#state;
    if (live !== undefined && live.end === undefined) return;
    this.#set({ live: beginTurn(undefined, messageId), refusal: undefined });
    const conversation = this.#client.conversations(this.conversationId);
    // Others may have followed in another tab.
    if (!(await this.#run(conversation.regenerate(messageId, this.#sending())))) await this.reload();
  }

  #sending() {
    return { ...this.#following(), timeZone: Intl.DateTimeFormat().resolvedOptions().timeZone };
  }

  /** Follows a turn that this page begins. Returns false at once if the service has refused it. */
  async #run(answer: Answer): Promise<boolean> {
    try {
      await this.#read(answer);
      return true;
    } catch (error) {
      if (this.#closing.signal.aborted) return true;
      if (this.#state.live?.runId !== undefined) {
        this.#end({ kind: "lost", error });
        return true;
      }
      this.#set({ live: undefined, refusal: error, isLost: false });
      // Another page has sent something meanwhile: its turn is shown.
      if (error instanceof ApiError && error.code === "conversation-busy") void this.#followActive();
      return false;
    }
  }

  /** Stops the active turn. What has been said stays. Throws what the client throws. */
  async stop(): Promise<void> {
    await this.#answer?.cancel();
  }

  /** Follows the turn again after the client has given up. */
  async resume(): Promise<void> {
    const { live } = this.#state;
    if (live?.runId === undefined || live.end?.kind !== "lost") return;
    this.#set({ live: { ...live, end: undefined } });
    const answer = this.#client
      .conversations(this.conversationId)
      .follow(live.runId, { ...this.#following(), after: live.seq });
    try {
      await this.#read(answer);
    } catch (error) {
      if (!this.#closing.signal.aborted) this.#end({ kind: "lost", error });
    }
  }

  /** Decides about a call that the turn waits for, and follows the turn again. Throws what the client throws. */
  async decide(callId: string, decision: "approve" | "reject"): Promise<void> {
    const { live } = this.#state;
    // After a second click, the turn would be followed twice, and its text shown twice.
    if (live?.runId === undefined || live.end?.kind !== "waiting" || this.#isDeciding) return;
    const conversation = this.#client.conversations(this.conversationId);
    this.#isDeciding = true;
    try {
      await conversation.decide(live.runId, callId, decision, { signal: this.#closing.signal });
      const answer = conversation.follow(live.runId, { ...this.#following(), after: live.seq });
      await this.#read(answer).catch((error: unknown) => {
        if (!this.#closing.signal.aborted) this.#end({ kind: "lost", error });
      });
    } finally {
      this.#isDeciding = false;
    }
  }

  /** Forgets why the last message was refused. */
  clearRefusal(): void {
    this.#set({ refusal: undefined });
  }

  /** Stops following. The service finishes its answer. */
  close(): void {
    this.#closing.abort();
    this.#listeners.clear();
  }

  async #followActive(): Promise<void> {
    const answer = this.#client.conversations(this.conversationId).follow("active", this.#following());
    try {
      await this.#read(answer);
    } catch (error) {
      if (this.#closing.signal.aborted) return;
      if (this.#state.live?.runId === undefined) this.#set({ error });
      else this.#end({ kind: "lost", error });
    }
  }

  /** Reads the events of a turn, the first of which shows that there is one. */
  async #read(answer: Answer): Promise<void> {
    this.#answer = answer;
    for await (const event of answer) {
      this.#set({ live: withEvent(this.#state.live ?? beginTurn(undefined), event), isLost: false });
      bus.emit({ type: "run-event", agentId: this.#agentId, conversationId: this.conversationId, event });
    }
    if (this.#answer === answer) this.#answer = undefined;
    const { live } = this.#state;
    if (live === undefined) return;
    // A run that had ended before it was followed again has no more events. What it has said is among the messages.
    if (live.end === undefined) this.#set({ live: undefined });
    // What it has said so far is not stored before it has ended.
    if (live.end?.kind === "waiting") return this.#tell("complete");
    await this.reload();
    const kind = live.end?.kind;
    this.#tell(kind === "error" || kind === "cancelled" ? kind : "complete");
  }

  #following() {
    return {
      signal: this.#closing.signal,
      onAbort: "leave",
      onConnection: (state: "lost" | "resumed") => this.#set({ isLost: state === "lost" }),
    } as const;
  }

  #end(end: TurnEnd): void {
    const { live } = this.#state;
    if (live) this.#set({ live: { ...live, end }, isLost: false });
    this.#tell("error");
  }

  #tell(outcome: "complete" | "cancelled" | "error"): void {
    bus.emit({ type: "run-ended", agentId: this.#agentId, conversationId: this.conversationId, outcome });
  }

  #page(cursor: string | null) {
    const settings = { limit: PAGE_SIZE, signal: this.#closing.signal };
    return this.#client.conversations(this.conversationId).messages(settings).page(cursor);
  }

  #set(changes: Partial<ThreadState>): void {
    if (this.#closing.signal.aborted) return;
    this.#state = { ...this.#state, ...changes };
    for (const listener of this.#listeners) listener(this.#state);
  }
}

/**
 * Returns the stored messages that are shown beside a turn. The turn itself shows its answer, and its question if it was sent from
 * this page; stored, they are the same again. An answer that is being written again is not shown, unless the turn fails.
 */
export function messagesBeside(messages: readonly Message[], live: LiveTurn | undefined): readonly Message[] {
  if (live === undefined) return messages;
  const { runId, question, replaces, end } = live;
  const isReplacing = replaces !== undefined && (end === undefined || end.kind === "complete");
  return messages.filter(
    ({ message_id: id, run_id, role }) =>
      (run_id !== (runId ?? "") || (role === "user" && question === undefined)) &&
      !(isReplacing && id === replaces && role !== "user"),
  );
}

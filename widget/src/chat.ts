import type { Answer } from "../../client/src/answer.ts";
import { ConnectionError } from "../../client/src/errors.ts";
import { newKey } from "../../client/src/transport.ts";
import type { Store } from "./store.ts";
import { beginTurn, type Turn, withEvent } from "./turn.ts";
import { type Config, isGone, SignInNeeded, type StoredMessage, type VisitorApi } from "./visitor-api.ts";

/** A message that is shown. Those that were never sent have no id of the service. */
export interface Shown extends StoredMessage {
  readonly isUnsent?: boolean;
}

/** What the widget shows. */
export interface ChatState {
  /** Undefined until the service has answered. */
  readonly config: Config | undefined;
  readonly isLoading: boolean;
  /** Why the chat could not be loaded. */
  readonly error: unknown;
  readonly needsSignIn: boolean;
  readonly messages: readonly Shown[];
  /** Leads to the messages before them. */
  readonly earlier: string | undefined;
  /** The turn that goes on, or has ended last. */
  readonly turn: Turn | undefined;
  /** Whether the connection is lost, and the client is trying to get it back. */
  readonly isLost: boolean;
}

const EMPTY = {
  messages: [],
  earlier: undefined,
  turn: undefined,
  isLost: false,
} as const;

export interface ChatDeps {
  readonly api: VisitorApi;
  readonly store: Store;
  /** The agent that the page expects; undefined for any. */
  readonly agentId: string | undefined;
}

/** The conversation of a visitor: loads its messages, sends others, and follows the answer that is being given. */
export class Chat {
  readonly #api: VisitorApi;
  readonly #store: Store;
  readonly #agentId: string | undefined;
  #answer: Answer | undefined;
  /** Resolves when the message that was sent last has a run, or will get none. */
  #begun: Promise<void> = Promise.resolve();
  /** A new one with each new conversation: what belongs to an earlier one is over. */
  #closing = new AbortController();
  #listener: () => void = () => undefined;
  #state: ChatState = {
    config: undefined,
    isLoading: false,
    error: undefined,
    needsSignIn: false,
    ...EMPTY,
  };

  constructor({ api, store, agentId }: ChatDeps) {
    this.#api = api;
    this.#store = store;
    this.#agentId = agentId;
  }

  get state(): ChatState {
    return this.#state;
  }

  /** Calls the listener after each change, in place of the one before. */
  listen(listener: () => void): void {
    this.#listener = listener;
  }

  /** Loads the chat as it was left, and follows the answer that is being given. Does nothing if it is loaded or being loaded. */
  async open(): Promise<void> {
    const { isLoading, config: loaded, error: failure } = this.#state;
    if (isLoading || (loaded && failure === undefined)) return;
    const { signal } = this.#closing;
    this.#set({ isLoading: true, error: undefined });
    try {
      const config = await this.#api.config();
      if (this.#agentId !== undefined && config.agent_id !== this.#agentId)
        throw new Error("The key of this chat belongs to another agent than data-agent names.");
      await this.#api.renew();
      const turn = await this.#restore();
      if (signal.aborted) return;
      this.#set({ config, needsSignIn: this.#api.needsSignIn, isLoading: false });
      await turn?.();
    } catch (error) {
      if (!signal.aborted) this.#set({ isLoading: false, error });
    }
  }

  /** Loads the messages before those that are shown. Throws what the request throws. */
  async loadEarlier(): Promise<void> {
    const { earlier, isLoading } = this.#state;
    const { conversationId } = this.#store.kept;
    if (earlier === undefined || isLoading || conversationId === undefined) return;
    const { signal } = this.#closing;
    this.#set({ isLoading: true });
    try {
      const page = await this.#api.messages(conversationId, earlier);
      if (signal.aborted) return;
      this.#set({ messages: [...page.items, ...this.#state.messages], earlier: page.earlier });
    } catch (error) {
      if (!signal.aborted) throw error;
    } finally {
      if (!signal.aborted) this.#set({ isLoading: false });
    }
  }

  /** Sends a message and follows its answer to the end. Does nothing while an answer is being given. */
  async send(content: string): Promise<void> {
    if (this.isBusy) return;
    this.#settle();
    await this.#sendAs({ content, key: newKey() });
  }

  /** Sends the message again that was not sent, or follows the answer again that was lost. */
  async retry(): Promise<void> {
    const { turn } = this.#state;
    if (turn?.end?.kind === "unsent" && turn.question) return await this.#sendAs(turn.question);
    const { conversationId } = this.#store.kept;
    if (turn?.end?.kind !== "lost" || conversationId === undefined) return;
    if (turn.question) return await this.#sendAs(turn.question);
    await this.#reload(conversationId);
  }

  /** Stops the answer, as soon as it has begun. What has been said stays. Throws what the request throws. */
  async stop(): Promise<void> {
    const { signal } = this.#closing;
    await this.#begun;
    if (!signal.aborted) await this.#answer?.cancel();
  }

  /** Begins a new conversation. An answer that is being given is finished in the old one. */
  startAnew(): void {
    this.#leave();
    this.#store.set({ conversationId: undefined, unsent: undefined });
    this.#set({ ...EMPTY, isLoading: false, error: undefined });
    // Does nothing unless the chat was still being loaded.
    void this.open();
  }

  /** Forgets the visitor and the conversation. */
  forget(): void {
    this.#leave();
    this.#api.forget();
    this.#set({ ...EMPTY, config: undefined, isLoading: false, error: undefined, needsSignIn: false });
  }

  /** Goes on as a visitor who has signed in. */
  async signIn(token: string): Promise<void> {
    const { signal } = this.#closing;
    this.#api.signIn(token);
    this.#set({ needsSignIn: false, error: undefined });
    try {
      const turn = await this.#restore();
      if (!signal.aborted) await turn?.();
    } catch (error) {
      if (!signal.aborted) this.#set({ error });
    }
  }

  /** Tries again what a lost connection has kept from happening. For when the browser is online again. */
  async reconnect(): Promise<void> {
    const { error, turn } = this.#state;
    if (error instanceof ConnectionError) return await this.open();
    const { end } = turn ?? {};
    if (end?.kind === "lost" || (end?.kind === "unsent" && end.error instanceof ConnectionError))
      await this.retry();
  }

  /** Whether an answer is being given. */
  get isBusy(): boolean {
    const { turn } = this.#state;
    return turn !== undefined && turn.end === undefined;
  }

  /** Loads what was said before the page was loaded. Returns what goes on with the turn of that time. */
  async #restore(): Promise<(() => Promise<void>) | undefined> {
    const { conversationId, unsent } = this.#store.kept;
    if (conversationId !== undefined && !this.#api.needsSignIn) await this.#load(conversationId);
    // The token may just have been refused.
    if (this.#api.needsSignIn) return undefined;
    if (unsent) return () => this.#sendAs(unsent);
    const { conversationId: still } = this.#store.kept;
    return still === undefined ? undefined : () => this.#followActive(still);
  }

  /** Privacy: messages that arrive after the visitor was forgotten are not shown, because somebody else may be looking. */
  async #load(conversationId: string): Promise<void> {
    const { signal } = this.#closing;
    try {
      const { items, earlier } = await this.#api.messages(conversationId, undefined);
      if (!signal.aborted) this.#set({ messages: items, earlier });
    } catch (error) {
      if (signal.aborted || error instanceof SignInNeeded) return;
      if (!isGone(error)) throw error;
      // It was deleted, or the visitor is another one now.
      this.#store.set({ conversationId: undefined });
    }
  }

  async #reload(conversationId: string): Promise<void> {
    const { signal } = this.#closing;
    try {
      await this.#load(conversationId);
      if (signal.aborted) return;
      this.#set({ turn: undefined });
      await this.#followActive(conversationId);
    } catch {
      this.#end({ kind: "lost" });
    }
  }

  async #followActive(conversationId: string): Promise<void> {
    const { signal } = this.#closing;
    try {
      await this.#read(this.#api.followActive(conversationId, this.#following(signal)), signal, undefined);
      // The turn may have ended between the two requests, so that neither of them has brought its answer.
      const { turn, messages } = this.#state;
      if (turn === undefined && messages.at(-1)?.role === "user") await this.#load(conversationId);
    } catch (error) {
      if (signal.aborted) return;
      if (this.#state.turn === undefined) this.#set({ error });
      else this.#end({ kind: "lost" });
    }
  }

  async #sendAs(question: { readonly content: string; readonly key: string }): Promise<void> {
    const { signal } = this.#closing;
    // Kept until the service has begun, so that a reload sends it once more: with the same key, it is the same message.
    this.#store.set({ unsent: question });
    // The answer before it may have been lost, and be written still. Whoever stops this one does not mean that one.
    this.#answer = undefined;
    let begin = (): void => undefined;
    this.#begun = new Promise((resolve) => {
      begin = resolve;
    });
    this.#set({ turn: beginTurn(question), isLost: false });
    try {
      await this.#inConversation((conversationId) => {
        const answer = this.#api.send(
          conversationId,
          question.content,
          question.key,
          this.#following(signal),
        );
        return this.#read(answer, signal, question, begin);
      });
    } catch (error) {
      if (signal.aborted) return;
      if (this.#state.turn?.runId !== undefined) return this.#end({ kind: "lost" });
      if (error instanceof SignInNeeded) this.#set({ needsSignIn: true });
      this.#end({ kind: "unsent", error });
    } finally {
      begin();
    }
  }

  /** Runs something in the visitor's conversation, and in a new one if there is none or it is gone. */
  async #inConversation(work: (conversationId: string) => Promise<void>): Promise<void> {
    const { conversationId } = this.#store.kept;
    if (conversationId !== undefined) {
      try {
        return await work(conversationId);
      } catch (error) {
        if (!isGone(error) || this.#state.turn?.runId !== undefined) throw error;
      }
    }
    const { signal } = this.#closing;
    const created = await this.#api.createConversation();
    signal.throwIfAborted();
    this.#store.set({ conversationId: created });
    await work(created);
  }

  /** Reads the events of a turn. Calls `begin` at the first one, which shows that the service has begun. */
  async #read(
    answer: Answer,
    signal: AbortSignal,
    question: Turn["question"],
    begin?: () => void,
  ): Promise<void> {
    this.#answer = answer;
    let turn = beginTurn(question);
    for await (const event of answer) {
      if (signal.aborted) return;
      if (turn.runId === undefined && question) this.#store.set({ unsent: undefined });
      turn = withEvent(turn, event);
      this.#set({ turn, isLost: false });
      begin?.();
    }
    if (this.#answer === answer) this.#answer = undefined;
  }

  #following(signal: AbortSignal) {
    return {
      signal,
      onAbort: "leave",
      onConnection: (state: "lost" | "resumed") => this.#set({ isLost: state === "lost" }),
    } as const;
  }

  #end(end: Turn["end"]): void {
    const { turn } = this.#state;
    if (turn) this.#set({ turn: { ...turn, end }, isLost: false });
  }

  /** Turns the last turn into messages, before another one begins. */
  #settle(): void {
    const { turn, messages } = this.#state;
    if (!turn) return;
    const isUnsent = turn.end?.kind === "unsent";
    const question: readonly Shown[] = turn.question
      ? [
          {
            message_id: turn.questionId ?? turn.question.key,
            role: "user",
            content: turn.question.content,
            isUnsent,
          },
        ]
      : [];
    const answer: readonly Shown[] =
      turn.text === ""
        ? []
        : [{ message_id: turn.answerId ?? `${turn.runId}-answer`, role: "assistant", content: turn.text }];
    this.#set({ messages: [...messagesBeside(messages, turn), ...question, ...answer], turn: undefined });
  }

  #leave(): void {
    this.#closing.abort();
    this.#closing = new AbortController();
    this.#answer = undefined;
  }

  #set(changes: Partial<ChatState>): void {
    this.#state = { ...this.#state, ...changes };
    this.#listener();
  }
}

/** Returns the stored messages that are shown beside a turn, which shows its question and its answer itself. */
export const messagesBeside = (messages: readonly Shown[], turn: Turn | undefined): readonly Shown[] =>
  messages.filter(
    ({ message_id: id }) => id !== turn?.answerId && (id !== turn?.questionId || turn.question === undefined),
  );

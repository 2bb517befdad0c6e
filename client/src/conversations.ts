import type {
  Conversation,
  ConversationChanges,
  ConversationContext,
  ConversationSummary,
  Message,
  NewConversation,
  Run,
  RunDetails,
} from "./api.ts";
import { Answer, type FollowOptions, openRun, type SendOptions } from "./answer.ts";
import { type ApiCalls, split, type WithSettings } from "./api-calls.ts";
import type { RequestSettings } from "./operations.ts";
import type { Pages } from "./pages.ts";
import { newKey } from "./transport.ts";

const CONVERSATION = "/conversations/{conversationId}";

type ListOptions = WithSettings<{ readonly limit?: number | undefined }>;

/** The conversations of the caller; called with an id, one of them. */
export type Conversations = ReturnType<typeof conversationsOf>;

export const conversationsOf = (api: ApiCalls) =>
  Object.assign((conversationId: string) => new ConversationClient(api, conversationId), {
    /** All conversations, newest first. */
    list: (options: ListOptions = {}): Pages<Conversation> => {
      const { query, ...settings } = split(options);
      return api.list("/conversations", { ...settings, query });
    },

    /** Starts a conversation. */
    create: async (conversation: NewConversation, settings: RequestSettings = {}): Promise<Conversation> =>
      (await api.request("POST", "/conversations", { ...settings, body: conversation })) as Conversation,
  });

/** A conversation. Making it sends nothing. */
export class ConversationClient {
  readonly #api: ApiCalls;
  readonly #path: { conversationId: string };
  readonly conversationId: string;

  /** @internal */
  constructor(api: ApiCalls, conversationId: string) {
    this.#api = api;
    this.conversationId = conversationId;
    this.#path = { conversationId };
  }

  /** Returns the conversation. */
  async get(settings: RequestSettings = {}): Promise<Conversation> {
    return await this.#api.request("GET", CONVERSATION, { ...settings, path: this.#path });
  }

  /** Changes the conversation; absent members keep their values. */
  async update(changes: ConversationChanges, settings: RequestSettings = {}): Promise<Conversation> {
    const options = { ...settings, path: this.#path, body: changes };
    return (await this.#api.request("PATCH", CONVERSATION, options)) as Conversation;
  }

  /** Deletes the conversation and its messages. Returns false if the service removes the rest after its answer. */
  async delete(settings: RequestSettings = {}): Promise<boolean> {
    return (await this.#api.request("DELETE", CONVERSATION, { ...settings, path: this.#path })) === undefined;
  }

  /** The messages. */
  messages(options: ListOptions = {}): Pages<Message> {
    const { query, ...settings } = split(options);
    return this.#api.list(`${CONVERSATION}/messages`, { ...settings, path: this.#path, query });
  }

  /** The runs, newest first. */
  runs(options: ListOptions = {}): Pages<Run> {
    const { query, ...settings } = split(options);
    return this.#api.list(`${CONVERSATION}/runs`, { ...settings, path: this.#path, query });
  }

  /** Returns a run, with the calls that it waits for. */
  async run(runId: string, settings: RequestSettings = {}): Promise<RunDetails> {
    const options = { ...settings, path: { ...this.#path, runId } };
    return await this.#api.request("GET", `${CONVERSATION}/runs/{runId}`, options);
  }

  /** Stops a run; the text so far is kept. Has no effect on a run that has ended. */
  async cancel(runId: string, settings: RequestSettings = {}): Promise<Run> {
    const options = { ...settings, path: { ...this.#path, runId } };
    return (await this.#api.request("POST", `${CONVERSATION}/runs/{runId}/cancel`, options)) as Run;
  }

  /**
   * Decides about a call that the run waits for. When all its calls are decided, the run goes on: follow it behind the last event.
   * `reason` tells the model why a call was rejected. Safe to repeat; another decision than before is a conflict.
   *
   * @example
   * await conversation.decide(runId, callId, "approve");
   * for await (const event of conversation.follow(runId, { after: answer.seq })) show(event);
   */
  async decide(
    runId: string,
    callId: string,
    decision: "approve" | "reject",
    { reason, ...settings }: WithSettings<{ readonly reason?: string | undefined }> = {},
  ): Promise<RunDetails> {
    const path = { ...this.#path, runId, callId };
    const body = reason === undefined ? { decision } : { decision, reason };
    const route = `${CONVERSATION}/runs/{runId}/approvals/{callId}` as const;
    return (await this.#api.request("POST", route, { ...settings, path, body })) as RunDetails;
  }

  /**
   * Follows a run that was begun elsewhere or before the page was loaded, from its beginning or behind the event `after`. Without
   * an id, the active run; if there is none, the answer has no events.
   *
   * @example
   * for await (const event of client.conversations(conversationId).follow()) show(event);
   */
  follow(
    runId = "active",
    { after = 0, ...options }: FollowOptions & { readonly after?: number | undefined } = {},
  ): Answer {
    const { transport } = this.#api;
    const { conversationId } = this;
    return new Answer({
      onAbort: "leave",
      ...options,
      transport,
      conversationId,
      after,
      begin: (signal) => openRun({ transport, conversationId, runId, after, signal }),
    });
  }

  /**
   * Has the last answer written again, and follows the new one. `messageId` names the answer, or a message whose run has failed
   * without one. The former answer is replaced when the new one is complete. Refused with 409 `conflict` if others have followed.
   *
   * @example
   * const answer = client.conversations(conversationId).regenerate(messageId);
   * console.log(await answer.text());
   */
  regenerate(messageId: string, options: SendOptions = {}): Answer {
    const { reasoning, timeZone, idempotencyKey = newKey(), ...following } = options;
    const { transport } = this.#api;
    const { conversationId } = this;
    return new Answer({
      onAbort: "cancel",
      ...following,
      transport,
      conversationId,
      after: 0,
      begin: (signal) =>
        transport.open("POST", `${CONVERSATION}/messages/{messageId}/regenerate`, {
          path: { conversationId, messageId },
          query: { reasoning: reasoning ? "1" : undefined },
          headers: { "X-Time-Zone": timeZone },
          idempotencyKey,
          signal,
        }),
    });
  }

  /** Returns what the model would read next, by section. */
  async context(
    options: WithSettings<{ readonly timeZone?: string | undefined }> = {},
  ): Promise<ConversationContext> {
    const { timeZone, ...settings } = options;
    return await this.#api.request("GET", `${CONVERSATION}/context`, {
      ...settings,
      path: this.#path,
      headers: { "X-Time-Zone": timeZone },
    });
  }

  /** Returns the summary of what is no longer part of the prompt. */
  async summary(settings: RequestSettings = {}): Promise<ConversationSummary> {
    return await this.#api.request("GET", `${CONVERSATION}/summary`, { ...settings, path: this.#path });
  }

  /** Deletes the summary, so that the next one is made from the messages. */
  async deleteSummary(settings: RequestSettings = {}): Promise<void> {
    await this.#api.request("DELETE", `${CONVERSATION}/summary`, { ...settings, path: this.#path });
  }
}

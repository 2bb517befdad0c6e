import { Answer, type FollowOptions, openRun } from "../../client/src/answer.ts";
import { ApiError } from "../../client/src/errors.ts";
import { Tokens } from "../../client/src/tokens.ts";
import { newKey, Transport, type TransportOptions } from "../../client/src/transport.ts";
import type { Options } from "./options.ts";
import type { Store } from "./store.ts";

/** What the service says about the key. */
export interface Config {
  readonly agent_id: string;
  readonly agent_name: string;
  readonly requires_sign_in: boolean;
  readonly sign_in_url: string | null;
}

export interface StoredMessage {
  readonly message_id: string;
  readonly role: "user" | "assistant";
  readonly content: string;
}

/** The visitor has to sign in before anything can be sent. */
export class SignInNeeded extends Error {}

/** How long an answer may take to begin, in milliseconds; and how often a request is repeated if that is safe. */
const TIMEOUT_MS = 60_000;
const RETRIES = 2;

const CONVERSATION = "/conversations/{conversationId}";

export interface VisitorApiDeps {
  /** The origin of the service. */
  readonly baseUrl: string;
  readonly options: Options;
  readonly store: Store;
}

/** The service as a visitor sees it. All methods throw what the client's requests throw, and `SignInNeeded`. */
export class VisitorApi {
  readonly #options: Options;
  readonly #store: Store;
  /** Sends requests with the key only. */
  readonly #keyed: Transport;
  /** Sends requests in the name of the visitor. Another visitor has another one, because it remembers the token. */
  #visiting: Transport;
  readonly #settings: Omit<TransportOptions, "tokens">;
  #requiresSignIn = false;

  constructor({ baseUrl, options, store }: VisitorApiDeps) {
    this.#options = options;
    this.#store = store;
    this.#settings = {
      baseUrl: `${baseUrl}/widget`,
      // Cookies of the service belong to accounts, and are of no concern to a visitor.
      credentials: "omit",
      timeoutMs: TIMEOUT_MS,
      retries: RETRIES,
      fetch: (url: string, init: RequestInit) => {
        const headers = new Headers(init.headers);
        headers.set("x-api-key", options.key);
        return globalThis.fetch(url, { ...init, headers });
      },
    };
    this.#keyed = new Transport({ ...this.#settings, tokens: new Tokens({}) });
    this.#visiting = this.#asVisitor();
  }

  /** Whether the visitor has to sign in before anything can be sent. */
  get needsSignIn(): boolean {
    return this.#requiresSignIn && !this.#isSignedByOwner && this.#store.kept.token === undefined;
  }

  async config(): Promise<Config> {
    const { data } = await this.#keyed.exchange("GET", "/config", {});
    const config = data as Config;
    this.#requiresSignIn = config.requires_sign_in;
    // Only the tokens of visitors who have not signed in are renewed. The key may have admitted them before.
    if (config.requires_sign_in && this.#store.kept.renewAt !== undefined)
      this.#store.set({ token: undefined, renewAt: undefined });
    return config;
  }

  /** Creates a conversation and returns its id. */
  async createConversation(): Promise<string> {
    const { data } = await this.#visiting.exchange("POST", "/conversations", {
      body: {},
      headers: { "idempotency-key": newKey() },
    });
    return (data as { conversation_id: string }).conversation_id;
  }

  /** Returns messages, oldest first, and what leads to those before them. */
  async messages(
    conversationId: string,
    cursor: string | undefined,
  ): Promise<{ items: readonly StoredMessage[]; earlier: string | undefined }> {
    const { data, headers } = await this.#visiting.exchange("GET", `${CONVERSATION}/messages`, {
      path: { conversationId },
      query: { limit: 50, cursor },
    });
    return { items: data as readonly StoredMessage[], earlier: headers.get("next-cursor") ?? undefined };
  }

  /** Returns the answer to a message. Sending it again with the same key is the same turn. */
  send(conversationId: string, content: string, key: string, options: FollowOptions): Answer {
    return this.#answer(conversationId, options, (signal) =>
      this.#visiting.open("POST", `${CONVERSATION}/messages`, {
        path: { conversationId },
        body: { content },
        headers: { "idempotency-key": key },
        signal,
      }),
    );
  }

  /** Follows the answer that is being given, if there is one, from its beginning. */
  followActive(conversationId: string, options: FollowOptions): Answer {
    return this.#answer(conversationId, options, (signal) =>
      openRun({ transport: this.#visiting, conversationId, runId: "active", after: 0, signal }),
    );
  }

  /** Renews the token of a visitor who has not signed in, so that the conversation is still theirs on the next visit. */
  async renew(): Promise<void> {
    const { token, renewAt } = this.#store.kept;
    if (token === undefined || renewAt === undefined || Date.now() < renewAt) return;
    const visiting = this.#visiting;
    try {
      await this.#visit({ authorization: `Bearer ${token}` });
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== 401) throw error;
      // It has expired, or the visitor was deleted.
      if (visiting === this.#visiting) this.#store.set({ token: undefined, renewAt: undefined });
    }
    if (visiting === this.#visiting) this.#visiting = this.#asVisitor();
  }

  /** Sends from now on with the token of a visitor who has signed in. */
  signIn(token: string): void {
    this.#store.set({ token, renewAt: undefined });
    this.#visiting = this.#asVisitor();
  }

  /** Forgets the visitor. */
  forget(): void {
    this.#store.clear();
    this.#visiting = this.#asVisitor();
  }

  #asVisitor(): Transport {
    const tokens = new Tokens({ getToken: ({ refused }) => this.#token(refused) });
    return new Transport({ ...this.#settings, tokens });
  }

  get #isSignedByOwner(): boolean {
    const { userToken, userTokenCallback } = this.#options;
    return userToken !== undefined || userTokenCallback !== undefined;
  }

  async #token(refused: string | undefined): Promise<string | undefined> {
    if (this.#isSignedByOwner) return await this.#ownersToken(refused);
    const { token } = this.#store.kept;
    if (token !== undefined && token !== refused) return token;
    if (this.#requiresSignIn) {
      this.#store.set({ token: undefined });
      throw new SignInNeeded();
    }
    return await this.#visit();
  }

  async #ownersToken(refused: string | undefined): Promise<string | undefined> {
    const { userToken, userTokenCallback } = this.#options;
    // Without another one, the refusal is what the person sees.
    if (userTokenCallback === undefined) return userToken === refused ? undefined : userToken;
    const callback: unknown = Reflect.get(globalThis, userTokenCallback);
    if (typeof callback !== "function")
      throw new Error(`data-user-token-callback: the page has no function ${userTokenCallback}.`);
    const token: unknown = await callback();
    return typeof token === "string" && token !== "" ? token : undefined;
  }

  /** Gets a token and keeps it, unless the visitor was forgotten or has signed in meanwhile. */
  async #visit(headers: Readonly<Record<string, string>> = {}): Promise<string> {
    const visiting = this.#visiting;
    const { data } = await this.#keyed.exchange("POST", "/visitors", {
      body: {},
      headers,
      // If the answer is lost, there is one end user more, whom nobody is.
      isRepeatable: true,
    });
    const { access_token: token, expires_in: seconds } = data as { access_token: string; expires_in: number };
    if (visiting === this.#visiting) this.#store.set({ token, renewAt: Date.now() + seconds * 500 });
    return token;
  }

  #answer(
    conversationId: string,
    options: FollowOptions,
    begin: (signal: AbortSignal) => ReturnType<typeof openRun>,
  ): Answer {
    return new Answer({ transport: this.#visiting, conversationId, begin, after: 0, ...options });
  }
}

/** Whether a conversation is not there, or not this visitor's. */
export const isGone = (error: unknown): boolean => error instanceof ApiError && error.status === 404;

import { Account, ApiKeys, Settings, UsageClient } from "./account.ts";
import { type Agents, agentsOf } from "./agents.ts";
import { ApiCalls } from "./api-calls.ts";
import { type Conversations, conversationsOf } from "./conversations.ts";
import { type KnowledgeBases, knowledgeBasesOf } from "./knowledge.ts";
import type { AnsweredPath, AnswerOf, Arguments, EventOf, Method, StreamedPath } from "./operations.ts";
import { type Credentials, Tokens } from "./tokens.ts";
import { type Exchange, type Fetch, Transport } from "./transport.ts";

/** Where the API is, who is asking, and how. */
export type ClientOptions = Credentials & {
  /** The address of the API, such as `https://api.example.com`. */
  readonly baseUrl: string;
  /** Used instead of the platform's `fetch`. */
  readonly fetch?: Fetch | undefined;
  /** What `fetch` does with cookies. Only the session of a browser needs one: `include` if the page has another origin. */
  readonly credentials?: "omit" | "same-origin" | "include" | undefined;
  /** How long an answer may take, in milliseconds; 60,000 by default. Streams only have to begin within it. */
  readonly timeoutMs?: number | undefined;
  /** How often a request is repeated if that is safe; 2 by default. */
  readonly retries?: number | undefined;
};

const TIMEOUT_MS = 60_000;
const RETRIES = 2;

/**
 * The client of the Dynamic Agent Builder API.
 *
 * @example
 * const client = new AgentBuilder({ baseUrl: "https://api.example.com", apiKey: process.env.AGENT_BUILDER_KEY });
 * const { conversation_id } = await client.conversations.create({ title: "Hello", agent_id: agentId });
 * console.log(await client.agents(agentId).send(conversation_id, "Hello!").text());
 */
export class AgentBuilder {
  readonly #api: ApiCalls;
  readonly agents: Agents;
  readonly conversations: Conversations;
  readonly knowledgeBases: KnowledgeBases;
  readonly settings: Settings;
  readonly usage: UsageClient;
  readonly apiKeys: ApiKeys;
  readonly account: Account;

  constructor(options: ClientOptions) {
    const { baseUrl, fetch, credentials, timeoutMs = TIMEOUT_MS, retries = RETRIES } = options;
    const api = new ApiCalls({
      transport: new Transport({
        baseUrl: baseUrl.replace(/\/$/u, ""),
        tokens: new Tokens(options),
        // Browsers refuse to call `fetch` as the method of another object.
        fetch: fetch ?? ((url, init) => globalThis.fetch(url, init)),
        credentials,
        timeoutMs,
        retries,
      }),
    });

    this.#api = api;
    this.agents = agentsOf(api);
    this.conversations = conversationsOf(api);
    this.knowledgeBases = knowledgeBasesOf(api);
    this.settings = new Settings(api);
    this.usage = new UsageClient(api);
    this.apiKeys = new ApiKeys(api);
    this.account = new Account(api);
  }

  /**
   * Sends any request of the API, with the parameters, the body and the answer of that operation. Returns the answer; undefined if it
   * has no body.
   *
   * Requests that may be sent twice are repeated after a lost connection, a timeout, a 429 or a 503: reading ones, and those with an
   * `Idempotency-Key`, which operations that take one get by themselves.
   *
   * Throws `ApiError` if the API refuses the request, `ConnectionError` if there is no answer, the signal's reason if it is aborted,
   * and what `getToken` throws. An API key that may write but not read gets ids and times only, which the type of the answer says.
   *
   * @example
   * const agent = await client.request("GET", "/agents/{agentId}", { path: { agentId } });
   */
  async request<M extends Method, P extends AnsweredPath<M>>(
    method: M,
    path: P,
    ...options: Arguments<M, P>
  ): Promise<AnswerOf<M, P>> {
    return await this.#api.request(method, path, ...options);
  }

  /** Like `request`, with the status and the headers of the answer, such as `ETag` and `RateLimit`. */
  async exchange<M extends Method, P extends AnsweredPath<M>>(
    method: M,
    path: P,
    ...options: Arguments<M, P>
  ): Promise<Exchange<AnswerOf<M, P>>> {
    return await this.#api.exchange(method, path, ...options);
  }

  /**
   * Yields the events of an operation that streams them, or the lines of an export. A lost connection is not resumed and throws a
   * `ConnectionError`; `send`, `follow` and `followCrawlJob` resume theirs.
   */
  events<M extends Method, P extends StreamedPath<M>>(
    method: M,
    path: P,
    ...options: Arguments<M, P>
  ): AsyncGenerator<EventOf<M, P>, void, void> {
    return this.#api.events(method, path, ...options);
  }
}

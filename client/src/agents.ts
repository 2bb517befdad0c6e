import type {
  Agent,
  AgentChanges,
  ClientToken,
  Conversation,
  EndUser,
  ExportLine,
  Form,
  FoundMessages,
  FoundPassages,
  KnowledgeBase,
  KnowledgeBaseLink,
  KnowledgeSearch,
  Message,
  NewAgent,
  NewClientToken,
  NewMessage,
} from "./api.ts";
import { Answer, type SendOptions } from "./answer.ts";
import { type ApiCalls, split, type WithSettings } from "./api-calls.ts";
import { ArchivalMemory, CoreMemory, type MemoryPlace } from "./memory.ts";
import type { QueryOf, RequestSettings } from "./operations.ts";
import type { Pages } from "./pages.ts";
import { newKey } from "./transport.ts";

const AGENT = "/agents/{agentId}";
const END_USERS = `${AGENT}/end-users` as const;
const END_USER = `${END_USERS}/{endUserId}` as const;
const LINKS = `${AGENT}/knowledge-bases` as const;

type RecallOptions = WithSettings<
  Omit<QueryOf<"GET", "/agents/{agentId}/recall">, "query" | "end_user" | "end_user_id">
>;

/** The agents of the account; called with an id, one of them. */
export type Agents = ReturnType<typeof agentsOf>;

export const agentsOf = (api: ApiCalls) =>
  Object.assign((agentId: string) => new AgentClient(api, agentId), {
    /** Returns all agents of the account. */
    list: async (settings: RequestSettings = {}): Promise<Agent[]> =>
      await api.request("GET", "/agents", settings),

    /** Creates an agent. */
    create: async (agent: NewAgent, settings: RequestSettings = {}): Promise<Agent> =>
      (await api.request("POST", "/agents", { ...settings, body: agent })) as Agent,

    /** Returns the form that asks for a new agent. */
    form: async (settings: RequestSettings = {}): Promise<Form> =>
      await api.request("GET", "/agents/supported-models", settings),
  });

/** An agent. Making it sends nothing. */
export class AgentClient {
  readonly #api: ApiCalls;
  readonly #place: MemoryPlace;
  readonly #path: { agentId: string };
  readonly agentId: string;

  /** @internal */
  constructor(api: ApiCalls, agentId: string) {
    this.#api = api;
    this.agentId = agentId;
    this.#path = { agentId };
    this.#place = { api, agentId, endUserId: undefined };
  }

  /** Returns the agent. */
  async get(settings: RequestSettings = {}): Promise<Agent> {
    return await this.#api.request("GET", AGENT, { ...settings, path: this.#path });
  }

  /** Changes the agent; absent members keep their values. */
  async update(changes: AgentChanges, settings: RequestSettings = {}): Promise<Agent> {
    const options = { ...settings, path: this.#path, body: changes };
    return (await this.#api.request("PATCH", AGENT, options)) as Agent;
  }

  /** Deletes the agent with its conversations and memories. Returns false if the service removes the rest after its answer. */
  async delete(settings: RequestSettings = {}): Promise<boolean> {
    return (await this.#api.request("DELETE", AGENT, { ...settings, path: this.#path })) === undefined;
  }

  /** Returns the form with the agent's values. */
  async form(settings: RequestSettings = {}): Promise<Form> {
    return await this.#api.request("GET", "/agents/update-schema/{agentId}", {
      ...settings,
      path: this.#path,
    });
  }

  /**
   * Sends a message and follows its answer. Nothing is sent before the answer is read: by a loop, or by `text()`. A message whose
   * first answer is lost is not sent twice.
   *
   * @example
   * const answer = client.agents(agentId).send(conversationId, "What do you know about me?");
   * console.log(await answer.text());
   */
  send(conversationId: string, message: string | NewMessage, options: SendOptions = {}): Answer {
    const { reasoning, timeZone, idempotencyKey = newKey(), ...following } = options;
    const { transport } = this.#api;
    return new Answer({
      onAbort: "cancel",
      ...following,
      transport,
      conversationId,
      after: 0,
      begin: (signal) =>
        transport.open("POST", "/agents/{agentId}/{conversationId}/send-message", {
          path: { ...this.#path, conversationId },
          query: { reasoning: reasoning ? "1" : undefined },
          headers: { "X-Time-Zone": timeZone },
          body: typeof message === "string" ? { content: message } : message,
          idempotencyKey,
          signal,
        }),
    });
  }

  /** The account's own core memory with the agent. */
  get memory(): CoreMemory {
    return new CoreMemory(this.#place);
  }

  /** The account's own archival memory with the agent. */
  get archive(): ArchivalMemory {
    return new ArchivalMemory(this.#place);
  }

  /** Searches the earlier messages of the account with the agent. */
  async recall(query: string, options: RecallOptions = {}): Promise<FoundMessages> {
    return await recall(this.#place, query, options);
  }

  /** Returns the knowledge bases that the agent may search. */
  async knowledgeBases(settings: RequestSettings = {}): Promise<KnowledgeBase[]> {
    return await this.#api.request("GET", LINKS, { ...settings, path: this.#path });
  }

  /** Lets the agent search a knowledge base. */
  async linkKnowledgeBase(kbId: string, settings: RequestSettings = {}): Promise<KnowledgeBaseLink> {
    const options = { ...settings, path: this.#path, query: { kb_id: kbId } };
    return await this.#api.request("POST", LINKS, options);
  }

  /** Takes a knowledge base away from the agent. */
  async unlinkKnowledgeBase(kbId: string, settings: RequestSettings = {}): Promise<void> {
    await this.#api.request("DELETE", `${LINKS}/{kbId}`, { ...settings, path: { ...this.#path, kbId } });
  }

  /** Searches the knowledge bases of the agent, as its tool does. */
  async searchKnowledge(
    search: string | KnowledgeSearch,
    settings: RequestSettings = {},
  ): Promise<FoundPassages> {
    const body = typeof search === "string" ? { query: search } : search;
    return await this.#api.request("POST", `${AGENT}/knowledge-search`, {
      ...settings,
      path: this.#path,
      body,
    });
  }

  /** Creates a token with which a person without an account talks to the agent. */
  async createClientToken(token: NewClientToken, settings: RequestSettings = {}): Promise<ClientToken> {
    const options = { ...settings, path: this.#path, body: token };
    return (await this.#api.request("POST", `${AGENT}/client-tokens`, options)) as ClientToken;
  }

  /** The people who talk to the agent without an account. */
  endUsers(options: WithSettings<{ readonly limit?: number | undefined }> = {}): Pages<EndUser> {
    const { query, ...settings } = split(options);
    return this.#api.list(END_USERS, { ...settings, path: this.#path, query });
  }

  /** A person who talks to the agent without an account. Sends nothing. */
  endUser(endUserId: string): EndUserClient {
    return new EndUserClient({ ...this.#place, endUserId });
  }
}

/** An end user of an agent, as the agent's owner sees them. */
export class EndUserClient {
  readonly #api: ApiCalls;
  readonly #place: MemoryPlace;
  readonly #path: { agentId: string; endUserId: string };

  /** @internal */
  constructor(place: MemoryPlace & { readonly endUserId: string }) {
    this.#api = place.api;
    this.#place = place;
    this.#path = { agentId: place.agentId, endUserId: place.endUserId };
  }

  /** Returns the end user. */
  async get(settings: RequestSettings = {}): Promise<EndUser> {
    return await this.#api.request("GET", END_USER, { ...settings, path: this.#path });
  }

  /** Deletes everything about the end user. Returns false if the service removes the rest after its answer. */
  async delete(settings: RequestSettings = {}): Promise<boolean> {
    return (await this.#api.request("DELETE", END_USER, { ...settings, path: this.#path })) === undefined;
  }

  /** Everything that is stored about the end user, line by line. */
  export(settings: RequestSettings = {}): AsyncGenerator<ExportLine, void, void> {
    return this.#api.events("GET", `${END_USER}/export`, { ...settings, path: this.#path });
  }

  conversations(options: WithSettings<{ readonly limit?: number | undefined }> = {}): Pages<Conversation> {
    const { query, ...settings } = split(options);
    return this.#api.list(`${END_USER}/conversations`, { ...settings, path: this.#path, query });
  }

  messages(
    conversationId: string,
    options: WithSettings<{ readonly limit?: number | undefined }> = {},
  ): Pages<Message> {
    const { query, ...settings } = split(options);
    return this.#api.list(`${END_USER}/conversations/{conversationId}/messages`, {
      ...settings,
      path: { ...this.#path, conversationId },
      query,
    });
  }

  /** The end user's core memory. */
  get memory(): CoreMemory {
    return new CoreMemory(this.#place);
  }

  /** The end user's archival memory. */
  get archive(): ArchivalMemory {
    return new ArchivalMemory(this.#place);
  }

  /** Searches the end user's earlier messages. */
  async recall(query: string, options: RecallOptions = {}): Promise<FoundMessages> {
    return await recall(this.#place, query, options);
  }
}

async function recall(
  { api, agentId, endUserId }: MemoryPlace,
  query: string,
  options: RecallOptions,
): Promise<FoundMessages> {
  const { query: others, ...settings } = split(options);
  return await api.request("GET", "/agents/{agentId}/recall", {
    ...settings,
    path: { agentId },
    query: { ...others, query, end_user_id: endUserId },
  });
}

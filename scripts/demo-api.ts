import { field, parseJson } from "./json.ts";

const USERNAME = "demo";
/** Not a secret: accounts with passwords exist only in local development. */
const PASSWORD = "demo-password";

/** The agent that the demo talks to. */
export interface Agent {
  readonly agentId: string;
  readonly agentName: string;
}

/** The parts of an event that the demo shows. */
export interface StreamEvent {
  readonly type: string;
  readonly content: string;
  readonly toolName: string;
  readonly toolArgs: unknown;
  readonly success: unknown;
}

/**
 * The API requests that the demo needs. Every method throws an error with one readable sentence.
 */
export class DemoApi {
  readonly #url: string;
  readonly #token: string;

  private constructor(url: string, token: string) {
    this.#url = url;
    this.#token = token;
  }

  /** Creates the demo's account, or logs in if it exists. `url` is the address of the API. */
  static async signIn(url: string): Promise<DemoApi> {
    const account = { username: USERNAME, password: PASSWORD };
    try {
      return new DemoApi(url, text(await request(url, "POST", "/auth/local/signup", account), "token"));
    } catch (error) {
      if (!(error instanceof Error) || !error.message.includes("Username already taken")) throw error;
    }
    return new DemoApi(url, text(await request(url, "POST", "/auth/local/login", account), "token"));
  }

  /** Returns the demo's agent: the API answers with the existing one when the name is in use. */
  async createAgent(): Promise<Agent> {
    const agentName = "Demo agent";
    const created = await this.#request("POST", "/agents", {
      agent_name: agentName,
      agent_architecture: "krishna-memgpt",
      agent_provider: "Demo",
      agent_model: "demo",
      agent_persona: "A friendly assistant that remembers what it is told.",
    });
    return { agentId: text(created, "agent_id"), agentName };
  }

  /** Opens a conversation and returns its id. */
  async openConversation(agent: Agent, title: string): Promise<string> {
    return text(
      await this.#request("POST", "/conversations", { title, agent_id: agent.agentId }),
      "conversation_id",
    );
  }

  /** Returns the content of a core memory block. */
  async readMemory(agent: Agent, block: string): Promise<unknown> {
    return await this.#request("GET", `/agents/${agent.agentId}/memory-blocks/${block}/content`);
  }

  /** Sends a message and returns the events of the turn as they come. */
  async *send(agent: Agent, conversationId: string, content: string): AsyncGenerator<StreamEvent> {
    const path = `/agents/${agent.agentId}/${conversationId}/send-message`;
    const response = await open(this.#url, "POST", path, { content }, this.#token);
    if (response.body === null) throw new Error("The answer has no body.");

    let ended = false;
    for await (const data of dataLines(response.body)) {
      const event = toEvent(parseJson(data));
      ended ||= event.type === "STREAM_COMPLETE" || event.type === "ERROR";
      yield event;
    }
    if (!ended) throw new Error("The stream ended in the middle of the answer.");
  }

  #request(method: string, path: string, body?: object): Promise<unknown> {
    return request(this.#url, method, path, body, this.#token);
  }
}

async function request(
  url: string,
  method: string,
  path: string,
  body?: object,
  token?: string,
): Promise<unknown> {
  const response = await open(url, method, path, body, token);
  return parseJson(await response.text());
}

/** Sends a request and returns its answer when it is a success; otherwise throws what the API says is wrong. */
async function open(
  url: string,
  method: string,
  path: string,
  body?: object,
  token?: string,
): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(`${url}${path}`, {
      method,
      headers: {
        ...(body === undefined ? {} : { "content-type": "application/json" }),
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  } catch (cause) {
    throw new Error(`Nothing answers at ${url}. Start it first: npm run dev`, { cause });
  }
  if (response.ok) return response;

  const detail = field(parseJson(await response.text()), "detail");
  const sentence = typeof detail === "string" ? detail : JSON.stringify(detail ?? "no detail");
  throw new Error(`${method} ${path} answered ${response.status}: ${sentence}`);
}

/** Cuts a stream of server-sent events into their data; comments carry none. */
async function* dataLines(body: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  let rest = "";
  for await (const piece of body.pipeThrough(new TextDecoderStream())) {
    const blocks = (rest + piece).split("\n\n");
    rest = blocks.pop() ?? "";
    for (const block of blocks) {
      const lines = block.split("\n").filter((line) => line.startsWith("data:"));
      if (lines.length > 0) yield lines.map((line) => line.slice(5).trimStart()).join("\n");
    }
  }
}

function toEvent(data: unknown): StreamEvent {
  return {
    type: textOrNothing(data, "event_type"),
    content: textOrNothing(data, "content"),
    toolName: textOrNothing(data, "tool_name"),
    toolArgs: field(data, "tool_args"),
    success: field(data, "success"),
  };
}

function textOrNothing(data: unknown, key: string): string {
  const value = field(data, key);
  return typeof value === "string" ? value : "";
}

function text(answer: unknown, key: string): string {
  const value = field(answer, key);
  if (typeof value !== "string") throw new Error(`The answer has no ${key}: ${JSON.stringify(answer)}`);
  return value;
}

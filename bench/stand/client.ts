import { Agent, get, request as httpRequest } from "node:http";
import { field, parseJson } from "../../scripts/json.ts";

/** The outcome of a message. */
export interface Sent {
  /** `answered`, or the reason why not: `refused` (503 with `Retry-After`), `limited` (429) or `failed`. */
  readonly outcome: "answered" | "refused" | "limited" | "failed";
  readonly status: number;
  /** Milliseconds until the status, and until the end of the answer. */
  readonly begunMs: number;
  readonly endedMs: number;
  /** Milliseconds until the first text of the answer; undefined if there was none. */
  readonly firstTextMs: number | undefined;
  /** The end as a value of `performance.now()`. */
  readonly endedAt: number;
  /** What went wrong, for a report. */
  readonly detail: string;
}

/** A client of the API for one account. */
export class LoadClient {
  readonly #url: URL;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: Number.POSITIVE_INFINITY });
  #token = "";
  /** The e-mail address of the account, once it has signed up. */
  email = "";

  constructor(url: string) {
    this.#url = new URL(url);
  }

  /** Signs up with a new account. */
  async signUp(username: string): Promise<void> {
    const { body } = await this.json("POST", "/auth/local/signup", {
      username,
      password: `${username}-password`,
    });
    this.#token = String(body["token"]);
    this.email = String(body["email"]);
  }

  /** Creates an agent with a model of the stand, and returns its id. */
  async createAgent(model: string): Promise<string> {
    const { body } = await this.json("POST", "/agents", {
      agent_name: `Agent ${crypto.randomUUID()}`,
      agent_architecture: "krishna-memgpt",
      agent_provider: "Demo",
      agent_model: model,
      agent_persona: "You are helpful.",
    });
    return String(body["agent_id"]);
  }

  /** The headers of a request for this account. */
  get headers(): Readonly<Record<string, string>> {
    return this.#token === "" ? {} : { authorization: `Bearer ${this.#token}` };
  }

  /** Creates conversations with an agent, and returns their ids. */
  async converse(agentId: string, count: number): Promise<string[]> {
    const ids: string[] = [];
    const workers = Array.from({ length: Math.min(8, count) }, async () => {
      while (ids.length < count) {
        const index = ids.push("") - 1;
        const { body } = await this.json("POST", "/conversations/", { title: "Load", agent_id: agentId });
        ids[index] = String(body["conversation_id"]);
      }
    });
    await Promise.all(workers);
    return ids;
  }

  /** Sends a request and reads its JSON. Throws if the status is not one of success. */
  async json(method: string, path: string, body?: unknown) {
    const response = await this.open(method, path, body);
    const text = await response.text();
    if (response.status >= 300) throw new Error(`${method} ${path}: ${response.status} ${text}`);
    // The API answers with JSON objects.
    return { status: response.status, body: JSON.parse(text || "{}") as Record<string, unknown> };
  }

  /**
   * Sends a message and reads the whole answer; `onText` gets each piece of it, as soon as it arrives. Never rejects, unless
   * `onText` throws.
   */
  async send(
    agentId: string,
    conversationId: string,
    content: string,
    onText?: (text: string) => void,
  ): Promise<Sent> {
    const startedAt = performance.now();
    const passed = () => performance.now() - startedAt;
    let begunMs: number | undefined;
    let firstTextMs: number | undefined;
    const ended = () => ({ firstTextMs, endedMs: passed(), endedAt: performance.now() });
    try {
      const path = `/agents/${agentId}/${conversationId}/send-message`;
      const response = await this.open("POST", path, { content });
      begunMs = passed();
      const text = await response.text((frame) => {
        if (!frame.includes('"event_type":"AGENT_RESPONSE_TO_USER"')) return;
        firstTextMs ??= passed();
        onText?.(String(field(parseJson(frame.slice("data: ".length)), "content")));
      });
      const outcome = outcomeOf(response.status, response.headers["retry-after"], text);
      const detail = outcome === "answered" ? "" : `${response.status} ${text.slice(-300)}`;
      return { outcome, status: response.status, begunMs, detail, ...ended() };
    } catch (error) {
      const detail = error instanceof Error ? error.message : String(error);
      return { outcome: "failed", status: 0, begunMs: begunMs ?? passed(), detail, ...ended() };
    }
  }

  /** Sends a request; resolves with its status as soon as there is one. */
  open(method: string, path: string, body?: unknown) {
    interface Opened {
      readonly status: number;
      readonly headers: Readonly<Record<string, string | string[] | undefined>>;
      /** Reads the body. `onFrame` gets each frame of an event stream as soon as it has arrived. */
      text(onFrame?: (frame: string) => void): Promise<string>;
      /** Disconnects. */
      leave(): void;
    }
    const payload = body === undefined ? undefined : JSON.stringify(body);
    return new Promise<Opened>((resolve, reject) => {
      const request = httpRequest(
        {
          hostname: this.#url.hostname,
          port: this.#url.port,
          method,
          path,
          agent: this.#agent,
          headers: {
            ...this.headers,
            ...(payload !== undefined && {
              "content-type": "application/json",
              "content-length": Buffer.byteLength(payload),
            }),
          },
        },
        (response) =>
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            leave: () => response.destroy(),
            async text(onFrame) {
              response.setEncoding("utf8");
              let text = "";
              let rest = "";
              for await (const piece of response) {
                text += String(piece);
                if (onFrame) rest = passFrames(rest + String(piece), onFrame);
              }
              return text;
            },
          }),
      );
      request.on("error", reject);
      request.end(payload);
    });
  }

  close(): void {
    this.#agent.destroy();
  }
}

/** Passes the whole frames of a text on, and returns what follows the last one. */
function passFrames(text: string, onFrame: (frame: string) => void): string {
  const frames = text.split("\n\n");
  const rest = frames.pop() ?? "";
  for (const frame of frames) onFrame(frame);
  return rest;
}

function outcomeOf(status: number, retryAfter: string | string[] | undefined, text: string): Sent["outcome"] {
  if (status === 200 && text.includes('"event_type":"STREAM_COMPLETE"')) return "answered";
  if (status === 503 && retryAfter !== undefined) return "refused";
  return status === 429 ? "limited" : "failed";
}

/**
 * Sends `count` GET requests over `connections` connections that stay open, and returns how many were answered in a second.
 * Rejects if one is not answered with a 200.
 */
export async function requestsPerSecond(
  url: string,
  headers: Readonly<Record<string, string>>,
  { count, connections }: { readonly count: number; readonly connections: number },
): Promise<number> {
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  const one = () =>
    new Promise<void>((resolve, reject) => {
      get(url, { agent, headers }, (response) => {
        response.resume();
        response.on("end", () =>
          response.statusCode === 200 ? resolve() : reject(new Error(`GET ${url}: ${response.statusCode}`)),
        );
      }).on("error", reject);
    });
  let left = count;
  const work = async () => {
    while (left-- > 0) await one();
  };

  const startedAt = performance.now();
  await Promise.all(Array.from({ length: connections }, work));
  agent.destroy();
  return count / ((performance.now() - startedAt) / 1_000);
}

import type { ToolSpec } from "../llm/model.ts";
import { AppError } from "../shared/errors.ts";
import type { Clock } from "../shared/clock.ts";
import { objectFrom } from "../shared/json.ts";
import type { HttpTool } from "./model.ts";
import { KeptResults } from "./kept-results.ts";
import { redaction } from "./redaction.ts";
import { type FilledRequest, fillRequest } from "./request.ts";
import type { HttpToolSecrets, Secrets, ToolPlace } from "./secrets.ts";
import type { HttpToolSender, SendFailure, ServerAnswer } from "./sender.ts";

/** In milliseconds. How long the tools of a turn may wait for servers in all. */
export const MAX_TURN_MS = 60_000;
/** After so many failures in a turn, a tool is not tried again: a broken server must not hold up the turn. */
const MAX_FAILURES = 2;

/** What sending the requests of an agent's tools needs. */
export interface HttpToolPorts {
  readonly secrets: HttpToolSecrets;
  readonly sender: HttpToolSender;
  readonly clock: Pick<Clock, "now">;
  /** Encrypts the secrets of a tool with the current key. Must not throw. */
  renew(place: ToolPlace, toolId: string): Promise<void>;
}

interface HttpToolCallsDeps extends HttpToolPorts {
  readonly place: ToolPlace;
  readonly tools: readonly HttpTool[];
  /** How many results the turn may have kept before it paused; 0 by default. They are gone, and their numbers are not used again. */
  readonly earlierResults?: number;
  /** Schedules work for after the answer. */
  follow(work: () => Promise<void>): void;
}

/** The HTTP tools of one turn. */
export class HttpToolCalls {
  /** The tools that the model is offered, in the order in which they were created. */
  readonly tools: readonly HttpTool[];
  /** The long results of the turn. */
  readonly results: KeptResults;
  readonly #deps: HttpToolCallsDeps;
  readonly #failures = new Map<string, number>();
  #waitedMs = 0;

  constructor(deps: HttpToolCallsDeps) {
    this.#deps = deps;
    this.results = new KeptResults(deps.earlierResults);
    this.tools = deps.tools.filter(({ enabled }) => enabled);
  }

  /**
   * Sends a tool's request, and returns what the server answered as text for the model. It begins with `Error:` if there is no
   * answer or an answer that states an error. Throws the signal's reason if the turn ends, and `AppError` for arguments that
   * cannot be sent.
   */
  async call(tool: HttpTool, args: Readonly<Record<string, unknown>>, signal: AbortSignal): Promise<string> {
    const { place, secrets, sender, clock } = this.#deps;
    const failures = this.#failures.get(tool.id) ?? 0;
    if (failures >= MAX_FAILURES)
      return "Error: Not sent. The server has failed to answer in this turn before.";
    const leftMs = MAX_TURN_MS - this.#waitedMs;
    if (leftMs < 1_000) return "Error: Not sent. The requests of this turn have taken too long already.";

    const opened = await secrets.open(place, tool);
    if (!opened)
      return "Error: Not sent. The secrets of this tool can no longer be read. Its owner has to enter them again.";
    if (!opened.isCurrent) this.#deps.follow(() => this.#deps.renew(place, tool.id));

    const request = fillRequest(tool.request, { arguments: args, secrets: opened.secrets });
    const startedAt = clock.now();
    const answer = await sender.send(request, {
      timeoutMs: Math.min(tool.timeoutSeconds * 1_000, leftMs),
      signal,
    });
    this.#waitedMs += Math.max(0, clock.now() - startedAt);
    if (answer.kind === "failure") this.#failures.set(tool.id, failures + 1);
    return describeAnswer(answer, opened.secrets);
  }
}

/** Returns the description of a tool as models get it. */
export const specOf = ({ name, description, parameters }: HttpTool): ToolSpec => ({
  name,
  description,
  parameters: { properties: {}, ...parameters },
});

/** Returns an answer as text for the model, without secrets. */
export function describeAnswer(answer: ServerAnswer | SendFailure, secrets: Secrets): string {
  if (answer.kind === "failure") return `Error: ${answer.message}`;

  const { status, mediaType, text, bytes, isCut } = answer;
  const isFine = status >= 200 && status < 300;
  const isRedirect = status >= 300 && status < 400;
  const header = `${isFine ? "" : "Error: "}HTTP ${status}${mediaType === "" ? "" : ` (${mediaType})`}`;
  const notes = [
    ...(isRedirect ? ["(The server redirects to another address. Redirects are not followed.)"] : []),
    ...(isCut ? [`(The answer is longer. Only its first ${bytes} bytes were read.)`] : []),
  ];
  const shown =
    text === null
      ? `(${bytes} bytes that are not text)`
      : redaction(Object.values(secrets))(readable(text, mediaType), isCut);
  return [header, ...(shown === "" ? [] : ["", shown]), ...notes].join("\n");
}

/** Compact JSON takes fewer tokens than an indented one. */
function readable(text: string, mediaType: string): string {
  if (!/[/+]json$/u.test(mediaType)) return text;
  const object = objectFrom(text);
  return object ? JSON.stringify(object) : text;
}

/** A trial of a tool, for its owner. Secrets are masked. */
export interface Trial {
  readonly request: FilledRequest | null;
  readonly answer: ServerAnswer | null;
  /** Why there is no answer; null if there is one. */
  readonly error: string | null;
  readonly durationMs: number;
}

/** What a trial needs of the tool. */
interface TrialInput {
  readonly tool: HttpTool;
  readonly secrets: Secrets;
  readonly arguments: Readonly<Record<string, unknown>>;
}

/** Sends a tool's request once, and returns what was sent and answered with masked secrets. Never throws for bad arguments. */
export async function tryTool(
  { tool, secrets, arguments: args }: TrialInput,
  { sender, clock }: Pick<HttpToolPorts, "sender" | "clock">,
): Promise<Trial> {
  const startedAt = clock.now();
  try {
    const request = fillRequest(tool.request, { arguments: args, secrets });
    const masked = masker(secrets);
    const shown = maskedRequest(tool, args, secrets);
    const answer = await sender.send(request, { timeoutMs: tool.timeoutSeconds * 1_000 });
    const durationMs = Math.max(0, clock.now() - startedAt);
    if (answer.kind === "failure") return { request: shown, answer: null, error: answer.message, durationMs };
    const text = answer.text === null ? null : masked(answer.text, answer.isCut);
    return { request: shown, answer: { ...answer, text }, error: null, durationMs };
  } catch (error) {
    if (!(error instanceof AppError) || error.status >= 500) throw error;
    return { request: null, answer: null, error: error.message, durationMs: 0 };
  }
}

const masker = (secrets: Secrets) => redaction(Object.values(secrets));

/** The same request with masks in place of the secrets. An argument that repeats a secret is masked, too. */
function maskedRequest(
  tool: HttpTool,
  args: Readonly<Record<string, unknown>>,
  secrets: Secrets,
): FilledRequest {
  const masks = Object.fromEntries(Object.keys(secrets).map((name) => [name, "***"]));
  const { method, url, headers, body } = fillRequest(tool.request, { arguments: args, secrets: masks });
  const masked = masker(secrets);
  return {
    method,
    url: masked(url),
    headers: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, masked(value)])),
    body: body === null ? null : masked(body),
  };
}

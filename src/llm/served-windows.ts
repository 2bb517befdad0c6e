import { mapConcurrent } from "../shared/async.ts";
import { isObject, type Json, numberAt, objectAt, objectsAt, textAt } from "../shared/json.ts";
import { providerError } from "./errors.ts";
import { fetchJson } from "./exchange.ts";

/** Anti-DoS: models of one list that Ollama is asked about, each in a request of its own, and how many at once. */
const MAX_SHOWN = 20;
const SHOWN_AT_ONCE = 4;
/** Windows that a server may state, in tokens. A smaller one has no room for a prompt, and no model has a larger one. */
const LEAST_WINDOW = 2_048;
const LARGEST_WINDOW = 20_000_000;

/** Members of an entry of a list of models that hold the window: of Together and OpenRouter, Groq, LM Studio, and vLLM. */
const WINDOW_MEMBERS = ["context_length", "context_window", "max_context_length", "max_model_len"] as const;

/** Returns the window in tokens under the first of these names that has a plausible one. Some servers send 0, or a text. */
function windowAt(json: Json, ...names: readonly string[]): number | undefined {
  return names.map((name) => numberAt(json, name)).find((tokens) => isPlausible(tokens));
}

const isPlausible = (tokens: number | undefined): boolean =>
  Number.isInteger(tokens) && Number(tokens) >= LEAST_WINDOW && Number(tokens) <= LARGEST_WINDOW;

/** Returns the window that an entry of a list of models states: the one that is served or, of llama.cpp, that was trained. */
export const listedWindow = (model: Json): number | undefined =>
  windowAt(model, ...WINDOW_MEMBERS) ?? windowAt(objectAt(model, "meta"), "n_ctx", "n_ctx_train");

/** How a self-hosted server is asked. */
interface SelfHosted {
  /** The base URL of its OpenAI-compatible API. Its own API is beside it. */
  readonly baseUrl: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly fetch: typeof fetch;
}

/**
 * Asks a self-hosted server with which windows it serves models, in its own API: LM Studio, llama.cpp and Ollama load models
 * with other windows than they were trained for, and say so nowhere else. Returns what it states, by model. Throws only the
 * signal's reason: a server that has no such API states nothing.
 */
export async function servedWindows(
  { baseUrl, headers, fetch }: SelfHosted,
  models: readonly string[],
  signal: AbortSignal,
): Promise<ReadonlyMap<string, number>> {
  const root = baseUrl.replace(/\/v1$/u, "");
  const [first = ""] = models;
  const [studio, props, running] = await Promise.all([
    ask("/api/v0/models"),
    // It describes one model. With several, a server would load each of them.
    models.length === 1 ? ask(`/props?model=${encodeURIComponent(first)}&autoload=false`) : {},
    ask("/api/ps"),
  ]);

  const windows = new Map<string, number>();
  const note = (model: string, tokens: number | undefined): void => {
    if (tokens !== undefined) windows.set(model, tokens);
  };
  for (const model of objectsAt(studio, "data"))
    note(textAt(model, "id"), windowAt(model, "loaded_context_length", "max_context_length"));
  note(first, windowAt(objectAt(props, "default_generation_settings"), "n_ctx"));
  if (Array.isArray(running["models"]))
    await mapConcurrent(models.slice(0, MAX_SHOWN), SHOWN_AT_ONCE, async (model) =>
      note(model, runningWindow(running, model) ?? shownWindow(await ask("/api/show", { model }))),
    );
  return windows;

  async function ask(path: string, body?: Json): Promise<Json> {
    const init = body ? { method: "POST", body: JSON.stringify(body) } : {};
    const request = new Request(`${root}${path}`, { headers, ...init });
    const answer = await fetchJson(fetch, request, providerError.unavailable, signal).catch(() => {
      signal.throwIfAborted();
      return {};
    });
    return isObject(answer) ? answer : {};
  }
}

/** Whether a listed name is that of a model. Ollama lists `llama3:latest`, which may be called `llama3`. */
export const isSameModel = (listed: string, model: string): boolean =>
  listed === model || listed === `${model}:latest`;

/** Returns the window of a model that Ollama has loaded. */
function runningWindow(running: Json, model: string): number | undefined {
  const loaded = objectsAt(running, "models").find((one) => isSameModel(textAt(one, "name"), model));
  return loaded && windowAt(loaded, "context_length");
}

/** Returns the window that Ollama is configured to load a model with, or else the one that it was trained for. */
function shownWindow(shown: Json): number | undefined {
  const configured = Number(
    /^num_ctx\s{1,40}(\d{1,9})$/mu.exec(textAt(shown, "parameters").slice(0, 10_000))?.[1],
  );
  if (isPlausible(configured)) return configured;
  const info = objectAt(shown, "model_info");
  return windowAt(info, ...Object.keys(info).filter((name) => name.endsWith(".context_length")));
}

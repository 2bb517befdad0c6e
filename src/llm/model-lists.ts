import { sha256, toBase64Url } from "../shared/crypto.ts";
import { withTimeout } from "../shared/async.ts";
import { isShown, type ModelInfo, type Provider, type ProviderContext } from "./provider.ts";

const LIFETIME_MS = 60 * 60 * 1000;
/** How long a failure is cached. Without it, every form would wait for a failing provider again. */
const FAILURE_LIFETIME_MS = 60 * 1000;
const MAX_LISTS = 500;
/**
 * Anti-DoS: a user's own server controls the list's length. These limits keep all lists within the isolate's memory.
 */
const MAX_MODELS = 1_000;
const MAX_ALL_MODELS = 20_000;
/** The longest model id that an agent may have. */
const MAX_ID_CHARS = 200;
const MAX_NAME_CHARS = 200;
/** How long an answer may wait for windows that are not in the list. */
const WINDOWS_MS = 2_000;

interface Entry {
  readonly until: number;
  /** How many milliseconds the request was allowed to take. */
  readonly timeMs: number;
  /** `undefined` if the request failed. */
  readonly models: readonly ModelInfo[] | undefined;
  /** Whether the provider lists more models than are kept. */
  readonly isCut: boolean;
  /** Whether the server was also asked for windows that are not in its list. */
  readonly hasWindows?: boolean;
}

/** Caches lists of models in the memory of one isolate. */
export class ModelListCache {
  /** Security: keyed by a hash, so that users' API keys do not outlive their request in memory. Oldest first. */
  readonly #entries = new Map<string, Entry>();
  #models = 0;

  find(id: string, now: number): Entry | undefined {
    const entry = this.#entries.get(id);
    return entry && entry.until > now ? entry : undefined;
  }

  keep(id: string, entry: Entry): void {
    this.#forget(id);
    this.#entries.set(id, entry);
    this.#models += sizeOf(entry);
    for (const oldest of this.#entries.keys()) {
      if (this.#entries.size <= MAX_LISTS && this.#models <= MAX_ALL_MODELS) break;
      this.#forget(oldest);
    }
  }

  #forget(id: string): void {
    const entry = this.#entries.get(id);
    if (entry) this.#models -= sizeOf(entry);
    this.#entries.delete(id);
  }
}

const sizeOf = ({ models }: Entry): number => models?.length ?? 0;

/** The models of a provider. */
export interface ModelList {
  /** The models to choose from. */
  readonly models: readonly ModelInfo[];
  /** All models that the provider lists, including those that do not chat. */
  readonly listed: readonly ModelInfo[];
  /** Whether the provider lists more models. */
  readonly isCut: boolean;
  /** False for the built-in list. */
  readonly isLive: boolean;
  /** When it was requested, in milliseconds since the epoch; `undefined` if it comes from the cache. */
  readonly requestedAt: number | undefined;
}

/** Lists the models to choose from: the provider's own list for the given credentials, or the built-in list. */
export class ModelLists {
  readonly #cache: ModelListCache;
  readonly #context: ProviderContext;

  constructor({ cache, context }: { readonly cache: ModelListCache; readonly context: ProviderContext }) {
    this.#cache = cache;
    this.#context = context;
  }

  /**
   * Returns the provider's list, or the built-in list if the request fails or takes longer than `timeMs`. A list that is
   * older than `maxAgeMs` is requested again. Never throws.
   */
  async list(
    provider: Provider,
    credentials: unknown,
    timeMs: number,
    maxAgeMs = LIFETIME_MS,
  ): Promise<ModelList> {
    const { entry, requestedAt } = await this.#entry(provider, credentials, timeMs, maxAgeMs);
    return listOf(provider, entry, requestedAt);
  }

  /** Like `list`, with the windows that the server states elsewhere than in its list. */
  async listWithWindows(provider: Provider, credentials: unknown, timeMs: number): Promise<ModelList> {
    const { id, entry, requestedAt } = await this.#entry(provider, credentials, timeMs, LIFETIME_MS);
    if (!entry.models || entry.hasWindows) return listOf(provider, entry, requestedAt);

    const ids = entry.models.map((model) => model.id);
    const windows = await withTimeout(WINDOWS_MS, (signal) =>
      provider.servedWindows(credentials, ids, this.#context, signal),
    ).catch(() => new Map<string, number>());
    const models = entry.models.map((model) => {
      const contextTokens = windows.get(model.id);
      return contextTokens === undefined ? model : { ...model, contextTokens };
    });
    const complete = { ...entry, models, hasWindows: true };
    this.#cache.keep(id, complete);
    return listOf(provider, complete, requestedAt);
  }

  /** Returns the cached entry with its id, after a request if there is none that may be used. */
  async #entry(provider: Provider, credentials: unknown, timeMs: number, maxAgeMs: number): Promise<Found> {
    const now = this.#context.now();
    const id = toBase64Url(await sha256(JSON.stringify([provider.name, credentials])));
    const known = this.#cache.find(id, now);
    // A caller that allows more time than a failed request did may still succeed.
    const isUsable = known?.models
      ? now < known.until - LIFETIME_MS + maxAgeMs
      : timeMs <= (known?.timeMs ?? 0);
    if (known && isUsable) return { id, entry: known, requestedAt: undefined };

    const entry = await this.#ask(provider, credentials, timeMs);
    this.#cache.keep(id, entry);
    return { id, entry, requestedAt: now };
  }

  async #ask(provider: Provider, credentials: unknown, timeMs: number): Promise<Entry> {
    const { now } = this.#context;
    try {
      const listed = await withTimeout(timeMs, (signal) =>
        provider.listModels(credentials, this.#context, signal),
      );
      const usable = listed.filter((model) => model.id.length <= MAX_ID_CHARS);
      const models = usable
        .slice(0, MAX_MODELS)
        .map((model) => (model.name.length <= MAX_NAME_CHARS ? model : { ...model, name: model.id }));
      return { until: now() + LIFETIME_MS, timeMs, models, isCut: usable.length > MAX_MODELS };
    } catch {
      return { until: now() + FAILURE_LIFETIME_MS, timeMs, models: undefined, isCut: false };
    }
  }
}

/** An entry, its id, and when it was requested, if that was now. */
interface Found {
  readonly id: string;
  readonly entry: Entry;
  readonly requestedAt: number | undefined;
}

const listOf = (provider: Provider, { models, isCut }: Entry, requestedAt: number | undefined): ModelList =>
  models
    ? { models: models.filter(isShown), listed: models, isCut, isLive: true, requestedAt }
    : builtIn(provider);

/** Returns the built-in list of a provider's models. */
export const builtIn = ({ models }: Provider): ModelList => ({
  models,
  listed: models,
  isCut: false,
  isLive: false,
  requestedAt: undefined,
});

import { sha256, toBase64Url } from "../shared/crypto.ts";
import { withinTime } from "../shared/within-time.ts";
import type { ModelInfo, Provider, ProviderContext } from "./provider.ts";

const LIFETIME_MS = 60 * 60 * 1000;
/** A provider that has failed is left alone for a while: every form would wait for it otherwise. */
const FAILURE_LIFETIME_MS = 60 * 1000;
const MAX_LISTS = 500;
/** A list is somebody's own server's to write, and nobody chooses from more; all lists together fit the memory. */
const MAX_MODELS = 1_000;
const MAX_ALL_MODELS = 20_000;
/** The longest id that an agent may name. */
const MAX_ID_CHARS = 200;
const MAX_NAME_CHARS = 200;

interface Entry {
  readonly until: number;
  /** How long the list was waited for. */
  readonly timeMs: number;
  /** Nothing where the list could not be had. */
  readonly models: readonly ModelInfo[] | undefined;
}

/** Lists of models as they were last had, in the memory of one isolate. */
export class ModelListCache {
  /** By a hash: keys of users have no place in a memory that outlives their request. Oldest first. */
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

/** The models of a provider; `isLive` is false for the list that is built in. */
export interface ModelList {
  readonly models: readonly ModelInfo[];
  readonly isLive: boolean;
}

/** Which models can be chosen: what the provider lists for these credentials, or what is built in. */
export class ModelLists {
  readonly #cache: ModelListCache;
  readonly #context: ProviderContext;

  constructor(cache: ModelListCache, context: ProviderContext) {
    this.#cache = cache;
    this.#context = context;
  }

  /** Never throws, and never takes longer than `timeMs`: a list that is not there by then is not waited for. */
  async list(provider: Provider, credentials: unknown, timeMs: number): Promise<ModelList> {
    const { now } = this.#context;
    const id = toBase64Url(await sha256(JSON.stringify([provider.name, credentials])));
    const known = this.#cache.find(id, now());
    if (known?.models) return { models: known.models, isLive: true };
    // Who has more patience than whoever failed may still have success.
    if (known && timeMs <= known.timeMs) return builtIn(provider);

    try {
      const listed = await withinTime(timeMs, (signal) =>
        provider.listModels(credentials, this.#context, signal),
      );
      const models = listed
        .filter((model) => model.id.length <= MAX_ID_CHARS)
        .slice(0, MAX_MODELS)
        .map((model) => (model.name.length <= MAX_NAME_CHARS ? model : { ...model, name: model.id }));
      this.#cache.keep(id, { until: now() + LIFETIME_MS, timeMs, models });
      return { models, isLive: true };
    } catch {
      this.#cache.keep(id, { until: now() + FAILURE_LIFETIME_MS, timeMs, models: undefined });
      return builtIn(provider);
    }
  }
}

/** The list that is always there. */
export const builtIn = ({ models }: Provider): ModelList => ({ models, isLive: false });

import { isOffered } from "../llm/listed-models.ts";
import type { Provider } from "../llm/provider.ts";
import { wantsCredentials } from "../llm/providers.ts";
import { similarNames } from "../llm/similar-models.ts";
import type { Clock } from "../shared/clock.ts";
import { invalidInput, type Issue } from "../shared/errors.ts";
import type { AccountEmail } from "../shared/id-types.ts";
import { type AccountModelLists, withAbilities } from "./account-model-lists.ts";
import { areValid } from "./check.ts";
import type { ProviderSettings } from "./model.ts";
import type { StoredModelList } from "./model-list-model.ts";
import type { ProviderCredentials } from "./provider-credentials.ts";
import type { ProviderSettingsRepository } from "./repository.ts";

/** How long a check waits for a provider before it refuses a model, and for a list that it needs the next time. */
const CONFIRM_MS = 1_500;
const LIST_MS = 8_000;
/** A model may be new, so it is refused only if a list that is younger than this lacks it. */
const RECENT_MS = 60_000;

/** A model that an agent is to use. */
interface WantedModel {
  /** The name of the member of the body. */
  readonly field: string;
  readonly provider: string;
  readonly model: string;
  /** The architecture, if it needs tools. */
  readonly needsToolsFor: string | undefined;
}

/** What is objected to. Neither, if the model can be used. */
interface Verdict {
  readonly issue?: Issue;
  /** A sentence in ASCII, because it is sent in a header. */
  readonly warning?: string;
}

/** How a refused model is explained. */
interface Explanation {
  /** Whether the error names similar models that the provider lists. */
  readonly suggestsModels: boolean;
}

interface ModelCheckDeps {
  readonly settings: ProviderSettingsRepository;
  readonly credentials: ProviderCredentials;
  readonly providers: readonly Provider[];
  readonly modelLists: AccountModelLists;
  readonly clock: Clock;
  /** Keeps the request alive for work that continues after its answer. */
  readonly later: (work: Promise<void>) => void;
}

/** Checks that the models of agents are among those that their providers list. */
export class ModelCheck {
  readonly #settings: ProviderSettingsRepository;
  readonly #credentials: ProviderCredentials;
  readonly #providers: readonly Provider[];
  readonly #modelLists: AccountModelLists;
  readonly #clock: Clock;
  readonly #later: (work: Promise<void>) => void;

  constructor({ settings, credentials, providers, modelLists, clock, later }: ModelCheckDeps) {
    this.#settings = settings;
    this.#credentials = credentials;
    this.#providers = providers;
    this.#modelLists = modelLists;
    this.#clock = clock;
    this.#later = later;
  }

  /**
   * Returns a warning for each model that is accepted although its provider does not list it, or is not known to. Throws
   * `validation-failed` for a model that the provider does not offer, or that is known to lack tools that it needs; with
   * `suggestsModels`, it names similar ones. Waits for a provider only before a model is refused.
   */
  async check(
    accountEmail: AccountEmail,
    wanted: readonly WantedModel[],
    explanation: Explanation,
  ): Promise<readonly string[]> {
    const verdicts = await Promise.all(wanted.map((one) => this.#judge(accountEmail, one, explanation)));
    const issues = verdicts.flatMap(({ issue }) => issue ?? []);
    if (issues.length > 0) throw invalidInput("json", issues);
    return verdicts.flatMap(({ warning }) => warning ?? []);
  }

  async #judge(accountEmail: AccountEmail, wanted: WantedModel, explanation: Explanation): Promise<Verdict> {
    const provider = this.#providers.find(({ name }) => name === wanted.provider);
    if (!provider) return {};
    // The deployment's own models are not listed for an account.
    if (!wantsCredentials(provider)) return withTools(wanted, provider, undefined) ?? {};

    const { settings, list } = await this.#settings.findWithModelList(accountEmail, provider.name);
    const verdict = withTools(wanted, provider, list) ?? listed(wanted, provider, list, explanation);
    if (!settings) return verdict;
    if (!list) this.#later(this.#refresh(provider, settings, LIST_MS).then(() => undefined));
    if (!verdict.issue || !list || this.#clock.now() < list.listedAt + RECENT_MS) return verdict;

    const confirmed = await this.#refresh(provider, settings, CONFIRM_MS);
    return withTools(wanted, provider, confirmed) ?? listed(wanted, provider, confirmed, explanation);
  }

  /** Returns the provider's current list, or `undefined` if it can't be had. Never throws. */
  async #refresh(
    provider: Provider,
    settings: ProviderSettings,
    timeMs: number,
  ): Promise<StoredModelList | undefined> {
    const values = (await this.#credentials.open(settings))?.values;
    if (!values || !areValid(provider, values)) return undefined;
    const list = await this.#modelLists.list({ provider, settings, values }, { timeMs, maxAgeMs: RECENT_MS });
    return list.isLive ? list.stored : undefined;
  }
}

/** Refuses a model that is known to lack tools, as forms do. */
function withTools(
  { field, model, needsToolsFor }: WantedModel,
  provider: Provider,
  list: StoredModelList | undefined,
): Verdict | undefined {
  if (needsToolsFor === undefined) return undefined;
  const isListed = list?.ids.includes(model) || list?.hiddenIds.includes(model);
  const lacksTools = isListed
    ? list?.withoutTools.includes(model)
    : withAbilities({ id: model, name: model }, provider).tools === false;
  if (!lacksTools) return undefined;
  const message = `${field} can't call tools, which ${needsToolsFor} needs. Choose another model, or an architecture without tools.`;
  return { issue: { path: [field], message, code: "custom" } };
}

/** Refuses a model that the provider does not list. In doubt, it is accepted with a warning. */
function listed(
  { field, model }: WantedModel,
  { label }: Provider,
  list: StoredModelList | undefined,
  { suggestsModels }: Explanation,
): Verdict {
  if (!list) return { warning: `${field} was not checked: the provider's models are not known yet.` };
  const ids = [...list.ids, ...list.hiddenIds];
  if (ids.length === 0) return { warning: `${field} was not checked: the provider lists no models.` };
  if (isOffered(model, ids)) return {};
  if (!list.isComplete)
    return { warning: `${field} is not in the provider's list of models, which may be incomplete.` };
  const similar = suggestsModels ? similarNames(model, list.ids) : [];
  const hint = similar.length > 0 ? `Similar models: ${similar.join(", ")}.` : "Choose another model.";
  return {
    issue: { path: [field], message: `${field} is not offered by ${label}. ${hint}`, code: "custom" },
  };
}

import { MODEL_FACTS } from "./model-facts-data.ts";

/** What is known about a model from models.dev. */
export interface ModelFacts {
  /** How many tokens the model reads. */
  readonly contextTokens: number;
  /** How many tokens the model writes at most. */
  readonly outputTokens: number;
  /** US dollars per million tokens; absent if unknown. */
  readonly price?: { readonly input: number; readonly output: number };
  readonly tools: boolean;
  readonly vision: boolean;
}

/** A section of the extract. */
export type FactsProvider =
  | "openai"
  | "anthropic"
  | "amazon-bedrock"
  | "google"
  | "mistral"
  | "deepseek"
  | "groq"
  | "xai"
  | "togetherai"
  | "cloudflare-workers-ai"
  | "moonshotai"
  | "fireworks-ai"
  | "cerebras";

/** Assumed for unknown models. */
const UNKNOWN_TOKENS = 32_000;

/** Models newer than the extract. They read at least as much as their predecessors. */
const NEWER: readonly (readonly [RegExp, number])[] = [
  [/claude/u, 200_000],
  [/gpt-(?:[5-9]|\d\d)/u, 272_000],
  [/gemini/u, 1_000_000],
];

let table: ReadonlyMap<string, ReadonlyMap<string, ModelFacts>> | undefined;

/** Parses the extract at first use, so that it costs no start-up time. */
function factsTable(): ReadonlyMap<string, ReadonlyMap<string, ModelFacts>> {
  if (table) return table;
  const sections = new Map<string, Map<string, ModelFacts>>();
  let section = new Map<string, ModelFacts>();
  for (const line of MODEL_FACTS.split("\n")) {
    if (line.startsWith("#")) sections.set(line.slice(1), (section = new Map<string, ModelFacts>()));
    else section.set(...parsed(line));
  }
  table = sections;
  return sections;
}

function parsed(line: string): [string, ModelFacts] {
  const [id = "", read = "", written = "", input = "", output = "", flags = ""] = line.split(",");
  return [
    id.toLowerCase(),
    {
      contextTokens: Number(read),
      outputTokens: Number(written),
      ...(input !== "" && { price: { input: Number(input), output: Number(output) } }),
      tools: flags.includes("t"),
      vision: flags.includes("v"),
    },
  ];
}

/**
 * Returns what is known about a model, or `undefined`. Without a provider, or for a model that the provider's section
 * lacks, returns the model of this name with the smallest window, without its price, which differs between providers.
 */
export function modelFacts(model: string, provider?: FactsProvider): ModelFacts | undefined {
  const sections = factsTable();
  const id = plainId(model);
  const own = provider && sections.get(provider);
  const exact = own?.get(model.toLowerCase()) ?? own?.get(id);
  if (exact) return exact;

  const found = [...sections.values()].flatMap((section) => section.get(id) ?? nameIn(section, id) ?? []);
  const [first, ...more] = found.toSorted((one, other) => one.contextTokens - other.contextTokens);
  if (!first) return undefined;
  const { price: _price, ...facts } = first;
  return { ...facts, tools: [first, ...more].some(({ tools }) => tools) };
}

/** Finds a model of which only the last part of the id is known, as in `vendor/model`. */
function nameIn(section: ReadonlyMap<string, ModelFacts>, name: string): ModelFacts | undefined {
  for (const [id, facts] of section) if (id.endsWith(`/${name}`) || id.endsWith(`.${name}`)) return facts;
  return undefined;
}

/** Longer ids are not looked up. */
const MAX_ID_CHARS = 200;

/** Returns an id without what servers add to it: a vendor or area in front, a variant or version behind. */
function plainId(model: string): string {
  const lower = model.slice(0, MAX_ID_CHARS).toLowerCase();
  const name = lower.slice(lower.lastIndexOf("/") + 1);
  return name
    .replace(/^(?:global|us|eu|apac|au|jp|ca)\./u, "")
    .replace(/:(?:free|beta|nitro|floor|thinking|extended|online|latest)$/u, "");
}

/** Whether OpenAI offers a model in its Responses API only. models.dev does not say. As of 2026-11-22. */
export const isOnlyInResponses = (model: string): boolean =>
  /(?:^|-)(?:pro|codex|deep-research)(?:-|$)/u.test(model.toLowerCase());

/** Returns a model's context window in tokens, or a low estimate if it is not known. */
export const contextTokensOf = (model: string, provider?: FactsProvider): number =>
  modelFacts(model, provider)?.contextTokens ??
  NEWER.find(([pattern]) => pattern.test(model.toLowerCase()))?.[1] ??
  UNKNOWN_TOKENS;

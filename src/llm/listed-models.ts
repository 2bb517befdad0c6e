/** Models that providers do not list for everybody who may use them: fine-tuned ones, presets of OpenRouter, and ARNs. */
const UNLISTED = /^(?:ft:|tunedmodels\/|@preset\/|arn:)/u;
/** What an alias ends in: `claude-sonnet-4-0` and `grok-4-latest` mean the newest version of a model. */
const ALIAS = /-(?:latest|0)$/u;
/** What the version of a model ends in: `-20250929`, `-0709`, `-2024-08-06`, `-001`, `@20250929`. */
const VERSION = /^[-@]\d{2,8}(?:-\d\d-\d\d)?$/u;

/**
 * Returns whether a provider with this list of ids offers a model: if its id is listed, or if the provider resolves it to one
 * that is listed. In doubt, the answer is yes.
 *
 * @example isOffered("claude-sonnet-4-5", ["claude-sonnet-4-5-20250929"]); // true
 */
export function isOffered(model: string, listed: readonly string[]): boolean {
  const wanted = plain(model);
  if (UNLISTED.test(wanted)) return true;
  const base = wanted.replace(ALIAS, "");
  // OpenRouter and Hugging Face choose the provider by a suffix: `vendor/model:nitro`.
  const [unrouted = ""] = wanted.split(":", 1);
  return listed.map(plain).some((id) => {
    if (id === wanted || id === base || id === unrouted || id === `${wanted}:latest`) return true;
    // LiteLLM lists patterns, such as `openai/*`.
    if (id.endsWith("*")) return wanted.startsWith(id.slice(0, -1));
    return id.startsWith(base) && VERSION.test(id.slice(base.length));
  });
}

/** Gemini lists `models/gemini-…`, and answers without the prefix, too. */
const plain = (id: string): string => id.toLowerCase().replace(/^models\//u, "");

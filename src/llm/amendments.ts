import { refusesTools } from "./failures.ts";

/**
 * A change to all requests to a server and model, which a refused request has asked for:
 *
 * - `usage`: do not ask for the token usage
 * - `temperature`: do not send one
 * - `limit-name`: name the limit of the output as the other half of all servers do
 * - `output-limit`: send a lower limit, or none
 * - `tools`: send no tools and no calls
 * - `tool-choice`: do not send one
 * - `cache`: do not mark what may be cached
 * - `reasoning`: send empty reasoning with calls that have none
 * - `provider-data`: send nothing back of what the provider has sent with earlier answers
 * - `system`: send the system prompt with the first message of the user
 * - `alternate`: join consecutive messages of one role
 * - `mistral`: order messages and form call ids as Mistral requires
 * - `responses`: use OpenAI's Responses API
 * - `stream`: ask for the whole answer at once
 * - `summary`: do not ask for a summary of the reasoning
 * - `encrypted`: neither ask for encrypted reasoning nor send it back
 */
export type Amendment =
  | "usage"
  | "temperature"
  | "limit-name"
  | "output-limit"
  | "tools"
  | "tool-choice"
  | "cache"
  | "reasoning"
  | "provider-data"
  | "system"
  | "alternate"
  | "mistral"
  | "responses"
  | "stream"
  | "summary"
  | "encrypted";

/** The amendments of a server and model. The value is the limit for `output-limit`, and otherwise 0. */
export type Amendments = ReadonlyMap<Amendment, number>;

/** Anti-DoS: users name the servers, so the oldest are forgotten. */
const MAX_ENDPOINTS = 1_000;

/** A server and model, as one account of the provider reaches them. */
interface Endpoint {
  readonly server: string;
  readonly model: string;
  /**
   * The key that requests are sent with. What is refused may depend on the account behind it, so one account must not
   * change the requests of another.
   */
  readonly credential: string;
}

/** Remembers the amendments of each endpoint in the memory of one isolate. */
export class AmendmentCache {
  readonly #known = new Map<string, Map<Amendment, number>>();
  #seeds: Uint32Array | undefined;

  /** Returns the amendments of an endpoint. The caller may add to them. */
  of({ server, model, credential }: Endpoint): Map<Amendment, number> {
    const key = `${server} ${model} ${this.#fingerprintOf(credential)}`;
    const known = this.#known.get(key) ?? new Map<Amendment, number>();
    this.#known.delete(key);
    this.#known.set(key, known);
    for (const oldest of this.#known.keys()) {
      if (this.#known.size <= MAX_ENDPOINTS) break;
      this.#known.delete(oldest);
    }
    return known;
  }

  /** Returns a fingerprint of a credential. Credentials themselves are not kept, because they would outlive their requests. */
  #fingerprintOf(credential: string): string {
    // Workers have no random numbers before the first request.
    this.#seeds ??= crypto.getRandomValues(new Uint32Array(2));
    return Array.from(this.#seeds, (seed) => fnv1a(credential, seed)).join("-");
  }
}

/**
 * Returns the FNV-1a hash of a text (32 bits; the prime is that of the algorithm), begun with a seed. Not for cryptography:
 * texts whose hashes collide only share amendments, and nobody who does not know the seed can choose such texts.
 */
function fnv1a(text: string, seed: number): number {
  let hash = seed;
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193) >>> 0;
  return hash;
}

/** Words that ask for an amendment, and the member of the body that it is about. */
type Rule = readonly [Amendment, RegExp, member: string];

const TOOL_CHOICE: Rule = ["tool-choice", /tool_choice/iu, '"tool_choice"'];
const RULES: readonly Rule[] = [
  ["usage", /stream_options|include_usage/iu, '"stream_options"'],
  ["cache", /cache[ _]?point|prompt caching|cache_control/iu, "cache"],
  ["temperature", /temperature/iu, '"temperature"'],
  [
    "reasoning",
    /missing[^\n]{0,40}reasoning_content|reasoning_content[^\n]{0,60}(?:missing|required|must be)/iu,
    '"tool_calls"',
  ],
  [
    "provider-data",
    /(?:reasoning|extra)_content[^\n]{0,80}(?:unsupported|not (?:supported|permitted|allowed)|unknown|unrecognized)|(?:unsupported|not (?:supported|permitted|allowed)|unknown|unrecognized)[^\n]{0,80}(?:reasoning|extra)_content/iu,
    '_content"',
  ],
  // A signature that has become invalid must not end the conversation.
  [
    "provider-data",
    /(?:invalid|corrupted)[^\n]{0,20}signature|signature[^\n]{0,40}(?:invalid|not valid|corrupted)/iu,
    "signature",
  ],
  [
    "system",
    /(?:role|messages?)[^\n]{0,60}'?"?system|system[^\n]{0,12}(?:role|messages?|instruction)[^\n]{0,30}not (?:supported|enabled)|(?:developer|system) instruction|support system/iu,
    '"system"',
  ],
  [
    "mistral",
    /after role '?"?tool|expected last role|either content or tool_calls|length of 9\b/iu,
    '"role"',
  ],
  ["alternate", /alternat/iu, '"role"'],
  ["summary", /reasoning[._ ]summar/iu, '"summary":"auto"'],
  [
    "stream",
    /['"`]stream['"`]|to stream this model|streaming is not supported|not support streaming/iu,
    '"stream":true',
  ],
];

/** OpenAI and Azure refuse a model of the Responses API with a 404, or a combination of tools and reasoning with a 400. */
const ONLY_RESPONSES =
  /not a chat model and thus|\bv1\/responses\b|responses (?:api|endpoint)|chatcompletion operation does not work/iu;
/** The reasoning that was sent back can't be used, or the model has none that is encrypted. */
const ENCRYPTED = /encrypted[ _]content|items are not persisted|without its required following item/iu;
/** What a refusal is about that is not true of the model: the caller's organisation, or reasoning that was sent back. */
const CALLER =
  /organi[sz]ation must be verified|could not be (?:verified|decrypted)|not persisted|following item/iu;

/** Whether a refusal is about the caller, so that what it asks for must not be remembered for others. */
export const isAboutCaller = ({ message }: { readonly message: string }): boolean =>
  CALLER.test(message.slice(0, MAX_CHARS));

const LIMIT = /max_?(?:completion_|output_|new_)?tokens|maximum tokens|output tokens/iu;
const OTHER_NAME = /max_completion_tokens/iu;
/** Says that a parameter is unknown, and not that its value is too large. */
const UNKNOWN_NAME =
  /unsupported parameter|unrecognized|unknown|not (?:supported|permitted|allowed)|extra|instead/iu;
const LARGEST =
  /(?:> |at most|up to|less than(?: or equal to)?|maximum (?:allowed )?(?:value|number)(?: of)?|<=|exceeds? the (?:model )?limit of|lower than|range[^\d\n]{0,20}\[?\d{1,3},)[^\d\n]{0,24}(\d{1,7})/iu;

/** The limit in the request that was refused. */
const SENT = /"max_?(?:completion_|output_)?tokens":(\d{1,9})/iu;

const asksFor = ([name, pattern, member]: Rule, text: string, body: string, made: Amendments): boolean =>
  !made.has(name) && body.includes(member) && pattern.test(text);

/** Only the beginning of a message is read. */
const MAX_CHARS = 2_000;

/**
 * Returns what a refusal asks for, or `undefined` if nothing that is known would change the body. `body` is the request
 * that was refused. An amendment that was made before is not asked for again.
 */
function amendmentFor(
  { status, message }: { readonly status: number | undefined; readonly message: string },
  body: string,
  made: Amendments,
): readonly [Amendment, number] | undefined {
  const text = message.slice(0, MAX_CHARS);
  const other = apiAmendment(status, text, body, made);
  if (other) return [other, 0];
  // Before `tools`, because a model may refuse the choice and take the tools.
  if (asksFor(TOOL_CHOICE, text, body, made)) return ["tool-choice", 0];
  if (!made.has("tools") && body.includes('"tools"') && refusesTools(status, text)) return ["tools", 0];
  if (status !== undefined && ![400, 403, 422].includes(status)) return undefined;

  const limit = limitAmendment(text, body, made);
  if (limit) return limit;
  const rule = RULES.find((one) => asksFor(one, text, body, made));
  // A 403 is about permissions, of which only the cache can be done without.
  if (!rule || (status === 403 && rule[0] !== "cache")) return undefined;
  return [rule[0], 0];
}

/**
 * Adds what a refusal asks for to the amendments. Returns whether the request should be sent again. `failure` is
 * `undefined` if the request was not refused but failed.
 */
export function amend(
  failure: { readonly status: number | undefined; readonly message: string } | undefined,
  body: string,
  amendments: Map<Amendment, number>,
): boolean {
  const found = failure && amendmentFor(failure, body, amendments);
  if (found) amendments.set(...found);
  return found !== undefined;
}

/** OpenAI reports these with a 404, too. Comes before tools, which the same sentences mention. */
function apiAmendment(
  status: number | undefined,
  text: string,
  body: string,
  made: Amendments,
): Amendment | undefined {
  if (status !== 400 && status !== 404) return undefined;
  if (!made.has("responses") && body.includes('"messages"') && ONLY_RESPONSES.test(text)) return "responses";
  const isSent = body.includes("encrypted_content");
  return isSent && !made.has("encrypted") && ENCRYPTED.test(text) ? "encrypted" : undefined;
}

function limitAmendment(
  text: string,
  body: string,
  made: Amendments,
): readonly [Amendment, number] | undefined {
  if (!LIMIT.test(text) || !SENT.test(body)) return undefined;
  const [, largest] = LARGEST.exec(text.replaceAll(/(\d),(?=\d{3})/gu, "$1")) ?? [];
  // vLLM states the window instead of what is left of it: `8192 > 8192 - 300`. Without a limit, it takes what is left.
  const isLower = Number(largest) < Number(SENT.exec(body)?.[1]);
  if (largest !== undefined && !made.has("output-limit"))
    return ["output-limit", isLower ? Number(largest) : 0];
  if (!made.has("limit-name") && (OTHER_NAME.test(text) || UNKNOWN_NAME.test(text))) return ["limit-name", 0];
  return made.has("output-limit") ? undefined : ["output-limit", 0];
}

/** Statuses of refusals that have nothing to do with the length of the request. */
const OTHER_STATUSES: readonly number[] = [401, 402, 403, 404, 429];
/** Only the beginning of a message is read. What follows may be the request itself. */
const MAX_CHARS = 4_000;

/** How providers and servers say that a request exceeds the context window. Few of them have an error code for it. */
const OVERFLOW =
  /context[ _](?:length|window|size|limit)|exceed_context|prompt is too long|input is too long|too many (?:input |total |text )?tokens|tokens exceed|exceeds max(?:imum)? length|maximum (?:prompt|model|input|sequence) length|(?:maximum number of|model token limit|tokens in the prompt)|maximum (?:input )?tokens|reduce the length|must have less than \d{1,9} tokens|`inputs` tokens|range of input length|too large for model|greater than the context|context shift is disabled/iu;

/**
 * How OpenAI says that a request is larger than the tokens that the plan allows per minute, so that it can never be
 * accepted. Groq sends the same with status 413.
 */
const TOO_LARGE = /request too large/iu;

/** A limit on the answer, not on the context. The request is amended instead. */
const OUTPUT_LIMIT =
  /\d (?:completion|output) tokens|max_(?:completion_|output_)?tokens.{0,20}(?:too large|must be)/iu;

/**
 * Where the messages state the limit. The first match counts; anything between words and number is bounded. Longer numbers
 * and dates are no limits.
 */
const LIMITS: readonly RegExp[] = [
  / > ?(\d{3,9})(?!\d|-\d)/u,
  /maximum number of (?:input )?tokens(?: allowed)?[^\d]{0,12}(\d{3,9})(?!\d|-\d)/iu,
  /context[ _](?:length|window|size|limit)[^\d.]{0,40}(\d{3,9})(?!\d|-\d)/iu,
  /maximum (?:prompt|model|input|sequence) length[^\d.]{0,12}(\d{3,9})(?!\d|-\d)/iu,
  /(?<!\d)(\d{3,9}) (?:token )?maximum context/iu,
  /(?:must be <=|less than|cannot exceed) (\d{3,9})(?!\d|-\d)/iu,
  /range of input length should be \[\d+, ?(\d{3,9})\]/iu,
  /\blimit(?: is| of)?:? (\d{3,9})(?!\d|-\d)/iu,
];

/** The reason of a `provider-overflow` error. */
export class ContextOverflow extends Error {
  override readonly name = "ContextOverflow";
  /** How many tokens the model reads, if the provider has said so. */
  readonly limit: number | undefined;

  constructor(limit: number | undefined, cause: unknown) {
    super("The request exceeds the context window of the model.", { cause });
    this.limit = limit;
  }
}

/**
 * Returns whether a refusal says that the request exceeds the context window, with the window's size in tokens if the
 * text states it. Returns `undefined` for any other refusal. `status` is the HTTP status, or `undefined` for an error in
 * a stream.
 */
export function contextOverflow(
  status: number | undefined,
  text: string,
): { readonly limit?: number } | undefined {
  const isTooLarge = status === 413 || (status === 429 && TOO_LARGE.test(text.slice(0, MAX_CHARS)));
  if (status !== undefined && OTHER_STATUSES.includes(status) && !isTooLarge) return undefined;
  // Thousands are separated in some messages: "8,192 tokens".
  const message = withoutStatus(text, status)
    .slice(0, MAX_CHARS)
    .replaceAll(/(\d),(?=\d{3})/gu, "$1");
  const isOverflow = isTooLarge || (OVERFLOW.test(message) && !OUTPUT_LIMIT.test(message));
  if (!isOverflow) return undefined;

  const stated = LIMITS.map((pattern) => pattern.exec(message)?.[1]).find((found) => found !== undefined);
  const limit = Number(stated ?? 0);
  return limit === 0 ? {} : { limit };
}

/** Clients put the status before the message: `400 maximum context length is 8192 tokens`. It is no limit. */
const withoutStatus = (text: string, status: number | undefined): string =>
  status !== undefined && text.startsWith(`${status} `) ? text.slice(`${status} `.length) : text;

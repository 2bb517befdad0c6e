import { fold } from "./fold.ts";
import { tokensOf } from "./tokens.ts";

/** What a text's place in a ranking depends on apart from its words. Stored with each text. */
export interface Traits {
  /** Who says it or what it is about, in lower case: the `Caroline` of `Caroline: I ran a race`. Null if unknown. */
  readonly label: string | null;
  /** Whether it says when something happened. */
  readonly holdsTime: boolean;
  /** Whether it is a short question, which rarely answers one. */
  readonly isQuestion: boolean;
}

/** The traits of texts that a query asks for apart from its words. */
export interface QueryTraits {
  /** The one label that the query names; `undefined` if it names none or several. */
  readonly label: string | undefined;
  readonly asksWhen: boolean;
}

/**
 * How much a trait that fits the query counts. Measured on ten conversations of LoCoMo and on 355 questions about long
 * chats between users and assistants; see `bench/README.md`.
 */
const WHO = 1.5;
const WHEN = 1.3;
const QUESTION = 0.8;

/** A longer text that ends with a question says something before it. */
const QUESTION_CHARS = 200;
/** A label is a name or two, not a sentence that happens to contain a colon. */
const LABEL_CHARS = 40;
export const LABEL_WORDS = 3;
/** Only the beginning of a text is searched for words of time, because long texts nearly always hold one. */
const TIME_CHARS = 4_000;

/** The label of a person's own messages, and of memories that were made from such messages. */
export const USER_LABEL = "user";

const LABEL = new RegExp(String.raw`^\s*([^:\n]{1,${LABEL_CHARS}}):(?:\s|\P{ASCII})`, "u");
const ENDS_WITH_QUESTION = /[?؟]["'”’)\]]*\s*$/u;
const TIME_WORD = new RegExp(
  String.raw`\b(?:yesterday|today|tonight|tomorrow|ago|last|next|since|week|weekend|month|year|day|hour|minute|decade|` +
    String.raw`weeks|weekends|months|years|days|hours|minutes|decades|` +
    String.raw`january|february|march|april|may|june|july|august|september|october|november|december|` +
    String.raw`mondays?|tuesdays?|wednesdays?|thursdays?|fridays?|saturdays?|sundays?|` +
    String.raw`spring|summer|autumn|winter|morning|afternoon|evening|noon|midnight)\b|\b(?:1[0-9]|20)\d\d\b|\d[:/.年月日]\d`,
  "iu",
);
const ASKS_WHEN = new RegExp(
  String.raw`\b(?:when|how long|how often|how recently|how many (?:days|weeks|months|years|hours|times)|how old|` +
    String.raw`(?:what|which) (?:year|month|day|date|time|week|weekday|season|decade|century))\b`,
  "iu",
);
const ASKS_ABOUT_SPEAKER = /\b(?:i|me|my|mine|myself|we|us|our)\b/iu;

/** Returns the traits of a text. Takes linear time. */
export function traitsOf(text: string): Traits {
  const label = LABEL.exec(text.slice(0, 4 * LABEL_CHARS))?.[1];
  return {
    label: (label && labelFrom(label)) ?? null,
    holdsTime: TIME_WORD.test(text.slice(0, TIME_CHARS)),
    isQuestion: text.length < QUESTION_CHARS && ENDS_WITH_QUESTION.test(fold(text)),
  };
}

/** Whether the query asks when or how long. */
export const asksWhen = (query: string): boolean => ASKS_WHEN.test(query);

/** Whether the query is about the person who asks. */
export const asksAboutSpeaker = (query: string): boolean => ASKS_ABOUT_SPEAKER.test(query);

/** Returns the factor of the score of a text with these traits. */
export const factorOf = (traits: Traits, query: QueryTraits): number =>
  (query.label !== undefined && traits.label === query.label ? WHO : 1) *
  (query.asksWhen && traits.holdsTime ? WHEN : 1) *
  (traits.isQuestion ? QUESTION : 1);

/** Returns up to `LABEL_WORDS` words, or `undefined` if they are numbers, such as the hour of a time, or too many. */
function labelFrom(text: string): string | undefined {
  const words = tokensOf(text).map((token) => token.text);
  const isLabel =
    words.length > 0 && words.length <= LABEL_WORDS && words.some((word) => /\p{L}/u.test(word));
  return isLabel ? words.join(" ") : undefined;
}

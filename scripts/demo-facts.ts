/** One line of core memory; `key` is absent where the line is not of the form `Key: Value`. */
export interface Fact {
  readonly key?: string;
  readonly value: string;
  /** The line as it is stored. */
  readonly line: string;
}

interface Pattern {
  readonly match: RegExp;
  readonly fact: (found: RegExpExecArray) => Fact;
  /** Whether the clause may leave out its "I": "I live in London and work at Google". */
  readonly continues?: boolean;
}

const keyed = (key: string, value: string | undefined): Fact => {
  const text = (value ?? "").trim();
  return { key, value: text, line: `${key}: ${text}` };
};

const simple = (match: RegExp, key: string, continues = false): Pattern => ({
  match,
  continues,
  fact: (found) => keyed(key, found[1]),
});

/** Tried in this order, the general ones last. */
const PATTERNS: readonly Pattern[] = [
  simple(/^my name(?:'s| is) (.+)$/i, "Name"),
  simple(/^(?:i am called|i'm called|call me) (.+)$/i, "Name"),
  simple(/^(?:i )?work (?:at|for) (.+)$/i, "Works at", true),
  simple(/^(?:i )?work as (?:an? )?(.+)$/i, "Occupation", true),
  simple(/^(?:i )?live in (.+)$/i, "Lives in", true),
  simple(/^(?:i am|i'm|i come) from (.+)$/i, "From"),
  simple(/^i (?:do not|don't) like (.+)$/i, "Dislikes"),
  simple(/^i (?:dislike|hate) (.+)$/i, "Dislikes"),
  simple(/^i (?:really )?(?:like|love|enjoy) (.+)$/i, "Likes"),
  simple(/^(?:i am|i'm) an? (.+)$/i, "Occupation"),
  // A capital letter is the only sign that a bare word is a name.
  simple(/^(?:[Ii] am|[Ii]'m) (\p{Lu}[\p{L}'-]*(?: \p{Lu}[\p{L}'-]*)?)$/u, "Name"),
  {
    match: /^my favou?rite (.{1,40}?) (?:is|are) (.+)$/i,
    fact: ([, what = "", value]) => keyed(`Favorite ${what}`, value),
  },
  {
    match: /^my (.{1,40}?)(?:'s)? (?:is|are) (.+)$/i,
    fact: ([, key = "", value]) => keyed(key.charAt(0).toUpperCase() + key.slice(1), value),
  },
];

/** Cuts a text at the ends of its sentences; a full stop inside a word, as in "example.com", does not end one. */
export function splitSentences(text: string): readonly string[] {
  return text
    .split(/(?<=[.!?;])\s+|\n+/)
    .map((sentence) => sentence.trim())
    .filter((sentence) => sentence !== "");
}

const QUESTION_START =
  /^(?:who|whom|whose|what|where|when|which|why|how|do|does|did|can|could|am|is|are|have|tell me|remind me)\b/i;

/** Returns whether a sentence asks for something. */
export function isQuestion(sentence: string): boolean {
  return sentence.endsWith("?") || QUESTION_START.test(normalQuotes(sentence));
}

/** Returns the facts that a sentence states, none when it fits no pattern. */
export function factsFrom(sentence: string): readonly Fact[] {
  const text = normalQuotes(sentence)
    .replace(/[.!;\s]+$/, "")
    .replace(/^(?:hi|hello|hey)(?: there)?[,!]? +/i, "")
    .replace(/^(?:and|but|also),? +/i, "");

  const told = /^(?:please,? )?remember(?: that)?:? (.+)$/i.exec(text)?.[1];
  if (told === undefined) return factsOfClauses(text);

  const facts = factsOfClauses(told);
  return facts.length > 0 ? facts : [{ value: told, line: told }];
}

/** Reads a stored line back into a fact. */
export function parseFact(line: string): Fact {
  const found = /^([^:]{1,60}): (.+)$/.exec(line);
  return found === null ? { value: line, line } : { key: found[1] ?? "", value: found[2] ?? "", line };
}

/** Says facts to the user: `your name is Alice and you work at Google`, without a capital or a full stop. */
export function sentenceOf(facts: readonly Fact[]): string {
  const clauses = facts.map(clauseOf);
  const last = clauses.pop() ?? "";
  return clauses.length === 0 ? last : `${clauses.join(", ")} and ${last}`;
}

/** Answers a question from facts, with a whole sentence; returns `undefined` if none of them fits. */
export function answerFromFacts(question: string, facts: readonly Fact[]): string | undefined {
  const fitting = EVERYTHING.test(question) ? facts : factsFor(question, facts);
  if (fitting.length === 0) return undefined;

  const sentence = sentenceOf(fitting);
  return `${sentence.charAt(0).toUpperCase()}${sentence.slice(1)}.`;
}

/**
 * Splits at "and" and commas only where the right side is a clause of its own, so that "I like fish and
 * chips" stays whole.
 */
function factsOfClauses(text: string): readonly Fact[] {
  const [head = "", ...rest] = text.split(/(,? and |,? but |, )/i);
  const clauses = [head];
  for (let at = 0; at + 1 < rest.length; at += 2) {
    const separator = rest[at] ?? "";
    const right = rest[at + 1] ?? "";
    const left = clauses.at(-1) ?? "";
    if (startsClause(right, left)) clauses.push(right);
    else clauses[clauses.length - 1] = left + separator + right;
  }
  return clauses.flatMap((clause) => matchFact(clause.trim()) ?? []);
}

function startsClause(right: string, left: string): boolean {
  const pattern = PATTERNS.find(({ match }) => match.test(right));
  if (pattern === undefined) return false;
  return /^(?:i|i'm|my|call) /i.test(right) || (pattern.continues === true && /^(?:i|i'm) /i.test(left));
}

function matchFact(clause: string): Fact | undefined {
  if (!/^(?:i|i'm|my|call|work|live) /i.test(clause)) return undefined;

  for (const { match, fact } of PATTERNS) {
    const found = match.exec(clause);
    if (found !== null) return fact(found);
  }
  return undefined;
}

const EVERYTHING = /\b(?:(?:know|remember|have) about me|what do you (?:know|remember)\b)/i;

/** Questions that use other words than the keys of the facts that answer them. */
const TOPICS: readonly { readonly asks: RegExp; readonly keys: RegExp }[] = [
  { asks: /\bwho am i\b|\bmy (?:full |first )?name\b|\bi am called\b/i, keys: /^name$/i },
  { asks: /\bi work (?!as\b)|\bi work\W*$|\bmy (?:job|employer|company|work)\b/i, keys: /^works at$/i },
  {
    asks: /\bmy (?:job|occupation|profession)\b|\bi work as\b|\bwhat (?:do i do|am i)\b/i,
    keys: /^(?:occupation|job)$/i,
  },
  { asks: /\bi live\b|\bmy (?:home|city|town|address)\b/i, keys: /^(?:lives? in|address|city|home)$/i },
  { asks: /\bi (?:come )?from\b/i, keys: /^from$/i },
  { asks: /\bi (?:really )?(?:like|love|enjoy)\b/i, keys: /^(?:likes?|favorite .+)$/i },
  { asks: /\bi (?:dislike|hate)\b|\bi (?:do not|don't) like\b/i, keys: /^dislikes?$/i },
];

function factsFor(question: string, facts: readonly Fact[]): readonly Fact[] {
  const asked = normalQuotes(question).replace(/favourite/gi, "favorite");
  const topics = TOPICS.filter(({ asks }) => asks.test(asked));
  const words = wordsOf(asked);
  const named = namedBy(words, facts);

  const fitting = facts.filter(
    (fact) =>
      named.includes(fact) || topics.some(({ keys }) => fact.key !== undefined && keys.test(fact.key)),
  );
  return fitting.length > 0 ? fitting : overlapping(words, facts);
}

/** Facts whose key words are all in the question; "Dog's name" wins over "Name" if both are. */
function namedBy(asked: ReadonlySet<string>, facts: readonly Fact[]): readonly Fact[] {
  const candidates = facts
    .map((fact) => ({ fact, words: wordsOf(fact.key ?? "") }))
    .filter(({ words }) => words.size > 0 && words.isSubsetOf(asked));
  return candidates
    .filter(
      ({ words }) =>
        !candidates.some((other) => other.words.size > words.size && words.isSubsetOf(other.words)),
    )
    .map(({ fact }) => fact);
}

/** The facts that share most words with the question. */
function overlapping(asked: ReadonlySet<string>, facts: readonly Fact[]): readonly Fact[] {
  const scored = facts.map((fact) => ({ fact, score: wordsOf(fact.line).intersection(asked).size }));
  const best = Math.max(1, ...scored.map(({ score }) => score));
  return scored.filter(({ score }) => score === best).map(({ fact }) => fact);
}

const STOP_WORDS = new Set(
  (
    "a about am an and are at can could did do does for from have how i in is it me my of on or " +
    "please remind remember tell that the this to was were what when where which who whose why " +
    "will you your know told said"
  ).split(" "),
);

/** Content words in lower case, without their plural "s", so that "cats" matches "cat". */
function wordsOf(text: string): ReadonlySet<string> {
  const words = text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];
  return new Set(
    words
      .filter((word) => word.length > 1 && !STOP_WORDS.has(word))
      .map((word) => (word.length > 3 ? word.replace(/s$/, "") : word)),
  );
}

function clauseOf(fact: Fact): string {
  const { key, value } = fact;
  if (key === undefined) return `you told me "${value}"`;

  switch (key.toLowerCase()) {
    case "works at":
      return `you work at ${value}`;
    case "lives in":
      return `you live in ${value}`;
    case "from":
      return `you are from ${value}`;
    case "likes":
      return `you like ${value}`;
    case "dislikes":
      return `you do not like ${value}`;
    case "occupation":
      return `you are ${/^[aeiou]/i.test(value) ? "an" : "a"} ${value}`;
    default:
      return `your ${key.charAt(0).toLowerCase()}${key.slice(1)} is ${value}`;
  }
}

function normalQuotes(text: string): string {
  return text.replace(/[‘’]/g, "'");
}

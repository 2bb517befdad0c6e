/** A period relative to a day: so many units later, or earlier if negative. */
interface Offset {
  readonly count: number;
  readonly unit: Unit;
}

type Unit = "day" | "week" | "month" | "year" | "weekend";

const DAY_MS = 24 * 60 * 60 * 1000;
/** The most periods that are named for one text. */
const MAX_SHOWN = 3;
/** Anti-DoS: only the beginning of a text is read. What is shown of one is shorter. */
const MAX_CHARS = 2_000;

const DAYS = ["sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"];
const NUMBERS = "one two three four five six seven eight nine ten eleven twelve".split(" ");

const NUMBER = String.raw`\d{1,3}|an?|${NUMBERS.join("|")}`;
const UNITS = "day|week|month|year";
/** English. The alternatives begin with different words or end at once, so matching takes linear time. */
const ENGLISH = new RegExp(
  String.raw`\b(?:the day before yesterday|the day after tomorrow|yesterday|tomorrow|last night|` +
    String.raw`(?<which>last|this|next) (?<period>week|weekend|month|year|${DAYS.join("|")})|` +
    String.raw`(?<before>${NUMBER}) (?<beforeUnit>${UNITS})s? ago|in (?<after>${NUMBER}) (?<afterUnit>${UNITS})s?)\b`,
  "giu",
);
const FIXED: Readonly<Record<string, number>> = {
  "the day before yesterday": -2,
  yesterday: -1,
  "last night": -1,
  tomorrow: 1,
  "the day after tomorrow": 2,
};

/** Languages whose words for neighbouring days, weeks, months and years the platform knows. */
const LANGUAGES = "ar cs de el es fr he hi id it ja ko nl pl pt ro ru sv th tr uk vi zh".split(" ");
/** Words that also mean "morning". */
const AMBIGUOUS = new Set(["mañana", "morgen"]);
const UNSPACED = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Thai}]/u;

/** Built when it is first needed: it takes a few milliseconds, which most requests don't need. */
let foreign: { readonly phrases: ReadonlyMap<string, Offset>; readonly pattern: RegExp } | undefined;

/**
 * Returns what a text's words about relative dates mean, such as `yesterday = 2023-05-07`, if it is about `day`
 * (`YYYY-MM-DD`): up to three of them, in the order of the text. Days are dates, weeks and weekends ranges of dates,
 * months `YYYY-MM` and years `YYYY`. Returns none if `day` is not a date.
 */
export function relativeDates(text: string, day: string): readonly string[] {
  const base = Date.parse(`${day.slice(0, 10)}T00:00:00Z`);
  if (Number.isNaN(base)) return [];

  const read = text.slice(0, MAX_CHARS);
  const found = new Map<string, { readonly at: number; readonly period: string }>();
  for (const match of read.matchAll(ENGLISH)) {
    const period = englishPeriod(match, base);
    if (period !== undefined) found.set(match[0].toLowerCase(), { at: match.index, period });
  }
  for (const { phrase, at, offset } of foreignPhrases(read))
    if (!found.has(phrase)) found.set(phrase, { at, period: periodOf(base, offset) });

  return [...found]
    .toSorted(([, a], [, b]) => a.at - b.at)
    .slice(0, MAX_SHOWN)
    .map(([phrase, { period }]) => `${phrase} = ${period}`);
}

function englishPeriod(match: RegExpExecArray, base: number): string | undefined {
  const { which, period, before, beforeUnit, after, afterUnit } = match.groups ?? {};
  const fixed = FIXED[match[0].toLowerCase()];
  if (fixed !== undefined) return periodOf(base, { count: fixed, unit: "day" });
  if (which !== undefined && period !== undefined)
    return namedPeriod(which.toLowerCase(), period.toLowerCase(), base);
  if (before !== undefined) return countedPeriod(base, -numberFrom(before), beforeUnit);
  if (after !== undefined) return countedPeriod(base, numberFrom(after), afterUnit);
  return undefined;
}

/** Returns the period of `last week` and the like. A weekday is the last one before the day, or the first one after. */
function namedPeriod(which: string, name: string, base: number): string {
  const direction = which === "last" ? -1 : which === "next" ? 1 : 0;
  const weekday = DAYS.indexOf(name);
  if (weekday === -1) return periodOf(base, { count: direction, unit: name as Unit });

  const ahead = (weekday - new Date(base).getUTCDay() + 7) % 7;
  if (direction === 0) return dateOf(base + ahead * DAY_MS);
  return dateOf(base + (direction > 0 ? ahead || 7 : (ahead || 7) - (ahead === 0 ? 14 : 7)) * DAY_MS);
}

/** Returns the day that is some weeks away, because people who count weeks mean the day. Otherwise as `periodOf`. */
const countedPeriod = (base: number, count: number, unit = "day"): string => {
  const lower = unit.toLowerCase() as Unit;
  return lower === "week" ? dateOf(base + 7 * count * DAY_MS) : periodOf(base, { count, unit: lower });
};

function periodOf(base: number, { count, unit }: Offset): string {
  const date = new Date(base);
  const [year, month] = [date.getUTCFullYear(), date.getUTCMonth()];
  const monday = base - ((date.getUTCDay() + 6) % 7) * DAY_MS + 7 * count * DAY_MS;
  switch (unit) {
    case "day":
      return dateOf(base + count * DAY_MS);
    case "week":
      return `${dateOf(monday)} to ${dateOf(monday + 6 * DAY_MS)}`;
    case "weekend":
      return `${dateOf(monday + 5 * DAY_MS)} to ${dateOf(monday + 6 * DAY_MS)}`;
    case "month":
      return dateOf(Date.UTC(year, month + count)).slice(0, 7);
    case "year":
      return String(year + count);
  }
}

function* foreignPhrases(text: string) {
  foreign ??= foreignNames();
  for (const match of text.toLowerCase().matchAll(foreign.pattern)) {
    const offset = foreign.phrases.get(match[0]);
    if (offset) yield { phrase: match[0], at: match.index, offset };
  }
}

function foreignNames() {
  const phrases = new Map<string, Offset>();
  for (const language of LANGUAGES) {
    const format = new Intl.RelativeTimeFormat(language, { numeric: "auto" });
    for (const unit of ["day", "week", "month", "year"] as const)
      for (const count of unit === "day" ? [-2, -1, 1, 2] : [-1, 1]) {
        const phrase = format.format(count, unit).toLowerCase();
        // A phrase with a number has no name of its own.
        if (!/\p{N}/u.test(phrase) && !AMBIGUOUS.has(phrase)) phrases.set(phrase, { count, unit });
      }
  }
  // The longest first, because the name of the day before yesterday may end with that of yesterday.
  const names = [...phrases.keys()].toSorted((a, b) => b.length - a.length);
  const alternatives = names.map((name) => {
    const escaped = RegExp.escape(name);
    return UNSPACED.test(name) ? escaped : String.raw`(?<![\p{L}\p{N}])${escaped}(?![\p{L}\p{M}\p{N}])`;
  });
  return { phrases, pattern: new RegExp(alternatives.join("|"), "gu") };
}

function numberFrom(text: string): number {
  const lower = text.toLowerCase();
  if (lower === "a" || lower === "an") return 1;
  const index = NUMBERS.indexOf(lower);
  return index === -1 ? Number(lower) : index + 1;
}

function dateOf(moment: number): string {
  const date = new Date(moment);
  return Number.isNaN(date.getTime()) ? "unknown" : date.toISOString().slice(0, 10);
}

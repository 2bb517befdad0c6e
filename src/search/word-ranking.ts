import {
  asksAboutSpeaker,
  asksWhen,
  factorOf,
  LABEL_WORDS,
  type Traits,
  USER_LABEL,
  type QueryTraits,
} from "./factors.ts";
import { formatTimestamp } from "../shared/clock.ts";
import { anyOf, type Query, type WordQuery } from "./query.ts";
import { type PlaceValues, scoreOf, withNeighbours } from "./ranking.ts";

/** A place and its score. A type alias, because rows need an implicit index signature. */
export type Scored = { readonly place: number; readonly score: number };

/**
 * The tables to rank. Texts have a `place`, a `moment`, and the columns of `TRAIT_COLUMNS`. The FTS5 table of words uses
 * the place as its `rowid`.
 */
export interface RankedTables {
  readonly texts: string;
  readonly words: string;
  /** The column that decides which of two equal matches is newer. */
  readonly newestBy: "place" | "moment";
}

/** The columns that hold the traits of a text, for its table's definition. */
export const TRAIT_COLUMNS = "label TEXT, holds_time INTEGER NOT NULL, is_question INTEGER NOT NULL";

/** Returns the values of `TRAIT_COLUMNS`. */
export const traitValues = ({
  label,
  holdsTime,
  isQuestion,
}: Traits): readonly [string | null, number, number] => [label, Number(holdsTime), Number(isQuestion)];

/** Which texts take part in a ranking. Others neither match nor affect their neighbours. */
export interface Filter {
  /** Places to leave out. */
  readonly excluded: readonly number[];
  /** The range of their moments in milliseconds since the epoch, both ends inclusive. */
  readonly from: number;
  readonly to: number;
  /** The time at which texts have to stand (ms since the epoch). Only for tables with `superseded_at`. */
  readonly asOf?: number | undefined;
}

/** The last moment that a date can have. */
const LAST_MOMENT = 8.64e15;
/** A filter that leaves out nothing. */
export const EVERYTHING: Filter = { excluded: [], from: -LAST_MOMENT, to: LAST_MOMENT };

/**
 * Returns a condition on texts, to follow others: that they stand at a time, because they were stored or last changed by
 * then and superseded later. Empty without a time.
 */
export function standingAt(asOf: number | undefined): {
  readonly sql: string;
  readonly bindings: readonly string[];
} {
  if (asOf === undefined) return { sql: "", bindings: [] };
  const moment = formatTimestamp(asOf, 999);
  // Sort keys begin with the time at which the text was stored, and "~" sorts behind what follows it.
  return {
    sql: " AND sort_key < ? AND (superseded_at IS NULL OR superseded_at > ?)",
    bindings: [`${moment}~`, moment],
  };
}

/** The best matches in order, and the number of all matches. */
export interface Matched {
  readonly ranked: readonly Scored[];
  readonly total: number;
}

/** Orders the head of a ranking anew, and may add to it. `scale` divides the scores of what follows the head. */
export type OrderHead = (head: readonly Scored[]) => {
  readonly ranked: readonly Scored[];
  readonly scale: number;
};

/** How many of the best matches are also ranked by their neighbours and traits. The rest keep the order of their words. */
const HEAD = 50;
/** What a stop word of the query weighs in a match. Enough to decide between equals, such as "to Rome" and "from Rome". */
const WEAK = 0.1;

/** Ranks texts by their words. Depends on FTS5 only, not on what the texts are. */
export class WordRanking {
  readonly #sql: SqlStorage;
  readonly #tables: RankedTables;

  constructor({ sql, tables }: { readonly sql: SqlStorage; readonly tables: RankedTables }) {
    this.#sql = sql;
    this.#tables = tables;
  }

  /**
   * Returns the best `end` texts that contain one of the words: the head, in the order that `order` returns, and then
   * matches that are ranked by their own words only. Scores never rise.
   */
  best(query: WordQuery, end: number, filter: Filter, order: OrderHead): Matched {
    const match = anyOf(query.terms.map((term) => term.match));
    // One scan finds the candidates of the head and what follows it.
    const best = this.#best(match, filter, Math.max(end, HEAD));
    const { ranked, scale } = order(this.#head(query, best.slice(0, HEAD), filter));
    const shown = new Set(placesOf(ranked));
    const least = ranked.at(-1)?.score ?? 0;
    const rest = best
      .filter(({ place }) => !shown.has(place))
      .map(({ place, score }) => ({ place, score: Math.min(least, score / scale) }));
    return { ranked: [...ranked, ...rest].slice(0, end), total: this.#count(match, filter) };
  }

  /** Returns the words of a query that some text has, and those that none has. */
  termsFound(query: WordQuery, filter: Filter): FoundTerms {
    const { words } = this.#tables;
    const passes = this.#condition(filter);
    const lookup = `SELECT 1 FROM ${words} WHERE ${words} MATCH ? ${passes.sql} LIMIT 1`;
    return termsFoundIn(
      query,
      (match) => this.#sql.exec(lookup, match, ...passes.bindings).toArray().length > 0,
    );
  }

  /** Returns how many of these places match. */
  countAmong({ terms }: WordQuery, places: readonly number[]): number {
    const { words } = this.#tables;
    return this.#sql
      .exec<{ n: number }>(
        `SELECT COUNT(*) AS n FROM ${words} WHERE ${words} MATCH ? AND +rowid IN (SELECT value FROM json_each(?))`,
        anyOf(terms.map(({ match }) => match)),
        JSON.stringify(places),
      )
      .one().n;
  }

  /** Returns the moments of these places, as far as they exist and pass the filter. */
  momentsAt(places: readonly number[], { excluded, from, to, asOf }: Filter): ReadonlyMap<number, number> {
    const standing = standingAt(asOf);
    const rows = this.#sql.exec<{ place: number; moment: number }>(
      `SELECT place, moment FROM ${this.#tables.texts}
       WHERE place IN (SELECT value FROM json_each(?))${standing.sql}`,
      JSON.stringify(places),
      ...standing.bindings,
    );
    const without = new Set(excluded);
    return new Map(
      [...rows]
        .filter(({ place, moment }) => !without.has(place) && moment >= from && moment <= to)
        .map(({ place, moment }) => [place, moment]),
    );
  }

  /**
   * Returns the best matches, ranked with their neighbours, including nearby matches that their neighbours lift into
   * the head. The head is the same for every page, so pages neither overlap nor skip a match.
   */
  #head(query: WordQuery, best: readonly Scored[], filter: Filter): readonly Scored[] {
    const candidates = withNeighbours(best.map(({ place }) => place));
    const momentAt = this.momentsAt(withNeighbours(candidates), filter);
    const shown = candidates.filter((place) => momentAt.has(place));
    const neighbours = JSON.stringify([...momentAt.keys()]);
    const scores = query.terms.map((term) => this.#scores(term.match, neighbours));
    const matching = shown.filter((place) => scores.some((found) => found.has(place)));
    const weak: PlaceValues =
      query.weak === undefined ? new Map() : this.#scores(query.weak, JSON.stringify(matching));
    const factorAt = this.#factors(query, matching);
    // No match in the tail may score higher than a match in the head.
    const least = best.length < HEAD ? 0 : (best.at(-1)?.score ?? 0);
    const newest = (place: number) => (this.#tables.newestBy === "place" ? 0 : (momentAt.get(place) ?? 0));

    return matching
      .map((place) => {
        const words = scoreOf(place, scores, momentAt) + WEAK * (weak.get(place) ?? 0);
        return { place, score: words * (factorAt.get(place) ?? 1) };
      })
      .filter(({ score }) => score >= least)
      .toSorted((a, b) => b.score - a.score || newest(b.place) - newest(a.place) || b.place - a.place);
  }

  #best(match: string, filter: Filter, limit: number): readonly Scored[] {
    const { words, texts, newestBy } = this.#tables;
    const moment = `(SELECT moment FROM ${texts} WHERE ${texts}.place = ${words}.rowid) DESC,`;
    const passes = this.#condition(filter);
    return this.#sql
      .exec<Scored>(
        `SELECT rowid AS place, -bm25(${words}) AS score FROM ${words}
         WHERE ${words} MATCH ? ${passes.sql}
         ORDER BY score DESC, ${newestBy === "moment" ? moment : ""} rowid DESC LIMIT ?`,
        match,
        ...passes.bindings,
        limit,
      )
      .toArray();
  }

  #count(match: string, filter: Filter): number {
    const { words } = this.#tables;
    const passes = this.#condition(filter);
    const query = `SELECT COUNT(*) AS n FROM ${words} WHERE ${words} MATCH ? ${passes.sql}`;
    return this.#sql.exec<{ n: number }>(query, match, ...passes.bindings).one().n;
  }

  /** Returns a condition on the rows of the words. The plus stops SQLite from looking a word up again for each place. */
  #condition({ excluded, from, to, asOf }: Filter) {
    const { words, texts } = this.#tables;
    const conditions: string[] = [];
    const bindings: SqlStorageValue[] = [];
    if (excluded.length > 0) {
      conditions.push("AND +rowid NOT IN (SELECT value FROM json_each(?))");
      bindings.push(JSON.stringify(excluded));
    }
    if (from > EVERYTHING.from || to < EVERYTHING.to) {
      conditions.push(
        `AND (SELECT moment FROM ${texts} WHERE ${texts}.place = ${words}.rowid) BETWEEN ? AND ?`,
      );
      bindings.push(from, to);
    }
    if (asOf !== undefined) {
      const standing = standingAt(asOf);
      conditions.push(
        `AND EXISTS (SELECT 1 FROM ${texts} WHERE ${texts}.place = ${words}.rowid${standing.sql})`,
      );
      bindings.push(...standing.bindings);
    }
    return { sql: conditions.join(" "), bindings };
  }

  #scores(match: string, places: string): PlaceValues {
    const { words } = this.#tables;
    const rows = this.#sql.exec<Scored>(
      `SELECT rowid AS place, -bm25(${words}) AS score FROM ${words}
       WHERE ${words} MATCH ? AND +rowid IN (SELECT value FROM json_each(?))`,
      match,
      places,
    );
    return new Map([...rows].map(({ place, score }) => [place, score]));
  }

  #factors(query: WordQuery, places: readonly number[]): ReadonlyMap<number, number> {
    const wanted: QueryTraits = { label: this.#labelIn(query), asksWhen: asksWhen(query.text) };
    const rows = this.#sql.exec<TraitRow>(
      `SELECT place, label, holds_time, is_question FROM ${this.#tables.texts}
       WHERE place IN (SELECT value FROM json_each(?))`,
      JSON.stringify(places),
    );
    return new Map([...rows].map((row) => [row.place, factorOf(traitsFrom(row), wanted)]));
  }

  /** Returns the label whose texts a query is about, or `undefined` if it names none or several. */
  #labelIn({ words, text }: WordQuery): string | undefined {
    const phrases = words.flatMap((_, start) =>
      Array.from({ length: LABEL_WORDS }, (_unused, index) =>
        words.slice(start, start + index + 1).join(" "),
      ),
    );
    if (asksAboutSpeaker(text)) phrases.push(USER_LABEL);
    const { texts } = this.#tables;
    // Each phrase is looked up in the index of labels. A scan of the index would take longer.
    const found = this.#sql
      .exec<{ label: string }>(
        `SELECT value AS label FROM json_each(?) WHERE EXISTS (SELECT 1 FROM ${texts} WHERE label = value)`,
        JSON.stringify([...new Set(phrases)]),
      )
      .toArray();
    return found.length === 1 ? found[0]?.label : undefined;
  }
}

export const placesOf = (placed: readonly Pick<Scored, "place">[]): readonly number[] =>
  placed.map(({ place }) => place);

/** The words of a query that some text has, and those that none has. */
interface FoundTerms {
  readonly matched: readonly string[];
  readonly missing: readonly string[];
}

/** Returns which words of a query some text has. `isFound` says whether a text matches an FTS5 expression. */
export function termsFoundIn({ terms }: WordQuery, isFound: (match: string) => boolean): FoundTerms {
  const matched = new Set(terms.flatMap(({ match, word }) => (isFound(match) ? [word] : [])));
  const all = [...new Set(terms.map(({ word }) => word))];
  return { matched: [...matched], missing: all.filter((word) => !matched.has(word)) };
}

/** Returns the words of several queries that some text has, and those that none has. */
export function termsOfAll(
  queries: readonly Query[],
  termsFound: (query: WordQuery) => FoundTerms,
): { readonly matchedTerms: readonly string[]; readonly missingTerms: readonly string[] } {
  const found = queries.flatMap((query) => (query.kind === "words" ? [termsFound(query)] : []));
  return {
    matchedTerms: [...new Set(found.flatMap(({ matched }) => matched))],
    missingTerms: [...new Set(found.flatMap(({ missing }) => missing))],
  };
}

/** A type alias, because rows need an implicit index signature. */
type TraitRow = {
  readonly place: number;
  readonly label: string | null;
  readonly holds_time: number;
  readonly is_question: number;
};

const traitsFrom = (row: TraitRow): Traits => ({
  label: row.label,
  holdsTime: row.holds_time === 1,
  isQuestion: row.is_question === 1,
});

import { anyOf } from "./query.ts";
import { REACH, scoreOf, type TermScores } from "./ranking.ts";

/** A type, because SQL's rows have an index. */
export type Scored = { readonly place: number; readonly score: number };

/** Where texts and their words stand. The texts have a `place` and a `moment`, and the words have it as their `rowid`. */
export interface RankedTables {
  readonly texts: string;
  readonly words: string;
  /** By what the newest comes first among equals: by where it stands, or by its moment. */
  readonly newestBy: "place" | "moment";
}

/** Matches in the order in which they are shown first, and how many there are in all. */
export interface Ranking {
  readonly head: readonly Scored[];
  readonly total: number;
  /** Matches by their own words alone, newest first among equals, without these and the excluded ones. */
  readonly tail: (without: readonly number[], limit: number, offset: number) => readonly Scored[];
}

/** So many of the best are ranked by their neighbours, too; those behind keep the order that their own words give. */
const HEAD = 50;

/** Ranks texts by their words. Knows FTS5 and nothing of what the texts are. */
export class WordRanking {
  readonly #sql: SqlStorage;
  readonly #tables: RankedTables;

  constructor(sql: SqlStorage, tables: RankedTables) {
    this.#sql = sql;
    this.#tables = tables;
  }

  /** Everything that holds one of the terms; excluded places neither match nor help others. */
  rank(terms: readonly string[], excluded: readonly number[] = []): Ranking {
    const match = anyOf(terms);
    return {
      head: this.#head(terms, match, excluded),
      total: this.#count(match, "NOT IN", excluded),
      tail: (without, limit, offset) => this.#best(match, [...without, ...excluded], limit, offset),
    };
  }

  /** How many of these places match. */
  countAmong(terms: readonly string[], places: readonly number[]): number {
    return this.#count(anyOf(terms), "IN", places);
  }

  /**
   * The best matches, ranked by their neighbours, too, and matches around them that their neighbours lift among them.
   * Always the same ones, whichever page is asked for: so pages neither overlap nor leave anything out.
   */
  #head(terms: readonly string[], match: string, excluded: readonly number[]): readonly Scored[] {
    const best = this.#best(match, excluded, HEAD, 0);
    const isShown = (place: number) => !excluded.includes(place);
    const candidates = around(placesOf(best), REACH).filter(isShown);
    const neighbours = JSON.stringify(around(candidates, REACH).filter(isShown));
    const scores = terms.map((term) => this.#termScores(term, neighbours));
    const momentAt = this.#momentsAt(neighbours);
    // Nobody behind the head may deserve a place before one of it.
    const least = best.length < HEAD ? 0 : (best.at(-1)?.score ?? 0);
    const newest = (place: number) => (this.#tables.newestBy === "place" ? 0 : (momentAt.get(place) ?? 0));

    return candidates
      .filter((place) => scores.some((found) => found.has(place)))
      .map((place) => ({ place, score: scoreOf(place, scores, momentAt) }))
      .filter(({ score }) => score >= least)
      .toSorted((a, b) => b.score - a.score || newest(b.place) - newest(a.place) || b.place - a.place);
  }

  #best(match: string, excluded: readonly number[], limit: number, offset: number): readonly Scored[] {
    const { words, texts, newestBy } = this.#tables;
    const moment = `(SELECT moment FROM ${texts} WHERE ${texts}.place = ${words}.rowid) DESC,`;
    return this.#sql
      .exec<Scored>(
        `SELECT rowid AS place, -bm25(${words}) AS score FROM ${words}
         WHERE ${words} MATCH ? AND +rowid NOT IN (SELECT value FROM json_each(?))
         ORDER BY score DESC, ${newestBy === "moment" ? moment : ""} rowid DESC LIMIT ? OFFSET ?`,
        match,
        JSON.stringify(excluded),
        limit,
        offset,
      )
      .toArray();
  }

  #count(match: string, where: "IN" | "NOT IN", places: readonly number[]): number {
    const { words } = this.#tables;
    const total = `SELECT COUNT(*) AS n FROM ${words} WHERE ${words} MATCH ?`;
    if (where === "NOT IN" && places.length === 0) return this.#sql.exec<{ n: number }>(total, match).one().n;

    const listed = `${total} AND +rowid ${where} (SELECT value FROM json_each(?))`;
    return this.#sql.exec<{ n: number }>(listed, match, JSON.stringify(places)).one().n;
  }

  #momentsAt(places: string): ReadonlyMap<number, number> {
    const rows = this.#sql.exec<{ place: number; moment: number }>(
      `SELECT place, moment FROM ${this.#tables.texts} WHERE place IN (SELECT value FROM json_each(?))`,
      places,
    );
    return new Map([...rows].map(({ place, moment }) => [place, moment]));
  }

  #termScores(term: string, places: string): TermScores {
    const { words } = this.#tables;
    // The plus keeps SQLite from looking the word up anew for each place.
    const rows = this.#sql.exec<Scored>(
      `SELECT rowid AS place, -bm25(${words}) AS score FROM ${words}
       WHERE ${words} MATCH ? AND +rowid IN (SELECT value FROM json_each(?))`,
      term,
      places,
    );
    return new Map([...rows].map(({ place, score }) => [place, score]));
  }
}

export const placesOf = (scored: readonly Scored[]): readonly number[] => scored.map(({ place }) => place);

/** The places, and those so many steps before and behind them. */
const around = (places: readonly number[], steps: number): readonly number[] => [
  ...new Set(
    places.flatMap((place) => Array.from({ length: 2 * steps + 1 }, (_, index) => place - steps + index)),
  ),
];

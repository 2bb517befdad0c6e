import { type PageId, pageIdOf } from "../shared/id-types.ts";
import { countWords } from "../shared/text.ts";
import { fuseRankings, type Similarity } from "./fusion.ts";
import { plainLine } from "./markdown-line.ts";
import type { SearchEvidence } from "./model.ts";
import { anyOf, type Query, type WordQuery } from "./query.ts";
import type { SearchedIndex } from "./results.ts";
import { PageAttempts } from "./page-attempts.ts";
import type {
  FoundPassage,
  IndexedPage,
  IndexedPassage,
  PageReading,
  PartialPage,
  PassageHit,
  ReadPassage,
  TermUse,
} from "./passage-model.ts";
import {
  headingsIn,
  joined,
  PASSAGE,
  type PageRow,
  type PassageRow,
  type PlacedRow,
  type PlaceRow,
  SCHEMA,
  STATE_TABLE,
  type TextRow,
} from "./passage-tables.ts";
import { indexedText, TOKENS_VERSION } from "./tokens.ts";
import { createVectorTables, placeVectors, removeVectors, unplaceVectors } from "./vector-tables.ts";
import { type Located, WINDOW_REACH, windowAround } from "./passage-window.ts";
import { textFragmentUrl } from "./text-fragment.ts";
import {
  type Filter,
  type Matched,
  placesOf,
  type Scored,
  termsFoundIn,
  termsOfAll,
} from "./word-ranking.ts";

/** Change the number when the content of the index changes: an index with another version is rebuilt. */
const VERSION = 1;
/** What a word in the headings weighs, and one in the text. Measured; see decision 0033. */
const WEIGHTS = "2.0, 1.0";
/** How many of the best passages are considered. Nobody reads more results. */
export const CANDIDATES = 100;
/** How many earlier passages of its page a link to a passage is told apart from. */
const TOLD_APART = 200;
/** What a stop word of the query weighs in a match, as in the search of memories. */
const WEAK = 0.1;

/** How many ids a statement gets as a list. SQLite in a Durable Object takes texts of 2 MB at most. */
const LIST = 5_000;

interface PassageIndexDeps {
  readonly storage: Pick<DurableObjectStorage, "sql" | "transactionSync">;
  /** The version of the function that divides pages into passages. */
  readonly passagesVersion: number;
}

/**
 * Indexes and searches the passages of one knowledge base. Ranks by words, those of the headings twice as much, and by meaning if
 * there are vectors. Depends on SQLite only, not on where pages are stored.
 */
export class PassageIndex implements SearchedIndex<PassageHit> {
  readonly #storage: PassageIndexDeps["storage"];
  readonly #version: string;
  /** What a `VectorStore` reads. A passage keeps its id, and so its vector, while its text stays the same. */
  readonly texts = { table: "passages", key: "passage_id" } as const;
  /** The attempts to index pages that have not ended. */
  readonly attempts: PageAttempts;
  /** Whether the index that was found had another version, so that it is being built again. */
  readonly wasOutdated: boolean = false;
  #revision = 0;
  #stored: number | undefined;

  constructor({ storage, passagesVersion }: PassageIndexDeps) {
    this.#storage = storage;
    this.#version = `${VERSION}/${passagesVersion}/${TOKENS_VERSION}`;
    this.#exec(STATE_TABLE);
    this.attempts = new PageAttempts({ sql: storage.sql });
    createVectorTables(storage.sql);
    const version = this.#state("version");
    if (version === this.#version) return;
    this.wasOutdated = version !== undefined;
    this.clear();
  }

  /** The version of the newest change that was applied; 0 for a new index. */
  get changesUntil(): number {
    return Number(this.#state("changes") ?? 0);
  }

  /** Changes whenever passages are added or the index is cleared. */
  get revision(): number {
    return this.#revision;
  }

  /** The number of indexed passages. */
  get stored(): number {
    return (this.#stored ??= this.#count("SELECT COUNT(*) AS n FROM passages"));
  }

  /** The number of indexed pages. */
  get pages(): number {
    return this.#count("SELECT COUNT(*) AS n FROM pages");
  }

  /** The counts for which the index was built again; `undefined` if it was not. See `clear`. */
  get rebuiltFor(): string | undefined {
    return this.#state("rebuilt_for");
  }

  /** Removes all pages and passages, but keeps the vectors. Remembers for which counts the index is built again, if it is. */
  clear(rebuiltFor?: string): void {
    this.#touch();
    this.#storage.transactionSync(() => {
      unplaceVectors(this.#storage.sql);
      for (const table of ["passage_words", "passages", "pages", "page_attempts", "document_state"])
        this.#exec(`DROP TABLE IF EXISTS ${table}`);
      for (const statement of SCHEMA) this.#exec(statement);
      this.#exec("INSERT INTO document_state VALUES ('version', ?)", this.#version);
      if (rebuiltFor !== undefined)
        this.#exec("INSERT INTO document_state VALUES ('rebuilt_for', ?)", rebuiltFor);
    });
  }

  /** Applies changes up to a version atomically. A page that is indexed in a later version stays as it is. */
  apply(saved: readonly IndexedPage[], removed: readonly PageId[], until: number): void {
    this.#touch();
    this.#storage.transactionSync(() => {
      for (const pageId of removed) this.#remove(pageId);
      for (const page of saved) this.#put(page);
      this.#exec("INSERT OR REPLACE INTO document_state VALUES ('changes', ?)", String(until));
    });
  }

  /** The page that is indexed in part; `undefined` if there is none. */
  get partial(): PartialPage | undefined {
    const text = this.#state("partial");
    // Written by `applyPart`.
    return text === undefined ? undefined : (JSON.parse(text) as PartialPage);
  }

  /**
   * Indexes the next passages of a page, at most `limit`, atomically, and returns how many are left. The first call removes the
   * passages that the page no longer has. The last one notes that the changes up to `until` were applied. A later call, also after
   * a crash, goes on where the last one ended, if the page still has the same version; otherwise it begins anew.
   */
  applyPart(page: IndexedPage, limit: number, until: number): number {
    const { pageId, version, passages } = page;
    this.#touch();
    return this.#storage.transactionSync(() => {
      const { partial } = this;
      const isResumed = partial?.pageId === pageId && partial.version === version;
      const from = isResumed ? partial.indexed : this.#begin(page);
      const end = Math.min(from + limit, passages.length);
      this.#placeAll(page, from, end);
      this.attempts.forget(pageId);
      const left = passages.length - end;
      if (left > 0) this.#keepPartial({ pageId, version, indexed: end, total: passages.length });
      else this.#end(pageId, until);
      return left;
    });
  }

  /** Leaves out a page that can't be indexed: it is counted, but has no passages until it is replaced. */
  leaveOut({ pageId, version, url, title }: Omit<IndexedPage, "passages">, until: number): void {
    this.#touch();
    this.#storage.transactionSync(() => {
      this.#begin({ pageId, version, url, title, passages: [] });
      this.attempts.giveUp({ pageId, version });
      this.#end(pageId, until);
    });
  }

  /** Returns the passages that match a query, fused with those near in meaning, best first. */
  rank(query: Query, end: number, _filter: Filter, similarity: Similarity): Matched {
    const ranked = this.#withoutShown(this.#matching(query, similarity));
    return { ranked: ranked.slice(0, end), total: ranked.length };
  }

  /** Returns the passages at these places with their surroundings, in the same order. No text is in two of them. */
  hitsAt(scored: readonly Scored[]): readonly PassageHit[] {
    const shown = new Map<string, Set<number>>();
    return scored.map(({ place, score }) => {
      const row = this.#exec<PassageRow>(`${PASSAGE} WHERE place = ?`, place).one();
      const known = shown.get(row.page_id) ?? new Set();
      shown.set(row.page_id, known);
      return { ...this.#found(row, known), score };
    });
  }

  idsAt(scored: readonly Scored[]): readonly { readonly id: string; readonly score: number }[] {
    return scored.map(({ place, score }) => {
      const query = "SELECT passage_id AS id FROM passages WHERE place = ?";
      return { id: this.#exec<{ id: string }>(query, place).one().id, score };
    });
  }

  /** Returns a passage with its surroundings, or `undefined` if there is none with this id. */
  find(passageId: string): FoundPassage | undefined {
    const [row] = this.#exec<PassageRow>(`${PASSAGE} WHERE passage_id = ?`, passageId);
    return row && this.#found(row, new Set());
  }

  /**
   * Returns the passages of a page from a position on, as many as have at most `maxChars` characters and at least one, or
   * `undefined` if there is no such page.
   */
  read(pageId: PageId, from: number, maxChars: number): PageReading | undefined {
    const [page] = this.#exec<PageRow>("SELECT url, title FROM pages WHERE page_id = ?", pageId).toArray();
    if (!page) return undefined;

    const { partial } = this;
    const total =
      partial?.pageId === pageId
        ? partial.total
        : this.#count("SELECT COUNT(*) AS n FROM passages WHERE page_id = ?", pageId);
    const query = `SELECT place, passage_id, position, headings, content FROM passages
       WHERE page_id = ? AND position >= ? ORDER BY position`;
    const passages: ReadPassage[] = [];
    let room = maxChars;
    for (const row of this.#exec<PlacedRow & TextRow>(query, pageId, from)) {
      room -= row.content.length;
      if (room < 0 && passages.length > 0) break;
      const { passage_id: passageId, position, content: text } = row;
      passages.push({ passageId, position, headings: headingsIn(row.headings), text });
    }
    return { ...page, passages, total };
  }

  /** Returns what a search for these queries looks at. */
  evidence(queries: readonly Query[]): SearchEvidence {
    const terms = termsOfAll(queries, (query) => this.#termsFound(query));
    return { ...terms, considered: this.stored, newestAt: null };
  }

  /** Returns how the words of the queries are used, so that results of several bases can be compared. */
  termUses(queries: readonly Query[], hits: readonly Scored[]): readonly TermUse[] {
    const places = placesOf(hits);
    return queries.flatMap((query, question) =>
      query.kind === "words"
        ? query.terms.map(({ match }) => ({ question, match, ...this.#use(match, places) }))
        : [],
    );
  }

  #use(match: string, places: readonly number[]): Pick<TermUse, "passages" | "hits"> {
    const { n, found } = this.#exec<{ n: number; found: string }>(
      `SELECT COUNT(*) AS n,
         json_group_array(rowid) FILTER (WHERE rowid IN (SELECT value FROM json_each(?))) AS found
       FROM passage_words WHERE passage_words MATCH ?`,
      JSON.stringify(places),
      match,
    ).one();
    // Numbers, written by SQLite.
    const using = new Set(JSON.parse(found) as number[]);
    return { passages: n, hits: places.flatMap((place, index) => (using.has(place) ? [index] : [])) };
  }

  #matching(query: Query, similarity: Similarity): readonly Scored[] {
    switch (query.kind) {
      case "everything":
        return [];
      case "literal":
        return this.#exec<Scored>(
          "SELECT place, 0 AS score FROM passages WHERE INSTR(content, ?) > 0 ORDER BY place LIMIT ?",
          query.text,
          CANDIDATES,
        ).toArray();
      case "words": {
        const matches = this.#byWords(query);
        const { near, deviations } = similarity;
        return near.length === 0 && deviations.size === 0
          ? matches
          : fuseRankings(matches, similarity, undefined);
      }
    }
  }

  #byWords({ terms, weak }: WordQuery): readonly Scored[] {
    const best = this.#exec<Scored>(
      `SELECT rowid AS place, -bm25(passage_words, ${WEIGHTS}) AS score FROM passage_words
       WHERE passage_words MATCH ? ORDER BY score DESC, rowid LIMIT ?`,
      anyOf(terms.map(({ match }) => match)),
      CANDIDATES,
    ).toArray();
    if (weak === undefined) return best;

    const rows = this.#exec<Scored>(
      `SELECT rowid AS place, -bm25(passage_words, ${WEIGHTS}) AS score FROM passage_words
       WHERE passage_words MATCH ? AND +rowid IN (SELECT value FROM json_each(?))`,
      weak,
      JSON.stringify(placesOf(best)),
    );
    const added = new Map([...rows].map(({ place, score }) => [place, score]));
    return best
      .map(({ place, score }) => ({ place, score: score + WEAK * (added.get(place) ?? 0) }))
      .toSorted((a, b) => b.score - a.score || a.place - b.place);
  }

  #termsFound(query: WordQuery) {
    return termsFoundIn(
      query,
      (match) =>
        this.#exec("SELECT 1 FROM passage_words WHERE passage_words MATCH ? LIMIT 1", match).toArray()
          .length > 0,
    );
  }

  /** Leaves out the passages that are shown in full as surroundings of a better one. */
  #withoutShown(ranked: readonly Scored[]): readonly Scored[] {
    const rows = this.#exec<{ place: number; page_id: string; position: number }>(
      "SELECT place, page_id, position FROM passages WHERE place IN (SELECT value FROM json_each(?))",
      JSON.stringify(placesOf(ranked)),
    );
    const located = new Map([...rows].map((row) => [row.place, row]));
    const onPage = Map.groupBy(located.values(), ({ page_id }) => page_id);
    const shown = new Map<string, Set<number>>();
    return ranked.filter(({ place }) => {
      const at = located.get(place);
      if (!at) return false;
      if ((onPage.get(at.page_id)?.length ?? 0) === 1) return true;

      const known = shown.get(at.page_id) ?? new Set();
      shown.set(at.page_id, known);
      if (known.has(at.position)) return false;
      for (const { position } of this.#window(at, known)) known.add(position);
      return true;
    });
  }

  /** Returns the passages to show around one, without those that are shown elsewhere. */
  #window(
    { page_id, position }: { readonly page_id: string; readonly position: number },
    shown: ReadonlySet<number>,
  ): readonly Located[] {
    const rows = this.#exec<Located>(
      "SELECT position, words, headings FROM passages WHERE page_id = ? AND position BETWEEN ? AND ? ORDER BY position",
      page_id,
      position - WINDOW_REACH,
      position + WINDOW_REACH,
    ).toArray();
    return windowAround(rows, position, shown);
  }

  #found(row: PassageRow, shown: Set<number>): FoundPassage {
    const window = this.#window(row, shown);
    for (const { position } of window) shown.add(position);
    const around = this.#exec<TextRow>(
      "SELECT position, headings, content FROM passages WHERE page_id = ? AND position BETWEEN ? AND ? ORDER BY position",
      row.page_id,
      window[0]?.position ?? row.position,
      window.at(-1)?.position ?? row.position,
    ).toArray();
    return {
      passageId: row.passage_id,
      pageId: pageIdOf(row.page_id),
      position: row.position,
      url: row.url,
      title: row.title,
      headings: headingsIn(row.headings),
      text: row.content,
      content: joined(around),
      citationUrl: row.url === null ? null : textFragmentUrl(row.url, row.content, this.#textBefore(row)),
    };
  }

  /** Returns the text of the page before a passage, as far as a link to the passage has to tell itself from it. */
  #textBefore({ page_id, position }: PassageRow): string {
    const query = `SELECT content FROM passages WHERE page_id = ? AND position BETWEEN ? AND ? ORDER BY position`;
    const rows = this.#exec<{ content: string }>(query, page_id, position - TOLD_APART, position - 1);
    return Array.from(rows, ({ content }) => content).join("\n");
  }

  #put(page: IndexedPage): void {
    this.#placeAll(page, this.#begin(page), page.passages.length);
  }

  /**
   * Begins to index a page: removes the passages that it no longer has, and moves the others to their new positions, so that those
   * of different versions are never mixed. Returns how many passages are to be skipped: all, if a later version is indexed.
   */
  #begin({ pageId, version, url, title, passages }: IndexedPage): number {
    const known = this.#exec<{ version: number }>("SELECT version FROM pages WHERE page_id = ?", pageId);
    if ([...known].some((page) => page.version > version)) return passages.length;

    this.#exec("INSERT OR REPLACE INTO pages VALUES (?, ?, ?, ?)", pageId, version, url, title);
    const positions = new Map(passages.map(({ id }, position) => [id, position]));
    this.#removePassages(pageId, (id) => !positions.has(id));
    const staying = "SELECT place, passage_id, position FROM passages WHERE page_id = ?";
    // As an array, because rows must not change while they are read.
    for (const row of this.#exec<PlacedRow & { position: number }>(staying, pageId).toArray()) {
      const position = positions.get(row.passage_id) ?? row.position;
      if (position !== row.position)
        this.#exec("UPDATE passages SET position = ? WHERE place = ?", position, row.place);
    }
    return 0;
  }

  /** Indexes the passages of a page from one position up to before another. */
  #placeAll({ pageId, title, passages }: IndexedPage, from: number, end: number): void {
    let next = this.#count("SELECT IFNULL(MAX(place), 0) + 1 AS n FROM passages");
    for (const [offset, passage] of passages.slice(from, end).entries())
      next += this.#place(pageId, from + offset, passage, title, next);
  }

  #keepPartial(partial: PartialPage): void {
    this.#exec("INSERT OR REPLACE INTO document_state VALUES ('partial', ?)", JSON.stringify(partial));
  }

  /** Notes that everything up to a version was applied, the last of it a change of this page. */
  #end(pageId: PageId, until: number): void {
    if (this.partial?.pageId === pageId) this.#exec("DELETE FROM document_state WHERE name = 'partial'");
    this.#exec("INSERT OR REPLACE INTO document_state VALUES ('changes', ?)", String(until));
  }

  /** Indexes a passage at a place, unless it is indexed already. Returns how many places it has used. */
  #place(
    pageId: PageId,
    position: number,
    { id, headings, text }: IndexedPassage,
    title: string | null,
    place: number,
  ): number {
    // The title is a heading, too: many pages have none that says what they are about.
    const path = JSON.stringify(title === null || headings.includes(title) ? headings : [title, ...headings]);
    const [known] = this.#exec<PlaceRow>(
      "SELECT place, headings, content FROM passages WHERE passage_id = ?",
      id,
    ).toArray();
    // Its position is right since `#begin`.
    if (known?.headings === path && known.content === text) return 0;
    if (known) this.#unplace([known.place]);

    const row = [place, id, pageId, position, countWords(text), path, text] as const;
    this.#exec("INSERT INTO passages VALUES (?, ?, ?, ?, ?, ?, ?)", ...row);
    this.#exec(
      "INSERT INTO passage_words (rowid, headings, content) VALUES (?, ?, ?)",
      place,
      indexedText(headingsIn(path).map(plainLine).join("\n")),
      indexedText(text.split("\n").map(plainLine).join("\n")),
    );
    placeVectors(this.#storage.sql, id, place);
    return 1;
  }

  #remove(pageId: PageId): void {
    this.#exec("DELETE FROM pages WHERE page_id = ?", pageId);
    this.attempts.forget(pageId);
    if (this.partial?.pageId === pageId) this.#exec("DELETE FROM document_state WHERE name = 'partial'");
    this.#removePassages(pageId, () => true);
  }

  #removePassages(pageId: PageId, isGone: (passageId: string) => boolean): void {
    const query = "SELECT place, passage_id FROM passages WHERE page_id = ?";
    const gone = this.#exec<PlacedRow>(query, pageId)
      .toArray()
      .filter(({ passage_id }) => isGone(passage_id));
    for (let from = 0; from < gone.length; from += LIST) {
      const part = gone.slice(from, from + LIST);
      this.#unplace(placesOf(part));
      removeVectors(
        this.#storage.sql,
        part.map(({ passage_id }) => passage_id),
      );
    }
  }

  #unplace(places: readonly number[]): void {
    const list = JSON.stringify(places);
    this.#exec("DELETE FROM passages WHERE place IN (SELECT value FROM json_each(?))", list);
    this.#exec("DELETE FROM passage_words WHERE rowid IN (SELECT value FROM json_each(?))", list);
  }

  #touch(): void {
    this.#revision++;
    this.#stored = undefined;
  }

  #state(name: string): string | undefined {
    const query = "SELECT value FROM document_state WHERE name = ?";
    return this.#exec<{ value: string }>(query, name).toArray()[0]?.value;
  }

  #count(query: string, ...bindings: readonly SqlStorageValue[]): number {
    return this.#exec<{ n: number }>(query, ...bindings).one().n;
  }

  #exec<Row extends Record<string, SqlStorageValue>>(query: string, ...bindings: readonly SqlStorageValue[]) {
    return this.#storage.sql.exec<Row>(query, ...bindings);
  }
}

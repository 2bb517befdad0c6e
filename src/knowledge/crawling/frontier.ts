import { pathOf, variantKey } from "./canonical-url.ts";
import { type CrawlProgress, NO_PROGRESS } from "./crawl-model.ts";

/** Addresses that one job remembers. Beyond them, a site is endless or needs several jobs. */
const MAX_URLS = 50_000;
/** Sitemaps that one job reads. An index may list 50,000, and those may be indexes, too. */
const MAX_SITEMAPS = 500;
/** Addresses that differ in the query only. More of them are a calendar, a filter or a search. */
const MAX_VARIANTS = 50;
/** The longest list of links that is kept for a page that does not change, in characters. */
const MAX_LINKS_CHARS = 64 * 1024;
/** How much is kept of links in all, in characters of addresses and lists: those of 10,000 pages with a hundred links each. */
const MAX_KEPT_CHARS = 100_000_000;

/** What has become of an address. `canonical`: another address of the page is to be read instead. */
export type UrlOutcome = "success" | "failed" | "skipped" | "canonical";

/** What there was no room for: addresses beyond 50,000, or beyond 50 that differ in their query only, and sitemaps beyond 500. */
export interface LeftOut {
  readonly urls: number;
  readonly variants: number;
  readonly sitemaps: number;
}

const NOTHING: LeftOut = { urls: 0, variants: 0, sitemaps: 0 };

/** An address that a job knows. */
export interface FrontierUrl {
  readonly url: string;
  /** The number of links from the start page. */
  readonly depth: number;
  /** The place in the order in which addresses are dealt with. */
  readonly position: number;
  /** How often it was fetched in vain. */
  readonly attempts: number;
  /** `null` while it waits. */
  readonly outcome: UrlOutcome | null;
  /** Whether a page has named it as its canonical address. */
  readonly isNamed: boolean;
}

/** What became of an address, for `done`. */
export interface UrlEnd {
  readonly outcome: UrlOutcome;
  /** The hash of the page's Markdown, if it was stored or had not changed. */
  readonly markdownHash?: string | undefined;
  /** The changes of the progress, besides the counts of outcomes. */
  readonly isUnchanged?: boolean;
  readonly isRemoved?: boolean;
  readonly chunks?: number;
  /** New addresses, all at this depth. */
  readonly links?: { readonly urls: readonly string[]; readonly depth: number } | undefined;
}

const SCHEMA = [
  `CREATE TABLE IF NOT EXISTS urls (
     url TEXT PRIMARY KEY, position INTEGER NOT NULL, depth INTEGER NOT NULL, attempts INTEGER NOT NULL DEFAULT 0,
     outcome TEXT, variant TEXT NOT NULL, hash TEXT, is_named INTEGER NOT NULL DEFAULT 0) WITHOUT ROWID`,
  "CREATE INDEX IF NOT EXISTS waiting ON urls (position) WHERE outcome IS NULL",
  "CREATE INDEX IF NOT EXISTS variants ON urls (variant) WHERE hash IS NOT NULL",
  "CREATE TABLE IF NOT EXISTS paths (path TEXT PRIMARY KEY, urls INTEGER NOT NULL) WITHOUT ROWID",
  "CREATE TABLE IF NOT EXISTS sitemaps (url TEXT PRIMARY KEY, position INTEGER NOT NULL, depth INTEGER NOT NULL, is_read INTEGER NOT NULL DEFAULT 0) WITHOUT ROWID",
  "CREATE TABLE IF NOT EXISTS robots (origin TEXT PRIMARY KEY, kind TEXT NOT NULL, text TEXT NOT NULL) WITHOUT ROWID",
  "CREATE TABLE IF NOT EXISTS counters (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID",
  "CREATE TABLE IF NOT EXISTS readings (url TEXT PRIMARY KEY, attempts INTEGER NOT NULL) WITHOUT ROWID",
  // Kept from job to job: a page that has not changed is not sent again, but its links are needed.
  `CREATE TABLE IF NOT EXISTS kept_links (
     url TEXT PRIMARY KEY, urls TEXT NOT NULL, chars INTEGER NOT NULL, used INTEGER NOT NULL)`,
  "CREATE INDEX IF NOT EXISTS kept_links_by_use ON kept_links (used)",
  "CREATE TABLE IF NOT EXISTS kept_links_size (id INTEGER PRIMARY KEY CHECK (id = 1), chars INTEGER NOT NULL)",
  // The table of an earlier version. What it has is read from the site again.
  "DROP TABLE IF EXISTS links",
] as const;

/** The tables of a single job. */
const JOB_TABLES = ["urls", "paths", "sitemaps", "robots", "counters", "readings"] as const;

const COUNTERS = Object.keys(NO_PROGRESS) as readonly (keyof CrawlProgress)[];

/** The part of a Durable Object's storage that the frontier needs. */
export interface FrontierStorage {
  readonly sql: SqlStorage;
  transactionSync<T>(work: () => T): T;
}

/** What a site's robots.txt was: its text, or that there is none, or that it could not be read. */
export interface StoredRobots {
  readonly kind: "text" | "allow" | "forbid";
  readonly text: string;
}

interface FrontierDeps {
  readonly storage: FrontierStorage;
  /** How much is kept of links from job to job, in characters; 100 million by default. */
  readonly maxKeptChars?: number | undefined;
}

/** Stores the addresses that the running job of a knowledge base knows, in order, and what has become of them. */
export class Frontier {
  readonly #storage: FrontierStorage;
  readonly #maxKeptChars: number;
  #hasTables = false;

  constructor({ storage, maxKeptChars = MAX_KEPT_CHARS }: FrontierDeps) {
    this.#storage = storage;
    this.#maxKeptChars = maxKeptChars;
  }

  /** Must be called before the whole storage is removed, so that the next use creates the tables again. */
  forgetTables(): void {
    this.#hasTables = false;
  }

  /** Removes everything about the job that ran last. */
  clear(): void {
    this.#storage.transactionSync(() => {
      for (const table of JOB_TABLES) this.#sql.exec(`DELETE FROM ${table}`);
    });
  }

  /**
   * Adds addresses, in order, unless they are known or there is no room. Returns for how many there was none.
   */
  add(urls: readonly string[], depth: number): LeftOut {
    return this.#storage.transactionSync(() => this.#add(urls, depth));
  }

  /** Returns the first waiting address behind a position, or `undefined`. */
  next(afterPosition: number): FrontierUrl | undefined {
    return this.#find("outcome IS NULL AND position > ? ORDER BY position LIMIT 1", afterPosition);
  }

  find(url: string): FrontierUrl | undefined {
    return this.#find("url = ?", url);
  }

  /** Returns the variant of an address whose page has the same text, or `undefined`. */
  findTwin(url: string, markdownHash: string): string | undefined {
    const query = "SELECT url FROM urls WHERE variant = ? AND hash = ? AND url <> ? LIMIT 1";
    return this.#sql.exec<{ url: string }>(query, variantKey(url), markdownHash, url).toArray()[0]?.url;
  }

  /** Marks an address as one that a page names as canonical, and adds it if it is unknown. Returns false if there is no room. */
  name(url: string, depth: number): boolean {
    return this.#storage.transactionSync(() => {
      this.#add([url], depth);
      this.#sql.exec("UPDATE urls SET is_named = 1 WHERE url = ?", url);
      return this.find(url) !== undefined;
    });
  }

  /** Moves an address that was fetched in vain to the end. */
  retryLater(url: string): void {
    this.#storage.transactionSync(() => {
      const query = "UPDATE urls SET attempts = attempts + 1, position = ? WHERE url = ?";
      this.#sql.exec(query, this.#nextPosition(), url);
    });
  }

  /** Stores what has become of an address and adds its links, in one step. Returns for how many links there was no room. */
  done({ url, depth }: Pick<FrontierUrl, "url" | "depth">, end: UrlEnd): LeftOut {
    return this.#storage.transactionSync(() => {
      if (!this.find(url)) this.#insert(url, depth);
      const hash = end.markdownHash ?? null;
      this.#sql.exec("UPDATE urls SET outcome = ?, hash = ? WHERE url = ?", end.outcome, hash, url);
      this.#count("processed", 1);
      this.#count(COUNTER_OF[end.outcome], 1);
      this.#count("unchanged", end.isUnchanged ? 1 : 0);
      this.#count("removed", end.isRemoved ? 1 : 0);
      if (end.isRemoved) this.#forgetLinks(url);
      this.#count("totalChunks", end.chunks ?? 0);
      return end.links ? this.#add(end.links.urls, end.links.depth) : NOTHING;
    });
  }

  /** The number of addresses that wait. */
  get waiting(): number {
    const { discovered, processed } = this.progress;
    return discovered - processed;
  }

  get progress(): CrawlProgress {
    const rows = this.#sql.exec<{ name: string; value: number }>("SELECT name, value FROM counters");
    const values = new Map(rows.toArray().map(({ name, value }) => [name, value]));
    const counted = { ...NO_PROGRESS };
    for (const name of COUNTERS) counted[name] = values.get(name) ?? 0;
    return counted;
  }

  /** The progress as it will be after `done` with this end. */
  progressAfter(end: UrlEnd): CrawlProgress {
    const { progress } = this;
    const counter = COUNTER_OF[end.outcome];
    return {
      ...progress,
      [counter]: progress[counter] + 1,
      processed: progress.processed + 1,
      unchanged: progress.unchanged + (end.isUnchanged ? 1 : 0),
      removed: progress.removed + (end.isRemoved ? 1 : 0),
      totalChunks: progress.totalChunks + (end.chunks ?? 0),
    };
  }

  /** Adds sitemaps, in order, unless they are known or there is no room. Returns for how many there was none. */
  addSitemaps(urls: readonly string[], depth: number): number {
    let count = this.#number("SELECT COUNT(*) AS n FROM sitemaps");
    let leftOut = 0;
    for (const url of urls) {
      if (this.#number("SELECT COUNT(*) AS n FROM sitemaps WHERE url = ?", url) > 0) continue;
      if (count >= MAX_SITEMAPS) leftOut++;
      else
        this.#sql.exec("INSERT INTO sitemaps (url, position, depth) VALUES (?, ?, ?)", url, count++, depth);
    }
    return leftOut;
  }

  nextSitemap(): { readonly url: string; readonly depth: number } | undefined {
    const query = "SELECT url, depth FROM sitemaps WHERE is_read = 0 ORDER BY position LIMIT 1";
    return this.#sql.exec<{ url: string; depth: number }>(query).toArray()[0];
  }

  /** Stores the addresses of a sitemap and that it was read, in one step. Returns what there was no room for. */
  sitemapRead(url: string, pages: readonly string[], sitemaps: readonly string[], depth: number): LeftOut {
    return this.#storage.transactionSync(() => {
      const leftOut = { ...this.#add(pages, 0), sitemaps: this.addSitemaps(sitemaps, depth) };
      this.#sql.exec("UPDATE sitemaps SET is_read = 1 WHERE url = ?", url);
      return leftOut;
    });
  }

  robots(origin: string): StoredRobots | undefined {
    const query = "SELECT kind, text FROM robots WHERE origin = ?";
    return this.#sql.exec<{ kind: StoredRobots["kind"]; text: string }>(query, origin).toArray()[0];
  }

  keepRobots(origin: string, { kind, text }: StoredRobots): void {
    this.#sql.exec("INSERT OR REPLACE INTO robots VALUES (?, ?, ?)", origin, kind, text);
  }

  /** Returns the links that a page had when it was last read, or `undefined` if they are not known. */
  knownLinks(url: string): readonly string[] | undefined {
    const query = "SELECT urls FROM kept_links WHERE url = ?";
    const [row] = this.#sql.exec<{ urls: string }>(query, url).toArray();
    // Written by `keepLinks`.
    return row && (JSON.parse(row.urls) as string[]);
  }

  /**
   * Keeps the links of a page for the next crawl. A list that is too long is not kept: the page will be read again then. If there is
   * no room for all lists, those are removed that were kept the longest time ago.
   */
  keepLinks(url: string, urls: readonly string[]): void {
    const text = JSON.stringify(urls);
    this.#storage.transactionSync(() => {
      this.#forgetLinks(url);
      if (text.length > MAX_LINKS_CHARS) return;

      const chars = url.length + text.length;
      const used = this.#number("SELECT IFNULL(MAX(used), 0) + 1 AS n FROM kept_links");
      this.#sql.exec("INSERT INTO kept_links VALUES (?, ?, ?, ?)", url, text, chars, used);
      this.#addKept(chars);
      this.#pruneLinks();
    });
  }

  /** Returns how often reading a page or sitemap of this job was begun without an end. */
  unendedReadings(url: string): number {
    return this.#number("SELECT IFNULL(SUM(attempts), 0) AS n FROM readings WHERE url = ?", url);
  }

  /** Notes that reading a page or sitemap begins. */
  beginReading(url: string): void {
    const query =
      "INSERT INTO readings VALUES (?, 1) ON CONFLICT (url) DO UPDATE SET attempts = attempts + 1";
    this.#sql.exec(query, url);
  }

  /** Notes that reading a page or sitemap has ended, with or without success. */
  endReading(url: string): void {
    this.#sql.exec("DELETE FROM readings WHERE url = ?", url);
  }

  #forgetLinks(url: string): void {
    const query = "DELETE FROM kept_links WHERE url = ? RETURNING chars";
    for (const { chars } of this.#sql.exec<{ chars: number }>(query, url).toArray()) this.#addKept(-chars);
  }

  #pruneLinks(): void {
    while (this.#number("SELECT IFNULL(SUM(chars), 0) AS n FROM kept_links_size") > this.#maxKeptChars) {
      const query = "SELECT url FROM kept_links ORDER BY used LIMIT 1";
      const [oldest] = this.#sql.exec<{ url: string }>(query).toArray();
      if (!oldest) return;
      this.#forgetLinks(oldest.url);
    }
  }

  #addKept(chars: number): void {
    const query =
      "INSERT INTO kept_links_size VALUES (1, ?) ON CONFLICT (id) DO UPDATE SET chars = chars + excluded.chars";
    this.#sql.exec(query, chars);
  }

  #add(urls: readonly string[], depth: number): LeftOut {
    let room = MAX_URLS - this.progress.discovered;
    const leftOut = { ...NOTHING };
    for (const url of urls) {
      if (this.find(url)) continue;
      if (room <= 0) leftOut.urls++;
      else if (this.#variantsOf(url) >= MAX_VARIANTS) leftOut.variants++;
      else {
        this.#insert(url, depth);
        room--;
      }
    }
    return leftOut;
  }

  #insert(url: string, depth: number): void {
    const row = [url, this.#nextPosition(), depth, variantKey(url)] as const;
    this.#sql.exec("INSERT INTO urls (url, position, depth, variant) VALUES (?, ?, ?, ?)", ...row);
    const query = "INSERT INTO paths VALUES (?, 1) ON CONFLICT (path) DO UPDATE SET urls = urls + 1";
    this.#sql.exec(query, pathOf(url));
    this.#count("discovered", 1);
  }

  #variantsOf(url: string): number {
    return this.#number("SELECT COALESCE(MAX(urls), 0) AS n FROM paths WHERE path = ?", pathOf(url));
  }

  #nextPosition(): number {
    this.#count("position", 1);
    return this.#number("SELECT value AS n FROM counters WHERE name = ?", "position");
  }

  #count(name: keyof CrawlProgress | "position", by: number): void {
    if (by === 0) return;
    const query = "INSERT INTO counters VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = value + ?";
    this.#sql.exec(query, name, by, by);
  }

  #number(query: string, ...bindings: readonly string[]): number {
    return this.#sql.exec<{ n: number }>(query, ...bindings).one().n;
  }

  #find(where: string, ...bindings: readonly (string | number)[]): FrontierUrl | undefined {
    const query = `SELECT url, depth, position, attempts, outcome, is_named FROM urls WHERE ${where}`;
    const [row] = this.#sql.exec<UrlRow>(query, ...bindings).toArray();
    if (!row) return undefined;
    const { is_named: isNamed, ...url } = row;
    return { ...url, isNamed: isNamed === 1 };
  }

  /** Creates the tables at first use. */
  get #sql(): SqlStorage {
    if (!this.#hasTables) for (const statement of SCHEMA) this.#storage.sql.exec(statement);
    this.#hasTables = true;
    return this.#storage.sql;
  }
}

const COUNTER_OF = {
  success: "successful",
  failed: "failed",
  skipped: "skipped",
  canonical: "skipped",
} as const satisfies Record<UrlOutcome, keyof CrawlProgress>;

/** A row of `urls`. A type alias, because rows need an implicit index signature. */
type UrlRow = {
  readonly url: string;
  readonly depth: number;
  readonly position: number;
  readonly attempts: number;
  readonly outcome: UrlOutcome | null;
  readonly is_named: number;
};

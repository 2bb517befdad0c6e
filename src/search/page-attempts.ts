import type { PageId } from "../shared/id-types.ts";

/** A version of a page that is to be indexed. */
export interface PageVersion {
  readonly pageId: PageId;
  readonly version: number;
}

/** How often indexing a version of a page is tried. After that it is left out. */
export const MAX_ATTEMPTS = 3;
/** The versions of pages whose indexing was begun and has not ended, or has been given up. */
export const ATTEMPTS_TABLE = `CREATE TABLE IF NOT EXISTS page_attempts (
  page_id TEXT PRIMARY KEY, version INTEGER NOT NULL, attempts INTEGER NOT NULL, is_left_out INTEGER NOT NULL DEFAULT 0) WITHOUT ROWID`;

/**
 * Counts how often indexing a page was begun without an end, so that a page that ends the process each time is left out at last. The
 * counts are in the database of the index, and outlive the process.
 */
export class PageAttempts {
  readonly #sql: SqlStorage;

  constructor({ sql }: { readonly sql: SqlStorage }) {
    this.#sql = sql;
    sql.exec(ATTEMPTS_TABLE);
  }

  /** The number of pages that were left out, because indexing them failed each time. */
  get leftOut(): number {
    const query = "SELECT COUNT(*) AS n FROM page_attempts WHERE is_left_out = 1";
    return this.#sql.exec<{ n: number }>(query).one().n;
  }

  /** Notes that indexing these pages is about to be tried once more. */
  note(pages: readonly PageVersion[]): void {
    for (const { pageId, version } of pages)
      this.#sql.exec(
        `INSERT INTO page_attempts (page_id, version, attempts) VALUES (?1, ?2, 1)
         ON CONFLICT (page_id) DO UPDATE SET version = ?2, is_left_out = 0,
           attempts = CASE WHEN version = ?2 THEN attempts + 1 ELSE 1 END`,
        pageId,
        version,
      );
  }

  /** Takes back attempts that were noted and have not begun. */
  withdraw(pages: readonly PageVersion[]): void {
    for (const { pageId, version } of pages) {
      const ids = [pageId, version] as const;
      this.#sql.exec(
        "UPDATE page_attempts SET attempts = attempts - 1 WHERE page_id = ? AND version = ? AND is_left_out = 0",
        ...ids,
      );
      this.#sql.exec("DELETE FROM page_attempts WHERE page_id = ? AND version = ? AND attempts <= 0", ...ids);
    }
  }

  /** Returns which version of a page was tried in vain and how often; `undefined` if none was. */
  of(pageId: PageId): { readonly version: number; readonly attempts: number } | undefined {
    const query = "SELECT version, attempts FROM page_attempts WHERE page_id = ?";
    return this.#sql.exec<{ version: number; attempts: number }>(query, pageId).toArray()[0];
  }

  /** Leaves out this version of a page. */
  giveUp({ pageId, version }: PageVersion): void {
    const row = [pageId, version, MAX_ATTEMPTS] as const;
    this.#sql.exec("INSERT OR REPLACE INTO page_attempts VALUES (?, ?, ?, 1)", ...row);
  }

  /** Forgets the attempts of a page, because one has ended or the page is gone. */
  forget(pageId: PageId): void {
    this.#sql.exec("DELETE FROM page_attempts WHERE page_id = ?", pageId);
  }
}

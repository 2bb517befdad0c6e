/** What tests, which run in workerd, say to the web sites beside them, which run in Node. Types only. */

/** What a site answers at one path. */
export interface SitePage {
  /** 200 unless told. */
  readonly status?: number;
  /** The page is `text/html` unless told. An `etag` is compared with `If-None-Match`. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Bytes that are no UTF-8, in base64; instead of `body`. */
  readonly base64?: string;
  /**
   * What goes wrong: after the body, the answer never ends, arrives byte by byte, never goes on, breaks off, waits for the test, or is followed
   * by 10 GB of zeros that are compressed to a few megabytes.
   */
  readonly fault?: "endless" | "drip" | "stall" | "break" | "hold" | "gzip-bomb";
}

/** The pages of a site by path and query. Of several, each request gets the next, and all others the last. */
export type SitePages = Readonly<Record<string, SitePage | readonly SitePage[]>>;

/** A request that a site got. */
export interface SiteRequest {
  readonly method: string;
  /** The body, as far as it had arrived when the log was read. */
  readonly body: string;
  readonly path: string;
  /** In milliseconds since the epoch. */
  readonly at: number;
  readonly headers: Readonly<Record<string, string>>;
}

export interface SiteLog {
  readonly requests: readonly SiteRequest[];
  /** The most requests that were open at the same time. */
  readonly mostAtOnce: number;
  /** The bytes that were sent, before compression is undone. */
  readonly bytesSent: number;
}

import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { gzipSync } from "node:zlib";
import type { SiteLog, SitePage, SitePages, SiteRequest } from "../support/site-protocol.ts";

/** Sent again and again where a body never ends. */
const CHUNK = Buffer.from(`<p>${"endless ".repeat(8_000)}</p>\n`);
/** Ten megabytes of zeros: joined members of gzip unpack one after the other. */
const BOMB = gzipSync(Buffer.alloc(10 * 1024 * 1024));
const BOMB_MEMBERS = 1_000;
/** In milliseconds. */
const DRIP_MS = 20;

/** A web site of one test. */
interface Site {
  readonly server: Server;
  pages: SitePages;
  readonly requests: SiteRequest[];
  /** How often each path was requested. */
  readonly visits: Map<string, number>;
  open: number;
  mostAtOnce: number;
  bytesSent: number;
  readonly released: Promise<void>;
  readonly release: () => void;
}

/** Web sites for tests, each at a port of its own, because robots.txt and politeness belong to a host. */
export class Sites {
  readonly #sites = new Map<string, Site>();

  /** Starts a site and returns its URL. */
  async start(pages: SitePages): Promise<string> {
    const { promise: released, resolve: release } = Promise.withResolvers<void>();
    const server = createServer((request, response) => answer(site, request, response));
    const site: Site = {
      server,
      pages,
      requests: [],
      visits: new Map(),
      open: 0,
      mostAtOnce: 0,
      bytesSent: 0,
      released,
      release,
    };
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    // A server that listens on TCP has an address of this shape.
    const { port } = server.address() as AddressInfo;
    const url = `http://127.0.0.1:${port}`;
    this.#sites.set(url, site);
    return url;
  }

  /** Adds pages to a site, or replaces them. */
  change(url: string, pages: SitePages): void {
    const site = this.#site(url);
    site.pages = { ...site.pages, ...pages };
    for (const path of Object.keys(pages)) site.visits.delete(path);
  }

  /** Lets all answers go on that hold. */
  release(url: string): void {
    this.#site(url).release();
  }

  log(url: string): SiteLog {
    const { requests, mostAtOnce, bytesSent } = this.#site(url);
    return { requests, mostAtOnce, bytesSent };
  }

  stop(): void {
    for (const { server } of this.#sites.values()) {
      server.close();
      server.closeAllConnections();
    }
  }

  #site(url: string): Site {
    const site = this.#sites.get(url);
    if (!site) throw new Error(`There is no site at ${url}`);
    return site;
  }
}

function answer(site: Site, request: IncomingMessage, response: ServerResponse): void {
  const path = request.url ?? "/";
  const method = request.method ?? "GET";
  const logged = { method, path, at: Date.now(), headers: headersOf(request), body: "" };
  request.setEncoding("utf8").on("data", (piece: string) => void (logged.body += piece));
  site.requests.push(logged);
  site.open++;
  site.mostAtOnce = Math.max(site.mostAtOnce, site.open);
  response.on("close", () => site.open--);

  const visit = site.visits.get(path) ?? 0;
  site.visits.set(path, visit + 1);
  const found = Object.hasOwn(site.pages, path) ? site.pages[path] : undefined;
  const pages: readonly SitePage[] = Array.isArray(found) ? found : found ? [found] : [];
  void send(site, pages[Math.min(visit, pages.length - 1)] ?? NOT_FOUND, request, response);
}

const NOT_FOUND: SitePage = { status: 404, body: "<h1>Not found</h1>" };

const headersOf = (request: IncomingMessage): Record<string, string> =>
  Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, String(value)]));

async function send(
  site: Site,
  page: SitePage,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const headers = { "content-type": "text/html; charset=utf-8", ...page.headers };
  const { etag } = page.headers ?? {};
  if (etag !== undefined && request.headers["if-none-match"] === etag)
    return void response.writeHead(304, { etag }).end();

  const body = page.base64 === undefined ? Buffer.from(page.body ?? "") : Buffer.from(page.base64, "base64");
  if (page.fault === "hold") await site.released;
  if (page.fault === "gzip-bomb") {
    response.writeHead(page.status ?? 200, { ...headers, "content-encoding": "gzip" });
    return pump(site, response, BOMB, BOMB_MEMBERS);
  }
  response.writeHead(page.status ?? 200, headers);
  site.bytesSent += body.length;
  switch (page.fault) {
    case "endless":
      response.write(body);
      // Ten gigabytes.
      return pump(site, response, CHUNK, (10 * 1024 ** 3) / CHUNK.length);
    case "drip":
      return drip(response, body);
    case "stall":
      return void response.write(body);
    case "break":
      response.write(body);
      return void setTimeout(() => response.destroy(), DRIP_MS);
    default:
      response.end(body);
  }
}

/** Writes the same bytes again and again, as fast as the client reads. */
async function pump(site: Site, response: ServerResponse, bytes: Buffer, times: number): Promise<void> {
  for (let sent = 0; sent < times && !response.destroyed; sent++) {
    site.bytesSent += bytes.length;
    if (!response.write(bytes)) await drained(response);
  }
  response.end();
}

/** Waits until the client has read what was sent, or has left. */
function drained(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      response.off("drain", done).off("close", done);
      resolve();
    };
    response.on("drain", done).on("close", done);
  });
}

function drip(response: ServerResponse, body: Buffer): void {
  let at = 0;
  const timer = setInterval(() => {
    if (response.destroyed) return clearInterval(timer);
    response.write(body.subarray(at % body.length, (at % body.length) + 1));
    at++;
  }, DRIP_MS);
}

import { describe, expect, inject, it } from "vitest";
import { readPage, PAGE_ACCEPT } from "../../../src/knowledge/crawling/page-content.ts";
import { PoliteFetcher, type Validators } from "../../../src/knowledge/crawling/polite-fetcher.ts";
import { guardedFetch } from "../../../src/shared/guarded-fetch.ts";
import { startSite } from "../../support/site.ts";

interface Options {
  readonly isLocal?: boolean;
  readonly resolve?: () => Promise<readonly string[]>;
  readonly validators?: Validators;
  readonly refusal?: (url: string) => Promise<string | undefined>;
  readonly signal?: AbortSignal;
}

/** Fetches a page, and tells how the gate was used. */
async function fetchPage(url: string, options: Options = {}) {
  const gate: string[] = [];
  const { isLocal = true, resolve = () => Promise.resolve(["93.184.216.34"]) } = options;
  const fetcher = new PoliteFetcher({
    fetch: guardedFetch({
      isLocal,
      resolve,
      fetch: (input, init) => fetch(input, init),
      ownHosts: [],
      allowedOrigins: [],
      allowsPlainHttp: true,
    }),
    gate: {
      enter: async (address) => void gate.push(`enter ${new URL(address).pathname}`),
      leave: async (address, _id, pauseMs) => void gate.push(`leave ${new URL(address).pathname} ${pauseMs}`),
    },
    userAgent: "TestBot/1.0 (+https://bot.example.com)",
  });
  const fetched = await fetcher.fetch({
    url,
    accept: PAGE_ACCEPT,
    spacingMs: 0,
    timeoutMs: 700,
    signal: options.signal ?? new AbortController().signal,
    read: readPage,
    ...(options.validators && { validators: options.validators }),
    ...(options.refusal && { refusal: options.refusal }),
  });
  return { fetched, gate };
}

const textIn = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

describe("a page", () => {
  it("is fetched with an honest user agent, and without cookies", async () => {
    const site = await startSite({
      "/a": {
        body: "<p>A</p>",
        headers: { etag: '"1"', "set-cookie": "id=1", "x-robots-tag": "NoIndex, x: y" },
      },
    });
    await fetchPage(`${site.url}/a`);
    const { fetched } = await fetchPage(`${site.url}/a`);

    expect(fetched).toMatchObject({
      kind: "content",
      url: `${site.url}/a`,
      content: { isCut: false, etag: '"1"', robots: { noindex: true, nofollow: false } },
    });
    const [first, second] = (await site.log()).requests;
    expect(first?.headers["user-agent"]).toBe("TestBot/1.0 (+https://bot.example.com)");
    expect(second?.headers).not.toHaveProperty("cookie");
  });

  it("is not sent again if it has not changed", async () => {
    const site = await startSite({ "/a": { headers: { etag: '"1"' } } });
    const { fetched } = await fetchPage(`${site.url}/a`, { validators: { etag: '"1"', lastModified: null } });

    expect(fetched).toEqual({ kind: "unchanged", url: `${site.url}/a` });
  });

  it("is reached through five redirects, each of which takes its turn at the host", async () => {
    const hop = (to: string) => ({ status: 302, headers: { location: to } });
    const site = await startSite({
      "/1": hop("/2"),
      "/2": hop("/3"),
      "/3": hop("/4"),
      "/4": hop("/5"),
      "/5": hop("/6?utm_source=x#top"),
      "/6": { body: "<p>End</p>" },
    });
    const { fetched, gate } = await fetchPage(`${site.url}/1`);

    expect(fetched).toMatchObject({ kind: "content", url: `${site.url}/6` });
    expect(gate).toHaveLength(12);
    expect(gate.slice(0, 4)).toEqual(["enter /1", "leave /1 0", "enter /2", "leave /2 0"]);
  });

  it("is given up after the sixth redirect", async () => {
    const site = await startSite({ "/loop": { status: 301, headers: { location: "/loop" } } });
    const { fetched } = await fetchPage(`${site.url}/loop`);

    expect(fetched).toMatchObject({ failure: "redirects", reason: "It redirects more than 5 times." });
    expect(await site.visited()).toHaveLength(6);
  });

  it("is not requested if a redirect leads where the crawler may not go", async () => {
    const site = await startSite({
      "/a": { status: 302, headers: { location: "/private" } },
      "/private": {},
    });
    const refusal = async (url: string) => (url.endsWith("/private") ? "It is forbidden." : undefined);
    const { fetched } = await fetchPage(`${site.url}/a`, { refusal });

    expect(fetched).toEqual({
      kind: "failed",
      failure: "refused",
      url: `${site.url}/private`,
      reason: "It is forbidden.",
    });
    expect(await site.visited()).toEqual(["/a"]);
  });

  it.each([
    [404, "gone", 0],
    [410, "gone", 0],
    [403, "forbidden", 0],
    [500, "server-error", 0],
    [429, "busy", 7_000],
    [503, "busy", 7_000],
  ])("with status %i is a failure of the kind %s", async (status, failure, pauseMs) => {
    const site = await startSite({ "/a": { status, headers: { "retry-after": "7" } } });
    const { fetched, gate } = await fetchPage(`${site.url}/a`);

    expect(fetched).toMatchObject({ kind: "failed", failure });
    expect(gate.at(-1)).toBe(`leave /a ${pauseMs}`);
  });

  it("of another kind is not read", async () => {
    const site = await startSite({
      "/a": { headers: { "content-type": "application/zip" }, fault: "endless" },
    });
    const { fetched } = await fetchPage(`${site.url}/a`);

    expect(fetched).toMatchObject({
      failure: "content-type",
      reason: "A file of the type application/zip is not read by crawls. Upload it instead.",
    });
    expect((await site.log()).bytesSent).toBeLessThan(5_000_000);
  });
});

// Scenario 25.
describe("a hostile answer", () => {
  it("of 10 GB is cut at 2 MB, and the connection is closed", async () => {
    const site = await startSite({ "/a": { body: "<h1>Begin</h1>", fault: "endless" } });
    const { fetched } = await fetchPage(`${site.url}/a`);

    const content = fetched.kind === "content" ? fetched.content : undefined;
    expect(content).toMatchObject({ isCut: true });
    expect(content?.bytes.length).toBe(2 * 1024 * 1024);
    expect(textIn(content?.bytes.subarray(0, 14) ?? new Uint8Array())).toBe("<h1>Begin</h1>");
    expect((await site.log()).bytesSent).toBeLessThan(50_000_000);
  });

  it("that unpacks to 10 GB is cut at 2 MB of what comes out", async () => {
    const site = await startSite({ "/a": { fault: "gzip-bomb" } });
    const { fetched } = await fetchPage(`${site.url}/a`);

    expect(fetched).toMatchObject({ kind: "content", content: { isCut: true } });
    expect((await site.log()).bytesSent).toBeLessThan(5_000_000);
  });

  it.each(["drip", "stall"] as const)(
    "that goes on for ever by a %s ends with the time limit",
    async (fault) => {
      const site = await startSite({ "/a": { body: "<p>slowly</p>", fault } });

      expect((await fetchPage(`${site.url}/a`)).fetched).toMatchObject({ failure: "slow" });
    },
  );

  it("that breaks off is a failure", async () => {
    const site = await startSite({
      "/a": { body: "<p>half", headers: { "content-length": "1000" }, fault: "break" },
    });

    expect((await fetchPage(`${site.url}/a`)).fetched).toMatchObject({ failure: "unreachable" });
  });

  it("ends at once if the crawl is stopped", async () => {
    const site = await startSite({ "/a": { fault: "hold" } });
    const stop = new AbortController();
    const fetching = fetchPage(`${site.url}/a`, { signal: stop.signal });
    await expect.poll(site.visited).toHaveLength(1);
    stop.abort(new Error("stopped"));

    await expect(fetching).rejects.toThrow("stopped");
  });
});

// Scenario 24.
describe("an address in a private network", () => {
  const trap = new URL(inject("trap"));
  const hits = async (): Promise<number> => Number(await (await fetch(new URL("/hits", trap))).text());

  it.each([
    `http://127.0.0.1:${trap.port}/`,
    `http://2130706433:${trap.port}/`,
    `http://localhost:${trap.port}/`,
    `http://[::1]:${trap.port}/`,
    `http://[::ffff:127.0.0.1]/`,
    "http://[64:ff9b::7f00:1]/",
    "http://169.254.169.254/latest/meta-data/",
    "http://shop.example.com:22/",
    "http://user@shop.example.com/",
    "data:text/html,<p>x</p>",
    "file:///etc/passwd",
    "http://intranet/",
  ])("is refused by its text: %s", async (url) => {
    const before = await hits();

    expect((await fetchPage(url, { isLocal: false })).fetched).toMatchObject({
      failure: "address",
      reason: "Its host is not public.",
    });
    expect(await hits()).toBe(before);
  });

  it("is refused if a public name leads there", async () => {
    const resolve = () => Promise.resolve(["93.184.216.34", "127.0.0.1"]);

    expect((await fetchPage("http://shop.example.org/", { isLocal: false, resolve })).fetched).toMatchObject({
      failure: "address",
    });
  });

  it("looks like any site that can't be reached if its name can't be looked up", async () => {
    const resolve = () => Promise.reject(new Error("no answer"));

    expect((await fetchPage("http://shop.example.org/", { isLocal: false, resolve })).fetched).toMatchObject({
      failure: "unreachable",
      reason: "The site could not be reached.",
    });
  });
});

import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, BrowserContext, BrowserContextOptions, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, expect, inject } from "vitest";
import { freePort } from "../../scripts/free-port.ts";
import { readBuiltService } from "../../scripts/self-host/built-service.ts";
import { serveBuilt } from "../../scripts/self-host/workerd.ts";
import { launchChromium } from "./chromium.ts";

/** Where the last look of each page of a failed test is kept. */
const FAILURES = join(import.meta.dirname, "../../.data/browser-failures");

/** How long a page may take for anything, in milliseconds: less than a test may take, so that the failure names the step. */
const STEP_MS = 300_000;
/** How long a picture may take, in milliseconds. */
const LOOK_MS = 10_000;

/** The account that a test has made, and how to call the API as that account. */
export interface Account {
  readonly username: string;
  readonly password: string;
  readonly token: string;
  /** Sends JSON, and returns the body of the answer. Throws if the answer is a refusal. */
  readonly call: <T>(method: string, path: string, body?: unknown) => Promise<T>;
}

/** The real service and a real browser. */
export interface Stand {
  /** The origin of the service, `http://localhost:…`. */
  readonly url: string;
  /** Opens a path of the service in a browser without cookies or storage, and waits until it has loaded. */
  readonly open: (path: string, options?: BrowserContextOptions) => Promise<Page>;
  /** A browser without cookies or storage, for tests with several pages. */
  readonly context: (options?: BrowserContextOptions) => Promise<BrowserContext>;
  /**
   * Names faults that this test provokes, such as the line that Chromium writes to the console about an answer of 401. Any other
   * fault fails the test.
   */
  readonly allow: (...faults: readonly RegExp[]) => void;
  /** Returns the faults of this test so far, and forgets them: for tests of faults. */
  readonly takeFaults: () => readonly string[];
  /** Lets the pages of this test send requests to another origin, too, such as that of a page with a widget. */
  readonly allowOrigin: (origin: string) => void;
  /** Creates an account with a password. */
  readonly signUp: () => Promise<Account>;
}

/**
 * Starts the service and Chromium before the tests of a file, and ends them afterwards. Call it once, at the top level of the file.
 *
 * The service is the one that `npm start` serves, with its own Durable Objects, and with the database, the models and the other servers of
 * `test/node/global-setup.ts`; so `scriptModel` works here, too. Nobody is limited by a plan unless
 * `SUPERUSER_EMAILS` is empty, and no request is refused because there were many.
 *
 * A test fails if one of its pages writes an error to the console, throws, asks another origin for anything, or violates its
 * content security policy. `allow` makes exceptions.
 */
export function useStand(variables: Readonly<Record<string, string>> = {}): Stand {
  let url = "";
  let browser: Browser | undefined;
  const running = new AsyncDisposableStack();
  let contexts: BrowserContext[] = [];
  let faults: string[] = [];
  let allowed: RegExp[] = [];
  let origins: string[] = [];

  beforeAll(async () => {
    // The browser first: if there is none, the reason is on the terminal sooner.
    browser = await launchChromium();
    running.defer(() => browser?.close());
    url = await serve(variables, running);
  });
  afterAll(() => running.disposeAsync());

  afterEach(async ({ task }) => {
    const seen = faults.filter((fault) => !allowed.some((pattern) => pattern.test(fault)));
    if (task.result?.state === "fail" || seen.length > 0) await keepLooks(task.name, contexts);
    await Promise.all(contexts.map((context) => context.close()));
    contexts = [];
    faults = [];
    allowed = [];
    origins = [];
    expect(seen).toEqual([]);
  });

  async function context(options: BrowserContextOptions = {}): Promise<BrowserContext> {
    if (browser === undefined) throw new Error("The browser has not been started: call useStand before it.");
    // A service worker would answer requests that this stand does not see.
    const opened = await browser.newContext({ baseURL: url, serviceWorkers: "block", ...options });
    contexts.push(opened);
    opened.setDefaultTimeout(STEP_MS);
    await opened.addInitScript(REPORT_VIOLATIONS);
    opened.on("console", (message) => {
      if (message.type() !== "error") return;
      const { url: at } = message.location();
      faults.push(`console: ${message.text()}${at === "" ? "" : ` (${at})`}`);
    });
    opened.on("weberror", (error) => faults.push(`uncaught: ${String(error.error().stack)}`));
    opened.on("request", (request) => noteForeign(request.url()));
    opened.on("page", (page) => page.on("websocket", (socket) => noteForeign(socket.url())));
    return opened;
  }

  function noteForeign(address: string): void {
    // Those carry their content with them.
    if (/^(?:data|blob|about):/u.test(address)) return;
    const { origin } = new URL(address);
    if (origin !== url && !origins.includes(origin)) faults.push(`request to another origin: ${address}`);
  }

  return {
    get url() {
      return url;
    },
    context,
    async open(path, options) {
      const page = await (await context(options)).newPage();
      await page.goto(path);
      return page;
    },
    allow: (...patterns) => void allowed.push(...patterns),
    takeFaults: () => faults.splice(0),
    allowOrigin: (origin) => void origins.push(origin),
    signUp: () => signUp(url),
  };
}

/** Chromium's own lines about violations differ between versions; this one does not. */
const REPORT_VIOLATIONS = `
  document.addEventListener("securitypolicyviolation", (event) => {
    console.error("content security policy: " + event.effectiveDirective + " forbids " +
      (event.blockedURI || event.sample) + " (" + event.sourceFile + ":" + event.lineNumber + ")");
  });
`;

/** Starts the built service for a file of tests, and returns its origin. */
async function serve(
  variables: Readonly<Record<string, string>>,
  running: AsyncDisposableStack,
): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "browser-stand-"));
  running.defer(() => rm(folder, { recursive: true, force: true }));
  const port = await freePort();
  // Secure cookies are for https, and for this host.
  const url = `http://localhost:${port}`;
  const builtIn = inject("built");
  const service = await readBuiltService(builtIn);
  const served = await serveBuilt({
    // Tests send requests faster than people do.
    service: { ...service, main: { ...service.main, burstLimits: [] } },
    builtIn,
    host: "127.0.0.1",
    port,
    objectsIn: join(folder, "objects"),
    variables: {
      ENVIRONMENT: "local",
      JWT_SECRET: "secret-of-the-browser-tests",
      ENCRYPTION_KEY: "YnJvd3Nlci10ZXN0cy1rZXktb2YtMzItYnl0ZXMtISE=",
      AWS_REGION: "us-east-1",
      AWS_ACCESS_KEY_ID: "local",
      AWS_SECRET_ACCESS_KEY: "local",
      DYNAMODB_ENDPOINT: inject("database"),
      DYNAMODB_TABLE: "test-table",
      DEMO_MODEL_URL: inject("model"),
      STRIPE_API_URL: inject("stripe"),
      PUBLIC_URL: url,
      FRONTEND_URL: url,
      SUPERUSER_EMAILS: "*",
      CRAWL_PAUSE_MS: "0",
      ...variables,
      // These servers have private addresses, which workerd reaches only if they are named.
      OUTBOUND_ALLOW: [
        ...SERVERS.map((name) => new URL(inject(name)).origin),
        variables["OUTBOUND_ALLOW"] ?? "",
      ]
        .filter(Boolean)
        .join(","),
    },
    clientAddressHeader: undefined,
    // Vitest shows what is printed only for tests that fail.
    print: (line, stream) => stream === "stderr" && console.error(line),
  });
  running.defer(served.stop);
  await served.ready();
  return url;
}

/** Servers of the tests that the service may call. */
const SERVERS = ["model", "stripe", "openId", "issuer"] as const;

async function signUp(url: string): Promise<Account> {
  const username = `user-${crypto.randomUUID().slice(0, 13)}`;
  const password = "a-password-of-tests";
  const { token } = await send<{ token: string }>(`${url}/auth/local/signup`, "POST", { username, password });
  const headers = { authorization: `Bearer ${token}` };
  return {
    username,
    password,
    token,
    call: (method, path, body) => send(`${url}${path}`, method, body, headers),
  };
}

async function send<T>(
  address: string,
  method: string,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): Promise<T> {
  const response = await fetch(address, {
    method,
    headers: { ...headers, ...(body !== undefined && { "content-type": "application/json" }) },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${address} answered ${response.status} ${text}`);
  // The test knows what it has asked for.
  return (text === "" ? undefined : JSON.parse(text)) as T;
}

/** Takes a picture of each page that a failed test has open. */
async function keepLooks(test: string, contexts: readonly BrowserContext[]): Promise<void> {
  await mkdir(FAILURES, { recursive: true });
  const name = test.replaceAll(/[^a-z0-9]+/giu, "-").slice(0, 80);
  const pages = contexts.flatMap((context) => context.pages());
  for (const [index, page] of pages.entries())
    await page.screenshot({ path: join(FAILURES, `${name}-${index}.png`), timeout: LOOK_MS }).catch(warn);
}

/** The test has failed already, and its reason must stay the first thing to read. */
const warn = (error: unknown): void => console.warn(`There is no picture of the page: ${String(error)}`);

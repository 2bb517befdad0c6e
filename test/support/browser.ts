import { createExecutionContext, waitOnExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { toBase64Url, utf8 } from "../../src/shared/crypto.ts";
import { type Answer, app } from "./app.ts";
import type { IssuerCode } from "./issuer-code.ts";

export const APP = "https://app.example.com";
export const REFRESH = "__Host-dab_refresh";
export const TRANSACTION = "__Host-dab_signin";

/** A browser: keeps cookies, and names the application's origin on what it posts. */
export interface Browser {
  readonly cookies: Map<string, string>;
  /** The last complete `Set-Cookie` header of each cookie. */
  readonly setCookies: Map<string, string>;
  (method: string, path: string, headers?: Record<string, string>): Promise<Answer>;
}

export interface BrowserOptions {
  /** Environment variables that differ from the tests' own. */
  readonly variables?: Record<string, string>;
  readonly app?: { readonly request: typeof app.request };
}

export function openBrowser({ variables = {}, app: server = app }: BrowserOptions = {}): Browser {
  const cookies = new Map<string, string>();
  const setCookies = new Map<string, string>();

  const send = async (method: string, path: string, headers: Record<string, string> = {}) => {
    const ctx = createExecutionContext();
    const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join("; ");
    const sent = { ...(method !== "GET" && { origin: APP }), ...(cookie !== "" && { cookie }), ...headers };
    const response = await server.request(path, { method, headers: sent }, { ...env, ...variables }, ctx);
    const text = await response.text();
    await waitOnExecutionContext(ctx);

    for (const line of response.headers.getSetCookie()) {
      const [, name = "", value = ""] = /^([^=]+)=([^;]*)/u.exec(line) ?? [];
      setCookies.set(name, line);
      if (/max-age=0\b/iu.test(line)) cookies.delete(name);
      else cookies.set(name, value);
    }
    const isJson = response.headers.get("content-type")?.includes("json") ?? false;
    return { status: response.status, headers: response.headers, body: isJson ? JSON.parse(text) : text };
  };
  return Object.assign(send, { cookies, setCookies });
}

/** A browser with another one's cookies. */
export function withCookies(cookies: ReadonlyMap<string, string>, options?: BrowserOptions): Browser {
  const browser = openBrowser(options);
  for (const [name, value] of cookies) browser.cookies.set(name, value);
  return browser;
}

/** The parameters with which a browser was redirected to the issuer. */
export interface Departure {
  readonly url: URL;
  readonly state: string;
  readonly nonce: string;
  readonly challenge: string;
  readonly redirectUri: string;
}

/** Returns what a redirect to the issuer says. */
export function departureTo(location: string): Departure {
  const url = new URL(location);
  const parameter = (name: string) => url.searchParams.get(name) ?? "";
  return {
    url,
    state: parameter("state"),
    nonce: parameter("nonce"),
    challenge: parameter("code_challenge"),
    redirectUri: parameter("redirect_uri"),
  };
}

export async function beginSignIn(browser: Browser, path = "/auth/google"): Promise<Departure> {
  const { status, headers, body } = await browser("GET", path);
  if (status !== 302) throw new Error(`No way to the issuer: ${status} ${JSON.stringify(body)}`);
  return departureTo(headers.get("location") ?? "");
}

/** A person with a unique address. */
export const newPerson = () => {
  const id = crypto.randomUUID();
  return { sub: id, email: `p-${id.slice(0, 13)}@example.org`, email_verified: true, name: "Some Body" };
};

/** The code that the issuer returns for a redirect. */
export function codeFor(
  { challenge, redirectUri, nonce }: Departure,
  claims: Record<string, unknown>,
  more: Partial<IssuerCode> = {},
): string {
  const salt = crypto.randomUUID();
  const code: IssuerCode = { challenge, redirectUri, claims: { nonce, ...claims }, salt, ...more };
  return toBase64Url(utf8(JSON.stringify(code)));
}

/** Where the issuer sends a browser back to. */
export const callbackPath = (parameters: Record<string, string>, path = "/auth/callback"): string =>
  `${path}?${new URLSearchParams(parameters).toString()}`;

/**
 * Signs a person in and returns the answer to the issuer's redirect. `more` holds further query parameters of that
 * redirect.
 */
export async function signIn(
  browser: Browser,
  claims: Record<string, unknown>,
  script?: Partial<IssuerCode>,
  more: Record<string, string> = {},
) {
  const departure = await beginSignIn(browser);
  const code = codeFor(departure, claims, script);
  return browser("GET", callbackPath({ state: departure.state, code, ...more }));
}

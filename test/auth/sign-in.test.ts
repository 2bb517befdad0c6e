import { createExecutionContext, waitOnExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { decodeJwt } from "jose";
import { describe, expect, inject, it } from "vitest";
import { problem, requestIn } from "../http/route-cases.ts";
import { app, clientOf, table } from "../support/app.ts";
import {
  APP,
  codeFor,
  beginSignIn,
  openBrowser,
  REFRESH,
  signIn,
  newPerson,
  TRANSACTION,
  callbackPath,
  withCookies,
} from "../support/browser.ts";

const keyOf = (email: string) => ({ pk: `User#${email}`, sk: "User#Metadata" });

/** Where a route redirects to in an environment that differs from the tests' own. */
async function redirectIn(variables: Partial<Env>, path: string): Promise<string | null> {
  const ctx = createExecutionContext();
  const response = await app.request(path, {}, { ...env, ...variables }, ctx);
  await waitOnExecutionContext(ctx);
  return response.status === 302 ? response.headers.get("location") : null;
}

describe("the redirect to the issuer", () => {
  it("requests a code with PKCE, state and nonce, bound to the browser by a cookie", async () => {
    const browser = openBrowser();

    const { url, state, nonce, challenge } = await beginSignIn(browser);

    expect(`${url.origin}${url.pathname}`).toBe(`${inject("issuer")}/well/authorize`);
    expect(Object.fromEntries(url.searchParams)).toEqual({
      client_id: "test-client",
      redirect_uri: "https://api.example.com/auth/callback",
      response_type: "code",
      scope: "openid email profile",
      state: expect.stringMatching(/^[\w-]{43}$/u),
      nonce: expect.stringMatching(/^[\w-]{43}$/u),
      code_challenge: expect.stringMatching(/^[\w-]{43}$/u),
      code_challenge_method: "S256",
      prompt: "select_account",
    });
    expect(new Set([state, nonce, challenge]).size).toBe(3);
    const attributes = browser.setCookies.get(TRANSACTION)?.split("; ").slice(1).toSorted();
    expect(attributes).toEqual(["HttpOnly", "Max-Age=600", "Path=/", "SameSite=Lax", "Secure"]);
  });

  it("differs for each request", async () => {
    const [one, other] = [await beginSignIn(openBrowser()), await beginSignIn(openBrowser())];

    expect(one.state).not.toBe(other.state);
    expect(one.nonce).not.toBe(other.nonce);
    expect(one.challenge).not.toBe(other.challenge);
  });

  it.each(["/auth/google", "/auth/callback", "/auth/callback/google"])(
    "is not configured without a page to return to, as %s reports",
    async (path) => {
      const { status, headers, body } = await requestIn({ FRONTEND_URL: "" }, "GET", path);

      expect([status, headers.get("retry-after")]).toEqual([503, null]);
      expect(body).toEqual(problem(503, "not-configured", "Google OAuth is not configured"));
    },
  );

  it.each(["GOOGLE_CLIENT_ID", "GOOGLE_CLIENT_SECRET"])(
    "leads back to the login page without %s",
    async (name) => {
      for (const path of ["/auth/google", "/auth/callback", "/auth/callback/google"])
        expect(await redirectIn({ [name]: "" }, path)).toMatch(/\/login\?error=unavailable$/u);
    },
  );

  it.each([
    ["an issuer without TLS", { OIDC_ISSUER: "http://issuer.example.com" }],
    ["an issuer that is not a URL", { OIDC_ISSUER: "issuer" }],
    ["an address of its own without TLS", { PUBLIC_URL: "http://api.example.com" }],
    ["no address of its own", { PUBLIC_URL: "" }],
  ])("is not configured in production with %s", async (_case, variables) => {
    const production = { ENVIRONMENT: "production", OIDC_ISSUER: "https://issuer.example.com", ...variables };

    expect(await redirectIn(production, "/auth/google")).toMatch(/\/login\?error=unavailable$/u);
  });
});

describe("the redirect back", () => {
  it.each(["/auth/callback", "/auth/callback/google"])("by %s signs a new person in", async (path) => {
    const browser = openBrowser();
    const person = { ...newPerson(), picture: "https://example.com/me.png" };
    const departure = await beginSignIn(browser);
    const code = codeFor(departure, person);

    const { status, headers } = await browser("GET", callbackPath({ state: departure.state, code }, path));

    expect(status).toBe(302);
    expect(headers.get("location")).toBe(`${APP}/login-success`);
    expect(browser.cookies.has(TRANSACTION)).toBe(false);
    const attributes = browser.setCookies.get(REFRESH)?.split("; ").slice(1).toSorted();
    expect(attributes).toEqual(["HttpOnly", "Max-Age=2592000", "Path=/", "SameSite=Lax", "Secure"]);

    const refreshed = await browser("POST", "/auth/refresh");
    expect(refreshed.status).toBe(200);
    expect(refreshed.body).toEqual({
      token: expect.any(String),
      expires_in: 12 * 60 * 60,
      email: person.email,
      name: "Some Body",
      picture: "https://example.com/me.png",
    });
    const me = await clientOf(refreshed.body.token)("GET", "/auth/me");
    expect(me.body).toEqual({
      email: person.email,
      name: "Some Body",
      picture: "https://example.com/me.png",
    });
  });

  it("stores the person in the format of the table, with the issuer's id and without secrets", async () => {
    const person = newPerson();

    await signIn(openBrowser(), person);

    expect(await table.get(keyOf(person.email))).toEqual({
      ...keyOf(person.email),
      email: person.email,
      name: "Some Body",
      picture: null,
      refresh_token: null,
      stripe_customer_id: null,
      status: "active",
      deletion_requested_at: null,
      created_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}\+00:00$/u),
      updated_at: null,
      google_sub: person.sub,
    });
  });

  it("returns a token for 15 minutes in production", async () => {
    // The tests' issuer has no TLS, so the session is begun here and refreshed there.
    const browser = openBrowser();
    await signIn(browser, newPerson());
    const production = openBrowser({ variables: { ENVIRONMENT: "production" } });
    production.cookies.set(REFRESH, browser.cookies.get(REFRESH) ?? "");

    const { body } = await production("POST", "/auth/refresh");

    const { iat = 0, exp = 0 } = decodeJwt(body.token as string);
    expect([exp - iat, body.expires_in]).toEqual([900, 900]);
  });

  it("recognises a person and updates name and picture", async () => {
    const person = newPerson();
    await signIn(openBrowser(), person);
    const before = await table.get(keyOf(person.email));

    await signIn(openBrowser(), { ...person, name: "New Name", picture: "https://example.com/new.png" });

    expect(await table.get(keyOf(person.email))).toEqual({
      ...before,
      name: "New Name",
      picture: "https://example.com/new.png",
      updated_at: expect.any(String),
    });
  });

  it.each<[string, Record<string, unknown>, string | null]>([
    ["no picture", {}, null],
    ["a picture without TLS", { picture: "http://example.com/a.png" }, null],
    ["a picture that is a script", { picture: "javascript:alert(1)" }, null],
    ["a picture that is not text", { picture: { a: 1 } }, null],
    ["a picture of a megabyte", { picture: `https://example.com/${"a".repeat(100_000)}` }, null],
  ])("treats %s as no picture", async (_case, more, picture) => {
    const person = newPerson();

    await signIn(openBrowser(), { ...person, ...more });

    expect((await table.get(keyOf(person.email)))?.["picture"]).toBe(picture);
  });

  it.each<[string, unknown]>([
    ["none", undefined],
    ["an empty one", " "],
    ["not text", 7],
  ])("uses the address as the name if the name is %s", async (_case, name) => {
    const person = newPerson();

    await signIn(openBrowser(), { ...person, name });

    expect((await table.get(keyOf(person.email)))?.["name"]).toBe(person.email.split("@")[0]);
  });

  it("creates one account for ten concurrent sign-ins", async () => {
    const person = newPerson();

    const answers = await Promise.all(Array.from({ length: 10 }, () => signIn(openBrowser(), person)));

    expect(new Set(answers.map(({ headers }) => headers.get("location")))).toEqual(
      new Set([`${APP}/login-success`]),
    );
  });
});

it("continues if a key is added in front of the ring meanwhile, but not if the old key is removed", async () => {
  const old = env.JWT_SECRET;
  const fresh = "new:a-new-secret-of-more-than-thirty-two-bytes-";
  const comeBackUnder = async (ring: string) => {
    const browser = openBrowser();
    const departure = await beginSignIn(browser);
    const later = withCookies(browser.cookies, { variables: { JWT_SECRET: ring } });
    const code = codeFor(departure, newPerson());
    return (await later("GET", callbackPath({ state: departure.state, code }))).headers.get("location");
  };

  expect(await comeBackUnder(`${fresh},${old}`)).toBe(`${APP}/login-success`);
  expect(await comeBackUnder(fresh)).toBe(`${APP}/login?error=auth_failed`);
});

describe("the issuer of `npm run dev:oidc`", () => {
  it("issues the code, checks PKCE, and signs the token", async () => {
    const browser = openBrowser({ variables: { OIDC_ISSUER: inject("openId") } });
    const { url } = await beginSignIn(browser);
    const redirect = await fetch(url, { redirect: "manual" });
    const back = new URL(redirect.headers.get("location") ?? "");

    const { headers } = await browser("GET", `${back.pathname}${back.search}`);

    expect(headers.get("location")).toBe(`${APP}/login-success`);
    const { body } = await browser("POST", "/auth/refresh");
    expect(body).toMatchObject({ email: "grace@example.com", name: "Grace Hopper" });
  });
});

describe("a sign-in that the playground has begun", () => {
  const PLAYGROUND = "/auth/google?to=playground";

  /** Begins a sign-in, and returns where the browser ends. */
  async function endOf(browser: ReturnType<typeof openBrowser>, path: string, more = {}) {
    const departure = await beginSignIn(browser, path);
    const code = codeFor(departure, newPerson());
    const { headers } = await browser("GET", callbackPath({ state: departure.state, code, ...more }));
    return headers.get("location");
  }

  it("returns to this service, signed in, and leaves no cookie behind but the session's", async () => {
    const browser = openBrowser();

    expect(await endOf(browser, PLAYGROUND)).toBe("https://api.example.com/login-success");
    expect([...browser.cookies.keys()]).toEqual([REFRESH]);
    const refreshed = await browser("POST", "/auth/refresh", { origin: "https://api.example.com" });
    expect(refreshed.status).toBe(200);
  });

  it("returns to this service if it fails", async () => {
    const browser = openBrowser();
    await beginSignIn(browser, PLAYGROUND);

    const { headers } = await browser("GET", callbackPath({ state: "forged", code: "x" }));

    expect(headers.get("location")).toBe("https://api.example.com/login?error=auth_failed");
  });

  it("does not lead later sign-ins of the application away from it", async () => {
    const browser = openBrowser();
    await beginSignIn(browser, PLAYGROUND);

    expect(await endOf(browser, "/auth/google")).toBe(`${APP}/login-success`);
  });

  it.each(["https://evil.example", "//evil.example", "app", ""])("goes nowhere else: to=%s", async (to) => {
    const path = `/auth/google?to=${encodeURIComponent(to)}`;

    expect(await endOf(openBrowser(), path)).toBe(`${APP}/login-success`);
  });
});

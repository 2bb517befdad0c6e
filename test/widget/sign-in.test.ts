import { beforeAll, describe, expect, it } from "vitest";
import { expectDescribedProblem } from "../http/described-problems.ts";
import { problem, requestIn } from "../http/route-cases.ts";
import { beginConversation, type Client, signUp, table } from "../support/app.ts";
import {
  type Browser,
  callbackPath,
  codeFor,
  type Departure,
  newPerson,
  openBrowser,
  withCookies,
  departureTo,
} from "../support/browser.ts";
import { createKey, pageWith, SHOP, type ShownKey } from "../support/widget.ts";

const BLOG = "https://blog.example.com";
const BASE = "https://api.example.com/widget/auth";
const PAGE = `${BASE}/callback-page`;
const COOKIE = "__Host-dab_visitor_signin";

let owner: Client;
let agentId: string;
let key: ShownKey;
beforeAll(async () => {
  owner = await signUp();
  ({ agentId } = await beginConversation(owner));
  key = await createKey(owner, agentId, { allowed_origins: [SHOP, BLOG], requires_sign_in: true });
});

const googlePath = (query: Record<string, string>): string =>
  `/widget/auth/google?${new URLSearchParams(query).toString()}`;

async function begin(browser: Browser, query: Record<string, string> = {}): Promise<Departure> {
  const path = googlePath({ api_key: key.public_key, redirect_uri: PAGE, ...query });
  const { status, headers, body } = await browser("GET", path);
  if (status !== 307) throw new Error(`No way to the issuer: ${status} ${JSON.stringify(body)}`);
  return departureTo(headers.get("location") ?? "");
}

const returnPath = (parameters: Record<string, string>) => callbackPath(parameters, "/widget/auth/callback");

/** What the page hands over, and to whom. */
function handoverIn(html: string) {
  const [, json = ""] = /<script id="handover"[^>]*>(.*?)<\/script>/u.exec(html) ?? [];
  return JSON.parse(json) as { origins: string[]; message: Record<string, unknown> };
}

describe("the way to the issuer", () => {
  it("is bound to the browser by a cookie, PKCE, state and nonce, and leads back to this service", async () => {
    const browser = openBrowser();

    const { url, state, nonce, challenge, redirectUri } = await begin(browser);

    expect(redirectUri).toBe(`${BASE}/callback`);
    expect(url.searchParams.get("code_challenge_method")).toBe("S256");
    expect(new Set([state, nonce, challenge]).size).toBe(3);
    expect(url.href).not.toContain(key.public_key);
    const attributes = browser.setCookies.get(COOKIE)?.split("; ").slice(1).toSorted();
    expect(attributes).toEqual(["HttpOnly", "Max-Age=600", "Path=/", "SameSite=Lax", "Secure"]);
  });

  it.each([
    "https://evil.example/",
    "https://evil.example/widget/auth/callback-page",
    `${PAGE}?next=https://evil.example`,
    `${PAGE}/`,
    `${PAGE}#a`,
    "https://api.example.com.evil.example/widget/auth/callback-page",
    "//evil.example",
    "javascript:alert(1)",
    SHOP,
    "",
  ])("is refused with the redirect address %j", async (redirect_uri) => {
    const path = googlePath({ api_key: key.public_key, redirect_uri });
    const answer = await openBrowser()("GET", path);

    expect(answer.status).toBe(422);
    expect(answer.headers.get("location")).toBeNull();
    expect(answer.body.detail).toBe(`The query is not valid: redirect_uri must be ${PAGE}.`);
    expectDescribedProblem("GET", path, answer);
  });

  it.each<[string, Record<string, string>, number, string]>([
    ["an unknown key", { api_key: `pk_live_${"0".repeat(32)}` }, 401, "Invalid API key"],
    [
      "an origin that the key does not allow",
      { origin: "https://evil.example" },
      403,
      "The origin is not allowed for this API key",
    ],
  ])("is refused with %s", async (_case, query, status, sentence) => {
    const path = googlePath({ api_key: key.public_key, redirect_uri: PAGE, ...query });
    const answer = await openBrowser()("GET", path);

    expect([answer.status, answer.body.detail]).toEqual([status, sentence]);
    expectDescribedProblem("GET", path, answer);
  });

  it("is refused with a disabled key", async () => {
    const disabled = await createKey(owner, agentId, { allowed_origins: [SHOP] });
    await owner("PATCH", `/agents/${agentId}/api-keys/${disabled.key_id}`, { is_active: false });

    const { body } = await openBrowser()(
      "GET",
      googlePath({ api_key: disabled.public_key, redirect_uri: PAGE }),
    );

    expect(body).toEqual(problem(401, "unauthenticated", "API key is disabled"));
  });

  it("is refused with a key that every page may use, because any of them could read the conversations", async () => {
    const open = await createKey(owner, agentId);

    for (const query of [{}, { origin: "https://evil.example" }]) {
      const path = googlePath({ api_key: open.public_key, redirect_uri: PAGE, ...query });
      const { status, body } = await openBrowser()("GET", path);
      expect([status, body.code]).toEqual([403, "forbidden"]);
    }
    expect((await pageWith({ key: open.public_key })("GET", "/widget/config")).body.sign_in_url).toBeNull();
  });

  it("is named by the settings of the chat", async () => {
    const { body } = await pageWith({ key: key.public_key, origin: SHOP })("GET", "/widget/config");

    expect(body).toEqual({
      agent_name: "Shop",
      agent_id: agentId,
      welcome_message: "Hello! How can I help you today?",
      theme: {},
      requires_sign_in: true,
      sign_in_url: `${BASE}/google`,
    });
  });

  it("does not exist if sign-in is not set up", async () => {
    for (const path of [googlePath({ api_key: key.public_key }), "/widget/auth/callback"]) {
      const { body } = await requestIn({ GOOGLE_CLIENT_ID: "" }, "GET", path);
      expect(body).toEqual(problem(503, "not-configured", "Google OAuth is not configured"));
    }
  });
});

describe("the way back", () => {
  it("hands the token over to the page's origin, in no address", async () => {
    const browser = openBrowser();
    const person = { ...newPerson(), picture: "https://example.com/me.png" };
    const departure = await begin(browser, { origin: SHOP });

    const { status, headers, body } = await browser(
      "GET",
      returnPath({ state: departure.state, code: codeFor(departure, person) }),
    );

    expect(status).toBe(200);
    expect(headers.get("location")).toBeNull();
    expect(headers.get("content-type")).toBe("text/html; charset=utf-8");
    expect(headers.get("cache-control")).toBe("no-store");
    expect(headers.get("cross-origin-opener-policy")).toBe("unsafe-none");
    expect(headers.get("referrer-policy")).toBe("no-referrer");
    const [, nonce = ""] =
      /script-src 'nonce-([\w-]{22})'/u.exec(headers.get("content-security-policy") ?? "") ?? [];
    expect(body.match(/<script/gu)).toHaveLength(2);
    expect(
      body.match(new RegExp(`<script[^>]* nonce="${nonce}"|<script nonce="${nonce}"`, "gu")),
    ).toHaveLength(2);
    const { origins, message } = handoverIn(body);
    expect(origins).toEqual([SHOP]);
    expect(body).not.toContain('"*"');
    expect(message).toEqual({
      type: "innomight-oauth-callback",
      token: expect.any(String),
      visitor: {
        visitorId: `oidc:${person.sub}`,
        email: person.email,
        name: "Some Body",
        picture: "https://example.com/me.png",
      },
    });

    const page = pageWith({ key: key.public_key, origin: SHOP, token: String(message["token"]) });
    const conversation = await page("POST", "/widget/conversations", {});
    expect(conversation.body).toMatchObject({
      visitor_id: `oidc:${person.sub}`,
      visitor_name: "Some Body",
      title: "Chat with Some Body",
    });
    // A visitor is an end user. Nobody gets an account.
    expect(await table.get({ pk: `User#${person.email}`, sk: "User#Metadata" })).toBeUndefined();
    expect(browser.cookies.size).toBe(0);
  });

  it("hands the token over to all origins of the key if the page does not name its own, as the legacy widget", async () => {
    const browser = openBrowser();
    const departure = await begin(browser);

    const { body } = await browser(
      "GET",
      returnPath({ state: departure.state, code: codeFor(departure, newPerson()) }),
    );

    expect(handoverIn(body).origins).toEqual([SHOP, BLOG]);
  });

  it("writes nothing into the page that a name could end", async () => {
    const browser = openBrowser();
    const departure = await begin(browser);
    const name = "</script><script>alert(1)</script>";

    const code = codeFor(departure, { ...newPerson(), name });
    const { body } = await browser("GET", returnPath({ state: departure.state, code }));

    expect(body).not.toContain("<script>alert");
    expect(handoverIn(body).message["visitor"]).toMatchObject({ name });
  });

  it("answers with the token itself if the sign-in was begun without a page", async () => {
    const browser = openBrowser();
    const person = newPerson();
    const { headers } = await browser("GET", googlePath({ api_key: key.public_key }));
    const url = new URL(headers.get("location") ?? "");
    const parameter = (name: string) => url.searchParams.get(name) ?? "";
    const departure = {
      url,
      state: parameter("state"),
      nonce: parameter("nonce"),
      challenge: parameter("code_challenge"),
      redirectUri: parameter("redirect_uri"),
    };

    const { status, body } = await browser(
      "GET",
      returnPath({ state: departure.state, code: codeFor(departure, person) }),
    );

    expect(status).toBe(200);
    expect(body).toEqual({
      access_token: expect.any(String),
      token_type: "bearer",
      expires_in: 14_400,
      visitor: { visitor_id: `oidc:${person.sub}`, email: person.email, name: "Some Body", picture: null },
    });
  });

  it("is the same visitor at the next sign-in, and never an end user whom the owner has named", async () => {
    const person = { ...newPerson(), sub: "customer-17" };
    const idOf = async () => {
      const browser = openBrowser();
      const departure = await begin(browser);
      const code = codeFor(departure, person);
      const { body } = await browser("GET", returnPath({ state: departure.state, code }));
      return handoverIn(body).message["visitor"];
    };

    expect(await idOf()).toMatchObject({ visitorId: "oidc:customer-17" });
    expect(await idOf()).toMatchObject({ visitorId: "oidc:customer-17" });
  });

  it("accepts an issuer's id of any characters", async () => {
    const browser = openBrowser();
    const departure = await begin(browser);

    const code = codeFor(departure, { ...newPerson(), sub: "auth0|a b#c" });
    const { body } = await browser("GET", returnPath({ state: departure.state, code }));

    expect(handoverIn(body).message["visitor"]).toMatchObject({
      visitorId: expect.stringMatching(/^oidc:sha256:[0-9a-f]{64}$/u),
    });
  });

  it("tells the page why there is no token", async () => {
    const browser = openBrowser();
    const { state } = await begin(browser, { origin: SHOP });

    const { status, body } = await browser("GET", returnPath({ state, error: "access_denied" }));

    expect(status).toBe(200);
    expect(handoverIn(body)).toEqual({
      origins: [SHOP],
      message: {
        type: "innomight-oauth-error",
        error: "access_denied",
        message: "You did not allow the sign-in.",
      },
    });
  });

  it.each<[string, (departure: Departure) => Record<string, string>]>([
    ["another state", (departure) => ({ state: "another", code: codeFor(departure, newPerson()) })],
    ["no state", (departure) => ({ code: codeFor(departure, newPerson()) })],
    ["an error without the state", () => ({ error: "access_denied" })],
  ])("is refused with %s", async (_case, parameters) => {
    const browser = openBrowser();
    const departure = await begin(browser);

    const path = returnPath(parameters(departure));
    const answer = await browser("GET", path);

    expect(answer.body).toEqual(problem(403, "forbidden", "The sign-in was refused."));
    expectDescribedProblem("GET", path, answer);
  });

  it("is refused in a browser that has not begun the sign-in", async () => {
    const departure = await begin(openBrowser());
    const code = codeFor(departure, newPerson());

    const { status } = await openBrowser()("GET", returnPath({ state: departure.state, code }));

    expect(status).toBe(403);
  });

  it("works once, whatever the outcome was", async () => {
    const browser = openBrowser();
    const departure = await begin(browser);
    const path = returnPath({ state: departure.state, code: codeFor(departure, newPerson()) });

    expect((await browser("GET", path)).status).toBe(200);
    expect((await browser("GET", path)).status).toBe(403);

    const { state } = await begin(browser);
    await browser("GET", returnPath({ state, error: "access_denied" }));
    expect(browser.cookies.has(COOKIE)).toBe(false);
  });

  it("does not take the cookie of a person who signs in to an account, nor the other way round", async () => {
    const browser = openBrowser();
    const { headers } = await browser("GET", "/auth/google");
    const state = new URL(headers.get("location") ?? "").searchParams.get("state") ?? "";
    const stolen = withCookies(new Map([[COOKIE, browser.cookies.get("__Host-dab_signin") ?? ""]]));

    expect((await stolen("GET", returnPath({ state, code: "x" }))).status).toBe(403);

    const visitor = openBrowser();
    const departure = await begin(visitor);
    const cookie = visitor.cookies.get(COOKIE) ?? "";
    const planted = withCookies(new Map([["__Host-dab_signin", cookie]]));
    const here = { ...departure, redirectUri: "https://api.example.com/auth/callback" };
    const path = callbackPath({ state: departure.state, code: codeFor(here, newPerson()) });
    const { headers: answer } = await planted("GET", path);
    expect(answer.get("location")).toContain("error=auth_failed");
  });

  it("is refused if the key was disabled meanwhile", async () => {
    const brief = await createKey(owner, agentId, { allowed_origins: [SHOP] });
    const browser = openBrowser();
    const departure = await begin(browser, { api_key: brief.public_key });
    await owner("PATCH", `/agents/${agentId}/api-keys/${brief.key_id}`, { is_active: false });

    const code = codeFor(departure, newPerson());
    const { body } = await browser("GET", returnPath({ state: departure.state, code }));

    expect(body).toEqual(problem(401, "unauthenticated", "Invalid or inactive API key"));
  });

  it("hands over to no origin that the key has lost meanwhile", async () => {
    const brief = await createKey(owner, agentId, { allowed_origins: [SHOP] });
    const browser = openBrowser();
    const departure = await begin(browser, { api_key: brief.public_key, origin: SHOP });
    await owner("PATCH", `/agents/${agentId}/api-keys/${brief.key_id}`, { allowed_origins: [BLOG] });

    const code = codeFor(departure, newPerson());
    const { status, body } = await browser("GET", returnPath({ state: departure.state, code }));

    expect([status, body.code]).toEqual([403, "forbidden"]);
  });

  it.each<[string, Parameters<typeof codeFor>[1], Parameters<typeof codeFor>[2]]>([
    ["another nonce", { nonce: "another" }, {}],
    ["a code that another browser has asked for", {}, { challenge: "another" }],
    ["a code for another address", {}, { redirectUri: "https://api.example.com/auth/callback" }],
    ["an ID token that somebody else has signed", {}, { signedBy: "others" }],
  ])("gives no token for %s", async (_case, claims, more) => {
    const browser = openBrowser();
    const departure = await begin(browser);

    const code = codeFor(departure, { ...newPerson(), ...claims }, more);
    const { body } = await browser("GET", returnPath({ state: departure.state, code }));

    expect(handoverIn(body).message).toEqual({
      type: "innomight-oauth-error",
      error: "auth_failed",
      message: expect.any(String),
    });
  });

  it("issues no token to somebody whose address is not verified", async () => {
    const browser = openBrowser();
    const departure = await begin(browser);

    const code = codeFor(departure, { ...newPerson(), email_verified: false });
    const { body } = await browser("GET", returnPath({ state: departure.state, code }));

    expect(handoverIn(body).message).toMatchObject({ error: "email_not_verified" });
    expect(handoverIn(body).message).not.toHaveProperty("token");
  });
});

describe("the callback page", () => {
  it("hands nothing over, whatever its address contains", async () => {
    const { status, headers, body } = await openBrowser()(
      "GET",
      "/widget/auth/callback-page?token=stolen&visitor_id=1&email=a@b.c",
    );

    expect(status).toBe(200);
    expect(headers.get("content-security-policy")).toContain("default-src 'none'");
    expect(body).not.toContain("<script");
    expect(body).not.toContain("stolen");
  });
});

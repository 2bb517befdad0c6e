import { env } from "cloudflare:workers";
import { decodeJwt, SignJWT } from "jose";
import { describe, expect, inject, it, vi } from "vitest";
import { createApp } from "../../src/app.ts";
import { portsFrom } from "../../src/deps/ports.ts";
import { createClock } from "../../src/shared/clock.ts";
import { deriveHmacKey } from "../../src/shared/crypto.ts";
import { type Answer, table } from "../support/app.ts";
import {
  APP,
  type Browser,
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
import { injectFault } from "../support/control.ts";
import type { IssuerCode } from "../support/issuer-code.ts";

/** The outcome of a sign-in: the whole answer, and whether there is a session. */
const outcomeOf = ({ status, headers, body }: Answer, browser: Browser) => ({
  status,
  location: headers.get("location"),
  body: String(body),
  hasSession: browser.cookies.has(REFRESH),
});

/** A refusal: a fixed text, no session, and nothing from the issuer. */
const refusal = (error = "auth_failed") => ({
  status: 302,
  location: `${APP}/login?error=${error}`,
  body: "",
  hasSession: false,
});

/** The audiences of a token that is for this client and another one. */
const CLIENTS = ["test-client", "another-client"];

const userOf = (email: string) => table.get({ pk: `User#${email}`, sk: "User#Metadata" });
const seconds = () => Math.floor(Date.now() / 1000);

// Scenario 28.
describe("a browser", () => {
  it("is refused without the cookie from the start of the sign-in", async () => {
    const person = newPerson();
    const departure = await beginSignIn(openBrowser());
    const stranger = openBrowser();

    const answer = await stranger(
      "GET",
      callbackPath({ state: departure.state, code: codeFor(departure, person) }),
    );

    expect(outcomeOf(answer, stranger)).toEqual(refusal());
    expect(await userOf(person.email)).toBeUndefined();
  });

  it("is refused with another browser's state", async () => {
    const person = newPerson();
    const attacker = openBrowser();
    const departure = await beginSignIn(attacker);
    const victim = openBrowser();
    await beginSignIn(victim);

    const answer = await victim(
      "GET",
      callbackPath({ state: departure.state, code: codeFor(departure, person) }),
    );

    expect(outcomeOf(answer, victim)).toEqual(refusal());
    // The victim's own sign-in still works.
    expect(victim.cookies.has(TRANSACTION)).toBe(true);
  });

  it("is refused with another browser's code, under its own state", async () => {
    const attacker = await beginSignIn(openBrowser());
    const victim = openBrowser();
    const { state } = await beginSignIn(victim);

    const answer = await victim("GET", callbackPath({ state, code: codeFor(attacker, newPerson()) }));

    expect(outcomeOf(answer, victim)).toEqual(refusal());
  });

  it.each<[string, Record<string, string> | string]>([
    ["nothing", {}],
    ["no state", { code: "a-code" }],
    ["an empty state", { code: "a-code", state: "" }],
    ["a state twice", "state=STATE&state=STATE&code=a-code"],
    ["no code", { state: "STATE" }],
    ["an empty code", { state: "STATE", code: "" }],
    ["a code twice", "state=STATE&code=a&code=b"],
    ["a code that was never issued", { state: "STATE", code: "eyJ9" }],
    ["an error of the issuer's", { state: "STATE", error: "<script>alert(1)</script>" }],
    ["an error without the state", { error: "access_denied" }],
    ["another issuer's name", { state: "STATE", code: "a-code", iss: "https://evil.example" }],
    ["a token instead of a code", { state: "STATE", id_token: "a.b.c" }],
    ["half an escape", "state=STATE&code=%E0%A4%A"],
  ])("is refused with %s in the address", async (_case, parameters) => {
    const browser = openBrowser();
    const { state } = await beginSignIn(browser);
    const path = typeof parameters === "string" ? `/auth/callback?${parameters}` : callbackPath(parameters);

    const answer = await browser("GET", path.replaceAll("STATE", state));

    expect(outcomeOf(answer, browser)).toEqual(refusal());
  });

  it("is told that the person has declined", async () => {
    const browser = openBrowser();
    const { state } = await beginSignIn(browser);

    const answer = await browser(
      "GET",
      callbackPath({ state, error: "access_denied", error_description: "No!" }),
    );

    expect(outcomeOf(answer, browser)).toEqual(refusal("access_denied"));
  });

  it("can't use a code twice, not even with its old cookie", async () => {
    const browser = openBrowser();
    const departure = await beginSignIn(browser);
    const path = callbackPath({ state: departure.state, code: codeFor(departure, newPerson()) });
    const copy = withCookies(browser.cookies);

    expect((await browser("GET", path)).headers.get("location")).toBe(`${APP}/login-success`);

    expect(outcomeOf(await copy("GET", path), copy)).toEqual(refusal());
  });

  it.each<[string, () => Promise<string> | string]>([
    ["without a valid token", () => "abc"],
    ["of dots", () => "..."],
    ["of a megabyte", () => "a".repeat(1024 * 1024)],
    ["signed with another secret", () => transaction("another-secret-of-more-than-thirty-two-bytes")],
    ["that is an hour old", () => transaction(env.JWT_SECRET, { exp: seconds() - 3_000 })],
    ["that never ends", () => transaction(env.JWT_SECRET, { exp: undefined })],
    ["of another kind", () => transaction(env.JWT_SECRET, {}, "at+jwt")],
    ["of another key", () => transaction(env.JWT_SECRET, {}, "signin+jwt", "other")],
  ])("is refused with a cookie %s", async (_case, cookieOf) => {
    const browser = openBrowser();
    const departure = await beginSignIn(browser);
    browser.cookies.set(TRANSACTION, await cookieOf());
    const code = codeFor({ ...departure, nonce: "nonce" }, newPerson());

    expect(outcomeOf(await browser("GET", callbackPath({ state: "state", code })), browser)).toEqual(
      refusal(),
    );
  });

  it("is accepted with a correct cookie that was made in the same way", async () => {
    const browser = openBrowser();
    browser.cookies.set(TRANSACTION, await transaction(env.JWT_SECRET));
    // SHA-256 of "verifier", in base64url.
    const challenge = "iMnq5o6zALKXGivsnlom_0F5_WYda32GHkxlV7mq7hQ";
    const redirectUri = "https://api.example.com/auth/callback";
    const code = codeFor(
      { challenge, redirectUri, nonce: "nonce", state: "", url: new URL(APP) },
      newPerson(),
    );

    const { headers } = await browser("GET", callbackPath({ state: "state", code }));

    expect(headers.get("location")).toBe(`${APP}/login-success`);
  });
});

/** A transaction cookie, as the service would make it for state `state`, nonce `nonce`, verifier `verifier`. */
async function transaction(secret: string, more: object = {}, typ = "signin+jwt", kid = "default") {
  const key = await deriveHmacKey(secret, "sign-in transactions");
  const claims = { state: "state", nonce: "nonce", verifier: "verifier", exp: seconds() + 600, ...more };
  return new SignJWT(claims).setProtectedHeader({ alg: "HS256", typ, kid }).sign(key);
}

describe("an ID token", () => {
  it.each<[string, Record<string, unknown>, Partial<IssuerCode>?]>([
    ["for another nonce", { nonce: "another" }],
    ["without a nonce", { nonce: null }],
    ["for another client", { aud: "another-client" }],
    ["for two clients", { aud: ["test-client", "another-client"] }],
    ["for two clients at the request of the other one", { aud: CLIENTS, azp: "another-client" }],
    ["for this client at the request of another", { azp: "another-client" }],
    ["for this client at no client's request", { azp: "" }],
    ["at the request of a list of clients", { azp: ["test-client"] }],
    ["without an audience", { aud: null }],
    ["of another issuer", { iss: "https://accounts.google.com" }],
    ["without an issuer", { iss: null }],
    ["that has expired", { exp: 1_700_000_000 }],
    ["that never ends", { exp: null }],
    ["that is not valid yet", { nbf: 9_999_999_999 }],
    ["that is issued in the future", { iat: seconds() + 3_600, exp: seconds() + 7_200 }],
    ["without a time of issue", { iat: null }],
    ["without a subject", { sub: null }],
    ["with an empty subject", { sub: "" }],
    ["with a subject that is a number", { sub: 7 }],
    ["signed by another key under the same name", {}, { signedBy: "others" }],
    ["signed by a key that the issuer does not have", {}, { signedBy: "unknown-key" }],
    ["signed with the client's secret", {}, { signedBy: "client-secret" }],
    ["without a signature", {}, { signedBy: "nobody" }],
    ["that is missing", {}, { signedBy: "no-token" }],
    ["without an address", { email: null }],
    ["with an address that is a list", { email: ["a@example.org"] }],
    ["with a `#` in the address", { email: "a#b@example.org" }],
    ["with a `#` in the host", { email: "a@example.org#Agent" }],
    ["with a space in the address", { email: "a b@example.org" }],
    ["with a line break in the address", { email: "a@example.org\n" }],
    ["with a letter that turns into another one", { email: "\u212Aim@example.org" }],
    ["with a user and no host", { email: "someone" }],
    ["with an address without end", { email: `${"a".repeat(300)}@example.org` }],
  ])("%s is refused", async (_case, claims, more) => {
    const browser = openBrowser();
    const person: Record<string, unknown> = { ...newPerson(), ...claims };

    const answer = await signIn(browser, person, more);

    expect(outcomeOf(answer, browser)).toEqual(refusal());
    expect(await userOf(String(person.email))).toBeUndefined();
  });

  it.each<[string, () => Record<string, unknown>]>([
    ["for two clients at the request of this one", () => ({ aud: CLIENTS, azp: "test-client" })],
    ["at the request of this client", () => ({ azp: "test-client" })],
    // Within the tolerance of 30 seconds, however long the test takes.
    ["of a clock that is ahead of ours by less than the tolerance", () => ({ iat: seconds() + 25 })],
  ])("%s is accepted", async (_case, claims) => {
    const { headers } = await signIn(openBrowser(), { ...newPerson(), ...claims() });

    expect(headers.get("location")).toBe(`${APP}/login-success`);
  });

  it.each<[string, unknown]>([
    ["false", false],
    ["missing", null],
    ["the text `false`", "false"],
    ["1", 1],
  ])("whose `email_verified` is %s is refused", async (_case, verified) => {
    const browser = openBrowser();
    const person = { ...newPerson(), email_verified: verified };

    const answer = await signIn(browser, person);

    expect(outcomeOf(answer, browser)).toEqual(refusal("email_not_verified"));
    expect(await userOf(person.email)).toBeUndefined();
  });

  it("is not issued for another redirect address", async () => {
    const browser = openBrowser();
    const departure = await beginSignIn(browser);
    const code = codeFor({ ...departure, redirectUri: "https://evil.example" }, newPerson());

    expect(outcomeOf(await browser("GET", callbackPath({ state: departure.state, code })), browser)).toEqual(
      refusal(),
    );
  });
});

describe("an account", () => {
  // Scenario 28.
  it("is closed to another subject with the same address", async () => {
    const person = newPerson();
    await signIn(openBrowser(), person);
    const before = await userOf(person.email);
    const browser = openBrowser();

    const answer = await signIn(browser, { ...person, sub: "another", name: "Another" });

    expect(outcomeOf(answer, browser)).toEqual(refusal());
    expect(await userOf(person.email)).toEqual(before);
  });

  it.each(["inactive", "pending_deletion"])("that is %s remains so", async (status) => {
    const person = newPerson();
    await signIn(openBrowser(), person);
    await table.update({ pk: `User#${person.email}`, sk: "User#Metadata" }, { set: { status } });
    const before = await userOf(person.email);
    const browser = openBrowser();

    const answer = await signIn(browser, { ...person, name: "Another" });

    expect(outcomeOf(answer, browser)).toEqual(refusal("account_inactive"));
    expect(await userOf(person.email)).toEqual(before);
  });
});

// Two of these tests wait for the timeouts of the service, so they wait together.
describe.concurrent("an issuer", () => {
  it.each(["html", "slow", "failing", "other-name"])(
    "that is %s leads back to the login page",
    async (mode) => {
      const browser = openBrowser({ variables: { OIDC_ISSUER: `${inject("issuer")}/${mode}` } });

      const answer = await browser("GET", "/auth/google");

      expect(outcomeOf(answer, browser)).toEqual(refusal("unavailable"));
      expect(browser.cookies.size).toBe(0);
    },
  );

  it("that is down leads back to the login page", async () => {
    const browser = openBrowser({ variables: { OIDC_ISSUER: "http://127.0.0.1:1" } });

    expect(outcomeOf(await browser("GET", "/auth/google"), browser)).toEqual(refusal("unavailable"));
  });

  it.each(["html-keys", "failing-token", "html-token", "slow-token", "broken-client"])(
    "with %s completes no sign-in",
    async (mode) => {
      const browser = openBrowser({ variables: { OIDC_ISSUER: `${inject("issuer")}/${mode}` } });

      const answer = await signIn(browser, newPerson());

      expect(outcomeOf(answer, browser)).toEqual(refusal("unavailable"));
    },
  );
});

it("accepts a new signing key of the issuer, and requests the keys at most every half minute", async () => {
  const variables = { OIDC_ISSUER: `${inject("issuer")}/rotating-${crypto.randomUUID()}` };
  const success = `${APP}/login-success`;
  const signInLater = async (ms: number, signedBy: "ours" | "unknown-key") => {
    const later = createClock(() => Date.now() + ms);
    const app = createApp(async (env) => ({ ...(await portsFrom(env)), clock: later }));
    const { headers } = await signIn(openBrowser({ variables, app }), newPerson(), { signedBy });
    return headers.get("location");
  };

  expect(await signInLater(0, "ours")).toBe(success);
  expect(await signInLater(20_000, "unknown-key")).toBe(`${APP}/login?error=auth_failed`);
  expect(await signInLater(31_000, "unknown-key")).toBe(success);
});

it("completes no sign-in while the database is down, and all of them afterwards", async () => {
  const person = newPerson();
  const browser = openBrowser();
  const fault = { kind: "answer", status: 500, body: { __type: "x#InternalServerError" } } as const;
  await injectFault({ match: [person.email], times: 20, fault });

  expect(outcomeOf(await signIn(browser, person), browser)).toEqual(refusal("unavailable"));

  await expect
    .poll(async () => (await signIn(browser, person)).headers.get("location"))
    .toBe(`${APP}/login-success`);
});

it.each([
  ["broken-client", "invalid_client"],
  ["failing-token", "unexpected HTTP status code"],
  ["html-token", "content-type"],
  ["html-keys", "JSON"],
  ["well", "claim value"],
])("logs what is wrong with an issuer that is %s, without secrets", async (mode, expected) => {
  const lines: string[] = [];
  const take = (...parts: readonly unknown[]) => void lines.push(parts.map((part) => text(part)).join(" "));
  const logs = [vi.spyOn(console, "error"), vi.spyOn(console, "warn")];
  for (const log of logs) log.mockImplementation(take);
  const browser = openBrowser({ variables: { OIDC_ISSUER: `${inject("issuer")}/${mode}` } });
  const person = { ...newPerson(), nonce: "another" };
  const departure = await beginSignIn(browser);
  const cookie = browser.cookies.get(TRANSACTION) ?? "";
  const code = codeFor(departure, mode === "well" ? person : newPerson());
  await browser("GET", callbackPath({ state: departure.state, code }));
  for (const log of logs) log.mockRestore();

  expect(lines.join("\n")).toContain(expected);
  const { verifier } = decodeJwt(cookie);
  const secrets = [code, cookie, departure.state, departure.nonce, String(verifier), person.email];
  for (const secret of [...secrets, "test-client-secret", env.JWT_SECRET])
    expect(lines.join("\n")).not.toContain(secret);
});

/** Everything that a log could show of a value, its causes included. */
function text(value: unknown): string {
  if (value instanceof Error)
    return [value.stack, JSON.stringify(value, Object.getOwnPropertyNames(value)), text(value.cause)].join(
      " ",
    );
  if (typeof value !== "object" || value === null) return String(value);
  return Object.values(value).map(text).join(" ");
}

it.each(["TransactWriteItems", "BatchGetItem"])(
  "signs in though an answer to %s is lost",
  async (operation) => {
    const person = newPerson();
    const browser = openBrowser();
    await injectFault({ match: [person.email], operation, times: 2, fault: { kind: "lose-answer" } });

    const { headers } = await signIn(browser, person);

    expect(headers.get("location")).toBe(`${APP}/login-success`);
    const items = await table.query(`User#${person.email}`);
    expect(items.map(({ sk }) => String(sk).split("#")[0])).toEqual(["AuthSession", "User"]);
  },
);

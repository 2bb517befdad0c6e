import { describe, expect, it } from "vitest";
import { createApp } from "../../src/app.ts";
import { portsFrom } from "../../src/deps/ports.ts";
import { createClock } from "../../src/shared/clock.ts";
import { problem } from "../http/route-cases.ts";
import { clientOf, table, tableAt } from "../support/app.ts";
import { type Browser, openBrowser, REFRESH, signIn, newPerson, withCookies } from "../support/browser.ts";
import { injectFault } from "../support/control.ts";

const ENDED = problem(401, "unauthenticated", "The session has ended. Please sign in again.");

/** A person who has signed in, and their browser. */
async function signedIn(headers: Record<string, string> = {}) {
  const person = newPerson();
  const browser = openBrowser();
  const send: Browser = Object.assign(
    (method: string, path: string, more: Record<string, string> = {}) =>
      browser(method, path, { ...headers, ...more }),
    { cookies: browser.cookies, setCookies: browser.setCookies },
  );
  await signIn(send, person);
  return { browser, email: person.email, person };
}

const refresh = async (browser: Browser) => (await browser("POST", "/auth/refresh")).status;
const tokenOf = (browser: Browser) => browser.cookies.get(REFRESH) ?? "";
const idOf = (browser: Browser) => tokenOf(browser).split(".")[1] ?? "";
const sessionOf = (email: string, browser: Browser) =>
  table.get({ pk: `User#${email}`, sk: `AuthSession#${idOf(browser)}` });

/** The app and its table at a later time. */
const appAfter = (ms: number) => {
  const clock = createClock(() => Date.now() + ms);
  return createApp(async (env) => ({ ...(await portsFrom(env)), clock, table: tableAt(clock.now) }));
};

describe("a refresh", () => {
  it("returns a valid access token and a new refresh token, fifty times in a row", async () => {
    const { browser, email } = await signedIn();
    const seen = new Set([tokenOf(browser)]);

    for (let turn = 0; turn < 50; turn++) {
      const { status, body } = await browser("POST", "/auth/refresh");
      expect([status, body.email]).toEqual([200, email]);
      if (turn % 10 === 0) expect((await clientOf(body.token)("GET", "/auth/me")).status).toBe(200);
      seen.add(tokenOf(browser));
    }

    expect(seen.size).toBe(51);
    expect(await table.query(`User#${email}`, { range: { beginsWith: "AuthSession#" } })).toHaveLength(1);
  });

  it("stores hashes only, and the times", async () => {
    const { browser, email } = await signedIn();
    const first = tokenOf(browser);
    await refresh(browser);

    const item = await sessionOf(email, browser);

    expect(item).toEqual({
      pk: `User#${email}`,
      sk: `AuthSession#${idOf(browser)}`,
      entity_type: "AuthSession",
      session_id: idOf(browser),
      user_email: email,
      token_hash: expect.stringMatching(/^[0-9a-f]{64}$/u),
      previous_hash: expect.stringMatching(/^[0-9a-f]{64}$/u),
      rotated_at: expect.any(Number),
      device: "Unknown device",
      created_at: expect.stringMatching(/\.\d{6}\+00:00$/u),
      last_used_at: expect.stringMatching(/\.\d{6}\+00:00$/u),
      ends_at: expect.any(Number),
      ttl: expect.any(Number),
    });
    const text = JSON.stringify(item);
    for (const token of [first, tokenOf(browser)]) expect(text).not.toContain(token.split(".")[2]);
    const now = Date.now() / 1000;
    expect(Number(item?.["ends_at"]) - now).toBeCloseTo(90 * 86_400, -2);
    expect(Number(item?.["ttl"]) - now).toBeCloseTo(30 * 86_400, -2);
  });

  // Scenario 27.
  it("with a token that was replaced twice ends the session for both holders", async () => {
    const { browser } = await signedIn();
    const thief = withCookies(browser.cookies);
    await refresh(browser);
    await refresh(browser);

    const answer = await thief("POST", "/auth/refresh");

    expect(answer.status).toBe(401);
    expect(answer.body).toEqual(ENDED);
    expect(answer.headers.getSetCookie()).toEqual([]);
    expect(await refresh(browser)).toBe(401);
  });

  it("with the previous token returns the same new one for ten seconds, and ends the session after that", async () => {
    const { browser } = await signedIn();
    const first = new Map(browser.cookies);
    await refresh(browser);

    const inTime = withCookies(first, { app: appAfter(9_000) });
    expect(await refresh(inTime)).toBe(200);
    expect(tokenOf(inTime)).toBe(tokenOf(browser));

    const late = withCookies(first, { app: appAfter(10_100) });
    expect(await refresh(late)).toBe(401);
    expect(await refresh(browser)).toBe(401);
  });

  it("by ten tabs at once returns the same token to all, and keeps their session", async () => {
    const { browser, email } = await signedIn();
    const tabs = Array.from({ length: 10 }, () => withCookies(browser.cookies));

    expect(await Promise.all(tabs.map(refresh))).toEqual(tabs.map(() => 200));

    expect(new Set(tabs.map(tokenOf)).size).toBe(1);
    for (const tab of tabs.slice(0, 1)) expect(await refresh(tab)).toBe(200);
    expect(await table.query(`User#${email}`, { range: { beginsWith: "AuthSession#" } })).toHaveLength(1);
  });

  it.each<[string, number]>([
    ["once", 1],
    ["twice", 2],
  ])("survives that the database's answer is lost %s", async (_case, times) => {
    const { browser, email } = await signedIn();
    await injectFault({ match: [email], operation: "UpdateItem", times, fault: { kind: "lose-answer" } });

    expect(await refresh(browser)).toBe(200);
    expect(await refresh(browser)).toBe(200);
  });

  it("can be repeated with the old token if its answer was lost", async () => {
    const { browser, email } = await signedIn();
    const old = withCookies(browser.cookies);
    await injectFault({ match: [email], operation: "UpdateItem", times: 10, fault: { kind: "lose-answer" } });

    expect(await refresh(browser)).toBe(503);

    await expect.poll(() => refresh(old)).toBe(200);
    await expect.poll(() => refresh(old)).toBe(200);
  });

  it("reports that the database is down, and keeps the session", async () => {
    const { browser, email } = await signedIn();
    const fault = { kind: "answer", status: 500, body: { __type: "x#InternalServerError" } } as const;
    await injectFault({ match: [email], times: 12, fault });

    const { status, body } = await browser("POST", "/auth/refresh");

    expect([status, body.code]).toEqual([503, "unavailable"]);
    await expect.poll(() => refresh(browser)).toBe(200);
  });

  it("continues after a key was added in front of the ring, even between two refreshes, and after the old key was removed", async () => {
    const secret = "test-secret-of-more-than-thirty-two-bytes";
    const fresh = "new:a-new-secret-of-more-than-thirty-two-bytes-";
    const { browser } = await signedIn();
    const old = new Map(browser.cookies);
    await refresh(browser);

    const ring = withCookies(old, { variables: { JWT_SECRET: `${fresh},${secret}` } });
    expect(await refresh(ring)).toBe(200);
    expect(tokenOf(ring)).toBe(tokenOf(browser));
    expect(await refresh(ring)).toBe(200);

    const alone = withCookies(ring.cookies, { variables: { JWT_SECRET: fresh } });
    expect(await refresh(alone)).toBe(200);
  });
});

describe("a session", () => {
  it("ends at its time, however much it is used", async () => {
    const { browser, email } = await signedIn();
    const endsAt = Math.floor(Date.now() / 1000) + 3_600;
    const key = { pk: `User#${email}`, sk: `AuthSession#${idOf(browser)}` };
    await table.update(key, { set: { ends_at: endsAt } });

    expect(await refresh(browser)).toBe(200);
    const [, maxAge] = /Max-Age=(\d+);/u.exec(browser.setCookies.get(REFRESH) ?? "") ?? [];
    expect(Number(maxAge)).toBeLessThanOrEqual(3_600);
    expect((await table.get(key))?.["ttl"]).toBe(endsAt);

    // The browser deletes the cookie by itself; a copy of it is refused.
    const copy = withCookies(new Map([[REFRESH, tokenOf(browser)]]), { app: appAfter(3_600_000) });
    expect(await refresh(copy)).toBe(401);
  });

  it("ends if it is not used", async () => {
    const { browser, email } = await signedIn();
    const key = { pk: `User#${email}`, sk: `AuthSession#${idOf(browser)}` };
    await table.update(key, { set: { ttl: Math.floor(Date.now() / 1000) - 1 } });

    expect(await refresh(browser)).toBe(401);
  });

  it.each(["inactive", "pending_deletion"])("of an account that is %s is refused", async (status) => {
    const { browser, email } = await signedIn();
    const before = await sessionOf(email, browser);
    await table.update({ pk: `User#${email}`, sk: "User#Metadata" }, { set: { status } });

    const answer = await browser("POST", "/auth/refresh");

    expect(answer.status).toBe(403);
    expect(answer.body).toEqual(problem(403, "forbidden", "Account has been deactivated"));
    expect(await sessionOf(email, browser)).toEqual(before);
  });

  it("of a deleted account is refused", async () => {
    const { browser, email } = await signedIn();
    await table.remove({ pk: `User#${email}`, sk: "User#Metadata" });

    expect(await refresh(browser)).toBe(401);
  });

  it("ends by signing out, which can be repeated", async () => {
    const { browser, email } = await signedIn();
    const copy = withCookies(browser.cookies);

    const { status, body } = await browser("POST", "/auth/logout");

    expect([status, body]).toEqual([204, ""]);
    expect(browser.cookies.has(REFRESH)).toBe(false);
    expect(browser.setCookies.get(REFRESH)).toMatch(
      /^__Host-dab_refresh=; Max-Age=0; Path=\/; HttpOnly; Secure/u,
    );
    expect(await refresh(copy)).toBe(401);
    expect((await copy("POST", "/auth/logout")).status).toBe(204);
    expect((await browser("POST", "/auth/logout")).status).toBe(204);
    expect(await table.query(`User#${email}`, { range: { beginsWith: "AuthSession#" } })).toEqual([]);
  });

  it("can't be ended by its id alone", async () => {
    const { browser } = await signedIn();
    const [owner, id] = tokenOf(browser).split(".");
    const stranger = openBrowser();
    stranger.cookies.set(REFRESH, `${owner}.${id}.${"A".repeat(43)}`);

    expect((await stranger("POST", "/auth/logout")).status).toBe(204);
    expect(await refresh(browser)).toBe(200);
  });
});

describe("a cookie", () => {
  const forms: [string, (token: string) => string][] = [
    ["nothing", () => ""],
    ["dots", () => ".."],
    ["one part", (token) => token.split(".")[0] ?? ""],
    ["two parts", (token) => token.split(".").slice(0, 2).join(".")],
    ["four parts", (token) => `${token}.a`],
    ["an address that is no UTF-8", (token) => `_w.${token.split(".").slice(1).join(".")}`],
    ["no address", (token) => `.${token.split(".").slice(1).join(".")}`],
    ["a padded address", (token) => token.replace(".", "=.")],
    ["another's address", (token) => `YUBleGFtcGxlLm9yZw.${token.split(".").slice(1).join(".")}`],
    ["a name that is no session's", (token) => token.replace(/\.[^.]+\./u, ".AuthSession#.")],
    ["a name without end", (token) => token.replace(/\.([^.]+)\./u, `.$1-${"a".repeat(700)}.`)],
    ["a shorter secret", (token) => token.slice(0, -2)],
    ["a longer secret", (token) => `${token}AA`],
    ["escapes", () => "%E0%A4%A"],
    ["a quoted text", (token) => `"${token}x"`],
    ["a megabyte", () => "a".repeat(1024 * 1024)],
    ["an access token", () => "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhIn0.c2ln"],
    ["letters that no header should have", () => "ÿþ"],
  ];

  it.each(forms)("of %s is refused without a hint, and affects no session", async (_case, change) => {
    const { browser } = await signedIn();
    const attacker = openBrowser();
    attacker.cookies.set(REFRESH, change(tokenOf(browser)));

    const answer = await attacker("POST", "/auth/refresh");

    expect(answer.status).toBe(401);
    expect(answer.body).toEqual(ENDED);
    expect((await attacker("POST", "/auth/logout")).status).toBe(204);
    expect(await refresh(browser)).toBe(200);
  });

  it("is required", async () => {
    const answer = await openBrowser()("POST", "/auth/refresh");

    expect([answer.status, answer.body]).toEqual([401, ENDED]);
  });

  it("is ignored without its prefix", async () => {
    const { browser } = await signedIn();
    const other = openBrowser();
    other.cookies.set("dab_refresh", tokenOf(browser));

    expect(await refresh(other)).toBe(401);
  });

  it("is not accepted as an access token", async () => {
    const { browser } = await signedIn();

    expect((await clientOf(tokenOf(browser))("GET", "/auth/me")).status).toBe(401);
    expect((await browser("GET", "/auth/me")).status).toBe(401);
  });
});

import { describe, expect, it } from "vitest";
import { deviceFrom } from "../../src/auth/device.ts";
import { problem } from "../http/route-cases.ts";
import { anonymous, clientOf, table } from "../support/app.ts";
import { APP, openBrowser, REFRESH, signIn, newPerson } from "../support/browser.ts";

const FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0";
const SAFARI =
  "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1";

/** A person's browser of a kind, signed in, and an access token. */
async function browserOf(person: ReturnType<typeof newPerson>, agent = FIREFOX) {
  const plain = openBrowser();
  const browser = Object.assign(
    (method: string, path: string, more: Record<string, string> = {}) =>
      plain(method, path, { "user-agent": agent, ...more }),
    { cookies: plain.cookies, setCookies: plain.setCookies },
  );
  await signIn(browser, person);
  const { body } = await browser("POST", "/auth/refresh");
  const authorization = `Bearer ${body.token as string}`;
  const id = plain.cookies.get(REFRESH)?.split(".")[1] ?? "";
  return { browser, authorization, id, token: body.token as string };
}

describe("the list of sessions", () => {
  it("lists the sessions, latest first, and marks the current one", async () => {
    const person = newPerson();
    const first = await browserOf(person);
    const second = await browserOf(person, SAFARI);

    const { status, body } = await first.browser("GET", "/auth/sessions", {
      authorization: first.authorization,
    });

    const times = {
      created_at: expect.stringMatching(/\+00:00$/u),
      last_used_at: expect.stringMatching(/\+00:00$/u),
      expires_at: expect.stringMatching(/Z$/u),
    };
    expect(status).toBe(200);
    expect(body).toEqual({
      items: [
        { session_id: second.id, device: "Safari on iOS", current: false, ...times },
        { session_id: first.id, device: "Firefox on Linux", current: true, ...times },
      ],
      next_cursor: null,
      has_more: false,
    });
  });

  it("is paged, and contains only the account's own sessions", async () => {
    const [person, other] = [newPerson(), newPerson()];
    const own = await browserOf(person);
    for (let i = 0; i < 3; i++) await browserOf(person);
    const stranger = await browserOf(other);

    const first = await clientOf(own.token)("GET", "/auth/sessions?limit=3");
    const path = `/auth/sessions?limit=3&cursor=${first.body.next_cursor}`;
    const second = await clientOf(own.token)("GET", path);

    expect([first.body.items.length, second.body.items.length]).toEqual([3, 1]);
    expect(second.body.items[0].session_id).toBe(own.id);
    expect((await clientOf(stranger.token)("GET", path)).status).toBe(400);
    expect((await clientOf(stranger.token)("GET", "/auth/sessions")).body.items).toHaveLength(1);
  });
});

describe("ending a session", () => {
  it("signs out the other browser, and can be repeated", async () => {
    const person = newPerson();
    const here = await browserOf(person);
    const there = await browserOf(person);

    for (let i = 0; i < 2; i++) {
      const answer = await here.browser("DELETE", `/auth/sessions/${there.id}`, {
        authorization: here.authorization,
      });
      expect([answer.status, answer.headers.getSetCookie()]).toEqual([204, []]);
    }

    expect((await there.browser("POST", "/auth/refresh")).status).toBe(401);
    expect((await here.browser("POST", "/auth/refresh")).status).toBe(200);
  });

  it("of the current browser clears its cookie", async () => {
    const here = await browserOf(newPerson());

    await here.browser("DELETE", `/auth/sessions/${here.id}`, { authorization: here.authorization });

    expect(here.browser.cookies.has(REFRESH)).toBe(false);
  });

  it("of another account gets the same answer, and has no effect", async () => {
    const [person, stranger] = [newPerson(), newPerson()];
    const there = await browserOf(person);
    const here = await browserOf(stranger);

    const foreign = await clientOf(here.token)("DELETE", `/auth/sessions/${there.id}`);
    const absent = await clientOf(here.token)("DELETE", `/auth/sessions/${crypto.randomUUID()}`);

    expect([foreign.status, absent.status]).toEqual([204, 204]);
    expect((await there.browser("POST", "/auth/refresh")).status).toBe(200);
  });

  it("removes nothing but sessions", async () => {
    const person = newPerson();
    const here = await browserOf(person);
    const before = await table.query(`User#${person.email}`);

    for (const id of ["User%23Metadata", "..%2FUser%23Metadata", "%23", "-"])
      await clientOf(here.token)("DELETE", `/auth/sessions/${id}`);

    expect(await table.query(`User#${person.email}`)).toEqual(before);
  });
});

describe.each(["/auth/refresh", "/auth/logout"])("POST %s", (path) => {
  // Scenario 29.
  it.each([
    "https://evil.example",
    "null",
    "https://app.example.com.evil.com",
    "https://evil.com/https://app.example.com",
    "http://app.example.com",
    "https://app.example.com:8443",
    "https://sub.app.example.com",
    "https://api.example.com.evil.com",
    `${APP}, https://evil.example`,
    "*",
    "",
  ])("refuses pages of %j, and leaves the session unchanged", async (origin) => {
    const person = newPerson();
    const { browser } = await browserOf(person);
    const before = await table.query(`User#${person.email}`);

    const { status, headers, body } = await browser("POST", path, { origin });

    expect(status).toBe(403);
    expect(body).toEqual(problem(403, "forbidden", "Requests from this origin are not allowed."));
    expect(headers.get("access-control-allow-origin")).toBeNull();
    expect(headers.get("vary")).toContain("Origin");
    expect(headers.getSetCookie()).toEqual([]);
    expect(await table.query(`User#${person.email}`)).toEqual(before);
  });

  it("accepts pages of the application, which may read the answer", async () => {
    const { browser } = await browserOf(newPerson());

    const { status, headers } = await browser("POST", path, { origin: APP });

    expect(status).toBeLessThan(300);
    expect(headers.get("access-control-allow-origin")).toBe(APP);
    expect(headers.get("access-control-allow-credentials")).toBe("true");
  });

  it("accepts the service's own pages", async () => {
    const { browser } = await browserOf(newPerson());

    expect((await browser("POST", path, { origin: "https://api.example.com" })).status).toBeLessThan(300);
  });

  it.each([
    ["cross-site", 403],
    ["same-site", 403],
    ["none", 403],
    [undefined, 403],
    ["same-origin", 204],
  ])("decides by `Sec-Fetch-Site` if there is no origin: %s", async (site, expected) => {
    const person = newPerson();
    const { browser } = await browserOf(person);
    const cookie = `${REFRESH}=${browser.cookies.get(REFRESH)}`;
    const headers = { cookie, ...(site !== undefined && { "sec-fetch-site": site }) };

    const { status } = await anonymous("POST", path, undefined, headers);

    expect(status === 200 ? 204 : status).toBe(expected);
  });
});

it.each([
  [FIREFOX, "Firefox on Linux"],
  [SAFARI, "Safari on iOS"],
  [
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/126.0 Safari/537.36 Edg/126.0",
    "Edge on Windows",
  ],
  [
    "Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 Chrome/126.0 Mobile Safari/537.36",
    "Chrome on Android",
  ],
  [
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 Version/17.5 Safari/605.1.15",
    "Safari on macOS",
  ],
  [
    "Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) AppleWebKit/537.36 Chrome/126.0 Safari/537.36",
    "Chrome on ChromeOS",
  ],
  ["curl/8.5.0", "Unknown device"],
  ["<script>alert(1)</script>", "Unknown device"],
  ["", "Unknown device"],
  [undefined, "Unknown device"],
])("describes the device %j as %s", (agent, device) => {
  expect(deviceFrom(agent)).toBe(device);
});

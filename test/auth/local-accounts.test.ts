import { describe, expect, it } from "vitest";
import { anonymous, clientOf, signUp, table } from "../support/app.ts";
import { injectFault } from "../support/control.ts";
import { problem, requestIn } from "../http/route-cases.ts";

const freshName = () => `user-${crypto.randomUUID().slice(0, 13)}`;
const signUpAs = (username: string, password = "secret") =>
  anonymous("POST", "/auth/local/signup", { username, password });
const logInAs = (username: string, password = "secret") =>
  anonymous("POST", "/auth/local/login", { username, password });
const keyOf = (username: string) => ({ pk: `User#${username}@example.com`, sk: "User#Metadata" });

describe("signing up and logging in", () => {
  it("returns a token, the e-mail address and the name", async () => {
    const username = freshName();
    const session = { token: expect.any(String), email: `${username}@example.com`, name: username };

    const signedUp = await signUpAs(username);
    const loggedIn = await logInAs(username);

    expect([signedUp.status, signedUp.body]).toEqual([200, session]);
    expect([loggedIn.status, loggedIn.body]).toEqual([200, session]);
    for (const { body } of [signedUp, loggedIn]) {
      const me = await clientOf(body.token)("GET", "/auth/me");
      expect([me.status, me.body]).toEqual([200, { email: session.email, name: username, picture: null }]);
    }
  });

  it("stores the user in the format of the table, with hash and salt of the password only, for seven days", async () => {
    const username = freshName();
    const before = Date.now();
    await signUpAs(username, "correct horse battery staple");

    const item = await table.get(keyOf(username));

    expect(item).toEqual({
      pk: `User#${username}@example.com`,
      sk: "User#Metadata",
      email: `${username}@example.com`,
      name: username,
      picture: null,
      refresh_token: null,
      stripe_customer_id: null,
      status: "active",
      deletion_requested_at: null,
      created_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}\+00:00$/u),
      updated_at: null,
      password_hash: expect.stringMatching(/^[0-9a-f]{64}$/u),
      password_salt: expect.stringMatching(/^[0-9a-f]{64}$/u),
      ttl: expect.any(Number),
    });
    expect(JSON.stringify(item)).not.toContain("horse");
    const days = (Number(item?.["ttl"]) * 1000 - before) / 86_400_000;
    expect(days).toBeGreaterThanOrEqual(7);
    expect(days).toBeLessThan(7.001);
  });

  it("salts each password anew", async () => {
    const names = [freshName(), freshName()];
    for (const name of names) await signUpAs(name, "the same");

    const items = await table.batchGet(names.map(keyOf));

    expect(new Set(items.map((item) => item?.["password_salt"])).size).toBe(2);
    expect(new Set(items.map((item) => item?.["password_hash"])).size).toBe(2);
  });

  it("accepts accounts that the legacy Python service has created", async () => {
    const username = freshName();
    await table.put({
      ...keyOf(username),
      email: `${username}@example.com`,
      name: username,
      // PBKDF2-HMAC-SHA-256 of "secret", 100,000 rounds, by Python's hashlib.
      password_salt: "00".repeat(32),
      password_hash: "f424449b70198c6d5478fff835b93ee602323ffd7a2d225b51e2b4ba08c0602c",
    });

    expect((await logInAs(username)).status).toBe(200);
    expect((await logInAs(username, "Secret")).status).toBe(401);
  });

  it("treats names that differ in case as one, and keeps the spelling of the sign-up", async () => {
    const username = freshName();
    const typed = ` ${username.toUpperCase()} `;

    const { body } = await signUpAs(typed);

    expect(body).toMatchObject({ email: `${username}@example.com`, name: typed.trim() });
    expect((await logInAs(username)).body).toMatchObject({ email: `${username}@example.com` });
    expect((await logInAs(typed)).status).toBe(200);
  });
});

describe("a name that is taken", () => {
  it.each<[string, (name: string) => string]>([
    ["as it is", (name) => name],
    ["in other case", (name) => name.toUpperCase()],
    ["with spaces around", (name) => `  ${name} `],
  ])("is refused %s, and its account is unchanged", async (_case, spelled) => {
    const username = freshName();
    await signUpAs(username);
    const before = await table.get(keyOf(username));

    const { status, body } = await signUpAs(spelled(username), "another password");

    expect(status).toBe(409);
    expect(body).toEqual(problem(409, "conflict", "Username already taken"));
    expect(await table.get(keyOf(username))).toEqual(before);
  });

  it("goes to one of ten concurrent requests", async () => {
    const username = freshName();

    const answers = await Promise.all(Array.from({ length: 10 }, () => signUpAs(username)));

    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(answers.filter(({ status }) => status === 409)).toHaveLength(9);
  });

  it("is free again when its account has expired, even if the item still exists", async () => {
    const username = freshName();
    await signUpAs(username, "old password");
    await table.update(keyOf(username), { set: { ttl: Math.floor(Date.now() / 1000) - 10 } });
    expect((await logInAs(username, "old password")).status).toBe(401);

    const { status } = await signUpAs(username, "new password");

    expect(status).toBe(200);
    expect((await logInAs(username, "new password")).status).toBe(200);
    expect((await logInAs(username, "old password")).status).toBe(401);
  });

  it("does not count as taken by a request's own lost answer", async () => {
    const username = freshName();
    await injectFault({ match: [username], operation: "PutItem", fault: { kind: "lose-answer" } });

    const { status, body } = await signUpAs(username);

    expect(status).toBe(200);
    expect((await clientOf(body.token)("GET", "/auth/me")).status).toBe(200);
  });
});

it("answers a wrong password and an unknown name identically", async () => {
  const username = freshName();
  await signUpAs(username);

  const wrong = await logInAs(username, "guess");
  const unknown = await logInAs(freshName(), "guess");

  for (const { status, body } of [wrong, unknown]) {
    expect(status).toBe(401);
    expect(body).toEqual(problem(401, "unauthenticated", "Invalid username or password"));
  }
});

it("refuses accounts without a password", async () => {
  const username = freshName();
  await table.put({
    ...keyOf(username),
    email: `${username}@example.com`,
    name: "Google's",
    status: "active",
  });

  expect((await logInAs(username, "")).status).toBe(422);
  expect((await logInAs(username, "undefined")).status).toBe(401);
  expect((await signUpAs(username)).status).toBe(409);
});

it.each(["inactive", "pending_deletion"])("refuses to log in to an account that is %s", async (state) => {
  const { email } = await signUp();
  const username = email.replace("@example.com", "");
  await table.update(keyOf(username), { set: { status: state } });

  const { status, body } = await logInAs(username);

  expect(status).toBe(403);
  expect(body).toEqual(problem(403, "forbidden", "Account has been deactivated"));
});

it.each([
  "a#b",
  "#",
  "two words",
  "",
  "   ",
  "a@b",
  "a/b",
  "a\nb",
  ".dot",
  "dot.",
  "-",
  "ünï",
  "😀",
  "a".repeat(65),
])("refuses the name %j, which can't be part of an address", async (username) => {
  for (const answer of [await signUpAs(username, "the-password"), await logInAs(username, "the-password")]) {
    expect(answer.status).toBe(422);
    expect(answer.body.errors).toEqual([
      {
        path: ["username"],
        message:
          "username must consist of 1 to 64 letters, digits, dots, hyphens and underscores, and begin and end with a letter or digit.",
        code: "invalid_format",
      },
    ]);
    expect(JSON.stringify(answer.body)).not.toContain("the-password");
  }
});

it.each([
  ["none", ""],
  ["one of more than 1,024 characters", "p".repeat(1_025)],
])("refuses a password: %s", async (_case, password) => {
  const { status, body } = await signUpAs(freshName(), password);

  expect(status).toBe(422);
  expect(body.errors[0].path).toEqual(["password"]);
  expect(JSON.stringify(body)).not.toContain("ppp");
});

it.each([
  ["signup", "Local signup is only available in development environment"],
  ["login", "Local login is only available in development environment"],
])("offers no local %s in production", async (action, sentence) => {
  const known = freshName();
  await signUpAs(known);
  const username = action === "login" ? known : freshName();
  const body = { username, password: "secret" };
  const before = await table.get(keyOf(username));

  for (const environment of ["production", "dev", ""]) {
    const answer = await requestIn({ ENVIRONMENT: environment }, "POST", `/auth/local/${action}`, { body });

    expect(answer.status).toBe(403);
    expect(answer.body).toEqual(problem(403, "forbidden", sentence));
  }
  expect(await table.get(keyOf(username))).toEqual(before);
});

describe("a page of this service", () => {
  const OWN_PAGE = { "sec-fetch-site": "same-origin", origin: "https://api.example.com" };

  it.each(["signup", "login"])("stays signed in after a reload, by a cookie from %s", async (route) => {
    const username = freshName();
    if (route === "login") await signUpAs(username);

    const entered = await anonymous(
      "POST",
      `/auth/local/${route}`,
      { username, password: "secret" },
      OWN_PAGE,
    );

    const cookie = entered.headers.get("set-cookie") ?? "";
    expect(entered.status).toBe(200);
    expect(cookie).toMatch(/^__Host-dab_refresh=[^;]+; .*HttpOnly; Secure; SameSite=Lax$/u);
    const reloaded = await anonymous("POST", "/auth/refresh", undefined, {
      ...OWN_PAGE,
      cookie: cookie.split(";", 1)[0] ?? "",
    });
    expect(reloaded.status).toBe(200);
    const me = await clientOf(reloaded.body.token)("GET", "/auth/me");
    expect(me.body.email).toBe(`${username}@example.com`);
  });

  it.each([
    ["a program", {}],
    ["a page of another site", { "sec-fetch-site": "cross-site", origin: "https://app.example.com" }],
  ])("is the only one that gets a cookie: not %s", async (_case, headers) => {
    const { status, headers: answered } = await anonymous(
      "POST",
      "/auth/local/signup",
      { username: freshName(), password: "secret" },
      headers,
    );

    expect([status, answered.get("set-cookie")]).toEqual([200, null]);
  });
});

describe("the ways to sign in", () => {
  it("are the local one and the issuer's, where both are set up", async () => {
    const { status, body } = await anonymous("GET", "/auth/methods");

    expect(status).toBe(200);
    expect(body).toEqual({ local: true, issuer: { name: expect.any(String), url: "/auth/google" } });
  });

  it.each([
    [
      "Google in production",
      { OIDC_ISSUER: "" },
      { local: false, issuer: { name: "Google", url: "/auth/google" } },
    ],
    ["none where no issuer is set up", { GOOGLE_CLIENT_ID: "" }, { local: false, issuer: null }],
  ])("are %s", async (_case, variables, expected) => {
    const { body } = await requestIn({ ENVIRONMENT: "production", ...variables }, "GET", "/auth/methods");

    expect(body).toEqual(expected);
  });
});

import { describe, expect, it } from "vitest";
import { table } from "../support/app.ts";
import { APP, openBrowser, signIn, newPerson } from "../support/browser.ts";

const keyOf = (email: string) => ({ pk: `User#${email}`, sk: "User#Metadata" });
const aliasKeyOf = (email: string) => ({ pk: `User#${email}`, sk: "UserAlias" });

/** An account as the legacy Python service has written it. */
const plantOld = (email: string, more: Record<string, string | number | null> = {}) =>
  table.put({
    ...keyOf(email),
    email,
    name: "Old Name",
    picture: null,
    refresh_token: "1//google-refresh",
    stripe_customer_id: "cus_1",
    status: "active",
    deletion_requested_at: null,
    created_at: "2025-01-29T11:51:36.123456+00:00",
    updated_at: null,
    ...more,
  });

/** Signs in, and returns the account. */
async function enter(claims: Record<string, unknown>) {
  const browser = openBrowser();
  const { headers } = await signIn(browser, claims);
  if (headers.get("location") !== `${APP}/login-success`) return headers.get("location");
  const { body } = await browser("POST", "/auth/refresh");
  return body.email as string;
}

/** A person whose address the issuer writes in mixed case. */
const inMixedCase = () => {
  const person = newPerson();
  return { ...person, email: person.email.replace("p-", "P-Mixed-") };
};

describe("an account of the legacy Python service", () => {
  it("is adopted by the person with its address, and keeps its data", async () => {
    const person = newPerson();
    await plantOld(person.email);

    expect(await enter(person)).toBe(person.email);

    expect(await table.get(keyOf(person.email))).toMatchObject({
      name: "Some Body",
      stripe_customer_id: "cus_1",
      created_at: "2025-01-29T11:51:36.123456+00:00",
      google_sub: person.sub,
    });
    expect(await enter({ ...person, sub: "another" })).toBe(`${APP}/login?error=auth_failed`);
  });

  it("is adopted even if it is incomplete", async () => {
    const person = newPerson();
    await table.put({ ...keyOf(person.email), stripe_customer_id: "cus_1" });

    expect(await enter(person)).toBe(person.email);
    expect(await table.get(keyOf(person.email))).toMatchObject({ email: person.email, status: "active" });
  });

  it("that was made for local development loses its password and its expiry", async () => {
    const person = newPerson();
    await plantOld(person.email, { password_hash: "aa", password_salt: "bb", ttl: 9_999_999_999 });

    await enter(person);

    const item = await table.get(keyOf(person.email));
    expect(Object.keys(item ?? {})).not.toEqual(expect.arrayContaining(["password_hash"]));
    expect(item).not.toHaveProperty("password_salt");
    expect(item).not.toHaveProperty("ttl");
  });

  it("is adopted by one of two persons who sign in with the address at the same time", async () => {
    const person = newPerson();
    await plantOld(person.email);

    const entered = await Promise.all([enter(person), enter({ ...person, sub: "another" })]);

    expect(new Set(entered)).toEqual(new Set([`${APP}/login?error=auth_failed`, person.email]));
  });
});

describe("an account of the legacy Python service in mixed case", () => {
  it("is adopted under its spelling, so that its data stays reachable", async () => {
    const person = inMixedCase();
    await plantOld(person.email);

    expect(await enter(person)).toBe(person.email);

    const lower = person.email.toLowerCase();
    expect(await table.get(keyOf(person.email))).toMatchObject({ google_sub: person.sub });
    expect(await table.get(keyOf(lower))).toBeUndefined();
    expect(await table.get(aliasKeyOf(lower))).toEqual({
      ...aliasKeyOf(lower),
      entity_type: "UserAlias",
      account: person.email,
    });
  });

  it("is found again by every spelling of the address, and is closed to other persons", async () => {
    const person = inMixedCase();
    await plantOld(person.email);
    await enter(person);

    expect(await enter({ ...person, email: person.email.toLowerCase() })).toBe(person.email);
    expect(await enter({ ...person, email: person.email.toUpperCase() })).toBe(person.email);
    expect(await enter({ ...person, email: person.email.toLowerCase(), sub: "another" })).toBe(
      `${APP}/login?error=auth_failed`,
    );
  });

  it("is unchanged if there is an account with the address in lower case", async () => {
    const person = inMixedCase();
    const lower = person.email.toLowerCase();
    await plantOld(person.email);
    await plantOld(lower);
    const before = await table.get(keyOf(person.email));

    expect(await enter(person)).toBe(lower);
    expect(await table.get(keyOf(person.email))).toEqual(before);
    expect(await table.get(aliasKeyOf(lower))).toBeUndefined();
  });

  it.each(["inactive", "pending_deletion"])("is not adopted if it is %s", async (status) => {
    const person = inMixedCase();
    await plantOld(person.email, { status });

    expect(await enter(person)).toBe(`${APP}/login?error=account_inactive`);
    expect(await table.get(aliasKeyOf(person.email.toLowerCase()))).toBeUndefined();
  });

  it("is replaced by a new account in lower case after its deletion", async () => {
    const person = inMixedCase();
    const lower = person.email.toLowerCase();
    await plantOld(person.email);
    await enter(person);
    await table.remove(keyOf(person.email));

    expect(await enter(person)).toBe(lower);
    expect(await table.get(aliasKeyOf(lower))).toBeUndefined();
    expect(await table.get(keyOf(lower))).toMatchObject({ email: lower, google_sub: person.sub });
  });
});

it("creates an account in lower case for a new address in mixed case", async () => {
  const person = inMixedCase();

  expect(await enter(person)).toBe(person.email.toLowerCase());
  expect(await table.get(keyOf(person.email))).toBeUndefined();
});

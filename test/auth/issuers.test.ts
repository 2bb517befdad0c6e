import { describe, expect, inject, it } from "vitest";
import { table } from "../support/app.ts";
import { APP, beginSignIn, openBrowser, signIn, newPerson } from "../support/browser.ts";

/** Signs a person in at an issuer that behaves like this one, and returns where the browser ends up. */
async function signInAt(
  issuer: string,
  person: Record<string, unknown> = newPerson(),
  variables: Record<string, string> = {},
) {
  const browser = openBrowser({ variables: { OIDC_ISSUER: `${inject("issuer")}/${issuer}`, ...variables } });
  const { headers } = await signIn(browser, person);
  return headers.get("location");
}

const SUCCESS = `${APP}/login-success`;
const failed = (error: string) => `${APP}/login?error=${error}`;

describe("sign-in through an issuer that behaves like", () => {
  it.each([
    ["Google", "google", {}],
    ["Okta, whose ID token has no address", "okta", {}],
    ["Auth0, whose name ends with a slash", "auth0/", {}],
    ["Keycloak", "keycloak", {}],
    ["Authelia", "authelia", { OIDC_CLIENT_AUTH: "client_secret_basic" }],
    ["Cognito, which writes booleans as texts", "cognito", {}],
    ["Entra", "entra", { OIDC_TRUST_EMAIL: "true" }],
  ])("%s", async (_name, issuer, variables) => {
    const person = newPerson();
    const iss = issuer === "keycloak" ? { iss: `${inject("issuer")}/keycloak` } : {};

    const browser = openBrowser({
      variables: { OIDC_ISSUER: `${inject("issuer")}/${issuer}`, ...variables },
    });
    const { headers } = await signIn(browser, person, {}, iss);

    expect(headers.get("location")).toBe(SUCCESS);
    const user = await table.get({ pk: `User#${person.email}`, sk: "User#Metadata" });
    expect(user).toMatchObject({ email: person.email, name: "Some Body" });
  });
});

describe("the client authenticates", () => {
  it.each([
    ["by Basic if post is not offered", "basic-only"],
    ["by Basic if no method is stated", "unstated"],
    ["by a signed assertion if only that is offered", "jwt-only"],
    ["by PKCE alone if only that is offered", "pkce-only"],
  ])("%s", async (_case, issuer) => {
    expect(await signInAt(issuer)).toBe(SUCCESS);
  });

  it("without a secret if the operator says so", async () => {
    const variables = { OIDC_CLIENT_AUTH: "none", GOOGLE_CLIENT_SECRET: "" };
    expect(await signInAt("pkce-only", newPerson(), variables)).toBe(SUCCESS);
  });

  it("as the operator states, not as the metadata suggests", async () => {
    expect(await signInAt("authelia")).toBe(failed("unavailable"));
    expect(await signInAt("authelia", newPerson(), { OIDC_CLIENT_AUTH: "client_secret_basic" })).toBe(
      SUCCESS,
    );
  });

  it("not at all if the issuer offers only methods that this service lacks", async () => {
    expect(await signInAt("key-only")).toBe(failed("unavailable"));
  });

  it.each([
    ["an unknown method", { OIDC_CLIENT_AUTH: "private_key_jwt" }],
    ["no secret", { GOOGLE_CLIENT_SECRET: "" }],
  ])("not at all with %s", async (_case, variables) => {
    const browser = openBrowser({ variables });
    const { status, headers } = await browser("GET", "/auth/google");

    expect([status, headers.get("location")]).toEqual([302, failed("unavailable")]);
  });
});

describe("an address that the issuer has not verified", () => {
  it("is refused, unless the operator trusts the issuer", async () => {
    expect(await signInAt("entra")).toBe(failed("email_not_verified"));
    expect(await signInAt("entra", newPerson(), { OIDC_TRUST_EMAIL: "yes" })).toBe(
      failed("email_not_verified"),
    );
    expect(await signInAt("entra", newPerson(), { OIDC_TRUST_EMAIL: "true" })).toBe(SUCCESS);
  });

  it.each([false, "false", "", null, 1])(
    "is refused although the operator trusts the issuer, which says %j",
    async (email_verified) => {
      const person = { ...newPerson(), email_verified };
      const end = await signInAt("google", person, { OIDC_TRUST_EMAIL: "true" });
      expect(end).toBe(failed("email_not_verified"));
    },
  );
});

describe("the userinfo endpoint", () => {
  it.each([
    ["describes another person", "other-subject", "auth_failed"],
    ["returns another address", "other-address", "email_not_verified"],
    [
      "calls the address unverified that an ID token without address calls verified",
      "verified-without-address",
      "email_not_verified",
    ],
    ["does not answer", "failing-userinfo", "unavailable"],
  ])("causes a refusal if it %s", async (_case, issuer, error) => {
    expect(await signInAt(issuer)).toBe(failed(error));
  });
});

it("the choice of an account is requested only from issuers that offer it", async () => {
  const prompts = await Promise.all(
    ["google", "keycloak"].map(async (issuer) => {
      const browser = openBrowser({ variables: { OIDC_ISSUER: `${inject("issuer")}/${issuer}` } });
      return (await beginSignIn(browser)).url.searchParams.get("prompt");
    }),
  );
  expect(prompts).toEqual(["select_account", null]);
});

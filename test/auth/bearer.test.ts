import { expect, it } from "vitest";
import { anonymous, clientOf, signUp } from "../support/app.ts";
import { problem } from "../http/route-cases.ts";
import { forge, type Forgery, withPart } from "./forge.ts";

const longAgo = Math.floor(Date.now() / 1000) - 3_600;

it("accepts an unmodified token, so each attack below fails because of its one change", async () => {
  const { email } = await signUp();

  const { status, body } = await clientOf(await forge(email))("GET", "/auth/me");

  expect(status).toBe(200);
  expect(body.email).toBe(email);
});

const FORGERIES: readonly (readonly [string, Forgery])[] = [
  ["another algorithm of the same kind", { header: { alg: "HS384" }, hash: "SHA-384" }],
  ["a longer one", { header: { alg: "HS512" }, hash: "SHA-512" }],
  ["an algorithm with public keys", { header: { alg: "RS256" } }],
  ["an algorithm with public curves", { header: { alg: "ES256" } }],
  ["another type", { header: { typ: "JWT" } }],
  ["the type of a refresh token", { header: { typ: "rt+jwt" } }],
  ["no type", { header: { typ: undefined } }],
  ["no key id", { header: { kid: undefined } }],
  ["an unknown key id", { header: { kid: "other" } }],
  ["a key id that objects have", { header: { kid: "__proto__" } }],
  ["a key id that arrays have", { header: { kid: "constructor" } }],
  ["a key id that is a number", { header: { kid: 0 } }],
  ["a key of its own", { header: { jwk: { kty: "oct", k: "AAAA" } }, secret: "\0\0\0" }],
  ["a place to fetch keys from", { header: { jku: "https://evil.example/keys" }, secret: "\0\0\0" }],
  ["a place to fetch certificates from", { header: { x5u: "https://evil.example/x5u" }, secret: "\0\0\0" }],
  ["a key id that is a path", { header: { kid: "../../dev/null" }, secret: "\0" }],
  ["the type of a sign-in's cookie", { header: { typ: "signin+jwt" } }],
  ["an extension that must be understood", { header: { crit: ["other"], other: true } }],
  ["another secret", { secret: "another-secret-of-more-than-thirty-two-bytes" }],
  ["no end", { payload: { exp: undefined } }],
  ["an end that is a text", { payload: { exp: "2999-01-01" } }],
  ["no id", { payload: { jti: undefined } }],
  ["no time of issue", { payload: { iat: undefined } }],
  ["nobody it speaks for", { payload: { sub: undefined } }],
  ["another issuer", { payload: { iss: "somebody-else" } }],
  ["no issuer", { payload: { iss: undefined } }],
  ["another audience", { payload: { aud: "somebody-else" } }],
  ["no audience", { payload: { aud: undefined } }],
  ["a beginning in the future", { payload: { nbf: longAgo + 7_200 } }],
];

// Scenario 27.
it.each(FORGERIES)("refuses a token with %s", async (_case, forgery) => {
  const { email } = await signUp();

  const { status, headers, body } = await clientOf(await forge(email, forgery))("GET", "/auth/me");

  expect(status).toBe(401);
  expect(headers.get("www-authenticate")).toBe("Bearer");
  expect(body).toEqual(problem(401, "unauthenticated", "Invalid token"));
});

it("reports that a token has expired", async () => {
  const { email } = await signUp();
  const token = await forge(email, { payload: { iat: longAgo, exp: longAgo + 900 } });

  const { status, body } = await clientOf(token)("GET", "/auth/me");

  expect(status).toBe(401);
  expect(body).toEqual(problem(401, "unauthenticated", "Token expired"));
});

it('reports only "invalid" for an expired token with a wrong signature', async () => {
  const { email } = await signUp();
  const token = await forge(email, { payload: { exp: longAgo }, secret: "another" });

  expect((await clientOf(token)("GET", "/auth/me")).body.detail).toBe("Invalid token");
});

const unsigned = (alg: string) => (token: string) =>
  withPart(withPart(token, 0, { alg, typ: "at+jwt" }), 2, "");

it.each<[string, (token: string) => string]>([
  ["without a signature algorithm", unsigned("none")],
  ["without a signature algorithm, in capitals", unsigned("NONE")],
  [
    "whose header names no signature algorithm",
    (token) => withPart(token, 0, { alg: "none", typ: "at+jwt", kid: "default" }),
  ],
  ["without its signature", (token) => withPart(token, 2, "")],
  ["with padding after its signature", (token) => `${token}=`],
  ["with a signature in the letters of plain base64", (token) => withPart(token, 2, "+/+/")],
  ["with half its signature", (token) => token.slice(0, -20)],
  [
    "for another account, with the old signature",
    (token) => withPart(token, 1, { sub: "x@example.com", exp: 9e9 }),
  ],
  ["with two dots too many", (token) => `${token}..`],
  ["with a part too many", (token) => `${token}.${token.split(".")[2]}`],
  ["with a part too few", (token) => token.split(".").slice(0, 2).join(".")],
  ["of dots", () => ".."],
  ["of one dot", () => "."],
  ["of other letters", () => "ÿÿÿ.ÿÿÿ.ÿÿÿ"],
  ["whose header is not JSON", (token) => withPart(token, 0, "AAAA")],
  ["whose header is a list", (token) => withPart(token, 0, [])],
  ["whose header is nothing", (token) => withPart(token, 0, null)],
  ["whose payload is not JSON", (token) => withPart(token, 1, "AAAA")],
])("refuses a token %s", async (_case, change) => {
  const { token } = await signUp();

  const { status, body } = await clientOf(change(token))("GET", "/auth/me");

  expect(status).toBe(401);
  expect(body).toEqual(problem(401, "unauthenticated", "Invalid token"));
});

it.each<[string, (token: string) => string]>([
  ["nothing", () => ""],
  ["no token", () => "Bearer"],
  ["spaces", () => "Bearer   "],
  ["another scheme", (token) => `Basic ${token}`],
  ["a token without a scheme", (token) => token],
  ["two tokens", (token) => `Bearer ${token} ${token}`],
  ["two schemes", (token) => `Bearer ${token}, Bearer ${token}`],
  ["a megabyte", () => `Bearer ${"a".repeat(1024 * 1024)}`],
  ["a token after a megabyte of spaces", (token) => `Bearer ${" ".repeat(1024 * 1024)}${token}`],
])("refuses a header of %s", async (_case, headerOf) => {
  const { token } = await signUp();

  const { status, body } = await anonymous("GET", "/auth/me", undefined, { authorization: headerOf(token) });

  expect(status).toBe(401);
  expect(body).toEqual(problem(401, "unauthenticated", "Missing or invalid authorization header"));
});

it("accepts the scheme in any case", async () => {
  const { token } = await signUp();

  const { status } = await anonymous("GET", "/auth/me", undefined, { authorization: `bearer ${token}` });

  expect(status).toBe(200);
});

it.each(["/auth/me", "/agents", "/conversations"])("ignores a token in the query of %s", async (path) => {
  const { token } = await signUp();

  const { status } = await anonymous("GET", `${path}?token=${token}`);

  expect(status).toBe(401);
});

it("accepts no token from a cookie or a body", async () => {
  const { token } = await signUp();

  const cookie = await anonymous("GET", "/auth/me", undefined, { cookie: `token=${token}` });
  const body = await anonymous("POST", "/agents", { token, access_token: token });

  expect([cookie.status, body.status]).toEqual([401, 401]);
});

import { accountEmailOf } from "../../src/shared/id-types.ts";
import { decodeJwt, decodeProtectedHeader } from "jose";
import { describe, expect, it } from "vitest";
import { AccessTokens, type SigningKey } from "../../src/auth/tokens.ts";
import { problem, requestIn } from "../http/route-cases.ts";

const alice = {
  accountEmail: accountEmailOf("alice@example.com"),
  name: "Alice",
  picture: "https://example.com/a.png",
};
const oldKey: SigningKey = { id: "old", secret: "an-old-secret-of-more-than-thirty-two-bytes" };
const newKey: SigningKey = { id: "new", secret: "a-new-secret-of-more-than-thirty-two-bytes-" };
const START = Date.UTC(2026, 0, 29, 11, 51, 36);

/** Her identity according to a token that was issued at the start. */
const known = { ...alice, issuedAt: START / 1000 };

const tokensOf = (keys: readonly [SigningKey, ...SigningKey[]], now = START) =>
  new AccessTokens({ keys, lifetimeSeconds: 900, now: () => now });

const refused = (message: string) => expect.objectContaining({ code: "unauthenticated", message });

describe("access tokens", () => {
  it("contain subject, lifetime and audience", async () => {
    const token = await tokensOf([newKey]).issue(alice);

    expect(decodeProtectedHeader(token)).toEqual({ alg: "HS256", typ: "at+jwt", kid: "new" });
    expect(decodeJwt(token)).toEqual({
      sub: "alice@example.com",
      name: "Alice",
      picture: "https://example.com/a.png",
      iss: "dynamic-agent-builder",
      aud: "dynamic-agent-builder-api",
      iat: START / 1000,
      exp: START / 1000 + 900,
      jti: expect.stringMatching(/^[0-9a-f-]{36}$/u),
    });
    expect(await tokensOf([newKey]).verify(token)).toEqual(known);
  });

  it.each(["Zoë", "語 😀", "half a pair \ud800", "a>b?c~d".repeat(20), "ÿþ\u007f\u2028\\u0041"])(
    "have claims that browsers read with atob and without padding: %j",
    async (name) => {
      const token = await tokensOf([newKey]).issue({ ...alice, name });

      for (const part of token.split(".").slice(0, 2)) expect(part).toMatch(/^[A-Za-z0-9]+$/u);
      const claims = JSON.parse(atob(token.split(".")[1] ?? ""));
      expect(claims.name).toBe(name);
      expect((await tokensOf([newKey]).verify(token)).name).toBe(name);
    },
  );

  it("have ids of their own", async () => {
    const tokens = tokensOf([newKey]);

    const ids = [await tokens.issue(alice), await tokens.issue(alice)].map((token) => decodeJwt(token).jti);

    expect(new Set(ids).size).toBe(2);
  });

  it("expire, with a tolerance for clock skew", async () => {
    const token = await tokensOf([newKey]).issue(alice);
    const verifyAfter = (seconds: number) => tokensOf([newKey], START + seconds * 1000).verify(token);

    expect(await verifyAfter(899)).toEqual(known);
    expect(await verifyAfter(904)).toEqual(known);
    await expect(verifyAfter(906)).rejects.toEqual(refused("Token expired"));
  });
});

describe("a ring of keys", () => {
  it("signs with the first key and accepts tokens of all keys", async () => {
    const old = await tokensOf([oldKey]).issue(alice);
    const ring = tokensOf([newKey, oldKey]);

    expect(await ring.verify(old)).toEqual(known);
    expect(decodeProtectedHeader(await ring.issue(alice)).kid).toBe("new");
  });

  it("refuses tokens of a key that was removed", async () => {
    const old = await tokensOf([oldKey]).issue(alice);

    await expect(tokensOf([newKey]).verify(old)).rejects.toEqual(refused("Invalid token"));
  });

  it("refuses a token with the id of another key", async () => {
    const impostor = await tokensOf([{ id: "old", secret: newKey.secret }]).issue(alice);

    await expect(tokensOf([newKey, oldKey]).verify(impostor)).rejects.toEqual(refused("Invalid token"));
  });
});

describe("the ring in JWT_SECRET", () => {
  const ringOf = (...entries: string[]) => ({ JWT_SECRET: entries.join(",") });
  const OLD = `old:${oldKey.secret}`;
  const NEW = `new:${newKey.secret}`;

  async function signUpIn(variables: Partial<Env>): Promise<string> {
    const body = { username: `user-${crypto.randomUUID()}`, password: "secret" };
    const answer = await requestIn(variables, "POST", "/auth/local/signup", { body });
    return answer.body.token as string;
  }

  const meIn = (variables: Partial<Env>, token: string) => requestIn(variables, "GET", "/auth/me", { token });

  it("accepts a token of its second key, until that key is removed", async () => {
    const token = await signUpIn(ringOf(OLD));

    expect((await meIn(ringOf(NEW, ` ${OLD} `), token)).status).toBe(200);
    const gone = await meIn(ringOf(NEW), token);
    expect(gone.status).toBe(401);
    expect(gone.body).toEqual(problem(401, "unauthenticated", "Invalid token"));
  });

  it("signs with its first key", async () => {
    const token = await signUpIn(ringOf(NEW, OLD));

    expect(decodeProtectedHeader(token).kid).toBe("new");
    expect((await meIn(ringOf(NEW), token)).status).toBe(200);
  });

  it("reads a secret with colons as a whole", async () => {
    const token = await signUpIn(ringOf("key:part-one:part-two"));

    expect((await meIn(ringOf("key:part-one:part-two"), token)).status).toBe(200);
    expect((await meIn(ringOf("key:part-one:another-part"), token)).status).toBe(401);
  });
});

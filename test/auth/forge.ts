import { env } from "cloudflare:workers";
import { toBase64Url, utf8 } from "../../src/shared/crypto.ts";

/** A token as an attacker would make it: any header over any payload, signed in any way. */
export interface Forgery {
  readonly header?: Record<string, unknown>;
  readonly payload?: Record<string, unknown>;
  readonly secret?: string;
  readonly hash?: "SHA-256" | "SHA-384" | "SHA-512";
}

const encode = (part: unknown): string => toBase64Url(utf8(JSON.stringify(part)));

/** What the service itself would sign; forgeries differ from it in one point. `undefined` leaves a member out. */
export async function forge(email: string, { header, payload, secret, hash }: Forgery = {}): Promise<string> {
  const now = Math.floor(Date.now() / 1000);
  const head = { alg: "HS256", typ: "at+jwt", kid: "default", ...header };
  const claims = {
    name: "Name",
    picture: null,
    sub: email,
    iss: "dynamic-agent-builder",
    aud: "dynamic-agent-builder-api",
    jti: crypto.randomUUID(),
    iat: now,
    exp: now + 900,
    ...payload,
  };

  const signed = `${encode(head)}.${encode(claims)}`;
  return `${signed}.${await hmac(signed, secret ?? env.JWT_SECRET, hash ?? "SHA-256")}`;
}

async function hmac(text: string, secret: string, hash: string): Promise<string> {
  const key = await crypto.subtle.importKey("raw", utf8(secret), { name: "HMAC", hash }, false, ["sign"]);
  return toBase64Url(new Uint8Array(await crypto.subtle.sign("HMAC", key, utf8(text))));
}

/** The same token with one part replaced. */
export const withPart = (token: string, index: 0 | 1 | 2, part: unknown): string =>
  token
    .split(".")
    .with(index, typeof part === "string" ? part : encode(part))
    .join(".");

import type { JWTPayload } from "jose";
import { SignInRefused } from "./refusals.ts";

const MAX_NAME_CHARS = 200;
/** It travels in every access token. */
const MAX_PICTURE_CHARS = 1_024;
/** RFC 5321; also keeps keys short. */
const MAX_EMAIL_CHARS = 254;
/**
 * Printable ASCII, as Google's addresses are: other letters can become ASCII ones when they are lower-cased, and two
 * people one account. A `#` would end the part of a key that the address stands in.
 */
const EMAIL = /^[!-~]+@[!-~]+$/u;

/** A person, as the issuer vouches for them. */
export interface Profile {
  /** The issuer's own id of the person: it stays when an address changes hands. */
  readonly subject: string;
  /** In lower case. */
  readonly email: string;
  /** The address as the issuer spells it. */
  readonly spelled: string;
  readonly name: string;
  readonly picture: string | null;
}

/** The person whom the claims of an ID token describe. Throws `SignInRefused` where they may not sign in. */
export function profileFrom(claims: JWTPayload): Profile {
  const { sub, email: spelled, email_verified: isVerified, name, picture } = claims;
  if (typeof sub !== "string" || sub === "" || typeof spelled !== "string")
    throw refused("a claim is missing");
  if (!EMAIL.test(spelled) || spelled.includes("#") || spelled.length > MAX_EMAIL_CHARS)
    throw refused("the address can't be an account's");
  if (isVerified !== true) throw new SignInRefused("email_not_verified");

  const email = spelled.toLowerCase();
  return { subject: sub, email, spelled, name: nameFrom(name, email), picture: pictureFrom(picture) };
}

function nameFrom(name: unknown, email: string): string {
  const given = typeof name === "string" ? name.toWellFormed().trim() : "";
  return Array.from(given || email.slice(0, email.lastIndexOf("@")))
    .slice(0, MAX_NAME_CHARS)
    .join("");
}

/** Shown by an application as an image: an address with TLS, or none. */
function pictureFrom(picture: unknown): string | null {
  const isUsable =
    typeof picture === "string" && picture.length <= MAX_PICTURE_CHARS && URL.canParse(picture);
  return isUsable && new URL(picture).protocol === "https:" ? new URL(picture).href : null;
}

const refused = (reason: string): SignInRefused => new SignInRefused("auth_failed", new Error(reason));

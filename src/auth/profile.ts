import { type AccountEmail, accountEmailOf } from "../shared/id-types.ts";
import type { JWTPayload } from "jose";
import { SignInRefused } from "./refusals.ts";

const MAX_NAME_CHARS = 200;
/** Limited, because the picture URL is part of every access token. */
const MAX_PICTURE_CHARS = 1_024;
/** The limit of RFC 5321, section 4.5.3.1; it also keeps table keys short. */
const MAX_EMAIL_CHARS = 254;
/**
 * Printable ASCII only, like Google's addresses. Other letters may become ASCII when lower-cased, which would give two people
 * the same account. (`profileFrom` also refuses `#`, which separates the parts of table keys.)
 */
const EMAIL = /^[!-~]+@[!-~]+$/u;

/** A person, as verified by the issuer. */
export interface Profile {
  /** The issuer's id of the person (`sub`). Unlike the address, it never passes to another person. */
  readonly subject: string;
  /** In lower case. */
  readonly accountEmail: AccountEmail;
  /** The address as the issuer spells it, which may identify an account of the legacy Python service. */
  readonly spelled: AccountEmail;
  readonly name: string;
  readonly picture: string | null;
}

/**
 * Returns the person that the issuer's claims describe. Throws `SignInRefused` if they may not sign in. `trustsEmail`
 * accepts addresses about which the issuer does not say whether they are verified.
 */
export function profileFrom(claims: JWTPayload, trustsEmail: boolean): Profile {
  const { sub, email: spelled, email_verified: isVerified, name, picture } = claims;
  if (typeof sub !== "string" || sub === "" || typeof spelled !== "string")
    throw refused("a claim is missing");
  // Anti-DoS: check the length first, because the expression takes quadratic time.
  if (spelled.length > MAX_EMAIL_CHARS || !EMAIL.test(spelled) || spelled.includes("#"))
    throw refused("the address can't be an account's");
  if (!isTrue(isVerified) && !(trustsEmail && isVerified === undefined))
    throw new SignInRefused("email_not_verified");

  const accountEmail = accountEmailOf(spelled.toLowerCase());
  return {
    subject: sub,
    accountEmail,
    spelled: accountEmailOf(spelled),
    name: nameFrom(name, accountEmail),
    picture: pictureFrom(picture),
  };
}

/** Some issuers, such as Cognito, write booleans as texts. */
export const isTrue = (claim: unknown): boolean => claim === true || claim === "true";

function nameFrom(name: unknown, email: string): string {
  const given = typeof name === "string" ? name.toWellFormed().trim() : "";
  return Array.from(given || email.slice(0, email.lastIndexOf("@")))
    .slice(0, MAX_NAME_CHARS)
    .join("");
}

/** Applications show the picture as an image, so only https URLs are accepted. */
function pictureFrom(picture: unknown): string | null {
  const isUsable =
    typeof picture === "string" && picture.length <= MAX_PICTURE_CHARS && URL.canParse(picture);
  return isUsable && new URL(picture).protocol === "https:" ? new URL(picture).href : null;
}

const refused = (reason: string): SignInRefused => new SignInRefused("auth_failed", new Error(reason));

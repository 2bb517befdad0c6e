import type { VisitorProfile } from "../access/publishable-key.ts";
import { isEndUserId } from "../access/access-scope.ts";
import { ANONYMOUS_PREFIX } from "../end-users/model.ts";
import { sha256, toBase64Url, toHex } from "../shared/crypto.ts";

/** A token for a visitor, as pages get it. */
export interface VisitorToken {
  readonly token: string;
  readonly expiresInSeconds: number;
  readonly visitorId: string;
  readonly profile: VisitorProfile;
}

/** For how long a visitor stays signed in, in seconds: as in the legacy Python service. */
export const SIGNED_IN_SECONDS = 4 * 60 * 60;

/** 128 random bits: nobody guesses another visitor's id. */
const ID_BYTES = 16;

/** Visitors without a profile: nobody has vouched for them. */
export const ANONYMOUS: VisitorProfile = { name: null, email: null, picture: null, isAnonymous: true };

/** Returns a new id for a visitor who has not signed in. */
export const newVisitorId = (): string =>
  `${ANONYMOUS_PREFIX}${toBase64Url(crypto.getRandomValues(new Uint8Array(ID_BYTES)))}`;

/**
 * Returns the id of a visitor whom an OpenID issuer has identified. Security: the prefix keeps the issuer's ids apart from those that
 * the agent's owner has given to end users, or a visitor could become one of them.
 */
export async function signedInVisitorId(subject: string): Promise<string> {
  const id = `oidc:${subject}`;
  return isEndUserId(id) ? id : `oidc:sha256:${toHex(await sha256(subject))}`;
}

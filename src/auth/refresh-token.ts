import { fromBase64Url, sha256, toBase64Url, toHex, utf8 } from "../shared/crypto.ts";
import { type AccountEmail, accountEmailOf } from "../shared/id-types.ts";
import { isPlausibleId, isTimeOrdered } from "../shared/ids.ts";

const SECRET_BYTES = 32;
/** Longer text is refused unread; this service's own tokens are far shorter. */
const MAX_CHARS = 1_024;

/**
 * A refresh token: the session it belongs to, and 256 random bits. It contains the e-mail address because sessions are stored
 * in the partition of their account; only the browser that holds the token can read it.
 */
export interface RefreshToken {
  readonly accountEmail: AccountEmail;
  readonly sessionId: string;
  readonly secret: Uint8Array<ArrayBuffer>;
}

/** Returns 256 random bits. */
export const newSecret = (): Uint8Array<ArrayBuffer> => crypto.getRandomValues(new Uint8Array(SECRET_BYTES));

/** Returns the text of a token, for a cookie. */
export const writeRefreshToken = ({ accountEmail, sessionId, secret }: RefreshToken): string =>
  [toBase64Url(utf8(accountEmail)), sessionId, toBase64Url(secret)].join(".");

/** Parses the text of a token. Returns `undefined` if it is malformed. */
export function readRefreshToken(text: string | undefined): RefreshToken | undefined {
  if (text === undefined || text.length > MAX_CHARS) return undefined;

  const [owner = "", sessionId = "", secretText = "", ...more] = text.split(".");
  const email = textFrom(fromBase64Url(owner));
  const secret = fromBase64Url(secretText);
  const isId = isTimeOrdered(sessionId) && isPlausibleId(sessionId);
  if (!email || !isId || secret?.byteLength !== SECRET_BYTES || more.length > 0) return undefined;
  return { accountEmail: accountEmailOf(email), sessionId, secret };
}

/** Returns the SHA-256 hash of a token in hexadecimal, which is all that the table stores of it. */
export const hashOf = async ({ secret }: RefreshToken): Promise<string> =>
  toHex(await sha256(toBase64Url(secret)));

/**
 * Returns the successor of a token. It is derived with a key of the service, so that two tabs that refresh at the same time, or
 * a client that retries after a lost answer, get the same successor. Without the key, nobody can compute it.
 */
export async function successorOf(token: RefreshToken, key: CryptoKey): Promise<RefreshToken> {
  const secret = new Uint8Array(await crypto.subtle.sign("HMAC", key, utf8(writeRefreshToken(token))));
  return { ...token, secret };
}

function textFrom(bytes: Uint8Array<ArrayBuffer> | undefined): string | undefined {
  try {
    return bytes && new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

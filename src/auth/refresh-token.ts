import { fromBase64Url, sha256, toBase64Url, toHex, utf8 } from "../shared/crypto.ts";
import { isPlausibleId, isTimeOrdered } from "../shared/ids.ts";

const SECRET_BYTES = 32;
/** No token of ours comes near. */
const MAX_CHARS = 1_024;

/**
 * A refresh token: whose session it belongs to, and 256 bits that nobody can guess. The address in it finds the session
 * without a look-up; it is readable by the browser that holds the token, and by nobody else.
 */
export interface RefreshToken {
  readonly email: string;
  readonly sessionId: string;
  readonly secret: Uint8Array<ArrayBuffer>;
}

export const newSecret = (): Uint8Array<ArrayBuffer> => crypto.getRandomValues(new Uint8Array(SECRET_BYTES));

/** The token as a cookie carries it. */
export const writeRefreshToken = ({ email, sessionId, secret }: RefreshToken): string =>
  [toBase64Url(utf8(email)), sessionId, toBase64Url(secret)].join(".");

/** A token from a cookie; nothing for what can't be one. */
export function readRefreshToken(text: string | undefined): RefreshToken | undefined {
  if (text === undefined || text.length > MAX_CHARS) return undefined;

  const [owner = "", sessionId = "", secretText = "", ...more] = text.split(".");
  const email = textFrom(fromBase64Url(owner));
  const secret = fromBase64Url(secretText);
  const isId = isTimeOrdered(sessionId) && isPlausibleId(sessionId);
  if (!email || !isId || secret?.byteLength !== SECRET_BYTES || more.length > 0) return undefined;
  return { email, sessionId, secret };
}

/** What is stored of a token, in hexadecimal. */
export const hashOf = async ({ secret }: RefreshToken): Promise<string> =>
  toHex(await sha256(toBase64Url(secret)));

/**
 * The token that follows on another one. It is derived from it with a key of the service, so that two tabs that refresh
 * at once, and a client whose answer was lost, are given the same one; from the token alone nobody can tell it.
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

import { fromBase64Url, toBase64Url, utf8 } from "../shared/crypto.ts";
import { AppError } from "../shared/errors.ts";

/** 128 bits of HMAC. A cursor grants no access that its holder lacks; it only must not be forged. */
const MAC_BYTES = 16;

/**
 * Writes and reads the opaque cursors of lists. A cursor is bound to its list (`cursorScope`). One that was modified, or belongs
 * to another list or user, is an error and never a silent restart.
 */
export class Cursors {
  readonly #key: CryptoKey;

  constructor(key: CryptoKey) {
    this.#key = key;
  }

  /** Returns a cursor from which `read` returns `position` for the same `cursorScope`. */
  async write(cursorScope: string, position: string): Promise<string> {
    const payload = utf8(position);
    const mac = await this.#mac(cursorScope, payload);
    return `${toBase64Url(payload)}.${toBase64Url(mac)}`;
  }

  /** Returns the position of a cursor, or `undefined` without a cursor. Throws `malformed-request` if it is not from this list. */
  async read(cursorScope: string, cursor: string | undefined): Promise<string | undefined> {
    if (cursor === undefined) return undefined;

    const [payload, mac, ...more] = cursor.split(".").map(fromBase64Url);
    if (!payload || !mac || more.length > 0) throw badCursor();

    const expected = await this.#mac(cursorScope, payload);
    if (mac.byteLength !== MAC_BYTES || !crypto.subtle.timingSafeEqual(mac, expected)) throw badCursor();
    return new TextDecoder("utf-8", { fatal: false, ignoreBOM: true }).decode(payload);
  }

  async #mac(cursorScope: string, payload: Uint8Array): Promise<Uint8Array<ArrayBuffer>> {
    const scopeBytes = utf8(cursorScope);
    // The length of the scope comes first, so that two different splits of the same bytes never have the same HMAC.
    const message = new Uint8Array(4 + scopeBytes.byteLength + payload.byteLength);
    new DataView(message.buffer).setUint32(0, scopeBytes.byteLength);
    message.set(scopeBytes, 4);
    message.set(payload, 4 + scopeBytes.byteLength);

    return new Uint8Array(await crypto.subtle.sign("HMAC", this.#key, message)).slice(0, MAC_BYTES);
  }
}

const badCursor = (): AppError =>
  new AppError("malformed-request", "The cursor is not one of this list. Start again without a cursor.");

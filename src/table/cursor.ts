import { fromBase64Url, toBase64Url, utf8 } from "../shared/crypto.ts";
import { AppError } from "../shared/errors.ts";

/** 128 bits of HMAC: a cursor opens nothing that its bearer may not read anyway, it only must not be made up. */
const MAC_BYTES = 16;

/**
 * Writes and reads the opaque cursors of lists. A cursor is bound to its query (`scope`), so one that was tampered
 * with, or taken from another list or another user, is an error and never a silent restart.
 */
export class Cursors {
  readonly #key: CryptoKey;

  constructor(key: CryptoKey) {
    this.#key = key;
  }

  /** A cursor that brings `position` back for the same `scope`. */
  async write(scope: string, position: string): Promise<string> {
    const payload = utf8(position);
    const mac = await this.#mac(scope, payload);
    return `${toBase64Url(payload)}.${toBase64Url(mac)}`;
  }

  /** The position of a cursor, nothing where there is no cursor. Throws a 400 for one that is not of this list. */
  async read(scope: string, cursor: string | undefined): Promise<string | undefined> {
    if (cursor === undefined) return undefined;

    const [payload, mac, ...more] = cursor.split(".").map(fromBase64Url);
    if (!payload || !mac || more.length > 0) throw badCursor();

    const expected = await this.#mac(scope, payload);
    if (mac.byteLength !== MAC_BYTES || !crypto.subtle.timingSafeEqual(mac, expected)) throw badCursor();
    return new TextDecoder("utf-8", { fatal: false, ignoreBOM: true }).decode(payload);
  }

  async #mac(scope: string, payload: Uint8Array): Promise<Uint8Array<ArrayBuffer>> {
    const scopeBytes = utf8(scope);
    // The scope's length comes first, so that no other split of the same bytes gives the same code.
    const message = new Uint8Array(4 + scopeBytes.byteLength + payload.byteLength);
    new DataView(message.buffer).setUint32(0, scopeBytes.byteLength);
    message.set(scopeBytes, 4);
    message.set(payload, 4 + scopeBytes.byteLength);

    return new Uint8Array(await crypto.subtle.sign("HMAC", this.#key, message)).slice(0, MAC_BYTES);
  }
}

const badCursor = (): AppError =>
  new AppError("malformed-request", "The cursor is not one of this list. Start again without a cursor.");

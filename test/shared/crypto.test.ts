import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  deriveHmacKey,
  equalBytes,
  fromBase64Url,
  fromHex,
  sha256,
  toBase64Url,
  toHex,
  utf8,
} from "../../src/shared/crypto.ts";

const anyBytes = fc.uint8Array({ maxLength: 50 }).map((bytes) => Uint8Array.from(bytes));

const macOf = async (key: CryptoKey, text: string): Promise<string> =>
  toHex(new Uint8Array(await crypto.subtle.sign("HMAC", key, utf8(text))));

describe("bytes as text", () => {
  it("restores any bytes from base64url and from hexadecimal digits", () => {
    fc.assert(
      fc.property(anyBytes, (bytes) => {
        expect(toBase64Url(bytes)).toMatch(/^[A-Za-z0-9_-]*$/);
        expect(fromBase64Url(toBase64Url(bytes))).toEqual(bytes);
        expect(toHex(bytes)).toMatch(/^(?:[0-9a-f]{2})*$/);
        expect(fromHex(toHex(bytes))).toEqual(bytes);
      }),
    );
  });

  it.each([
    ["", ""],
    ["f", "Zg"],
    ["fo", "Zm8"],
    ["foo", "Zm9v"],
    ["foob", "Zm9vYg"],
  ])("encodes %j as RFC 4648 does, without padding: %j", (text, expected) => {
    expect(toBase64Url(utf8(text))).toBe(expected);
  });

  it.each(["Zg==", "Zh", "Zm9", "Z", "Zm9v\n", " Zm9v", "Zm9v+", "Zm9/", "é"])(
    "refuses %j as base64url",
    (text) => {
      expect(fromBase64Url(text)).toBeUndefined();
    },
  );
});

describe("comparing bytes", () => {
  it("finds equal contents equal, and no others", () => {
    fc.assert(
      fc.property(anyBytes, anyBytes, (a, b) => {
        expect(equalBytes(a, Uint8Array.from(a))).toBe(true);
        expect(equalBytes(a, b)).toBe(toHex(a) === toHex(b));
      }),
    );
  });
});

describe("a derived key", () => {
  it("is the same for the same secret and purpose, and differs for any other", async () => {
    const macs = await Promise.all(
      [
        ["secret", "cursors"],
        ["secret", "cursors"],
        ["secret", "sessions"],
        ["another", "cursors"],
        ["secretcursors", ""],
      ].map(async ([secret = "", purpose = ""]) => macOf(await deriveHmacKey(secret, purpose), "text")),
    );

    expect(macs[1]).toBe(macs[0]);
    expect(new Set(macs).size).toBe(4);
  });

  it("can't be exported", async () => {
    const key = await deriveHmacKey("secret", "purpose");

    await expect(crypto.subtle.exportKey("raw", key)).rejects.toThrow(/extractable/);
  });
});

it("hashes a text with SHA-256", async () => {
  expect(toHex(await sha256("abc"))).toBe("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
});

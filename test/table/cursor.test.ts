import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { deriveHmacKey } from "../../src/shared/crypto.ts";
import { AppError } from "../../src/shared/errors.ts";
import { Cursors } from "../../src/table/cursor.ts";
import { rejection } from "./quick-table.ts";
import { character } from "../support/arbitrary-text.ts";

const cursors = new Cursors(await deriveHmacKey("a secret of more than thirty-two bytes", "cursors"));

/** The same bytes in another spelling: the last digit's unused bits set. */
function respelled(base64url: string): string {
  const digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  return base64url.slice(0, -1) + digits[digits.indexOf(base64url.at(-1) ?? "") + 1];
}

/** What reading a cursor was refused with. */
async function refusalOf(scope: string, cursor: string): Promise<unknown> {
  const error = await rejection(cursors.read(scope, cursor));
  return error instanceof AppError ? { code: error.code, status: error.status } : error;
}

const MALFORMED = { code: "malformed-request", status: 400 };

describe("a cursor", () => {
  it("returns any position to its own list", async () => {
    const text = fc.string({ unit: character });
    await fc.assert(
      fc.asyncProperty(text, text, async (scope, position) => {
        const cursor = await cursors.write(scope, position);

        expect(cursor).toMatch(/^[A-Za-z0-9_-]*\.[A-Za-z0-9_-]{22}$/);
        expect(await cursors.read(scope, cursor)).toBe(position);
      }),
    );
  });

  it("keeps a position that begins with a byte order mark", async () => {
    expect(await cursors.read("list", await cursors.write("list", "\uFEFFa"))).toBe("\uFEFFa");
  });

  it("is optional: without one, there is no position", async () => {
    expect(await cursors.read("list", undefined)).toBeUndefined();
  });

  it("of another list is refused", async () => {
    await fc.assert(
      fc.asyncProperty(fc.string(), fc.string(), fc.string(), async (scope, other, position) => {
        fc.pre(scope !== other);
        expect(await refusalOf(other, await cursors.write(scope, position))).toEqual(MALFORMED);
      }),
    );
  });

  it("of another list is refused even if list and position have the same bytes when joined", async () => {
    const cursor = await cursors.write("list", "position");
    const moved = (await cursors.write("listpos", "ition")).replace(/^.*\./, `${cursor.split(".")[0]}.`);

    expect(await refusalOf("list", moved)).toEqual(MALFORMED);
    expect(await refusalOf("listpos", cursor)).toEqual(MALFORMED);
  });

  it("made with another key is refused", async () => {
    const others = new Cursors(
      await deriveHmacKey("a secret of more than thirty-two bytes", "something else"),
    );

    expect(await refusalOf("list", await others.write("list", "position"))).toEqual(MALFORMED);
  });

  it("is refused if any character is changed", async () => {
    const cursor = await cursors.write("list", "M#2026-01-29");

    for (let i = 0; i < cursor.length; i++) {
      const changed = cursor[i] === "A" ? "B" : "A";
      expect(await refusalOf("list", cursor.slice(0, i) + changed + cursor.slice(i + 1))).toEqual(MALFORMED);
    }
  });

  it.each<[string, (payload: string, mac: string) => string]>([
    ["only its payload", (payload) => payload],
    ["only its code", (_payload, mac) => `.${mac}`],
    ["an empty code", (payload) => `${payload}.`],
    ["a shortened code", (payload, mac) => `${payload}.${mac.slice(0, 20)}`],
    ["a lengthened code", (payload, mac) => `${payload}.${mac}AAAA`],
    ["a third part", (payload, mac) => `${payload}.${mac}.`],
    ["a dot before", (payload, mac) => `.${payload}.${mac}`],
    ["its parts swapped", (payload, mac) => `${mac}.${payload}`],
    ["another spelling of its payload", (payload, mac) => `${respelled(payload)}.${mac}`],
    ["another spelling of its code", (payload, mac) => `${payload}.${respelled(mac)}`],
    ["padding", (payload, mac) => `${payload}==.${mac}`],
    ["white space", (payload, mac) => ` ${payload}.${mac}`],
  ])("is refused with %s", async (_case, change) => {
    // One byte is left over of four, so that the last digit has unused bits.
    const [payload = "", mac = ""] = (await cursors.write("list", "abcd")).split(".");
    expect(await cursors.read("list", `${payload}.${mac}`)).toBe("abcd");

    expect(await refusalOf("list", change(payload, mac))).toEqual(MALFORMED);
  });

  it.each(["", ".", "..", "x", "null", "%00", "é.é", "a".repeat(10_000), "AAAA.AAAAAAAAAAAAAAAAAAAAAA"])(
    "is refused if it is made up: %j",
    async (cursor) => {
      expect(await refusalOf("list", cursor)).toEqual(MALFORMED);
    },
  );

  it("is refused as invalid input, whatever the text", async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: character }), async (text) => {
        expect(await refusalOf("list", text)).toEqual(MALFORMED);
      }),
    );
  });
});

import * as fc from "fast-check";

/** The number of halves of pairs, U+D800 to U+DFFF, which are no characters. */
const HALVES = 0x800;

/**
 * Any character of Unicode, of one or two code units, for `fc.string({ unit: character })`. The unit `binary` of fast-check has the same
 * ones, and takes more than a second to build.
 */
export const character = fc.integer({ min: 0, max: 0x10ffff - HALVES }).map(
  (n) => String.fromCodePoint(n < 0xd800 ? n : n + HALVES),
  // Only a string whose unit has an inverse also draws dangerous names, such as `__proto__`.
  (text) => {
    if (typeof text !== "string") throw new TypeError("A character is a string.");
    const code = text.codePointAt(0) ?? 0;
    return code < 0xd800 ? code : code - HALVES;
  },
);

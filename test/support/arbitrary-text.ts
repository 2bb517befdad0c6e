import * as fc from "fast-check";

/**
 * Any character of Unicode, of one or two code units, for `fc.string({ unit: character })`. The unit `binary` of fast-check has the same
 * ones, and takes more than a second to build.
 */
export const character = fc
  .integer({ min: 0, max: 0x10ffff - 0x800 })
  // Halves of pairs, U+D800 to U+DFFF, are no characters.
  .map((n) => String.fromCodePoint(n < 0xd800 ? n : n + 0x800));

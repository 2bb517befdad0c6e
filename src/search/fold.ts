import { normalized } from "../shared/text.ts";

/** Characters without a glyph: soft hyphen, zero-width characters, direction marks, variation selectors. */
const INVISIBLE = /\p{Default_Ignorable_Code_Point}/gu;
/** Arabic vowel signs, hamza marks and the tatweel; Hebrew points and accents. */
const SEMITIC_MARKS = /\u0640|[[\p{Script_Extensions=Arabic}\p{Script_Extensions=Hebrew}]&&\p{M}]/gv;
/** Accents of Latin and Greek letters, the diaeresis of ё and the stress mark of Cyrillic vowels; but not the breve of й. */
const ACCENTED =
  /([\p{Script=Latin}\p{Script=Greek}])[\u0300-\u036f]+|([еЕ])\u0308|(\p{Script=Cyrillic})\u0301/gu;

/** Letters that Unicode does not decompose, and the letters that people type in their place. */
const LETTERS: ReadonlyMap<string, string> = new Map(
  Object.entries({
    ø: "o",
    Ø: "O",
    ł: "l",
    Ł: "L",
    đ: "d",
    Đ: "D",
    ð: "d",
    Ð: "D",
    ħ: "h",
    Ħ: "H",
    ŧ: "t",
    Ŧ: "T",
    ı: "i",
    ŋ: "n",
    Ŋ: "N",
    ə: "e",
    Ə: "E",
    æ: "ae",
    Æ: "Ae",
    œ: "oe",
    Œ: "Oe",
    ß: "ss",
    ẞ: "SS",
    þ: "th",
    Þ: "Th",
    ς: "σ",
    ٱ: "ا",
    ى: "ي",
    ی: "ي",
    ک: "ك",
    ة: "ه",
    ہ: "ه",
    ھ: "ه",
    "’": "'",
    "‘": "'",
    ʼ: "'",
    ʻ: "'",
    "׳": "'",
    "‐": "-",
  }),
);
const LETTER = new RegExp(`[${[...LETTERS.keys()].join("")}]`, "gu");

/** The zeros of other decimal digits. Unicode has the ten digits of a script in a row. */
const ZEROS = Array.from("٠۰߀०০੦૦୦௦౦೦൦๐໐༠၀០᠐", (zero) => zero.codePointAt(0) ?? 0);
const FOREIGN_DIGIT = /[\p{Nd}--[0-9]]/gv;

const ASCII = /^[\0-\x7f]*$/u;

/**
 * Returns a text in the form in which it is indexed and searched, apart from its case: equivalent characters (NFKC) and
 * variants of a letter are one letter, and accents and invisible characters are gone. Vowel signs of Indic scripts stay,
 * because they distinguish words. Takes linear time.
 */
export function fold(text: string): string {
  if (ASCII.test(text)) return text;

  const decomposed = normalized(text, "NFKD")
    .replaceAll(INVISIBLE, "")
    .replaceAll(ACCENTED, "$1$2$3")
    .replaceAll(SEMITIC_MARKS, "");
  return normalized(decomposed, "NFC")
    .replaceAll(LETTER, (letter) => LETTERS.get(letter) ?? letter)
    .replaceAll(FOREIGN_DIGIT, latinDigit);
}

function latinDigit(digit: string): string {
  const code = digit.codePointAt(0) ?? 0;
  const zero = ZEROS.find((start) => code >= start && code < start + 10);
  return zero === undefined ? digit : String(code - zero);
}

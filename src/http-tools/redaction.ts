/** What stands in place of a secret. */
const MASK = "***";
/** A shorter text occurs by accident too often to be looked for. Secrets are at least this long. */
export const MIN_SECRET_CHARS = 4;

/**
 * Returns a function that removes secrets from what a server has answered: as they are, and as they look in URLs, in JSON and in
 * base64. `isCut`: the text was cut off, so it may end within a secret. A server that changes a secret in another way reveals it.
 */
export function redaction(secrets: Iterable<string>): (text: string, isCut?: boolean) => string {
  const forms = [
    ...new Set([...secrets].filter((secret) => secret.length >= MIN_SECRET_CHARS).flatMap(formsOf)),
  ]
    // The longest first, so that no part of one remains.
    .toSorted((a, b) => b.length - a.length);

  return (text, isCut = false) => {
    const redacted = forms.reduce((rest, form) => rest.replaceAll(form, MASK), text);
    return isCut ? withoutBeginning(redacted, forms) : redacted;
  };
}

/** Removes the beginning of a secret from the end of a text. */
function withoutBeginning(text: string, forms: readonly string[]): string {
  const lengths = forms.map((form) => {
    for (let length = form.length - 1; length >= MIN_SECRET_CHARS; length--)
      if (text.endsWith(form.slice(0, length))) return length;
    return 0;
  });
  const longest = Math.max(0, ...lengths);
  return longest === 0 ? text : text.slice(0, -longest) + MASK;
}

function formsOf(secret: string): readonly string[] {
  const wellFormed = secret.toWellFormed();
  const json = JSON.stringify(secret).slice(1, -1);
  const encoded = [
    encodeURIComponent(wellFormed),
    // Forms encode more characters, and spaces in another way.
    new URLSearchParams([["", wellFormed]]).toString().slice(1),
  ];
  return [
    secret,
    ...encoded,
    ...encoded.map(withSmallDigits),
    json,
    // As PHP writes it.
    json.replaceAll("/", "\\/"),
    ...base64Of(wellFormed),
  ];
}

const withSmallDigits = (encoded: string): string =>
  encoded.replaceAll(/%[\dA-F]{2}/gu, (digits) => digits.toLowerCase());

/** A text in base64 at each of its three positions, without the characters that depend on what is around it. */
function base64Of(text: string): readonly string[] {
  const bytes = new TextEncoder().encode(text);
  return [0, 1, 2].flatMap((by) => {
    const shifted = new Uint8Array(by + bytes.length);
    shifted.set(bytes, by);
    const kept = btoa(String.fromCharCode(...shifted)).slice(by === 0 ? 0 : by + 1, -4);
    const url = kept.replaceAll("+", "-").replaceAll("/", "_");
    // Fewer characters would occur by accident.
    return kept.length < 8 ? [] : [kept, url];
  });
}

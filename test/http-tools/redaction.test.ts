import * as fc from "fast-check";
import { expect, it } from "vitest";
import { redaction } from "../../src/http-tools/redaction.ts";

const SECRET = 'p&ss"word-0123456789';
const redact = redaction([SECRET]);

it("removes a secret as it is, in a URL, in JSON and in base64 at any position", () => {
  const json = JSON.stringify(SECRET).slice(1, -1);
  for (const form of [SECRET, encodeURIComponent(SECRET), json]) expect(redact(`<${form}>`)).toBe("<***>");
  for (const before of ["", "a", "ab", "user:", "users:"]) {
    const shown = redact(btoa(`${before}${SECRET}`));
    expect(shown).toContain("***");
    expect(shown.length).toBeLessThan(btoa(SECRET).length / 2 + 8);
  }
});

it("removes a secret as a form encodes it, and in JSON whose slashes are escaped", () => {
  const secret = "it's a/secret (really)!";
  const form = new URLSearchParams({ a: secret }).toString().slice(2);
  const small = form.replaceAll(/%[\dA-F]{2}/gu, (digits) => digits.toLowerCase());
  for (const shown of [form, small, JSON.stringify(secret).replaceAll("/", "\\/").slice(1, -1)])
    expect(redaction([secret])(`<${shown}>`)).toBe("<***>");
  expect(redaction(["a/b+c=d"])("a%2fb%2bc%3dd")).toBe("***");
});

it("removes the longer of two secrets that contain each other", () => {
  expect(redaction(["abcd", "abcdefgh"])("abcdefgh abcd")).toBe("*** ***");
});

it("removes the beginning of a secret at the end of a text that was cut off, and only there", () => {
  const cut = `The key is ${SECRET.slice(0, 9)}`;
  expect(redact(cut, true)).toBe("The key is ***");
  expect(redact(cut)).toBe(cut);
});

it("never leaves a secret in a text", () => {
  fc.assert(
    fc.property(
      fc.array(fc.string({ minLength: 4 }), { maxLength: 3 }),
      fc.array(fc.string()),
      (secrets, others) => {
        const text = [...others, ...secrets].join("");
        const redacted = redaction(secrets)(text);
        for (const secret of secrets.filter((each) => !"***".includes(each) && !each.includes("*")))
          expect(redacted).not.toContain(secret);
      },
    ),
  );
});

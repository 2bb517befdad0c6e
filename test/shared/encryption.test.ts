import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseVaultKeys, Vault, type VaultKey } from "../../src/shared/encryption.ts";

const keyOf = (id: string, byte: number): VaultKey => ({ id, secret: new Uint8Array(32).fill(byte) });
const one = keyOf("one", 1);
const two = keyOf("two", 2);

const vault = new Vault([one]);
const binding = { purpose: "keys", owner: "ada@example.com", subject: "OpenAI" };

describe("a vault", () => {
  it("decrypts every text that it has encrypted, and never encrypts it to the same ciphertext twice", async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: "grapheme" }), async (text) => {
        const [sealed, again] = [await vault.seal(text, binding), await vault.seal(text, binding)];

        expect(sealed).toMatch(/^v1\.one\.[\w-]{16}\.[\w-]{22,}$/u);
        expect(again).not.toBe(sealed);
        expect(await vault.open(sealed, binding)).toEqual({ text, isCurrent: true });
      }),
      { numRuns: 50 },
    );
  });

  it("refuses a ciphertext in which a character was changed, removed or added", async () => {
    const sealed = await vault.seal("sk-secret", binding);

    for (let i = 0; i < sealed.length; i++) {
      for (const other of ["A", "B", "-", ".", "=", " ", ""]) {
        const changed = sealed.slice(0, i) + other + sealed.slice(i + 1);
        if (changed !== sealed)
          expect([i, other, await vault.open(changed, binding)]).toEqual([i, other, undefined]);
      }
    }
    expect(await vault.open(`${sealed}A`, binding)).toBeUndefined();
    expect(await vault.open(`${sealed}.A`, binding)).toBeUndefined();
  });

  // Scenario 31.
  it("refuses a ciphertext in which a bit was flipped", async () => {
    const sealed = await vault.seal("sk-secret", binding);
    const [version, id, iv = "", bytes = ""] = sealed.split(".");
    const flips = (text: string) => {
      const raw = Uint8Array.from(Buffer.from(text, "base64url"));
      return Array.from({ length: raw.length * 8 }, (_, bit) => {
        const copy = raw.slice();
        copy[bit >> 3] = (copy[bit >> 3] ?? 0) ^ (1 << (bit & 7));
        return Buffer.from(copy).toString("base64url");
      });
    };

    for (const flipped of flips(iv))
      expect(await vault.open([version, id, flipped, bytes].join("."), binding)).toBeUndefined();
    for (const flipped of flips(bytes))
      expect(await vault.open([version, id, iv, flipped].join("."), binding)).toBeUndefined();
  });

  it.each([
    ["another user", { owner: "bob@example.com" }],
    ["another provider", { subject: "Anthropic" }],
    ["another purpose", { purpose: "cursors" }],
    ["members that read alike when joined", { owner: "ada@example.comO", subject: "penAI" }],
  ])("refuses a ciphertext for %s", async (_case, other) => {
    const sealed = await vault.seal("sk-secret", binding);

    expect(await vault.open(sealed, { ...binding, ...other })).toBeUndefined();
  });

  it("decrypts with every key of its ring, encrypts with the first, and reports which ciphertexts are not current", async () => {
    const old = await vault.seal("sk-secret", binding);
    const ring = new Vault([two, one]);

    expect(await ring.open(old, binding)).toEqual({ text: "sk-secret", isCurrent: false });
    const renewed = await ring.seal("sk-secret", binding);
    expect(renewed).toMatch(/^v1\.two\./u);
    expect(await ring.open(renewed, binding)).toEqual({ text: "sk-secret", isCurrent: true });
    expect(await new Vault([two]).open(renewed, binding)).toEqual({ text: "sk-secret", isCurrent: true });
  });

  it("refuses a ciphertext whose key was removed from the ring, or replaced under its name", async () => {
    const sealed = await vault.seal("sk-secret", binding);

    expect(await new Vault([two]).open(sealed, binding)).toBeUndefined();
    expect(await new Vault([keyOf("one", 9)]).open(sealed, binding)).toBeUndefined();
  });

  it.each(["", "v1", "v1...", "v1.one..", "v2.one.AAAAAAAAAAAAAAAA.AAAA", "gAAAAAB", "💥"])(
    "refuses %j",
    async (text) => {
      expect(await vault.open(text, binding)).toBeUndefined();
    },
  );
});

describe("a ring of keys", () => {
  const key = "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE";
  const other = "AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI";

  it.each([
    [`${key}=`, ["default"]],
    [key, ["default"]],
    [`one:${key}=`, ["one"]],
    [` two:${other} , one:${key}= ,`, ["two", "one"]],
    [`2026-11:${other},${key}`, ["2026-11", "default"]],
    [`k:${"+/".repeat(21)}8=`, ["k"]],
    [`k:${"-_".repeat(21)}8`, ["k"]],
  ])("reads %s", (text, ids) => {
    const keys = parseVaultKeys(text);

    expect(keys?.map(({ id }) => id)).toEqual(ids);
    expect(keys?.map(({ secret }) => secret.byteLength)).toEqual(ids.map(() => 32));
  });

  it.each([
    ["nothing", ""],
    ["a comma", ","],
    ["a key that is too short", "AQEBAQ=="],
    ["a key that is too long", `${key}AAAA`],
    ["text that is no base64", "this is not a key but has forty-three chars"],
    ["a name with a dot, which would break the ciphertext", `a.b:${key}`],
    ["two keys with one name", `one:${key},one:${other}`],
    ["a good key and a bad one", `one:${key},two:short`],
  ])("refuses %s", (_case, text) => {
    expect(parseVaultKeys(text)).toBeUndefined();
  });
});

import { describe, expect, it } from "vitest";
import { FernetReader } from "../../src/shared/fernet.ts";

/** Made by the Python library `cryptography`, as the legacy Python service does. */
const SECRET = "the-secret-of-the-python-service";
const TOKENS = [
  [
    "gAAAAABrAu96m6deAXfKx7NK9PgKpVx21q1KzTYSduJHCw9mXAcLoofdyZIf5mIv9ZCjv9kaKTZ5-Rc-5C75866jyrJum6grAeEjN-EOG2bHXCzX1XHZRWEwb2v1UHxVlfoIPfp6Iai9Hxn55vYDdrfb0mJjQMCBHA==",
    '{"api_key": "sk-ant-from-python-0123456789abcd"}',
  ],
  [
    "gAAAAABrAu96MP7TL7AtIb4flh7ZQoayn4avXJTgOoxwPgZA6i_qtqtpr01sEYW9DeSHxbfL_R_7rZcWR1M5lS2cOtQF3TeS3FubQLkttsU0r1-Me2Y3fAZZmMLhV7_51tyPlpgvgOksnxFI7G570ten2aslp0L3SrHcceB_mDj58IkPjNFpDTYHW3Hhv8lHt42DSBVO8wW8",
    '{"access_key": "AKIAFROMPYTHON012345", "secret_key": "secret/from+python/0123456789"}',
  ],
  [
    "gAAAAABrAu96jLlkw4jxxXMDYeqw3zIyubgah-hB8SLq0mHGcU9N49lVUBmmxYIrJwxPh-pqTErVTPpagiDan0Uu5o9tGHf_8A==",
    "Grüße, 世界",
  ],
] as const;
const [[TOKEN]] = TOKENS;

describe("tokens of the legacy Python service", () => {
  it.each(TOKENS)("reads %s", async (token, text) => {
    expect(await new FernetReader(SECRET).open(token)).toBe(text);
  });

  it("returns nothing with another secret", async () => {
    expect(await new FernetReader("another").open(TOKEN)).toBeUndefined();
  });

  it("returns nothing if a character was changed or removed", async () => {
    const reader = new FernetReader(SECRET);

    for (let i = 0; i < TOKEN.replaceAll("=", "").length; i++) {
      const other = TOKEN[i] === "A" ? "B" : "A";
      expect([i, await reader.open(TOKEN.slice(0, i) + other + TOKEN.slice(i + 1))]).toEqual([i, undefined]);
      expect([i, await reader.open(TOKEN.slice(0, i) + TOKEN.slice(i + 1))]).toEqual([i, undefined]);
    }
  });

  it.each(["", "gAAAAA", "gAAAAABrAu96", "v1.one.AAAA.AAAA", "A".repeat(200), "💥"])(
    "refuses %j",
    async (text) => {
      expect(await new FernetReader(SECRET).open(text)).toBeUndefined();
    },
  );
});

import * as z from "zod";
import { toHex, utf8 } from "../shared/crypto.ts";
import { AppError } from "../shared/errors.ts";

/** Stripe's bound, which clients' libraries keep to. */
const MAX_CHARS = 255;

/** How the header is described. */
export const IdempotencyHeader = z.object({
  "Idempotency-Key": z
    .string()
    .max(MAX_CHARS)
    .optional()
    .describe("A repeat with the same key and body has one effect and gets the same answer, for a day."),
});

/** A caller's idempotency key; nothing where there is none. Throws a 400 for one that can't be a key. */
export function idempotencyKey(header: string | undefined): string | undefined {
  if (header === undefined) return undefined;
  if (header.length > 0 && header.length <= MAX_CHARS && /^[\x21-\x7e]+$/u.test(header)) return header;
  throw new AppError(
    "malformed-request",
    `An idempotency key has 1 to ${MAX_CHARS} visible ASCII characters.`,
  );
}

/** A hash (SHA-256, hexadecimal) by which two requests are told apart. */
export async function hashOf(value: unknown): Promise<string> {
  return toHex(new Uint8Array(await crypto.subtle.digest("SHA-256", utf8(JSON.stringify(value)))));
}

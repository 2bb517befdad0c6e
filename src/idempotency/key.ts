import * as z from "zod";
import { toHex, utf8 } from "../shared/crypto.ts";
import { AppError } from "../shared/errors.ts";

/** Stripe's limit, which client libraries respect. */
const MAX_CHARS = 255;

/** The header, for the OpenAPI document. */
export const IdempotencyHeader = z.object({
  "Idempotency-Key": z.string().max(MAX_CHARS).optional(),
});

/** Returns the idempotency key, or `undefined` without a header. Throws `malformed-request` if the key is not valid. */
export function idempotencyKey(header: string | undefined): string | undefined {
  if (header === undefined) return undefined;
  if (header.length > 0 && header.length <= MAX_CHARS && /^[\x21-\x7e]+$/u.test(header)) return header;
  throw new AppError(
    "malformed-request",
    `An idempotency key must have 1 to ${MAX_CHARS} visible ASCII characters.`,
  );
}

/** Returns the SHA-256 hash of a value as JSON, in hexadecimal. */
export async function hashOf(value: unknown): Promise<string> {
  return toHex(new Uint8Array(await crypto.subtle.digest("SHA-256", utf8(JSON.stringify(value)))));
}

import { toBase64, utf8 } from "../shared/crypto.ts";
import type { Vault } from "../shared/encryption.ts";
import type { SealedSecret, WebhookEndpoint } from "./model.ts";

/** The prefix of secrets in the Standard Webhooks specification. Secret scanners know it. */
const SECRET_PREFIX = "whsec_";
/** The specification allows 24 to 64 bytes. */
const SECRET_BYTES = 32;
/** Part of the additional data: a ciphertext for this purpose cannot be opened for another. */
const PURPOSE = "webhook secret";

/** The secret with which an account's endpoint is signed for. */
type Owner = Pick<WebhookEndpoint, "accountEmail" | "id">;

/** Returns a new secret: `whsec_` and 256 random bits in base64. */
export const newSecret = (): string =>
  SECRET_PREFIX + toBase64(crypto.getRandomValues(new Uint8Array(SECRET_BYTES)));

/** Returns the end of a secret, to tell secrets apart by. */
export const hintOf = (secret: string): string => `${SECRET_PREFIX}…${secret.slice(-5)}`;

/** Encrypts a secret for one endpoint. */
export const sealSecret = (vault: Vault, owner: Owner, secret: string): Promise<string> =>
  vault.seal(secret, bindingOf(owner));

/** Decrypts the secrets of an endpoint that sign at `nowMs`, the current one first. Omits those whose key is gone. */
export async function openSecrets(
  vault: Vault,
  endpoint: Owner & { readonly secrets: readonly SealedSecret[] },
  nowMs: number,
): Promise<readonly string[]> {
  const signing = endpoint.secrets.filter(({ endsAt }) => endsAt === null || endsAt > nowMs);
  const opened = await Promise.all(signing.map(({ sealed }) => vault.open(sealed, bindingOf(endpoint))));
  return opened.flatMap((secret) => secret?.text ?? []);
}

const bindingOf = ({ accountEmail, id }: Owner) => ({ purpose: PURPOSE, owner: accountEmail, subject: id });

/** What a signature is about. */
export interface SignedContent {
  /** The event's id. */
  readonly id: string;
  /** When the attempt is made, in seconds since the epoch. Receivers refuse old ones. */
  readonly timestamp: number;
  readonly body: string;
}

/**
 * Returns the headers that sign an attempt, as Standard Webhooks defines them: `webhook-id`, `webhook-timestamp` and
 * `webhook-signature`, which has one signature for each secret.
 */
export async function signatureHeaders(
  secrets: readonly string[],
  { id, timestamp, body }: SignedContent,
): Promise<Record<string, string>> {
  const content = utf8(`${id}.${timestamp}.${body}`);
  const signatures = await Promise.all(
    secrets.map(async (secret) => {
      const bytes = Uint8Array.from(atob(secret.slice(SECRET_PREFIX.length)), (c) => c.charCodeAt(0));
      const algorithm = { name: "HMAC", hash: "SHA-256" };
      const key = await crypto.subtle.importKey("raw", bytes, algorithm, false, ["sign"]);
      return `v1,${toBase64(new Uint8Array(await crypto.subtle.sign("HMAC", key, content)))}`;
    }),
  );
  return {
    "webhook-id": id,
    "webhook-timestamp": String(timestamp),
    "webhook-signature": signatures.join(" "),
  };
}

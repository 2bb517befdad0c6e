import { SUBSCRIPTION_PREFIX } from "../plans/subscription.ts";
import { text } from "../table/fields.ts";
import type { Item, Value } from "../table/marshal.ts";

/**
 * Attributes that an export never contains: passwords, tokens, keys and credentials, even hashed or encrypted. A feature that
 * stores a new secret must add its attribute here.
 */
const SECRET_ATTRIBUTES: ReadonlySet<string> = new Set([
  "password_hash",
  "password_salt",
  // Sign-in with Google in the legacy Python service, and sign-in sessions.
  "refresh_token",
  "token_hash",
  "previous_hash",
  // Model providers.
  "encrypted_credentials",
  "encrypted_credentials_legacy",
  "agent_provider_api_key",
  // Webhook endpoints.
  "signing_secrets",
  // HTTP tools and MCP servers. The export adds them as the API shows them.
  "http_tools",
  "mcp_servers",
  // API keys. The legacy Python service stored them in plain text.
  "key_hash",
  "public_key",
  "gsi2_pk",
]);

/** Anyone can buy a plan for an e-mail address they type in. Privacy: the account's owner must not learn who paid. */
const PAYER_ATTRIBUTES: ReadonlySet<string> = new Set(["customer_id", "latest_invoice_id"]);

/** Sort keys that end in the hash of a secret, or in the value of a publishable key. */
const SECRET_KEYS = /^(?:ApiKey#[0-9a-f]{64}|PublishableKey#.*)$/u;

/** Returns the attributes of an item that an export may contain. */
export const withoutSecrets = (item: Item): Item =>
  Object.fromEntries(
    Object.entries(item).filter(
      ([name, value]) =>
        !SECRET_ATTRIBUTES.has(name) &&
        !(isUnclaimed(item) && PAYER_ATTRIBUTES.has(name)) &&
        !(isKeyPart(name) && isSecretKey(value)),
    ),
  );

const isUnclaimed = (item: Item): boolean =>
  text(item, "sk").startsWith(SUBSCRIPTION_PREFIX) && item["claimed"] !== true;

const isKeyPart = (name: string): boolean => name === "pk" || name === "sk";

const isSecretKey = (value: Value): boolean => typeof value === "string" && SECRET_KEYS.test(value);

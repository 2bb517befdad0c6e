import * as z from "zod";
import { CLIENT_AUTH_METHODS } from "./auth/client-authentication.ts";
import type { IssuerConfig } from "./auth/issuer.ts";
import type { SigningKey } from "./auth/tokens.ts";
import type { EmbeddingsConfig } from "./llm/embeddings.ts";
import type { RerankConfig } from "./llm/rerank.ts";
import { MODEL_TIMEOUTS, type ModelTimeouts } from "./llm/model.ts";
import { parseVaultKeys, type VaultKey } from "./shared/encryption.ts";
import { AppError } from "./shared/errors.ts";
import { withoutTrailing } from "./shared/text.ts";

/** 256 random bits take 43 characters in base64 and 64 in hexadecimal. A shorter secret is not random. */
const MIN_SECRET_CHARS = 32;
/** How long a client that has seen its answer waits, at most, to learn whether it was saved. */
const SAVE_TIMEOUT_MS = 30_000;

/** At 1,000 tokens each, this many texts cost well below a dollar at a commercial embeddings server. */
const EMBEDDINGS_PER_DAY = 20_000;
/** At two dollars per 1,000 searches, the price of a commercial reranking server, this many cost a dollar. */
const RERANK_PER_DAY = 500;

/** At about 80 neurons each, this is less than half of the 10,000 that an account at Cloudflare has free in a day. */
const CLOUDFLARE_AI_DAILY_TURNS = 50;

/** How long a request of the crawler may take. Most pages arrive within a second; nobody waits for the rest. */
const CRAWL_TIMEOUT_MS = 10_000;

/** Where `npm run dev` listens. */
const LOCAL_URL = "http://localhost:8787";
/** The address that the legacy Python service has registered with Google. */
const CALLBACK_PATH = "/auth/callback";
/** Where visitors of web pages sign in. The legacy Python service has registered `/callback` below it with Google. */
const VISITOR_AUTH_PATH = "/widget/auth";
/** The settings page of the single-page application. */
const SETTINGS_PATH = "/dashboard/settings";

/** Optional text. An empty variable counts as absent. */
const Optional = z
  .string()
  .trim()
  .optional()
  .transform((value) => value || undefined);

/** A comma-separated list; empty entries are dropped. */
const Names = Optional.transform((value) =>
  (value ?? "")
    .split(",")
    .map((name) => name.trim())
    .filter(Boolean),
);

const WholeNumber = Optional.transform((value) => (value === undefined ? undefined : Number(value))).pipe(
  z.number().int().positive().optional(),
);
const Milliseconds = WholeNumber;
/** A whole number from 0 on; 0 means no limit. */
const Limit = Optional.transform((value) => (value === undefined ? undefined : Number(value))).pipe(
  z.number().int().min(0).optional(),
);

const Variables = z.object({
  ENVIRONMENT: Optional.transform((value) => value ?? "production"),
  JWT_SECRET: Optional,
  FRONTEND_URL: Names,
  ENCRYPTION_KEY: Optional,
  LEGACY_ENCRYPTION_SECRET: Optional,
  PUBLIC_URL: Optional,
  OIDC_ISSUER: Optional.transform((value) => value ?? "https://accounts.google.com"),
  OIDC_CLIENT_AUTH: Optional,
  OIDC_TRUST_EMAIL: Optional.transform((value) => value === "true"),
  GOOGLE_CLIENT_ID: Optional,
  GOOGLE_CLIENT_SECRET: Optional,
  DYNAMODB_TABLE: Optional.transform((value) => value ?? "dynamic-agent-builder-main"),
  DYNAMODB_ENDPOINT: Optional,
  AWS_REGION: Optional.transform((value) => value ?? "eu-west-2"),
  AWS_ACCESS_KEY_ID: Optional,
  AWS_SECRET_ACCESS_KEY: Optional,
  AWS_SESSION_TOKEN: Optional,
  DEMO_MODEL_URL: Optional,
  MODEL_HEADERS_TIMEOUT_MS: Milliseconds,
  MODEL_IDLE_TIMEOUT_MS: Milliseconds,
  MODEL_TOTAL_TIMEOUT_MS: Milliseconds,
  SAVE_TIMEOUT_MS: Milliseconds,
  CONTACT_WEBHOOK_URL: Optional,
  SETTINGS_URL: Optional,
  SUPERUSER_EMAILS: Names,
  STRIPE_API_URL: Optional,
  STRIPE_PORTAL_LOGIN_URL: Optional,
  STRIPE_SECRET_KEY: Optional,
  STRIPE_WEBHOOK_SECRET: Names,
  EMBEDDINGS_URL: Optional,
  EMBEDDINGS_API_KEY: Optional,
  EMBEDDINGS_MODEL: Optional,
  EMBEDDINGS_DIMENSIONS: WholeNumber,
  OUTBOUND_ALLOW: Names,
  EMBEDDINGS_PER_DAY: Limit,
  RERANK_URL: Optional,
  RERANK_API_KEY: Optional,
  RERANK_MODEL: Optional,
  RERANK_PER_DAY: Limit,
  CLOUDFLARE_AI_DAILY_TURNS: Limit,
  CRAWLER_CONTACT: Optional,
  CRAWL_PAUSE_MS: Limit,
  CRAWL_TIMEOUT_MS: Milliseconds,
});

/** The names of all variables that the service reads from its environment. */
export const VARIABLE_NAMES: readonly string[] = Object.keys(Variables.shape);

/** The validated environment. */
export interface Config {
  /** Local development: sign-in without Google, the demo model, longer-lived tokens. */
  readonly isLocal: boolean;
  readonly signingKeys: readonly [SigningKey, ...SigningKey[]];
  /** The keys for users' credentials: the first one encrypts, all of them decrypt. */
  readonly encryptionKeys: readonly [VaultKey, ...VaultKey[]];
  /** The secret that the legacy Python service encrypted credentials with; `undefined` if none of its items are left. */
  readonly legacyEncryptionSecret: string | undefined;
  /** Origins whose pages may call the API. */
  readonly frontendOrigins: readonly string[];
  /** The page on which people manage their plan. Stripe's portal leads back to it, and so does an upgrade. */
  readonly settingsUrl: string;
  /** The origin of this service's own pages. Never taken from a request, which could forge it. */
  readonly publicOrigin: string | undefined;
  /** Sign-in through an OpenID issuer, or the names of the missing variables. */
  readonly signIn: SignInConfig | { readonly missing: readonly string[] };
  readonly table: {
    readonly name: string;
    readonly endpoint: string;
    readonly region: string;
    readonly credentials: {
      readonly accessKeyId: string;
      readonly secretAccessKey: string;
      readonly sessionToken?: string;
    };
  };
  readonly demoModelUrl: string | undefined;
  /** Origins that provider base URLs may use even if they are private or lack TLS; in the form of `URL.origin`. */
  readonly outboundAllow: readonly string[];
  /** Time limits for model calls, in milliseconds; see `ModelTimeouts`. */
  readonly modelTimeouts: ModelTimeouts;
  /** The embeddings server for semantic search. Without it, search is full-text only. */
  readonly embeddings: EmbeddingsConfig | undefined;
  /** How many texts of one account this server embeds per day (UTC); null means no limit. */
  readonly embeddingsPerDay: number | null;
  /** The server that orders the best results of searches. Without it, they keep the order of the index. */
  readonly rerank: RerankConfig | undefined;
  /** How many searches of one account this server orders per day (UTC); null means no limit. */
  readonly rerankPerDay: number | null;
  /** Receives what people write into the contact form; `undefined` if there is no contact form. A secret. */
  readonly contactWebhookUrl: string | undefined;
  /** How many turns per account and day (UTC) models of Cloudflare answer; null means no limit. */
  readonly cloudflareTurnsPerDay: number | null;
  readonly crawling: CrawlingConfig;
  /** How long saving an answer is retried before its run fails, in milliseconds. */
  readonly saveMs: number;
  /** Accounts that are exempt from limits (their usage is still counted), in lower case; `*` means every account. */
  readonly superusers: readonly string[];
  /** `undefined` if payments are not set up. */
  readonly stripe:
    | {
        readonly secretKey: string;
        readonly webhookSecrets: readonly string[];
        readonly apiUrl: string | undefined;
        /** Stripe's page where customers request a link to their customer portal by e-mail. */
        readonly portalLoginUrl: string | undefined;
      }
    | undefined;
}

interface CrawlingConfig {
  /** Whom to contact about the crawler: a web or e-mail address. `undefined` if nobody is named; then nothing is crawled. */
  readonly contact: string | undefined;
  /** Replaces all pauses between requests, in milliseconds; only in local development. */
  readonly pauseMs: number | undefined;
  /** How long one request may take, header and body together, in milliseconds. */
  readonly timeoutMs: number;
}

/** The issuer, and the URL of the application that users sign in from and return to. */
interface SignInConfig {
  readonly issuer: IssuerConfig;
  readonly frontend: string;
  /** Where the addresses for the sign-in of visitors begin. */
  readonly visitorAuthUrl: string;
  /** Whether addresses are accepted about which the issuer does not say whether they are verified. */
  readonly trustsEmail: boolean;
}

/** Parsed once per isolate, because the environment of an isolate does not change. */
const known = new WeakMap<object, Config>();

/**
 * Returns the validated environment. Throws `unavailable` if a required variable is missing or invalid; the log names it,
 * the message for callers does not.
 */
export function configFrom(env: object): Config {
  const config = known.get(env) ?? readConfig(env);
  known.set(env, config);
  return config;
}

/**
 * Returns the names of the variables that are missing or invalid in an environment: those that the service needs to answer
 * anything, and those that people need to sign in. `configFrom` throws for the former only.
 */
export function missingVariables(env: object): readonly string[] {
  const variables = Variables.parse(env);
  const isLocal = variables.ENVIRONMENT === "local";
  const signIn = signInOf(variables, publicUrlOf(variables, isLocal), isLocal);
  return [
    ...namesWithoutValue(requiredOf(variables, isLocal)),
    ...("missing" in signIn ? signIn.missing : []),
  ];
}

function readConfig(env: object): Config {
  const variables = Variables.parse(env);
  const isLocal = variables.ENVIRONMENT === "local";
  const required = requiredOf(variables, isLocal);
  const {
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
    JWT_SECRET: signingKeys,
    ENCRYPTION_KEY: encryptionKeys,
  } = required;
  if (!accessKeyId || !secretAccessKey || !signingKeys || !encryptionKeys)
    throw notConfigured(namesWithoutValue(required));

  const publicUrl = publicUrlOf(variables, isLocal);
  const { AWS_REGION: region, AWS_SESSION_TOKEN: sessionToken } = variables;
  return {
    isLocal,
    signingKeys,
    encryptionKeys,
    legacyEncryptionSecret: variables.LEGACY_ENCRYPTION_SECRET,
    frontendOrigins: variables.FRONTEND_URL,
    settingsUrl:
      addressOf(variables.SETTINGS_URL, isLocal) ?? `${variables.FRONTEND_URL[0] ?? ""}${SETTINGS_PATH}`,
    publicOrigin: publicUrl && new URL(publicUrl).origin,
    signIn: signInOf(variables, publicUrl, isLocal),
    table: {
      name: variables.DYNAMODB_TABLE,
      endpoint: variables.DYNAMODB_ENDPOINT ?? `https://dynamodb.${region}.amazonaws.com`,
      region,
      credentials: { accessKeyId, secretAccessKey, ...(sessionToken !== undefined && { sessionToken }) },
    },
    demoModelUrl: isLocal ? variables.DEMO_MODEL_URL : undefined,
    outboundAllow: variables.OUTBOUND_ALLOW.map(originOf),
    modelTimeouts: {
      headersMs: variables.MODEL_HEADERS_TIMEOUT_MS ?? MODEL_TIMEOUTS.headersMs,
      compatibleHeadersMs: variables.MODEL_HEADERS_TIMEOUT_MS ?? MODEL_TIMEOUTS.compatibleHeadersMs,
      idleMs: variables.MODEL_IDLE_TIMEOUT_MS ?? MODEL_TIMEOUTS.idleMs,
      totalMs: variables.MODEL_TOTAL_TIMEOUT_MS ?? MODEL_TIMEOUTS.totalMs,
      retryAfterMs: MODEL_TIMEOUTS.retryAfterMs,
    },
    embeddings: embeddingsFrom(variables),
    embeddingsPerDay: (variables.EMBEDDINGS_PER_DAY ?? EMBEDDINGS_PER_DAY) || null,
    rerank: rerankFrom(variables),
    rerankPerDay: (variables.RERANK_PER_DAY ?? RERANK_PER_DAY) || null,
    contactWebhookUrl: addressOf(variables.CONTACT_WEBHOOK_URL, isLocal),
    cloudflareTurnsPerDay: (variables.CLOUDFLARE_AI_DAILY_TURNS ?? CLOUDFLARE_AI_DAILY_TURNS) || null,
    crawling: {
      contact: contactOf(variables.CRAWLER_CONTACT) ?? publicUrl,
      pauseMs: isLocal ? variables.CRAWL_PAUSE_MS : undefined,
      timeoutMs: (isLocal ? variables.CRAWL_TIMEOUT_MS : undefined) ?? CRAWL_TIMEOUT_MS,
    },
    saveMs: variables.SAVE_TIMEOUT_MS ?? SAVE_TIMEOUT_MS,
    // `*` works in local development only. In production, a forgotten `*` would give every plan away.
    superusers: variables.SUPERUSER_EMAILS.map((email) => email.toLowerCase()).filter(
      (email) => email !== "*" || isLocal,
    ),
    stripe:
      variables.STRIPE_SECRET_KEY === undefined
        ? undefined
        : {
            secretKey: variables.STRIPE_SECRET_KEY,
            webhookSecrets: variables.STRIPE_WEBHOOK_SECRET,
            apiUrl: isLocal ? variables.STRIPE_API_URL : undefined,
            portalLoginUrl: addressOf(variables.STRIPE_PORTAL_LOGIN_URL, isLocal),
          },
  };
}

/** What the service needs to answer anything, by the name of its variable; `undefined` if it is missing or invalid. */
function requiredOf(variables: z.infer<typeof Variables>, isLocal: boolean) {
  const placeholder = isLocal ? "local" : undefined;
  return {
    JWT_SECRET: parseKeys(variables.JWT_SECRET, isLocal ? 1 : MIN_SECRET_CHARS),
    ENCRYPTION_KEY: parseVaultKeys(variables.ENCRYPTION_KEY ?? ""),
    AWS_ACCESS_KEY_ID: variables.AWS_ACCESS_KEY_ID ?? placeholder,
    AWS_SECRET_ACCESS_KEY: variables.AWS_SECRET_ACCESS_KEY ?? placeholder,
  };
}

const publicUrlOf = (variables: z.infer<typeof Variables>, isLocal: boolean): string | undefined =>
  addressOf(variables.PUBLIC_URL ?? (isLocal ? LOCAL_URL : undefined), isLocal);

const namesWithoutValue = (values: Readonly<Record<string, unknown>>): readonly string[] =>
  Object.entries(values).flatMap(([name, value]) => (value ? [] : [name]));

/**
 * An entry of `OUTBOUND_ALLOW`: scheme, host and port. Throws if there is a path, because its author would expect a narrower
 * rule than the one applied.
 */
function originOf(entry: string): string {
  const url = URL.parse(entry);
  const isOrigin = url && /^https?:$/u.test(url.protocol) && url.href === `${url.origin}/`;
  if (!isOrigin) throw notConfigured(["OUTBOUND_ALLOW"]);
  return url.origin;
}

/** URL and model come together. Throws if only one is set. */
function embeddingsFrom(variables: z.infer<typeof Variables>): EmbeddingsConfig | undefined {
  const { EMBEDDINGS_URL: url, EMBEDDINGS_MODEL: model } = variables;
  if (url === undefined && model === undefined) return undefined;
  if (url === undefined) throw notConfigured(["EMBEDDINGS_URL"]);
  if (model === undefined) throw notConfigured(["EMBEDDINGS_MODEL"]);
  return {
    url,
    apiKey: variables.EMBEDDINGS_API_KEY,
    model,
    dimensions: variables.EMBEDDINGS_DIMENSIONS,
  };
}

/** URL and model come together. Throws if only one is set. */
function rerankFrom(variables: z.infer<typeof Variables>): RerankConfig | undefined {
  const { RERANK_URL: url, RERANK_MODEL: model, RERANK_API_KEY: apiKey } = variables;
  if (url === undefined && model === undefined) return undefined;
  if (url === undefined) throw notConfigured(["RERANK_URL"]);
  if (model === undefined) throw notConfigured(["RERANK_MODEL"]);
  return { url, apiKey, model };
}

/**
 * Parses `secret`, or a key ring `id:secret,id:secret` whose first key signs. Returns `undefined` if there is no key, a
 * secret is shorter than `minChars`, or two keys share an id.
 */
function parseKeys(
  text: string | undefined,
  minChars: number,
): readonly [SigningKey, ...SigningKey[]] | undefined {
  const keys = (text ?? "")
    .split(",")
    .map((entry) => entry.trim())
    .filter(Boolean)
    .map((entry): SigningKey => {
      const [id, ...rest] = entry.split(":");
      const secret = rest.join(":");
      return id && secret ? { id, secret } : { id: "default", secret: entry };
    });

  const [first, ...others] = keys;
  const areDistinct = new Set(keys.map(({ id }) => id)).size === keys.length;
  return first && areDistinct && keys.every(({ secret }) => secret.length >= minChars)
    ? [first, ...others]
    : undefined;
}

/** Throws if the text does not fit into a `User-Agent` header. */
function contactOf(text: string | undefined): string | undefined {
  if (text !== undefined && !/^[\x21-\x27\x2a-\x7e]{3,200}$/u.test(text))
    throw notConfigured(["CRAWLER_CONTACT"]);
  return text;
}

/** Returns the URL without a trailing slash, or `undefined` if it is not https (http is allowed in local development). */
function addressOf(text: string | undefined, isLocal: boolean): string | undefined {
  if (text === undefined || !URL.canParse(text)) return undefined;
  const isAllowed = new URL(text).protocol === "https:" || (isLocal && new URL(text).protocol === "http:");
  return isAllowed ? withoutTrailing(text, "/") : undefined;
}

function signInOf(
  variables: z.infer<typeof Variables>,
  publicUrl: string | undefined,
  isLocal: boolean,
): Config["signIn"] {
  // Kept as configured: issuer names are compared character by character (OpenID Connect Core 1.0).
  const issuer = addressOf(variables.OIDC_ISSUER, isLocal) && variables.OIDC_ISSUER;
  const { GOOGLE_CLIENT_ID: clientId, GOOGLE_CLIENT_SECRET: clientSecret } = variables;
  const [frontend] = variables.FRONTEND_URL;

  const chosen = variables.OIDC_CLIENT_AUTH;
  const clientAuth = CLIENT_AUTH_METHODS.find((method) => method === chosen);
  const isPublic = clientAuth === "none";

  if (
    !issuer ||
    !clientId ||
    !(clientSecret || isPublic) ||
    !publicUrl ||
    !frontend ||
    chosen !== clientAuth
  ) {
    const required = {
      OIDC_ISSUER: issuer,
      OIDC_CLIENT_AUTH: chosen === clientAuth,
      GOOGLE_CLIENT_ID: clientId,
      GOOGLE_CLIENT_SECRET: clientSecret || isPublic,
      PUBLIC_URL: publicUrl,
      FRONTEND_URL: frontend,
    };
    return { missing: namesWithoutValue(required) };
  }
  const redirectUri = `${publicUrl}${CALLBACK_PATH}`;
  return {
    issuer: { issuer, clientId, clientSecret, clientAuth, redirectUri, allowHttp: isLocal },
    frontend,
    visitorAuthUrl: `${publicUrl}${VISITOR_AUTH_PATH}`,
    trustsEmail: variables.OIDC_TRUST_EMAIL,
  };
}

/** Callers must not learn about the configuration. The log names the missing variables. */
function notConfigured(missing: readonly string[]): AppError {
  const cause = new Error(`Missing configuration: ${missing.join(", ")}`);
  return new AppError("not-configured", "The service is not configured.", { cause });
}

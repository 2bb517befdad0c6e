import * as z from "zod";
import type { IssuerConfig } from "./auth/issuer.ts";
import type { SigningKey } from "./auth/tokens.ts";
import type { EmbeddingsConfig } from "./llm/embeddings.ts";
import { MODEL_TIMEOUTS, type ModelTimeouts } from "./llm/model.ts";
import { parseVaultKeys, type VaultKey } from "./shared/encryption.ts";
import { AppError } from "./shared/errors.ts";

/** 256 bits in base64 have 43 characters, in hexadecimal 64; what is shorter than this was not made at random. */
const MIN_SECRET_CHARS = 32;
/** A client that sees its answer waits this long at most to hear whether it is saved. */
const SAVE_TIMEOUT_MS = 30_000;

/** Where `npm run dev` listens. */
const LOCAL_URL = "http://localhost:8787";
/** The address that the service before has registered with Google. */
const CALLBACK_PATH = "/auth/callback";

/** Text that may be left empty; an empty variable is an absent one. */
const Optional = z
  .string()
  .trim()
  .optional()
  .transform((value) => value || undefined);

/** Several of something, separated by commas. */
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

const Variables = z.object({
  ENVIRONMENT: Optional.transform((value) => value ?? "production"),
  JWT_SECRET: Optional,
  FRONTEND_URL: Names,
  ENCRYPTION_KEY: Optional,
  LEGACY_ENCRYPTION_SECRET: Optional,
  PUBLIC_URL: Optional,
  OIDC_ISSUER: Optional.transform((value) => value ?? "https://accounts.google.com"),
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
  SUPERUSER_EMAILS: Names,
  STRIPE_API_URL: Optional,
  STRIPE_SECRET_KEY: Optional,
  STRIPE_WEBHOOK_SECRET: Names,
  EMBEDDINGS_URL: Optional,
  EMBEDDINGS_API_KEY: Optional,
  EMBEDDINGS_MODEL: Optional,
  EMBEDDINGS_DIMENSIONS: WholeNumber,
});

/** The environment, checked. */
export interface Config {
  /** Local development: sign-in without Google, the demo model, tokens that live longer. */
  readonly isLocal: boolean;
  readonly signingKeys: readonly [SigningKey, ...SigningKey[]];
  /** The ring that users' credentials are encrypted with; the first key encrypts. */
  readonly encryptionKeys: readonly [VaultKey, ...VaultKey[]];
  /** What the Python service encrypted credentials with; nothing once its table has been left behind. */
  readonly legacyEncryptionSecret: string | undefined;
  /** Origins whose pages may call the API. */
  readonly frontendOrigins: readonly string[];
  /** The origin that this service's own pages have; never taken from a request. */
  readonly publicOrigin: string | undefined;
  /** Sign-in through an issuer, or the names of the variables that it lacks. */
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
  /** How long a model may take; see `ModelTimeouts`. */
  readonly modelTimeouts: ModelTimeouts;
  /** The server that makes search find what is meant; without it, search goes by words. */
  readonly embeddings: EmbeddingsConfig | undefined;
  /** How long the save of an answer is tried before its run fails, in milliseconds. */
  readonly saveMs: number;
  /** Accounts whose use is counted and never refused, in lower case; `*` among them means everybody. */
  readonly superusers: readonly string[];
  /** Nothing where payments are not set up. */
  readonly stripe:
    | {
        readonly secretKey: string;
        readonly webhookSecrets: readonly string[];
        readonly apiUrl: string | undefined;
      }
    | undefined;
}

/** The issuer, and the application that people come from and go back to. */
interface SignInConfig {
  readonly issuer: IssuerConfig;
  readonly frontend: string;
}

/** Checked once per isolate: the environment of an isolate does not change. */
const known = new WeakMap<object, Config>();

/** Reads the environment. Throws when something is missing, and the log then says what. */
export function configFrom(env: object): Config {
  const config = known.get(env) ?? readConfig(env);
  known.set(env, config);
  return config;
}

function readConfig(env: object): Config {
  const variables = Variables.parse(env);
  const isLocal = variables.ENVIRONMENT === "local";
  const dummy = isLocal ? "local" : undefined;
  const accessKeyId = variables.AWS_ACCESS_KEY_ID ?? dummy;
  const secretAccessKey = variables.AWS_SECRET_ACCESS_KEY ?? dummy;
  const signingKeys = parseKeys(variables.JWT_SECRET, isLocal ? 1 : MIN_SECRET_CHARS);
  const encryptionKeys = parseVaultKeys(variables.ENCRYPTION_KEY ?? "");

  if (!accessKeyId || !secretAccessKey || !signingKeys || !encryptionKeys) {
    const required = {
      JWT_SECRET: signingKeys,
      ENCRYPTION_KEY: encryptionKeys,
      AWS_ACCESS_KEY_ID: accessKeyId,
      AWS_SECRET_ACCESS_KEY: secretAccessKey,
    };
    throw notConfigured(Object.entries(required).flatMap(([name, value]) => (value ? [] : [name])));
  }

  const publicUrl = addressOf(variables.PUBLIC_URL ?? (isLocal ? LOCAL_URL : undefined), isLocal);
  const { AWS_REGION: region, AWS_SESSION_TOKEN: sessionToken } = variables;
  return {
    isLocal,
    signingKeys,
    encryptionKeys,
    legacyEncryptionSecret: variables.LEGACY_ENCRYPTION_SECRET,
    frontendOrigins: variables.FRONTEND_URL,
    publicOrigin: publicUrl && new URL(publicUrl).origin,
    signIn: signInOf(variables, publicUrl, isLocal),
    table: {
      name: variables.DYNAMODB_TABLE,
      endpoint: variables.DYNAMODB_ENDPOINT ?? `https://dynamodb.${region}.amazonaws.com`,
      region,
      credentials: { accessKeyId, secretAccessKey, ...(sessionToken !== undefined && { sessionToken }) },
    },
    demoModelUrl: isLocal ? variables.DEMO_MODEL_URL : undefined,
    modelTimeouts: {
      headersMs: variables.MODEL_HEADERS_TIMEOUT_MS ?? MODEL_TIMEOUTS.headersMs,
      idleMs: variables.MODEL_IDLE_TIMEOUT_MS ?? MODEL_TIMEOUTS.idleMs,
      totalMs: variables.MODEL_TOTAL_TIMEOUT_MS ?? MODEL_TIMEOUTS.totalMs,
      retryAfterMs: MODEL_TIMEOUTS.retryAfterMs,
    },
    embeddings: embeddingsFrom(variables),
    saveMs: variables.SAVE_TIMEOUT_MS ?? SAVE_TIMEOUT_MS,
    // Everybody at once is for one's own machine only: left in place by mistake it would give everything away.
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
          },
  };
}

/** Both or neither: a server without a model is a mistake that a start should tell of. */
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

/**
 * `secret`, or a ring `id:secret,id:secret` whose first key signs; nothing where there is none, where a secret is too
 * short to be one, or where the keys of a ring can't be told apart.
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

/** An address without a slash at its end; with TLS, except on one's own machine. */
function addressOf(text: string | undefined, isLocal: boolean): string | undefined {
  if (text === undefined || !URL.canParse(text)) return undefined;
  const isAllowed = new URL(text).protocol === "https:" || (isLocal && new URL(text).protocol === "http:");
  return isAllowed ? text.replace(/\/+$/u, "") : undefined;
}

function signInOf(
  variables: z.infer<typeof Variables>,
  publicUrl: string | undefined,
  isLocal: boolean,
): Config["signIn"] {
  // As it is configured: an issuer's name is compared letter by letter.
  const issuer = addressOf(variables.OIDC_ISSUER, isLocal) && variables.OIDC_ISSUER;
  const { GOOGLE_CLIENT_ID: clientId, GOOGLE_CLIENT_SECRET: clientSecret } = variables;
  const [frontend] = variables.FRONTEND_URL;

  if (!issuer || !clientId || !clientSecret || !publicUrl || !frontend) {
    const required = {
      OIDC_ISSUER: issuer,
      GOOGLE_CLIENT_ID: clientId,
      GOOGLE_CLIENT_SECRET: clientSecret,
      PUBLIC_URL: publicUrl,
      FRONTEND_URL: frontend,
    };
    return { missing: Object.entries(required).flatMap(([name, value]) => (value ? [] : [name])) };
  }
  const redirectUri = `${publicUrl}${CALLBACK_PATH}`;
  return { issuer: { issuer, clientId, clientSecret, redirectUri, allowHttp: isLocal }, frontend };
}

/** The caller learns nothing of the configuration; the names of what is missing stand in the log. */
function notConfigured(missing: readonly string[]): AppError {
  const cause = new Error(`Missing configuration: ${missing.join(", ")}`);
  return new AppError("unavailable", "The service is not configured.", { cause, retryable: false });
}

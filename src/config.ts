import * as z from "zod";
import type { SigningKey } from "./auth/tokens.ts";
import { MODEL_TIMEOUTS, type ModelTimeouts } from "./llm/model.ts";
import { AppError } from "./shared/errors.ts";

/** 256 bits in base64 have 43 characters, in hexadecimal 64; what is shorter than this was not made at random. */
const MIN_SECRET_CHARS = 32;
/** A client that sees its answer waits this long at most to hear whether it is saved. */
const SAVE_TIMEOUT_MS = 30_000;

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

const Milliseconds = Optional.transform((value) => (value === undefined ? undefined : Number(value))).pipe(
  z.number().int().positive().optional(),
);

const Variables = z.object({
  ENVIRONMENT: Optional.transform((value) => value ?? "production"),
  JWT_SECRET: Optional,
  FRONTEND_URL: Names,
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
});

/** The environment, checked. */
export interface Config {
  /** Local development: sign-in without Google, the demo model, tokens that live longer. */
  readonly isLocal: boolean;
  readonly signingKeys: readonly [SigningKey, ...SigningKey[]];
  /** Origins whose pages may call the API. */
  readonly frontendOrigins: readonly string[];
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

  if (!accessKeyId || !secretAccessKey || !signingKeys) {
    const required = {
      JWT_SECRET: signingKeys,
      AWS_ACCESS_KEY_ID: accessKeyId,
      AWS_SECRET_ACCESS_KEY: secretAccessKey,
    };
    throw notConfigured(Object.entries(required).flatMap(([name, value]) => (value ? [] : [name])));
  }

  const { AWS_REGION: region, AWS_SESSION_TOKEN: sessionToken } = variables;
  return {
    isLocal,
    signingKeys,
    frontendOrigins: variables.FRONTEND_URL,
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

/** The caller learns nothing of the configuration; the names of what is missing stand in the log. */
function notConfigured(missing: readonly string[]): AppError {
  const cause = new Error(`Missing configuration: ${missing.join(", ")}`);
  return new AppError("unavailable", "The service is not configured.", { cause, retryable: false });
}

import * as z from "zod";
import type { SigningKey } from "./auth/tokens.ts";
import { AppError } from "./shared/errors.ts";

/** Text that may be left empty; an empty variable is an absent one. */
const Optional = z
  .string()
  .trim()
  .optional()
  .transform((value) => value || undefined);

const Origins = Optional.transform((value) =>
  (value ?? "")
    .split(",")
    .map((origin) => origin.trim())
    .filter(Boolean),
);

const Variables = z.object({
  ENVIRONMENT: Optional.transform((value) => value ?? "production"),
  JWT_SECRET: Optional,
  FRONTEND_URL: Origins,
  DYNAMODB_TABLE: Optional.transform((value) => value ?? "dynamic-agent-builder-main"),
  DYNAMODB_ENDPOINT: Optional,
  AWS_REGION: Optional.transform((value) => value ?? "eu-west-2"),
  AWS_ACCESS_KEY_ID: Optional,
  AWS_SECRET_ACCESS_KEY: Optional,
  AWS_SESSION_TOKEN: Optional,
  DEMO_MODEL_URL: Optional,
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
  const signingKeys = parseKeys(variables.JWT_SECRET);

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
  };
}

/** `secret`, or a ring `id:secret,id:secret` whose first key signs; nothing where there is none. */
function parseKeys(text: string | undefined): readonly [SigningKey, ...SigningKey[]] | undefined {
  const [first, ...others] = (text ?? "")
    .split(",")
    .map((entry) => entry.trim())
    .filter(Boolean)
    .map((entry): SigningKey => {
      const [id, ...rest] = entry.split(":");
      const secret = rest.join(":");
      return id && secret ? { id, secret } : { id: "default", secret: entry };
    });
  return first && [first, ...others];
}

/** The caller learns nothing of the configuration; the names of what is missing stand in the log. */
function notConfigured(missing: readonly string[]): AppError {
  const cause = new Error(`Missing configuration: ${missing.join(", ")}`);
  return new AppError("unavailable", "The service is not configured.", { cause, retryable: false });
}

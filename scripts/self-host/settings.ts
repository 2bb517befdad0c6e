import { AppError } from "../../src/shared/errors.ts";
import { configFrom, missingVariables, VARIABLE_NAMES } from "../../src/config.ts";
import { withCredentials } from "../database.ts";
import type { Variables } from "../dev-variables.ts";

/** The value of `DYNAMODB_ENDPOINT` that stands for the embedded database. */
export const EMBEDDED = "embedded";

/** Variables of the service that leave a trial a trial. With any other one, the service runs in production. */
const ALSO_IN_TRIALS: readonly string[] = [
  "AWS_REGION",
  "DYNAMODB_ENDPOINT",
  "DYNAMODB_TABLE",
  "OUTBOUND_ALLOW",
];

/** How the service is run: as a trial, with settings of its own making, or in production, with the operator's. */
export interface Settings {
  readonly isTrial: boolean;
  /** The variables that the operator has set and that the service reads. */
  readonly given: Variables;
}

/**
 * Reads the service's variables from an environment; empty ones count as absent. Throws a sentence that names what is missing or
 * invalid, unless no variable is set that belongs to a service in production.
 */
export function settingsFrom(env: Readonly<Record<string, string | undefined>>): Settings {
  const given = Object.fromEntries(
    VARIABLE_NAMES.flatMap((name) => {
      const value = env[name]?.trim();
      return value ? [[name, value]] : [];
    }),
  );
  const forProduction = Object.keys(given).filter((name) => !ALSO_IN_TRIALS.includes(name));
  if (forProduction.length > 0) check(given, forProduction);
  return { isTrial: forProduction.length === 0, given };
}

function check(given: Variables, forProduction: readonly string[]): void {
  if ((given["ENVIRONMENT"] ?? "production") !== "production")
    throw new Error(
      `ENVIRONMENT has to be production, not "${given["ENVIRONMENT"]}". For development, there is npm run dev.`,
    );

  const endpoint = given["DYNAMODB_ENDPOINT"];
  const isEmbedded = endpoint === EMBEDDED;
  const whole =
    endpoint === undefined ? given : withCredentials(isEmbedded ? "http://localhost" : endpoint, given);
  const wrong = invalidVariables(whole);
  if (wrong.length > 0)
    throw new Error(
      `These settings are missing or invalid: ${wrong.join(", ")}. The service runs in production because of ` +
        `${forProduction.join(", ")}. docs/self-hosting.md lists what it needs then.`,
    );
}

/** Returns the names of missing and invalid variables, as the service itself judges them. */
function invalidVariables(variables: Variables): readonly string[] {
  const missing = missingVariables(variables);
  if (missing.length > 0) return missing;
  try {
    configFrom(variables);
    return [];
  } catch (error) {
    // The names are not for callers of the service, and therefore in the cause.
    if (error instanceof AppError && error.cause instanceof Error) return [error.cause.message];
    throw error;
  }
}

/** Variables whose servers the operator has chosen, so that they may have private addresses. */
const OPERATORS_SERVERS = ["DYNAMODB_ENDPOINT", "DEMO_MODEL_URL", "EMBEDDINGS_URL", "RERANK_URL"] as const;

/** Returns the origins that the service may reach although they have private addresses. */
export function privateOrigins(variables: Variables): readonly string[] {
  const urls = [
    ...OPERATORS_SERVERS.map((name) => variables[name] ?? ""),
    ...(variables["OUTBOUND_ALLOW"] ?? "").split(",").map((origin) => origin.trim()),
  ];
  return [...new Set(urls.filter((url) => URL.canParse(url)).map((url) => new URL(url).origin))];
}

import * as z from "zod";

import { configFrom, missingVariables, VARIABLE_NAMES } from "../../src/config.ts";
import { parseVaultKeys } from "../../src/shared/encryption.ts";
import { AppError } from "../../src/shared/errors.ts";
import { suggestion } from "../../src/shared/unknown-names.ts";
import { isAws } from "../database.ts";
import type { Variables } from "../dev-variables.ts";
import { type CheckContext, type Finding, listed, note, ok, wrong } from "./finding.ts";

/** Variables of `npm run dev` and `npm start`, which the service does not read itself. */
export const OF_SCRIPTS = [
  "CLIENT_ADDRESS_HEADER",
  "DATA_DIR",
  "DEV_VARS",
  "HOST",
  "LOG",
  "PORT",
  "DEMO_SITE_PORT",
  "SIGN_IN_PORT",
  "CHROMIUM",
];

/** What to do about a missing variable, by its name. */
const REMEDIES: Readonly<Record<string, string>> = {
  JWT_SECRET: "It has to be at least 32 random characters: openssl rand -base64 32",
  ENCRYPTION_KEY: "It has to be 32 random bytes in base64: openssl rand -base64 32",
  AWS_ACCESS_KEY_ID: "It is the access key of the user that may read and write the table.",
  AWS_SECRET_ACCESS_KEY: "It belongs to AWS_ACCESS_KEY_ID.",
  GOOGLE_CLIENT_ID:
    "It is the client's id at Google or another OpenID issuer; without it, nobody can sign in.",
  GOOGLE_CLIENT_SECRET:
    "It is the client's secret at the issuer; OIDC_CLIENT_AUTH=none is for clients that have none.",
  PUBLIC_URL: "It is the address of this service, https://… without a path.",
  FRONTEND_URL: "It is the origin of the application that people sign in from.",
  OIDC_ISSUER: "It has to be the address of an OpenID issuer, https://…",
  OIDC_CLIENT_AUTH: "It has to be client_secret_post, client_secret_basic, client_secret_jwt or none.",
};

/** Checks that what the service needs is set and readable, and that names are not misspelt. `names` are those of the file. */
export const checkNames =
  (names: readonly string[]) =>
  ({ variables, isLocal }: CheckContext): readonly Finding[] => {
    const invalid = invalidNames(variables, isLocal).map((name) =>
      wrong(`${name} is missing or not valid. ${REMEDIES[name] ?? "See docs/configuration.md."}`),
    );
    return [
      ...invalid,
      ...misspelt(names),
      ...(invalid.length === 0 ? [ok("Everything that the service needs is set.")] : []),
    ];
  };

/** Returns the names of settings that are missing or that the service could not read, as it judges them itself. */
function invalidNames(given: Variables, isLocal: boolean): readonly string[] {
  const endpoint = given["DYNAMODB_ENDPOINT"];
  const isAnybodys =
    endpoint === "embedded" || (endpoint !== undefined && URL.canParse(endpoint) && !isAws(endpoint));
  // Databases other than AWS's accept any credentials.
  const variables = {
    ...(isAnybodys && { AWS_ACCESS_KEY_ID: "local", AWS_SECRET_ACCESS_KEY: "local" }),
    ...given,
  };
  try {
    const missing = missingVariables(variables);
    // A development server offers sign-in with a password where there is no issuer.
    const needsIssuer = !isLocal || given["GOOGLE_CLIENT_ID"] !== undefined;
    const needed = needsIssuer ? missing : missing.filter((name) => REQUIRED_LOCALLY.has(name));
    if (needed.length > 0) return needed;
    configFrom(variables);
    return [];
  } catch (error) {
    if (error instanceof z.ZodError) return error.issues.map(({ path }) => String(path[0]));
    // The service keeps the names from callers, and therefore in the cause.
    if (!(error instanceof AppError) || !(error.cause instanceof Error)) throw error;
    return error.cause.message.replace(/^.*: /u, "").split(", ");
  }
}

const REQUIRED_LOCALLY: ReadonlySet<string> = new Set(["JWT_SECRET", "ENCRYPTION_KEY"]);

function misspelt(names: readonly string[]): readonly Finding[] {
  const known = [...VARIABLE_NAMES, ...OF_SCRIPTS];
  return names
    .filter((name) => !known.includes(name))
    .map((name) =>
      note([`${name} is not a setting, and nothing reads it.`, ...suggestion(name, known)].join(" ")),
    );
}

/** Texts that stand for a secret in documents, and that people forget to replace. */
const PLACEHOLDER =
  /change.?me|replace|example|secret.?key|your.?|password|test|dummy|placeholder|xxx|\.\.\.|…/iu;
/** A random text of 32 characters from an alphabet of 64 has about 25 different ones; fewer than this are hardly random. */
const MIN_DIFFERENT = 12;

/** Checks that the secrets of production are random, and that no two are the same. */
export function checkSecrets({ variables, isLocal }: CheckContext): readonly Finding[] {
  if (isLocal) return [ok("Secrets of a development server may be of any kind.")];
  const findings: Finding[] = [];
  const secrets = (variables["JWT_SECRET"] ?? "")
    .split(",")
    .map((entry) => entry.trim().split(":").at(-1) ?? "");
  for (const secret of secrets.filter(Boolean))
    if (!isRandom(secret))
      findings.push(
        wrong(
          "JWT_SECRET is not random, and whoever guesses it can sign in as anybody. Make one: openssl rand -base64 32",
        ),
      );

  const keys = parseVaultKeys(variables["ENCRYPTION_KEY"] ?? "") ?? [];
  for (const { secret } of keys)
    if (new Set(secret).size < MIN_DIFFERENT || PLACEHOLDER.test(new TextDecoder().decode(secret)))
      findings.push(
        wrong(
          "ENCRYPTION_KEY is not random, and protects the stored keys of providers. Make one: openssl rand -base64 32. " +
            "Put it first and keep the old one behind it: docs/configuration.md.",
        ),
      );

  if (variables["JWT_SECRET"] !== undefined && variables["JWT_SECRET"] === variables["ENCRYPTION_KEY"])
    findings.push(wrong("JWT_SECRET and ENCRYPTION_KEY are the same. Make one for each."));
  return findings.length > 0 ? findings : [ok("The secrets are long and random.")];
}

const isRandom = (text: string): boolean => new Set(text).size >= MIN_DIFFERENT && !PLACEHOLDER.test(text);

/** Suffixes under which anybody can register a name, besides those of two parts in countries, such as `co.uk`. */
const SHARED_SUFFIXES: ReadonlySet<string> = new Set([
  "amplifyapp.com",
  "azurewebsites.net",
  "cloudfront.net",
  "firebaseapp.com",
  "fly.dev",
  "github.io",
  "herokuapp.com",
  "netlify.app",
  "ngrok-free.app",
  "onrender.com",
  "pages.dev",
  "trycloudflare.com",
  "vercel.app",
  "web.app",
  "workers.dev",
]);

/** Checks the origins of the application, and that browsers send the session's cookie from its pages. */
export function checkOrigins({ variables, isLocal }: CheckContext): readonly Finding[] {
  const origins = (variables["FRONTEND_URL"] ?? "")
    .split(",")
    .map((entry) => entry.trim())
    .filter(Boolean);
  const findings = origins.flatMap((origin) => originFindings(origin, isLocal));

  const publicUrl = URL.parse(variables["PUBLIC_URL"] ?? "");
  if (publicUrl !== null) {
    if (publicUrl.pathname !== "/" || publicUrl.search !== "")
      findings.push(wrong(`PUBLIC_URL has to be an origin without a path: ${publicUrl.origin}`));
    for (const origin of origins) {
      const page = URL.parse(origin);
      if (page !== null && isLoopback(page) && !isLocal)
        findings.push(
          note(
            `${origin} is on somebody's own machine, so browsers do not send the session's cookie from its pages.`,
          ),
        );
      else if (page !== null && !isSameSite(publicUrl, page))
        findings.push(
          wrong(
            `${origin} and PUBLIC_URL (${publicUrl.origin}) are different sites, so browsers do not send the session's cookie from its ` +
              "pages, and people are signed out after 15 minutes. Serve both below one domain, such as app.example.com and api.example.com.",
          ),
        );
    }
  }
  if (findings.length > 0) return findings;
  return [
    origins.length === 0
      ? note("FRONTEND_URL is not set: no other page may call the service from a browser.")
      : ok(`Pages of ${listed(origins)} may call the service, and get the session's cookie.`),
  ];
}

function originFindings(origin: string, isLocal: boolean): readonly Finding[] {
  const url = URL.parse(origin);
  if (url === null || !/^https?:$/u.test(url.protocol))
    return [
      wrong(
        `FRONTEND_URL has an entry that is not an address: "${origin}". It has to be like https://app.example.com`,
      ),
    ];
  if (url.origin !== origin)
    return [
      wrong(
        `FRONTEND_URL has the entry "${origin}", which browsers never send as an origin: write ${url.origin}, without a path and without a slash at its end.`,
      ),
    ];
  if (url.protocol === "http:" && !isLocal && !isLoopback(url))
    return [wrong(`${origin} has no TLS, so that anybody on the way can read tokens. Use https.`)];
  return [];
}

const isLoopback = ({ hostname }: URL): boolean => hostname === "localhost" || hostname === "127.0.0.1";

/** Whether two addresses have the same scheme and registrable domain: what browsers call the same site. */
export function isSameSite(one: URL, other: URL): boolean {
  if (one.protocol !== other.protocol) return false;
  if (one.hostname === other.hostname) return true;
  return siteOf(one.hostname) !== undefined && siteOf(one.hostname) === siteOf(other.hostname);
}

/** Returns the registrable domain of a host, or `undefined` if it is an address, a single name or a shared suffix itself. */
function siteOf(host: string): string | undefined {
  if (/^[\d.]+$|:/u.test(host)) return undefined;
  const labels = host.split(".");
  const isShared = (suffix: readonly string[]): boolean =>
    SHARED_SUFFIXES.has(suffix.join(".")) ||
    /^(?:ac|co|com|edu|gov|ne|net|or|org)\.[a-z]{2}$/u.test(suffix.join("."));
  const taken = isShared(labels.slice(-2)) ? 3 : 2;
  return labels.length >= taken ? labels.slice(-taken).join(".") : undefined;
}

/** Checks the settings that give things away. */
export function checkSuperusers({ variables, isLocal }: CheckContext): readonly Finding[] {
  const names = (variables["SUPERUSER_EMAILS"] ?? "").split(",").map((entry) => entry.trim());
  if (names.includes("*") && !isLocal)
    return [
      wrong("SUPERUSER_EMAILS has a *, which works in development only and is ignored. Name the accounts."),
    ];
  const count = names.filter(Boolean).length;
  return count === 0
    ? []
    : [ok(`${names.includes("*") ? "Everybody is" : `${count} accounts are`} exempt from limits.`)];
}

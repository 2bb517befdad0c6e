import { VARIABLE_NAMES } from "../../src/config.ts";
import { withTimeout } from "../../src/shared/async.ts";
import type { Variables } from "../dev-variables.ts";
import type { Check, CheckContext, Finding } from "./finding.ts";
import { wrong } from "./finding.ts";
import { checkIssuer } from "./issuer.ts";
import { checkContact, checkEmbeddings, checkPublicAddress, checkReranking } from "./servers.ts";
import { checkNames, checkOrigins, checkSecrets, checkSuperusers } from "./settings.ts";
import { checkStripe } from "./stripe.ts";
import { checkTable } from "./table.ts";

/** How long all requests of one check may take together, in milliseconds. A server that is asked by people answers sooner. */
const LIMIT_MS = 20_000;

/** Settings whose values are never shown. Shorter values than this could be part of any word. */
const SECRET = /KEY|SECRET|TOKEN|WEBHOOK/u;
const MIN_SECRET_CHARS = 8;

/** What was found about a subject. */
export interface Diagnosis {
  readonly subject: string;
  readonly findings: readonly Finding[];
}

export interface DiagnoseOptions {
  /** The settings; empty ones count as absent. */
  readonly variables: Variables;
  readonly isLocal: boolean;
  /** The names in the file that the settings come from: those that nothing reads are pointed out. */
  readonly namesInFile?: readonly string[];
  readonly fetch?: typeof globalThis.fetch;
  readonly now?: () => number;
  readonly limitMs?: number;
}

/** Checks a configuration, all subjects at the same time, and returns what it has found. Values of secrets are not part of it. */
export async function diagnose(options: DiagnoseOptions): Promise<readonly Diagnosis[]> {
  const { isLocal, namesInFile = [], limitMs = LIMIT_MS, fetch = globalThis.fetch, now = Date.now } = options;
  const environment = isLocal ? "local" : "production";
  const variables = { ...filled(options.variables), ENVIRONMENT: environment };
  const checks: readonly Check[] = [
    { subject: "Settings", run: checkNames(namesInFile) },
    { subject: "Secrets", run: checkSecrets },
    { subject: "Origins and cookies", run: checkOrigins },
    { subject: "Limits", run: checkSuperusers },
    { subject: "Table", run: checkTable },
    { subject: "Sign-in", run: checkIssuer },
    { subject: "Stripe", run: checkStripe },
    { subject: "Embeddings", run: checkEmbeddings },
    { subject: "Reranking", run: checkReranking },
    { subject: "Contact form", run: checkContact },
    { subject: "Address", run: checkPublicAddress },
  ];
  const secrets = secretsOf(variables);
  const diagnoses = await Promise.all(
    checks.map(async ({ subject, run }) => {
      const findings = await within(limitMs, run, { variables, isLocal, fetch, now });
      return { subject, findings: findings.map((finding) => withoutSecrets(finding, secrets)) };
    }),
  );
  return diagnoses.filter(({ findings }) => findings.length > 0);
}

const filled = (variables: Variables): Variables =>
  Object.fromEntries(
    Object.entries(variables)
      .map(([name, value]) => [name, value.trim()])
      .filter(([, value]) => value !== ""),
  );

/** Runs a check. One that takes too long or fails is a finding, and the others go on. */
async function within(
  limitMs: number,
  run: Check["run"],
  context: Omit<CheckContext, "signal">,
): Promise<readonly Finding[]> {
  try {
    return await withTimeout(limitMs, async (signal) => run({ ...context, signal }));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return [
      wrong(`The check did not come to an end within ${limitMs / 1_000} seconds, or failed: ${reason}`),
    ];
  }
}

/** The values that must not be shown: those of secrets, each entry of a list of them, and the user and password in an address. */
function secretsOf(variables: Variables): readonly string[] {
  const named = VARIABLE_NAMES.filter((name) => SECRET.test(name) && name !== "AWS_ACCESS_KEY_ID")
    .flatMap((name) => [variables[name] ?? "", ...(variables[name] ?? "").split(/[,:]/u)])
    .map((value) => value.trim())
    .filter((value) => value.length >= MIN_SECRET_CHARS);
  const inAddresses = VARIABLE_NAMES.flatMap((name) =>
    (variables[name] ?? "").split(",").flatMap((entry) => /:\/\/([^/?#\s]+@)/u.exec(entry)?.[1] ?? []),
  );
  return [...named, ...inAddresses].toSorted((a, b) => b.length - a.length);
}

/** Replaces secrets in a text that a server may have quoted them in, and what would steer the terminal. */
const withoutSecrets = (finding: Finding, secrets: readonly string[]): Finding => ({
  ...finding,
  text: secrets
    .reduce((text, secret) => text.replaceAll(secret, "…"), finding.text)
    .replaceAll(/\p{Cc}+/gu, " "),
});

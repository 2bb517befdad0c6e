import { randomBytes } from "node:crypto";
import { appendFile, readFile, writeFile } from "node:fs/promises";
import { parseEnv } from "node:util";

import { field } from "./json.ts";

const SECRET_BYTES = 32;

/** Secrets that must survive restarts, so that tokens stay valid and stored credentials readable. */
const LASTING: readonly { readonly name: string; readonly encoding: "base64" | "base64url" }[] = [
  { name: "JWT_SECRET", encoding: "base64url" },
  { name: "ENCRYPTION_KEY", encoding: "base64" },
];

/** Variables that say something by being empty: an empty list of superusers means nobody. */
const MAY_BE_EMPTY: readonly string[] = ["SUPERUSER_EMAILS"];

/** Environment variables by name; empty ones are left out, except `MAY_BE_EMPTY`. */
export type Variables = Readonly<Record<string, string>>;

/**
 * Returns the variables of the environment, and those of the file that the environment does not set.
 *
 * If the file is missing, it is created readable by its owner only. Missing secrets are added to it at random.
 */
export async function readDevVariables(
  env: Readonly<Record<string, string | undefined>>,
  file: string,
): Promise<Variables> {
  const stored = filled(parseEnv(await ensureSecrets(file)));
  return { ...stored, ...filled(env) };
}

async function ensureSecrets(file: string): Promise<string> {
  const text = await readIfThere(file);
  const known = parseEnv(text ?? "");
  const lines = LASTING.filter(({ name }) => !known[name])
    .map(({ name, encoding }) => `${name}=${randomBytes(SECRET_BYTES).toString(encoding)}\n`)
    .join("");
  if (text === undefined) {
    await writeFile(file, lines, { mode: 0o600, flag: "wx" });
    return lines;
  }
  if (lines === "") return text;

  const addition = text === "" || text.endsWith("\n") ? lines : `\n${lines}`;
  await appendFile(file, addition);
  return text + addition;
}

async function readIfThere(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    if (field(error, "code") === "ENOENT") return undefined;
    throw error;
  }
}

function filled(variables: Readonly<Record<string, string | undefined>>): Variables {
  return Object.fromEntries(
    Object.entries(variables).filter(
      (entry): entry is [string, string] =>
        entry[1] !== undefined && (entry[1] !== "" || MAY_BE_EMPTY.includes(entry[0])),
    ),
  );
}

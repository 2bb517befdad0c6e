import { randomBytes } from "node:crypto";
import { appendFile, readFile, writeFile } from "node:fs/promises";
import { parseEnv } from "node:util";

import { field } from "./json.ts";

const SECRET_BYTES = 32;

/** What has to last over restarts: tokens stay valid by it, and stored credentials readable. */
const LASTING: readonly { readonly name: string; readonly encoding: "base64" | "base64url" }[] = [
  { name: "JWT_SECRET", encoding: "base64url" },
  { name: "ENCRYPTION_KEY", encoding: "base64" },
];

/** Environment variables by name; empty ones are left out. */
export type Variables = Readonly<Record<string, string>>;

/**
 * Gives the variables of the environment, and those of the file that the environment does not set.
 *
 * The file is made, readable by its owner only, when it is missing, and gets random secrets where it has none.
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
      (entry): entry is [string, string] => entry[1] !== undefined && entry[1] !== "",
    ),
  );
}

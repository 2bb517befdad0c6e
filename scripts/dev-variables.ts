import { randomBytes } from "node:crypto";
import { appendFile, readFile, writeFile } from "node:fs/promises";
import { parseEnv } from "node:util";

import { field } from "./json.ts";

const SECRET_BYTES = 32;

/** Environment variables by name; empty ones are left out. */
export type Variables = Readonly<Record<string, string>>;

/**
 * Gives the variables of the environment, and those of the file that the environment does not set.
 *
 * The file is made, readable by its owner only, when it is missing, and gets a random JWT_SECRET when it has
 * none: with a lasting secret, tokens stay valid over restarts.
 */
export async function readDevVariables(
  env: Readonly<Record<string, string | undefined>>,
  file: string,
): Promise<Variables> {
  const stored = filled(parseEnv(await ensureSecret(file)));
  return { ...stored, ...filled(env) };
}

async function ensureSecret(file: string): Promise<string> {
  const line = `JWT_SECRET=${randomBytes(SECRET_BYTES).toString("base64url")}\n`;
  const text = await readIfThere(file);
  if (text === undefined) {
    await writeFile(file, line, { mode: 0o600, flag: "wx" });
    return line;
  }
  if (parseEnv(text)["JWT_SECRET"]) return text;

  const addition = text === "" || text.endsWith("\n") ? line : `\n${line}`;
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

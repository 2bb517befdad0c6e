import { readFile } from "node:fs/promises";
import { parseArgs, parseEnv } from "node:util";

import { VARIABLE_NAMES } from "../src/config.ts";
import type { Variables } from "./dev-variables.ts";
import { diagnose, type Diagnosis } from "./doctor/diagnose.ts";
import { field } from "./json.ts";

const HELP = `Usage: npm run doctor -- [--env-file FILE]

Checks a configuration: whether all settings are there, secrets are strong, and the servers that they name answer as
the service needs. Says what is wrong and what to do, and ends with code 1 if anything is. Changes nothing.

Settings come from the environment, and from FILE where the environment does not set them. Without --env-file, FILE is
.dev.vars; without ENVIRONMENT, its settings are checked as those of a development server.`;

const DEV_VARS = ".dev.vars";
const MARKS = { ok: "ok   ", note: "note ", wrong: "WRONG" } as const;

await main();

async function main(): Promise<void> {
  // Behind `--`, Node leaves the option to this script, instead of reading the file itself.
  const args = process.argv.slice(process.argv[2] === "--" ? 3 : 2);
  const options = { "env-file": { type: "string" }, help: { type: "boolean" } } as const;
  const { values } = parseArgs({ args, options });
  if (values.help === true) {
    console.log(HELP);
    return;
  }
  try {
    const wanted = values["env-file"];
    const inFile = await readSettings(wanted ?? DEV_VARS, wanted !== undefined);
    const inEnvironment = Object.fromEntries(
      VARIABLE_NAMES.flatMap((name) => (process.env[name] ? [[name, process.env[name]]] : [])),
    );
    const variables = { ...inFile, ...inEnvironment };
    const isLocal = environmentOf(variables, wanted === undefined && inFile !== undefined) === "local";

    const sources = [
      ...(Object.keys(inEnvironment).length > 0 ? ["the environment"] : []),
      ...(inFile === undefined ? [] : [wanted ?? DEV_VARS]),
    ];
    console.log(
      `Checking a configuration for ${isLocal ? "development" : "production"}: ${sources.join(" and ") || "no settings are there"}\n`,
    );
    const diagnoses = await diagnose({ variables, isLocal, namesInFile: Object.keys(inFile ?? {}) });
    report(diagnoses);
  } catch (error) {
    console.error(error instanceof Error ? error.message : String(error));
    process.exitCode = 1;
  }
}

/** Returns what the service would take for its environment. */
function environmentOf(variables: Variables, isDevelopmentsOwnFile: boolean): string {
  return variables["ENVIRONMENT"] || (isDevelopmentsOwnFile ? "local" : "production");
}

/** Reads a file of settings. Throws a sentence if it must be there and is not. */
async function readSettings(file: string, isRequired: boolean): Promise<Variables | undefined> {
  try {
    const settings = parseEnv(await readFile(file, "utf8"));
    return Object.fromEntries(
      Object.entries(settings).filter((entry): entry is [string, string] => !!entry[1]),
    );
  } catch (error) {
    if (field(error, "code") !== "ENOENT") throw error;
    if (isRequired) throw new Error(`There is no file ${file}.`, { cause: error });
    return undefined;
  }
}

function report(diagnoses: readonly Diagnosis[]): void {
  const width = Math.max(...diagnoses.map(({ subject }) => subject.length));
  for (const { subject, findings } of diagnoses)
    for (const { level, text } of findings) console.log(`${MARKS[level]}  ${subject.padEnd(width)}  ${text}`);

  const count = diagnoses.flatMap(({ findings }) => findings).filter(({ level }) => level === "wrong").length;
  console.log(
    count === 0 ? "\nNothing is wrong." : `\n${count === 1 ? "One thing is" : `${count} things are`} wrong.`,
  );
  if (count > 0) process.exitCode = 1;
}

import { execFile } from "node:child_process";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { build } from "esbuild";

const PROJECT = join(import.meta.dirname, "..");
const CLIENT = join(PROJECT, "client");

/**
 * Builds the client as it is published, into `folder`: its modules with their types, and `agent-builder.js`, which is all of it in
 * one minified file for pages. Replaces what is there. Throws if a type does not fit.
 */
export async function buildClient(folder = join(CLIENT, "dist")): Promise<void> {
  await rm(folder, { recursive: true, force: true });
  const tsc = join(PROJECT, "node_modules/typescript/bin/tsc");
  const args = [tsc, "-p", CLIENT, "--noEmit", "false", "--outDir", folder];
  await promisify(execFile)(process.execPath, args, { cwd: PROJECT }).catch((error: { stdout?: string }) => {
    throw new Error(`The client has type errors:\n${error.stdout ?? ""}`, { cause: error });
  });
  await build({
    entryPoints: [join(CLIENT, "src/index.ts")],
    outfile: join(folder, "agent-builder.js"),
    bundle: true,
    minify: true,
    format: "esm",
    // What runs everywhere that `AbortSignal.any` does.
    target: ["es2022"],
    legalComments: "none",
    logLevel: "error",
  });
}

if (import.meta.main) await buildClient();

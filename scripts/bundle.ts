import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { promisify } from "node:util";
import { gzipSync } from "node:zlib";
import { unstable_readConfig, type Unstable_Config } from "wrangler";

const PROJECT = join(import.meta.dirname, "..");

/** A bundle, as `wrangler deploy` uploads it. */
export interface Bundle {
  /** The path of its only module. */
  readonly file: string;
  /** Its compressed size, in kilobytes of 1,000 bytes, rounded up. */
  readonly gzipKb: number;
  /** The configuration that it was built from. */
  readonly config: Unstable_Config;
}

/**
 * Builds the production bundle of a Worker into a folder, which is created if it does not exist. `configFile` is the path of the
 * Worker's configuration, relative to the project. Throws if the bundle cannot be built.
 */
export async function buildBundle(folder: string, configFile = "wrangler.toml"): Promise<Bundle> {
  const config = unstable_readConfig({ config: join(PROJECT, configFile) });
  const wrangler = join(PROJECT, "node_modules/wrangler/bin/wrangler.js");
  await promisify(execFile)(
    process.execPath,
    [wrangler, "deploy", "--dry-run", "--config", configFile, "--outdir", folder],
    { cwd: PROJECT, env: { ...process.env, WRANGLER_SEND_METRICS: "false", WRANGLER_WRITE_LOGS: "false" } },
  );

  const file = join(folder, basename(config.main ?? "").replace(/\.ts$/u, ".js"));
  return { file, gzipKb: Math.ceil(gzipSync(await readFile(file)).byteLength / 1_000), config };
}

/** Returns the classes of Durable Objects that a Worker's configuration binds, and the names of the bindings. */
export const objectsIn = (
  config: Bundle["config"],
): readonly { readonly binding: string; readonly className: string }[] =>
  config.durable_objects.bindings.map(({ name, class_name: className }) => ({ binding: name, className }));

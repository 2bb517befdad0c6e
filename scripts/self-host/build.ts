import { globSync } from "node:fs";
import { mkdir, readdir, rm, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";

import { experimental_readRawConfig as readRawConfig, unstable_readConfig as readConfig } from "wrangler";

import { buildAssets } from "../assets.ts";
import { buildBundle, type Bundle, objectsIn } from "../bundle.ts";
import { type BuiltService, type BuiltWorker, manifestOf, type WorkerModule } from "./built-service.ts";

const PROJECT = join(import.meta.dirname, "../..");
const MAIN_CONFIG = "wrangler.toml";
const STAND_INS_CONFIG = "scripts/self-host/stand-ins.toml";
/** The folder of the built assets. */
const ASSETS = "assets";

/** What workerd offers, or what only Cloudflare needs. With anything else, the service would lack a binding. */
const SERVED = new Set([
  "name",
  "main",
  "compatibility_date",
  "compatibility_flags",
  "minify",
  "keep_names",
  "upload_source_maps",
  "workers_dev",
  "placement",
  "limits",
  "observability",
  "assets",
  // It builds the assets, which is done here as well.
  "build",
  "durable_objects",
  "migrations",
  "ratelimits",
  "services",
  "triggers",
  "secrets",
  "vars",
]);

/** How workerd loads the files of a bundle. Source maps and wrangler's README are no modules. */
const MODULE_KINDS: Readonly<Record<string, WorkerModule["kind"]>> = {
  js: "esModule",
  mjs: "esModule",
  wasm: "wasm",
  bin: "data",
  txt: "text",
  html: "text",
  sql: "text",
};

/**
 * Bundles the service, the Workers that it is bound to, the stand-ins and the assets into a folder, which is emptied first, and
 * describes them in its manifest. Throws if wrangler.toml asks for something that workerd cannot offer.
 */
export async function buildService(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  // Building assets removes old ones by itself, and others may be using them.
  const old = (await readdir(folder)).filter((name) => name !== ASSETS);
  await Promise.all(old.map((name) => rm(join(folder, name), { recursive: true })));
  await buildAssets(join(folder, ASSETS));

  const { services } = readConfig({ config: join(PROJECT, MAIN_CONFIG) });
  const bound: readonly string[] = (services ?? []).map(configOfService);
  const configs = [MAIN_CONFIG, STAND_INS_CONFIG, ...new Set(bound)];
  const workers = await Promise.all(configs.map((config, index) => buildWorker(folder, config, index)));
  const [main, standIns, ...others] = workers;
  if (main === undefined || standIns === undefined) throw new Error("Nothing was built.");

  const service: BuiltService = {
    main: main.worker,
    standIns: standIns.worker,
    others: others.map(({ worker }) => worker),
    crons: main.config.triggers.crons ?? [],
  };
  await writeFile(manifestOf(folder), JSON.stringify(service, undefined, 2));
}

/**
 * Returns the configuration, beside wrangler.toml, of the Worker that a service binding names. Throws a sentence if there is
 * none.
 */
export function configOfService({ binding, service }: BuiltWorker["services"][number]): string {
  const found = globSync("wrangler.*.toml", { cwd: PROJECT }).find(
    (file) => readConfig({ config: join(PROJECT, file) }).name === service,
  );
  if (found === undefined)
    throw new Error(
      `The binding ${binding} of ${MAIN_CONFIG} needs the Worker ${service}, and no wrangler.*.toml has that name.`,
    );
  return found;
}

/** Throws a sentence if a configuration asks for something that workerd alone cannot offer, such as `ai`. */
export function refuseUnserved(rawConfig: object, configFile: string): void {
  const names = Object.keys(rawConfig).filter((name) => !SERVED.has(name));
  if (names.length > 0)
    throw new Error(`workerd alone cannot offer what ${configFile} asks for: ${names.join(", ")}.`);
}

async function buildWorker(
  folder: string,
  configFile: string,
  index: number,
): Promise<{ readonly worker: BuiltWorker; readonly config: Bundle["config"] }> {
  const { rawConfig } = readRawConfig({ config: join(PROJECT, configFile) });
  refuseUnserved(rawConfig, configFile);
  const ownFolder = `worker-${index}`;
  const { file, config } = await buildBundle(join(folder, ownFolder), configFile);
  const worker: BuiltWorker = {
    name: config.name ?? ownFolder,
    modules: await modulesIn(folder, ownFolder, basename(file)),
    compatibilityDate: config.compatibility_date ?? "",
    compatibilityFlags: config.compatibility_flags,
    objects: objectsIn(config),
    burstLimits: config.ratelimits.map(({ name, simple }) => ({ binding: name, ...simple })),
    services: (config.services ?? []).map(({ binding, service }) => ({ binding, service })),
    assets:
      config.assets?.binding === undefined
        ? undefined
        : { binding: config.assets.binding, directory: ASSETS },
  };
  return { worker, config };
}

/** Lists the modules of a bundle: first the one that the Worker starts with. */
async function modulesIn(folder: string, ownFolder: string, first: string): Promise<readonly WorkerModule[]> {
  const files = await readdir(join(folder, ownFolder), { recursive: true, withFileTypes: true });
  const modules = files.flatMap((entry) => {
    const path = join(entry.parentPath, entry.name);
    const name = path.slice(join(folder, ownFolder).length + 1);
    const kind = MODULE_KINDS[name.split(".").at(-1) ?? ""];
    return entry.isFile() && kind !== undefined ? [{ name, kind, file: join(ownFolder, name) }] : [];
  });
  return modules.toSorted((a, b) => Number(b.name === first) - Number(a.name === first));
}

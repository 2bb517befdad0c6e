/**
 * Builds everything that the service serves to browsers into `dist/assets/`, which wrangler.toml binds as `ASSETS`. A file that did not
 * change keeps its name and its time, so that several builds can run beside each other and beside a service.
 *
 * @example node scripts/assets.ts
 */
import { mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { referenceAssets } from "./reference-assets.ts";

const PROJECT = join(import.meta.dirname, "..");

/** The folder that wrangler.toml names. */
const ASSETS_FOLDER = join(PROJECT, "dist/assets");

/** Files to serve, by their paths in the folder. */
export type Assets = ReadonlyMap<string, Uint8Array>;

/** Builds all assets into a folder, which is created if it does not exist. Throws if they cannot be built. */
export async function buildAssets(folder = ASSETS_FOLDER): Promise<void> {
  const reference = await referenceAssets();
  const description = await readFile(join(PROJECT, "docs/openapi.json"));
  await writeAssets(folder, new Map([...reference, ["openapi.json", description]]));
}

/** Makes a folder hold exactly these files. Each one is replaced as a whole; files of before are removed last. */
async function writeAssets(folder: string, assets: Assets): Promise<void> {
  for (const [path, content] of assets) {
    const file = join(folder, path);
    const before = await readFile(file).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== "ENOENT") throw error;
      return undefined;
    });
    if (before?.equals(content)) continue;
    await mkdir(dirname(file), { recursive: true });
    // Another build may write the same file at the same time, and a service may read it.
    const draft = `${file}.${process.pid}`;
    await writeFile(draft, content);
    await rename(draft, file);
  }
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  for (const entry of entries) {
    const path = join(entry.parentPath, entry.name);
    const isOld = entry.isFile() && !assets.has(path.slice(folder.length + 1));
    // A draft belongs to a build that is still running.
    if (isOld && !/\.\d+$/u.test(entry.name)) await rm(path, { force: true });
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  await buildAssets();
  console.log("built: dist/assets");
}

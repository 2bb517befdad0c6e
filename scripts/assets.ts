/**
 * Builds everything that the service serves to browsers into `dist/assets/`, which wrangler.toml binds as `ASSETS`. A file that did not
 * change keeps its name and its time, so that several builds can run beside each other and beside a service.
 *
 * @example node scripts/assets.ts
 */
import { randomInt } from "node:crypto";
import { mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { gzipSync } from "node:zlib";
import { type Assets, bundleFiles, linkedPage } from "./page-bundle.ts";
import { referenceAssets } from "./reference-assets.ts";
import { widgetAssets } from "./widget-assets.ts";

const PROJECT = join(import.meta.dirname, "..");

/** The folder that wrangler.toml names. */
export const ASSETS_FOLDER = join(PROJECT, "dist/assets");

/** The most that the playground's scripts and styles may take together, compressed, in kilobytes of 1,000 bytes. */
export const PLAYGROUND_BUDGET_KB = 80;

/** The most that the script of the widget may take, compressed, in kilobytes of 1,000 bytes: others load it with their pages. */
export const WIDGET_BUDGET_KB = 25;

/** What was built. */
export interface BuiltAssets {
  /** The compressed size of the playground's scripts and styles, in kilobytes of 1,000 bytes, rounded up. */
  readonly playgroundGzipKb: number;
  /** The compressed size of the widget's script, in the same unit. */
  readonly widgetGzipKb: number;
}

/** Builds all assets into a folder, which is created if it does not exist. Throws if they cannot be built. */
export async function buildAssets(folder = ASSETS_FOLDER): Promise<BuiltAssets> {
  const [playground, reference, widget] = await Promise.all([
    playgroundAssets(),
    referenceAssets(),
    widgetAssets(),
  ]);
  const description = await readFile(join(PROJECT, "docs/openapi.json"));
  await writeAssets(folder, new Map([...playground, ...reference, ...widget, ["openapi.json", description]]));

  const code = [...playground].filter(([path]) => /\.(?:js|css)$/u.test(path));
  return { playgroundGzipKb: gzipKb(code), widgetGzipKb: gzipKb([...widget]) };
}

/** Returns the compressed size of files in kilobytes of 1,000 bytes, rounded up. */
function gzipKb(files: readonly (readonly [string, Uint8Array])[]): number {
  const bytes = files.reduce((sum, [, content]) => sum + gzipSync(content).byteLength, 0);
  return Math.ceil(bytes / 1_000);
}

/** Bundles the playground: the page, and its script and styles. */
export async function playgroundAssets(): Promise<Assets> {
  const source = join(PROJECT, "playground");
  const files = await bundleFiles({
    absWorkingDir: source,
    entryPoints: { playground: "src/main.tsx", icon: "src/icon.svg" },
    jsx: "automatic",
    jsxImportSource: "preact",
  });
  return files.set("playground/index.html", await linkedPage(join(source, "index.html"), files));
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
    const draft = `${file}.${randomInt(1e12)}`;
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

/** Builds all assets as a command: says what was built, and fails if a script is too large. */
export async function buildWithinBudget(): Promise<void> {
  const { playgroundGzipKb, widgetGzipKb } = await buildAssets();
  console.log(
    `built: dist/assets (playground: ${playgroundGzipKb} KB of ${PLAYGROUND_BUDGET_KB} KB, widget: ${widgetGzipKb} KB of ${WIDGET_BUDGET_KB} KB, gzip)`,
  );
  if (playgroundGzipKb > PLAYGROUND_BUDGET_KB || widgetGzipKb > WIDGET_BUDGET_KB) process.exitCode = 1;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) await buildWithinBudget();

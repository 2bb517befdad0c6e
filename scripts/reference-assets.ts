import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { type Assets, bundleFiles, linkedPage } from "./page-bundle.ts";

const PROJECT = join(import.meta.dirname, "..");

/** Texts that are served as they are in `docs/`, by their paths among the assets. */
const TEXTS = { "docs.md": "docs/reference.md", "llms.txt": "docs/llms.txt" } as const;

/** The licences that Swagger UI and the libraries in it are passed on under, in its package. */
const LICENCES = ["LICENSE", "NOTICE", "swagger-ui-es-bundle.js.LICENSE.txt"];

/**
 * Returns the files of the reference, by their paths among the assets: the page at `/docs` with its script and style, whose names
 * contain a hash of their content, and the same reference as text.
 */
export async function referenceAssets(): Promise<Assets> {
  const files = await bundleFiles({
    absWorkingDir: PROJECT,
    entryPoints: { reference: "reference/src/main.ts", icon: "reference/src/icon.svg" },
  });
  const licences = await licencesOfSwaggerUi();
  files.set(`assets/licences-${hashOf(licences)}.txt`, licences);

  files.set("reference/index.html", await linkedPage(join(PROJECT, "reference/index.html"), files));
  for (const [path, source] of Object.entries(TEXTS)) files.set(path, await readFile(join(PROJECT, source)));
  return files;
}

async function licencesOfSwaggerUi(): Promise<Uint8Array> {
  const folder = dirname(createRequire(import.meta.url).resolve("swagger-ui-dist/package.json"));
  const texts = await Promise.all(LICENCES.map((name) => readFile(join(folder, name), "utf8")));
  return new TextEncoder().encode(texts.join("\n\n"));
}

/** Eight characters as esbuild's hashes have them, from which caches learn that the file never changes. */
const hashOf = (content: Uint8Array): string =>
  createHash("sha256").update(content).digest("hex").slice(0, 8).toUpperCase();

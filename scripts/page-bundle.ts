import { readFile } from "node:fs/promises";
import { basename } from "node:path";
import { build, type BuildOptions } from "esbuild";

/** The browsers that pages are built for. */
export const BROWSERS = ["es2023", "chrome120", "firefox121", "safari17.4"];

/** Files to serve, by their paths in the folder of assets. */
export type Assets = ReadonlyMap<string, Uint8Array>;

/** The sources of a page, and what esbuild needs beyond the options that all pages have. */
export interface PageSources extends Pick<BuildOptions, "jsx" | "jsxImportSource"> {
  /** The folder that the entry points are relative to. */
  readonly absWorkingDir: string;
  /** By the names that the page links to. */
  readonly entryPoints: Readonly<Record<string, string>>;
}

/**
 * Bundles the scripts, styles and pictures of a page, and returns them under names that contain a hash of their content, such as
 * `assets/playground-ABCDEFGH.js`. Throws if they cannot be built.
 */
export async function bundleFiles(sources: PageSources): Promise<Map<string, Uint8Array>> {
  const { outputFiles } = await build({
    ...sources,
    outdir: "out",
    entryNames: "[name]-[hash]",
    loader: { ".svg": "copy" },
    bundle: true,
    minify: true,
    write: false,
    format: "esm",
    target: BROWSERS,
    legalComments: "none",
    logLevel: "silent",
  });
  return new Map(outputFiles.map(({ path, contents }) => [`assets/${basename(path)}`, contents]));
}

/** Returns a page in which each `{{playground.js}}` is the address of that built file. Throws if one was not built. */
export async function linkedPage(file: string, files: Assets): Promise<Uint8Array> {
  const page = await readFile(file, "utf8");
  const linked = page.replaceAll(/\{\{(\w+\.\w+)\}\}/gu, (_match, name: string) => {
    const [stem = "", extension = ""] = name.split(".");
    const found = [...files.keys()].find(
      (path) => path.startsWith(`assets/${stem}-`) && path.endsWith(`.${extension}`),
    );
    if (found === undefined) throw new Error(`${file} links to ${name}, which was not built.`);
    return `/${found}`;
  });
  return new TextEncoder().encode(linked);
}

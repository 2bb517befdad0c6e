import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { build, type Plugin, transform } from "esbuild";
import { type Assets, BROWSERS } from "./page-bundle.ts";

const WIDGET = join(import.meta.dirname, "../widget");

/** Makes a style sheet a text of the script, which constructs it: pages of others have one file to load, and need not allow styles. */
const stylesAsText: Plugin = {
  name: "styles-as-text",
  setup(building) {
    building.onLoad({ filter: /\.css$/ }, async ({ path }) => {
      const { code } = await transform(await readFile(path), {
        loader: "css",
        minify: true,
        target: BROWSERS,
      });
      return { contents: code.trim(), loader: "text" };
    });
  },
};

/**
 * Returns the script that other sites embed, under a name without a hash: their pages keep its address. It is one file that leaves
 * nothing behind in the page but its handle. Throws if it cannot be built.
 */
export async function widgetAssets(): Promise<Assets> {
  const { outputFiles } = await build({
    absWorkingDir: WIDGET,
    entryPoints: { widget: "src/main.ts" },
    outdir: "out",
    plugins: [stylesAsText],
    jsx: "automatic",
    jsxImportSource: "preact",
    bundle: true,
    minify: true,
    write: false,
    format: "iife",
    target: BROWSERS,
    legalComments: "none",
    logLevel: "silent",
  });
  return new Map(outputFiles.map(({ contents }) => ["widget.js", contents]));
}

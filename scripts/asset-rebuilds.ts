import { watch } from "node:fs";
import { join } from "node:path";

import { buildAssets } from "./assets.ts";

/** What the playground, the widget and the reference page are built from. */
const SOURCES = ["playground", "widget", "client/src", "reference"].map((folder) =>
  join(import.meta.dirname, "..", folder),
);
/** Editors write a file in several steps, and several files at once. */
const PAUSE_MS = 100;

/** Builds the assets again after edits of what browsers load, and says if that fails. Returns what ends it. */
export function rebuildAfterEdits(say: (line: string) => void): () => void {
  let timer: NodeJS.Timeout | undefined;
  const rebuild = () => {
    buildAssets().then(
      () => say("The pages are built again. Reload yours."),
      (error: unknown) => say(`The pages cannot be built: ${String(error)}`),
    );
  };
  const watchers = SOURCES.map((folder) => {
    const watcher = watch(folder, { recursive: true });
    watcher.on("change", () => {
      clearTimeout(timer);
      timer = setTimeout(rebuild, PAUSE_MS);
    });
    watcher.on("error", (error) => say(`Edits of the pages are no longer noticed: ${error.message}`));
    return watcher;
  });
  return () => {
    clearTimeout(timer);
    for (const watcher of watchers) watcher.close();
  };
}

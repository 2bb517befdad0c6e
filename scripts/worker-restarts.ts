import { once } from "node:events";
import { watch } from "node:fs";

import type { LocalWorker } from "./wrangler-dev.ts";

/** How the Worker is started again. */
export interface Restarts {
  /** The folder with the Worker's source. */
  readonly sources: string;
  /** Starts the Worker, which need not be ready yet. */
  readonly start: () => Promise<LocalWorker>;
  readonly say: (line: string) => void;
}

/** A Worker that is started again after edits. */
export interface RestartedWorker {
  /** Settles when the Worker has ended and no edit explains it: its exit code, or null if a signal ended it. */
  readonly exited: Promise<number | null>;
  /** Ends the Worker and waits for it. It is not started again. */
  readonly stop: () => Promise<void>;
}

/**
 * Keeps a Worker running while its source is edited. wrangler ends with code 1 if it reloads source that builds but throws
 * while it is loaded, such as a half-edited file. Then the Worker is started again: at once, because the source may
 * have been mended meanwhile, and after each edit until it is ready.
 *
 * Takes a Worker that is ready.
 */
export function restartAfterEdits(ready: LocalWorker, { sources, start, say }: Restarts): RestartedWorker {
  const edits = countEdits(sources);
  let worker = ready;
  let isStopping = false;

  const run = async (): Promise<number | null> => {
    for (;;) {
      const before = edits.count();
      const code = await worker.exited;
      // Without an edit, another start would end the same way.
      if (isStopping || code === null || code === 0 || edits.count() === before) return code;

      say(`The Worker ended (code ${code}) after an edit. Starting it again.`);
      await untilReady();
    }
  };

  /** Starts the Worker after each edit, until it is ready or has to stop. */
  const untilReady = async (): Promise<void> => {
    for (;;) {
      if (isStopping) return;
      const before = edits.count();
      await worker.stop();
      worker = await start();
      const failure = await failureOf(worker);
      if (failure === undefined) return say("The Worker is ready again.");
      if (isStopping) return;

      say(`${failure}\nWaiting for an edit in ${sources}.`);
      if (edits.count() === before) await edits.next();
    }
  };

  const stop = async () => {
    isStopping = true;
    edits.close();
    await worker.stop();
  };
  return { exited: run(), stop };
}

/** Waits until a Worker is ready. Returns why it is not, or `undefined` if it is. */
async function failureOf(worker: LocalWorker): Promise<string | undefined> {
  try {
    await worker.ready();
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** Counts the changes of files in a folder and its subfolders. `next` waits for one. */
function countEdits(folder: string) {
  const watcher = watch(folder, { recursive: true });
  let count = 0;
  watcher.on("change", () => count++);
  // Without a watcher, the Worker's end is the end of `npm run dev`. `next` rejects with the error.
  watcher.on("error", () => undefined);
  return {
    count: () => count,
    next: async () => void (await once(watcher, "change")),
    close: () => watcher.close(),
  };
}

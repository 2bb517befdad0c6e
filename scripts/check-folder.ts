import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { LOCK_FILE } from "./data-folder.ts";

/**
 * Does everything to a folder that `npm run dev` needs it for, and ends. A process of its own, because a file system that
 * does not answer also keeps the process that asked from ending.
 */
const [folder = ""] = process.argv.slice(2);
const probe = join(folder, `check-${process.pid}`);

try {
  await mkdir(folder, { recursive: true });
  await readdir(folder);
  // More than file systems keep beside the names of files.
  await writeFile(probe, Buffer.alloc(64 * 1024));
  await rm(probe);
  await readFile(join(folder, LOCK_FILE)).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "ENOENT") throw error;
  });
} catch (error) {
  await rm(probe, { force: true }).catch(() => undefined);
  console.log((error as NodeJS.ErrnoException).code ?? String(error));
  process.exitCode = 1;
}

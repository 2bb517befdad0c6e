import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestProject } from "vitest/node";
import { buildService } from "../../scripts/self-host/build.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** The folder that the service has been built into, as `npm run build` does; for tests in a browser. */
    built: string;
  }
}

/** Builds the service once for all tests in a browser. */
export default async function setup(project: TestProject) {
  const folder = await mkdtemp(join(tmpdir(), "browser-tests-"));
  await buildService(folder);
  project.provide("built", folder);
  return () => rm(folder, { recursive: true });
}

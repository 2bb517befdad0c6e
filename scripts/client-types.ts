import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { renderClientTypes } from "./client/render-types.ts";
import type { Description } from "./client/description.ts";

const PROJECT = join(import.meta.dirname, "..");
const DESCRIPTION = join(PROJECT, "docs/openapi.json");
const FILE = join(PROJECT, "client/src/api.ts");

// Written by `scripts/openapi.ts`, whose tests validate it.
const text = renderClientTypes(JSON.parse(await readFile(DESCRIPTION, "utf8")) as Description);
if (process.argv.includes("--check")) {
  if ((await readFile(FILE, "utf8").catch(() => "")) !== text) {
    console.error("client/src/api.ts is out of date. Run: npm run openapi");
    process.exit(1);
  }
} else {
  await writeFile(FILE, text);
}

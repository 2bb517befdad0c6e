import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { passagesOf } from "../../src/knowledge/passages.ts";
import { readHtml } from "../../src/knowledge/reading/html/read-html.ts";
import { pageIdOf } from "../../src/shared/id-types.ts";
import { HOSTILE_PAGES } from "../knowledge/reading/pages/hostile.ts";
import { isLinear } from "./linear.ts";

/** Ten times the page, up to 1 MB. */
const SIZES = { small: 100_000, large: 1_000_000 };
const HEAP_MB = 100;

const read = (html: string) =>
  passagesOf(readHtml(html, "https://site.example/page").markdown, pageIdOf("page"));

describe("reads a hostile page of ten times the size with at most thirty times the work:", () => {
  it.each(Object.entries(HOSTILE_PAGES))("%s", async (_name, pageOf) => {
    expect(await isLinear(read, pageOf, SIZES)).toBe(true);
  });
});

describe("reads a page of 2 MB with a heap of 100 MB, of the 128 that a Worker has:", () => {
  it.each(Object.keys(HOSTILE_PAGES))("%s", async (name) => {
    const script = join(import.meta.dirname, "read-hostile-page.ts");
    const args = [`--max-old-space-size=${HEAP_MB}`, script, name];
    // Rejects if the process is ended because its heap is full.
    const { stdout } = await promisify(execFile)(process.execPath, args);

    expect(Number(stdout)).toBeGreaterThanOrEqual(0);
  });
});

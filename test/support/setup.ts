import { configureGlobal } from "fast-check";
import { afterEach, beforeEach, inject } from "vitest";
import { beginFile } from "./database-route.ts";

configureGlobal({ seed: inject("propertySeed") });
beginFile();

/**
 * Vite maps each frame of a stack that somebody reads to its source. In workerd it gets no source maps, and looks for one in the whole
 * code of the frame's module each time: for Stripe's package, which reads a stack per request, that was a third of the
 * time of its tests. `MappedLines` maps the frames of tests that have failed.
 */
Reflect.deleteProperty(Error, "prepareStackTrace");

/**
 * The Worker logs a line per request. Passing each of them to the reporter costs more than many requests do, and
 * only those of failed tests are shown. So they are collected here, and written if their test fails.
 */
const shared = globalThis as { writeLine?: typeof console.log };
// Files that share a worker run this again: the console's own function is the one that was there at first.
const write = (shared.writeLine ??= console.log);
const lines: unknown[][] = [];
console.log = (...line: unknown[]) => void lines.push(line);

beforeEach(() => {
  lines.length = 0;
});

afterEach(({ task }) => {
  if (task.result?.state === "fail") for (const line of lines) write(...line);
});

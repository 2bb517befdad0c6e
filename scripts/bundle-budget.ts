import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { gzipSync } from "node:zlib";

/**
 * What a deployment may weigh, compressed: start-up time grows with it. Kilobytes of 1,000 bytes. A third of it is the
 * libraries of OpenAI and Stripe, which can only be taken whole.
 */
const BUDGET_KB = 310;

const folder = await mkdtemp(join(tmpdir(), "bundle-"));
try {
  const wrangler = join(import.meta.dirname, "../node_modules/wrangler/bin/wrangler.js");
  await promisify(execFile)(process.execPath, [wrangler, "deploy", "--dry-run", "--outdir", folder], {
    cwd: join(import.meta.dirname, ".."),
    env: { ...process.env, WRANGLER_SEND_METRICS: "false", WRANGLER_WRITE_LOGS: "false" },
  });

  const kilobytes = Math.ceil(gzipSync(await readFile(join(folder, "index.js"))).byteLength / 1_000);
  console.log(`bundle: ${kilobytes} KB of ${BUDGET_KB} KB (gzip)`);
  if (kilobytes > BUDGET_KB) process.exitCode = 1;
} finally {
  await rm(folder, { recursive: true });
}

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buildAssets, PLAYGROUND_BUDGET_KB, WIDGET_BUDGET_KB } from "./assets.ts";
import { buildBundle } from "./bundle.ts";

/**
 * The maximum size of the compressed bundle, in kilobytes of 1,000 bytes: start-up time grows with it. A third of it is the
 * libraries of OpenAI, Stripe and the Model Context Protocol, which cannot be tree-shaken; see
 * `docs/decisions/0018-bundle-size.md`.
 */
const BUDGET_KB = 605;

const folder = await mkdtemp(join(tmpdir(), "bundle-"));
try {
  const { gzipKb } = await buildBundle(folder);
  console.log(`bundle: ${gzipKb} KB of ${BUDGET_KB} KB (gzip)`);
  const { playgroundGzipKb, widgetGzipKb } = await buildAssets();
  console.log(`playground: ${playgroundGzipKb} KB of ${PLAYGROUND_BUDGET_KB} KB (gzip)`);
  console.log(`widget: ${widgetGzipKb} KB of ${WIDGET_BUDGET_KB} KB (gzip)`);
  if (gzipKb > BUDGET_KB || playgroundGzipKb > PLAYGROUND_BUDGET_KB || widgetGzipKb > WIDGET_BUDGET_KB)
    process.exitCode = 1;
} finally {
  await rm(folder, { recursive: true });
}

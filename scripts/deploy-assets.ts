/**
 * The build command of wrangler.toml: builds what the service serves to browsers before wrangler bundles the Worker, so that no way of
 * deploying can leave it out. Does nothing within `npm run dev`, which builds by itself.
 *
 * @example wrangler deploy
 */
import { env } from "node:process";

if (env["ASSETS_ARE_BUILT"] !== "1") {
  // Loaded only here: it takes longer than to find out that there is nothing to do.
  const { buildWithinBudget } = await import("./assets.ts");
  await buildWithinBudget();
}

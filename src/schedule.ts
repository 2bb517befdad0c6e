import { configFrom } from "./config.ts";
import { portsFrom } from "./deps/ports.ts";
import { createPaymentServices } from "./deps/payments.ts";

/** Runs the scheduled work; see `triggers` in wrangler.toml. Does nothing if payments are not set up. */
export async function runSchedule(env: Env): Promise<void> {
  if (!configFrom(env).stripe) return;
  await createPaymentServices(await portsFrom(env)).subscriptionSyncService.reconcile();
}

import { configFrom } from "./config.ts";
import { portsFrom } from "./deps.ts";
import { createPayments } from "./payments/payments.ts";

/** What is done from time to time, without anybody asking; see `triggers` in wrangler.toml. */
export async function runSchedule(env: Env): Promise<void> {
  if (!configFrom(env).stripe) return;
  await createPayments(await portsFrom(env)).sync.reconcile();
}

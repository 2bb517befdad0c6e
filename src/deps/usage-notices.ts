import { UsageNotices } from "../webhooks/usage-notices.ts";
import type { Ports } from "./ports.ts";
import type { Repositories } from "./repositories.ts";

/** Constructs what tells the webhooks of accounts about their usage. */
export const createUsageNotices = (
  { clock, senderClient: sender }: Ports,
  { usage, webhooks }: Repositories,
): UsageNotices => new UsageNotices({ usage, webhooks, sender, clock });

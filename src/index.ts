import { createApp } from "./app.ts";
import { runSchedule } from "./schedule.ts";

export { AccountDeletion } from "./accounts/account-deletion.ts";
export { DeletionRunner } from "./deletions/deletion-runner.ts";
export { DocumentIndex } from "./knowledge/document-index.ts";
export { AccountMeter } from "./runs/account-meter.ts";
export { ConversationRunner } from "./runs/conversation-runner.ts";
export { CrawlRunner } from "./knowledge/crawling/crawl-runner.ts";
export { HostGate } from "./knowledge/crawling/host-gate.ts";
export { SearchIndex } from "./search/search-index.ts";
export { WebhookSender } from "./webhooks/webhook-sender.ts";
export type { AppType } from "./app.ts";

const app = createApp();

export default {
  fetch: app.fetch,
  scheduled: (_controller, env) => runSchedule(env),
} satisfies ExportedHandler<Env>;

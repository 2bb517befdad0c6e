import { createApp } from "./app.ts";
import { runSchedule } from "./schedule.ts";

export { AccountDeletion } from "./accounts/account-deletion.ts";
export { ConversationRunner } from "./runs/conversation-runner.ts";
export { SearchIndex } from "./search/search-index.ts";
export type { AppType } from "./app.ts";

const app = createApp();

export default {
  fetch: app.fetch,
  scheduled: (_controller, env) => runSchedule(env),
} satisfies ExportedHandler<Env>;

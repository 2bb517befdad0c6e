import { createApp } from "./app.ts";

export { AccountDeletion } from "./accounts/account-deletion.ts";
export { ConversationRunner } from "./runs/conversation-runner.ts";
export { SearchIndex } from "./search/search-index.ts";
export type { AppType } from "./app.ts";

export default createApp() satisfies ExportedHandler<Env>;

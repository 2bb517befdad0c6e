import { createApp } from "./app.ts";

export type { AppType } from "./app.ts";

export default createApp() satisfies ExportedHandler<Env>;

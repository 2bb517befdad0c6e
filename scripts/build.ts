import { join } from "node:path";

import { buildService } from "./self-host/build.ts";

await buildService(join(import.meta.dirname, "../dist"));
console.log("built: dist (npm start -- --built dist serves it)");

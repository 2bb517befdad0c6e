/**
 * A Worker in place of the one that reads PDF files, for `vitest.config.ts`. The library of the real one would have to be bundled
 * before each run of the tests; they call its functions directly. This one answers every file with one page that states its size.
 */
export const FAKE_PDF_READER = {
  // As wrangler.toml names it.
  name: "dynamic-agent-builder-pdf",
  modules: true,
  compatibilityDate: "2026-10-15",
  script: `
import { WorkerEntrypoint } from "cloudflare:workers";

export default class extends WorkerEntrypoint {
  read(bytes) {
    return { pages: ["This file has " + bytes.byteLength + " bytes."], title: "A file" };
  }
}
`,
};

import { WorkerEntrypoint } from "cloudflare:workers";
import type { PdfAnswer, PdfReader } from "../knowledge/reading/pdf.ts";
import { readPdfPages } from "./read-pages.ts";

/**
 * The Worker that reads PDF. It is separate because its library is larger than everything else together, and because a hostile
 * file that exhausts its memory or CPU time must not end the requests of others. It has no address: other Workers call it through
 * a service binding.
 */
export default class extends WorkerEntrypoint implements PdfReader {
  read(bytes: Uint8Array): Promise<PdfAnswer> {
    return readPdfPages(bytes);
  }
}

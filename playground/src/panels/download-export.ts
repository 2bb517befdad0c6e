import type { AgentBuilder, ExportLine } from "../../../client/src/index.ts";

/** After how many items the progress is reported: reporting each would take longer than receiving it. */
const PROGRESS_STEP = 100;

/**
 * Saves an export of the account as the file `account.ndjson` and returns its last line. Calls `onProgress` with the number of items
 * that have arrived, now and then. Throws what the client throws; then nothing is saved.
 */
export async function downloadExport(
  client: AgentBuilder,
  onProgress: (items: number) => void,
): Promise<ExportLine | undefined> {
  const lines: string[] = [];
  let last: ExportLine | undefined;
  for await (const line of client.account.export()) {
    last = line;
    lines.push(`${JSON.stringify(line)}\n`);
    if (lines.length % PROGRESS_STEP === 0) onProgress(lines.length);
  }
  const url = URL.createObjectURL(new Blob(lines, { type: "application/x-ndjson" }));
  const link = document.createElement("a");
  link.href = url;
  link.download = "account.ndjson";
  link.click();
  // The browser has begun to save it, and keeps what it needs.
  URL.revokeObjectURL(url);
  return last;
}

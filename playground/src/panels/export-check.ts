import type { ExportLine } from "../../../client/src/index.ts";

/** What the end of an export says. */
export type ExportEnding =
  | { readonly kind: "complete"; readonly items: number }
  | { readonly kind: "incomplete"; readonly detail: string };

/**
 * Returns whether an export is complete. Only a last line of the type `end` says so: an answer that broke off looks like a shorter
 * one.
 */
export function exportEnding(lastLine: ExportLine | undefined): ExportEnding {
  if (lastLine?.type === "end" && typeof lastLine.items === "number")
    return { kind: "complete", items: lastLine.items };
  const reason =
    lastLine?.type === "error" && typeof lastLine.detail === "string" ? `${lastLine.detail} ` : "";
  return { kind: "incomplete", detail: `${reason}The export is not complete. Please try again.` };
}

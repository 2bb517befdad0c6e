type ToolState = "running" | "done" | "failed";

/** What tools do, in the words of people: while they run, and afterwards. Others are shown under their names. */
const VERBS: readonly (readonly [RegExp, string, string])[] = [
  [/^knowledge_base_read/u, "Reading the knowledge", "Read the knowledge"],
  [/^knowledge_base/u, "Searching the knowledge", "Searched the knowledge"],
  [/^archival_memory_search/u, "Searching its archive", "Searched its archive"],
  [/^archival_memory_read/u, "Reading its archive", "Read its archive"],
  [/^archival_memory/u, "Writing into its archive", "Wrote into its archive"],
  [/^recall/u, "Searching earlier conversations", "Searched earlier conversations"],
  [/^core_memory_(?:read|list)/u, "Reading its memory", "Read its memory"],
  [/^core_memory/u, "Changing its memory", "Changed its memory"],
];

/** Returns what a tool does, in a few words. */
export function toolLabel(name: string, state: ToolState): string {
  const [, running, done] = VERBS.find(([pattern]) => pattern.test(name)) ?? [];
  if (running === undefined || done === undefined)
    return state === "failed" ? "A tool failed" : "Using a tool";
  if (state === "failed") return `${running} failed`;
  return state === "running" ? `${running}…` : done;
}

/** Returns the arguments of a stored call. What is no object of JSON is shown as it is. */
export function argumentsIn(json: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(json);
    if (typeof value === "object" && value !== null && !Array.isArray(value))
      return Object.fromEntries(Object.entries(value));
  } catch {
    // A model may write anything.
  }
  return json === "" ? {} : { arguments: json };
}

import * as z from "zod";
import { sourcesField, SourcesView } from "../knowledge/citation-model.ts";
import type { FormerMemory, Memory } from "./archival-model.ts";

/** A memory in responses. */
export const MemoryView = z
  .object({
    memory_id: z.string(),
    content: z.string(),
    created_at: z.string(),
    occurred_at: z.string().nullable(),
    sources: SourcesView,
  })
  .meta({ id: "Memory" });

/** The part of a memory that does not reveal its content, for callers that may write but not read. */
export const MemoryReference = MemoryView.pick({ memory_id: true, created_at: true }).meta({
  id: "MemoryReference",
});

export const toMemoryView = (memory: Memory): z.infer<typeof MemoryView> => ({
  memory_id: memory.id,
  content: memory.content,
  created_at: memory.createdAt,
  occurred_at: memory.occurredAt,
  ...sourcesField(memory.sources),
});

/** An earlier text of a memory in exports. */
export const toFormerMemoryView = (memory: FormerMemory) => ({
  ...toMemoryView(memory),
  superseded_at: memory.supersededAt,
});

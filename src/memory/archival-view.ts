import * as z from "zod";
import type { Memory } from "./archival-model.ts";

/** A memory as callers see it. */
export const MemoryView = z
  .object({
    memory_id: z.string(),
    content: z.string(),
    created_at: z.string(),
    occurred_at: z.string().nullable(),
  })
  .meta({ id: "Memory" });

export const toMemoryView = (memory: Memory): z.infer<typeof MemoryView> => ({
  memory_id: memory.id,
  content: memory.content,
  created_at: memory.createdAt,
  occurred_at: memory.occurredAt,
});

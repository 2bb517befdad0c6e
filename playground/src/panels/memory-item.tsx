import { useState } from "preact/hooks";
import type { FoundMemories } from "../../../client/src/index.ts";
import { fullTime } from "../format.ts";
import { useClient } from "../session.tsx";
import { Confirm, IconButton, toast } from "../ui/index.ts";
import { formatDay } from "./formats.ts";
import { MarkedText } from "./marked-text.tsx";

/** A memory in a list. */
export type ShownMemory = FoundMemories["items"][number];

interface MemoryItemProps {
  readonly agentId: string;
  readonly memory: ShownMemory;
  /** The words to mark. */
  readonly terms: readonly string[];
  readonly onEdit: () => void;
  readonly onDeleted: () => void;
}

/** A memory in a list: its text with the matched words, when it was written, and what can be done with it. */
export function MemoryItem({ agentId, memory, terms, onEdit, onDeleted }: MemoryItemProps) {
  const client = useClient();
  const [isAsking, setAsking] = useState(false);
  const { memory_id: memoryId, content, created_at: createdAt, occurred_at: occurredAt } = memory;
  const remove = async () => {
    await client.request("DELETE", "/agents/{agentId}/archival-memory/{memoryId}", {
      path: { agentId, memoryId },
    });
    onDeleted();
    toast("The memory is deleted.");
  };
  const title = content.slice(0, 40);
  return (
    <li class="archival-item">
      <MarkedText text={content} terms={terms} />
      <div class="row archival-foot">
        <span class="muted" title={fullTime(createdAt)}>
          {occurredAt ? `About ${formatDay(occurredAt)}` : formatDay(createdAt)}
          {memory.superseded_at && ` · replaced ${formatDay(memory.superseded_at)}`}
        </span>
        <span class="row memory-actions">
          <IconButton icon="edit" label={`Edit the memory “${title}”`} onClick={onEdit} />
          <IconButton icon="trash" label={`Delete the memory “${title}”`} onClick={() => setAsking(true)} />
        </span>
      </div>
      {isAsking && (
        <Confirm
          title="Delete this memory?"
          confirmLabel="Delete memory"
          onConfirm={remove}
          onClose={() => setAsking(false)}
        >
          The text and all its former versions are deleted for good.
        </Confirm>
      )}
    </li>
  );
}

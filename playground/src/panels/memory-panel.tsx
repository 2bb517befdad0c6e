import { useState } from "preact/hooks";
import type { Agent } from "../../../client/src/index.ts";
import { Button, Empty, Problem, Skeleton } from "../ui/index.ts";
import { BlockCard } from "./block-card.tsx";
import { BlockDialog } from "./block-dialog.tsx";
import { useMemory } from "./use-memory.ts";
import "./memory.css";

/** The core memory of an agent beside a chat: its blocks, and what has just changed in them. */
export function MemoryPanel({ agent }: { readonly agent: Agent }) {
  const memory = useMemory(agent.agent_id);
  const [isCreating, setCreating] = useState(false);
  const { blocks, contents, error, news } = memory;

  return (
    <div class="stack memory-panel">
      <div class="row memory-head">
        <p class="muted">Read before every answer, and written by the agent while it talks.</p>
        <Button small kind="quiet" icon="plus" onClick={() => setCreating(true)}>
          New block
        </Button>
      </div>
      <p class="visually-hidden" role="status">
        {news}
      </p>
      {error !== undefined && <Problem error={error} retry={memory.reload} />}
      {blocks === undefined && error === undefined && <Skeleton lines={6} />}
      {blocks?.length === 0 && (
        <Empty icon="layers" title="No memory yet">
          Tell the agent something about you. What it wants to keep appears here as it writes it.
        </Empty>
      )}
      {blocks?.map((block) => (
        <BlockCard
          key={block.block_name}
          agentId={agent.agent_id}
          block={block}
          content={contents.get(block.block_name)}
          memory={memory}
        />
      ))}
      {isCreating && (
        <BlockDialog agentId={agent.agent_id} onClose={() => setCreating(false)} onSaved={memory.reload} />
      )}
    </div>
  );
}

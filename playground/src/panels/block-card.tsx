import { useState } from "preact/hooks";
import type { MemoryBlock } from "../../../client/src/index.ts";
import { formatNumber } from "../format.ts";
import { useAction } from "../data.ts";
import { useClient } from "../session.tsx";
import { Bar, Button, Confirm, IconButton, Problem, Skeleton, toast } from "../ui/index.ts";
import { BlockDialog } from "./block-dialog.tsx";
import { BlockEditor } from "./block-editor.tsx";
import { BlockHistory } from "./block-history.tsx";
import { counted } from "./formats.ts";
import type { ShownContent } from "./memory-state.ts";
import type { LiveMemory } from "./use-memory.ts";

interface BlockCardProps {
  readonly agentId: string;
  readonly block: MemoryBlock;
  /** `undefined` until its lines are read. */
  readonly content: ShownContent | undefined;
  readonly memory: Pick<LiveMemory, "reload" | "reloadBlock" | "forget">;
}

/** A block of core memory: how full it is, its lines with the last change marked, and what can be done with it. */
export function BlockCard({ agentId, block, content, memory }: BlockCardProps) {
  const client = useClient();
  const name = block.block_name;
  const [open, setOpen] = useState<"editor" | "history" | "settings" | "deletion">();
  const close = () => setOpen(undefined);
  const undo = useAction(async () => {
    await client.agents(agentId).memory.block(name).undo();
    memory.reloadBlock(name);
    toast(`The last change of ${name} is undone.`);
  });
  const remove = async () => {
    await client.request("DELETE", "/agents/{agentId}/memory-blocks/{blockName}", {
      path: { agentId, blockName: name },
    });
    memory.forget(name);
    toast(`The block ${name} is deleted.`);
  };

  const words = content?.words ?? block.word_count;
  const limit = content?.wordLimit ?? block.word_limit;
  const isMarked = content !== undefined && content.changed.size + content.removed.length > 0;
  const headingId = `memory-block-${name}`;
  return (
    <section class="card memory-block" aria-labelledby={headingId} data-changed={isMarked}>
      <header class="row">
        <div>
          <h2 id={headingId} class="mono">
            {name}
          </h2>
          <p class="muted">{block.description}</p>
        </div>
        <div class="row memory-actions">
          <IconButton icon="edit" label={`Edit the lines of ${name}`} onClick={() => setOpen("editor")} />
          <IconButton icon="history" label={`History of ${name}`} onClick={() => setOpen("history")} />
          <IconButton icon="gear" label={`Settings of ${name}`} onClick={() => setOpen("settings")} />
          {!block.is_default && (
            <IconButton icon="trash" label={`Delete ${name}`} onClick={() => setOpen("deletion")} />
          )}
        </div>
      </header>
      <div class="memory-fill">
        <Bar
          value={words}
          max={limit}
          label={`${name}: ${formatNumber(words)} of ${counted(limit, "word")}`}
        />
        <span class="muted" aria-hidden="true">
          {formatNumber(words)} / {counted(limit, "word")}
        </span>
      </div>
      {open === "editor" && content ? (
        <BlockEditor
          agentId={agentId}
          name={name}
          content={content}
          onClose={close}
          onSaved={() => memory.reloadBlock(name)}
        />
      ) : (
        <BlockLines content={content} />
      )}
      {isMarked && open !== "editor" && (
        <div class="row memory-undo">
          <Button kind="quiet" icon="undo" busy={undo.busy} onClick={() => void undo.run()}>
            Undo this change
          </Button>
        </div>
      )}
      {undo.error !== undefined && <Problem error={undo.error} />}
      {open === "history" && (
        <BlockHistory
          agentId={agentId}
          name={name}
          onClose={close}
          onChanged={() => memory.reloadBlock(name)}
        />
      )}
      {open === "settings" && (
        <BlockDialog agentId={agentId} block={block} onClose={close} onSaved={memory.reload} />
      )}
      {open === "deletion" && (
        <Confirm
          title={`Delete the block ${name}?`}
          confirmLabel="Delete block"
          onConfirm={remove}
          onClose={close}
        >
          The agent forgets its {counted(content?.lines.length ?? 0, "line")}. This can’t be undone here.
        </Confirm>
      )}
    </section>
  );
}

/** The lines of a block. Those that the last change has added are marked; those that it has removed are crossed out below. */
function BlockLines({ content }: { readonly content: ShownContent | undefined }) {
  if (content === undefined) return <Skeleton lines={2} />;
  const { lines, changed, removed } = content;
  if (lines.length + removed.length === 0) return <p class="muted memory-empty">Nothing here yet.</p>;
  return (
    <ol class="memory-lines">
      {lines.map((line, index) => (
        // A marked line is a new element, so that its mark fades in again when the line changes again.
        <li key={`${index}-${changed.has(index) ? line : ""}`} data-changed={changed.has(index)}>
          {changed.has(index) && <span class="visually-hidden">New: </span>}
          {line}
        </li>
      ))}
      {removed.map((line) => (
        <li key={`removed-${line}`} data-removed="true">
          <del>
            <span class="visually-hidden">Removed: </span>
            {line}
          </del>
        </li>
      ))}
    </ol>
  );
}

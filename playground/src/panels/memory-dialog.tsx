import { useState } from "preact/hooks";
import { useAction } from "../data.ts";
import { useClient } from "../session.tsx";
import { Button, Dialog, Field, fieldErrors, Problem, TextArea, TextInput, toast } from "../ui/index.ts";
import { dateOf } from "./formats.ts";
import type { ShownMemory } from "./memory-item.tsx";

interface MemoryDialogProps {
  readonly agentId: string;
  /** The memory to change; absent to add one. */
  readonly memory?: ShownMemory;
  readonly onClose: () => void;
  readonly onSaved: () => void;
}

/** Adds an archival memory, or changes its text and date. */
export function MemoryDialog({ agentId, memory, onClose, onSaved }: MemoryDialogProps) {
  const client = useClient();
  const before = memory?.occurred_at ? dateOf(memory.occurred_at) : "";
  const [content, setContent] = useState(memory?.content ?? "");
  const [date, setDate] = useState(before);
  const save = useAction(async () => {
    if (memory === undefined) {
      const body = { content, ...(date !== "" && { occurred_at: date }) };
      const { status } = await client.exchange("POST", "/agents/{agentId}/archival-memory", {
        path: { agentId },
        body,
      });
      toast(status === 200 ? "The agent has this memory already." : "The memory is stored.");
    } else {
      await client.request("PATCH", "/agents/{agentId}/archival-memory/{memoryId}", {
        path: { agentId, memoryId: memory.memory_id },
        // A time of day that a program has stored stays, unless the date was changed here.
        body: { content, ...(date !== before && { occurred_at: date === "" ? null : date }) },
      });
    }
    onSaved();
    onClose();
  });
  const errors = fieldErrors(save.error);
  const isAtField = errors["content"] !== undefined || errors["occurred_at"] !== undefined;
  return (
    <Dialog title={memory ? "Edit memory" : "New memory"} onClose={onClose}>
      <form
        class="stack"
        onSubmit={(event) => {
          event.preventDefault();
          void save.run();
        }}
      >
        <Field
          label="Text"
          help="The agent finds it by its words and, if embeddings are set up, by its meaning."
          error={errors["content"]}
        >
          {(ids) => <TextArea {...ids} autofocus required rows={6} value={content} onValue={setContent} />}
        </Field>
        <Field
          label="When it happened"
          help="Optional. Searches by date use it."
          error={errors["occurred_at"]}
        >
          {(ids) => <TextInput {...ids} type="date" value={date} onValue={setDate} />}
        </Field>
        {save.error !== undefined && !isAtField && <Problem error={save.error} />}
        <div class="row">
          <Button type="submit" kind="primary" busy={save.busy}>
            {memory ? "Save memory" : "Store memory"}
          </Button>
          <Button kind="quiet" onClick={onClose}>
            Cancel
          </Button>
        </div>
      </form>
    </Dialog>
  );
}

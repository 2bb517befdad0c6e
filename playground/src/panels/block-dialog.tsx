import { useState } from "preact/hooks";
import type { MemoryBlock } from "../../../client/src/index.ts";
import { useAction } from "../data.ts";
import { useClient } from "../session.tsx";
import { Button, Dialog, Field, fieldErrors, Problem, TextInput } from "../ui/index.ts";

interface BlockDialogProps {
  readonly agentId: string;
  /** The block to change; absent to create one. */
  readonly block?: MemoryBlock;
  readonly onClose: () => void;
  readonly onSaved: () => void;
}

/** Creates a block of core memory, or changes what it is for and how long it may be. */
export function BlockDialog({ agentId, block, onClose, onSaved }: BlockDialogProps) {
  const client = useClient();
  const [name, setName] = useState("");
  const [description, setDescription] = useState(block?.description ?? "");
  const [limit, setLimit] = useState(String(block?.word_limit ?? ""));
  const save = useAction(async () => {
    const settings = { description, ...(limit.trim() !== "" && { word_limit: Number(limit) }) };
    if (block === undefined)
      await client.request("POST", "/agents/{agentId}/memory-blocks", {
        path: { agentId },
        body: { name, ...settings },
      });
    else
      await client.request("PATCH", "/agents/{agentId}/memory-blocks/{blockName}", {
        path: { agentId, blockName: block.block_name },
        body: settings,
      });
    onSaved();
    onClose();
  });
  const errors = fieldErrors(save.error);
  const isAtField = ["name", "description", "word_limit"].some((field) => errors[field] !== undefined);

  return (
    <Dialog title={block ? `Settings of ${block.block_name}` : "New memory block"} onClose={onClose}>
      <form
        class="stack"
        onSubmit={(event) => {
          event.preventDefault();
          void save.run();
        }}
      >
        {!block && (
          <Field
            label="Name"
            help="Lower-case letters, digits and underscores, such as travel_plans."
            error={errors["name"]}
          >
            {(ids) => <TextInput {...ids} autofocus required maxLength={50} value={name} onValue={setName} />}
          </Field>
        )}
        <Field
          label="What belongs into it"
          help="The agent reads this sentence and decides by it what to write down here."
          error={errors["description"]}
        >
          {(ids) => (
            <TextInput {...ids} required maxLength={200} value={description} onValue={setDescription} />
          )}
        </Field>
        <Field
          label="Most words"
          help="100 to 50,000. The whole block is a part of every prompt."
          error={errors["word_limit"]}
        >
          {(ids) => (
            <TextInput {...ids} inputMode="numeric" placeholder="5000" value={limit} onValue={setLimit} />
          )}
        </Field>
        {save.error !== undefined && !isAtField && <Problem error={save.error} />}
        <div class="row">
          <Button type="submit" kind="primary" busy={save.busy}>
            {block ? "Save settings" : "Create block"}
          </Button>
          <Button kind="quiet" onClick={onClose}>
            Cancel
          </Button>
        </div>
      </form>
    </Dialog>
  );
}

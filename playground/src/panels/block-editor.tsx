import { useEffect, useRef, useState } from "preact/hooks";
import { ApiError } from "../../../client/src/index.ts";
import { formatNumber } from "../format.ts";
import { useAction } from "../data.ts";
import { useClient } from "../session.tsx";
import { Button, Field, fieldErrors, Problem, TextArea } from "../ui/index.ts";
import { counted } from "./formats.ts";
import { countWords, linesOf, type ShownContent } from "./memory-state.ts";

interface BlockEditorProps {
  readonly agentId: string;
  readonly name: string;
  readonly content: ShownContent;
  readonly onClose: () => void;
  readonly onSaved: () => void;
}

/** Edits the lines of a block as one text. If the agent changes the block meanwhile, nothing is overwritten unasked. */
export function BlockEditor({ agentId, name, content, onClose, onSaved }: BlockEditorProps) {
  const client = useClient();
  const [text, setText] = useState(content.lines.join("\n"));
  // What the editor began with: the content that is shown beside it may change while somebody types.
  const [{ tag }] = useState(content);
  const form = useRef<HTMLFormElement>(null);
  useEffect(() => form.current?.querySelector("textarea")?.focus(), []);
  const lines = linesOf(text);
  const words = countWords(lines);

  const save = useAction(async (isForced: boolean) => {
    await client.request("PUT", "/agents/{agentId}/memory-blocks/{blockName}/content", {
      path: { agentId, blockName: name },
      body: { lines },
      ...(!isForced && tag !== null && { headers: { "If-Match": tag } }),
    });
    onSaved();
    onClose();
  });
  const isOutdated = save.error instanceof ApiError && save.error.code === "precondition-failed";
  const atField = fieldErrors(save.error)["lines"];

  return (
    <form
      ref={form}
      class="stack memory-editor"
      onSubmit={(event) => {
        event.preventDefault();
        void save.run(false);
      }}
    >
      <Field label={`Lines of ${name}`} help="One fact per line." error={atField}>
        {(ids) => (
          <TextArea
            {...ids}
            rows={Math.min(14, Math.max(4, text.split("\n").length + 1))}
            value={text}
            onValue={setText}
            onKeyDown={(event) => {
              if (event.key === "Escape") onClose();
              if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) void save.run(false);
            }}
          />
        )}
      </Field>
      <p class="muted" data-fill={words > content.wordLimit ? "full" : undefined}>
        {formatNumber(words)} of {counted(content.wordLimit, "word")} · {counted(lines.length, "line")}
      </p>
      {isOutdated && (
        <div class="memory-conflict" role="alert">
          <p>
            The block has changed since you began. Its current lines: {content.lines.join(" · ") || "none"}.
          </p>
          <Button kind="danger" onClick={() => void save.run(true)}>
            Replace them with mine
          </Button>
        </div>
      )}
      {save.error !== undefined && !isOutdated && atField === undefined && <Problem error={save.error} />}
      <div class="row">
        <Button type="submit" kind="primary" busy={save.busy}>
          Save lines
        </Button>
        <Button kind="quiet" onClick={onClose}>
          Cancel
        </Button>
      </div>
    </form>
  );
}

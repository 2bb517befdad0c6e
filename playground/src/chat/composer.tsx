import { useEffect, useId, useRef, useState } from "preact/hooks";
import { formatBytes } from "../format.ts";
import { fieldErrors, Icon, IconButton, Problem } from "../ui/index.ts";
import { attach, type PickedFile } from "./attachments.ts";
import type { Attachment } from "./thread.ts";

export interface ComposerProps {
  readonly agentName: string;
  readonly isRunning: boolean;
  /** Why the last message was refused. */
  readonly refusal: unknown;
  readonly onSend: (content: string, attachments: readonly Attachment[]) => Promise<boolean>;
  readonly onStop: () => Promise<void>;
  /** Files that were dropped on the chat. */
  readonly dropped: readonly PickedFile[];
}

/** Where messages are written. Enter sends, Shift and Enter make a line. A message that is refused stays. */
export function Composer({ agentName, isRunning, refusal, onSend, onStop, dropped }: ComposerProps) {
  const [text, setText] = useState("");
  const [attachments, setAttachments] = useState<readonly Attachment[]>([]);
  const [problems, setProblems] = useState<readonly string[]>([]);
  const [stopError, setStopError] = useState<unknown>();
  const area = useRef<HTMLTextAreaElement>(null);
  const picker = useRef<HTMLInputElement>(null);
  const hintId = useId();
  const canSend = !isRunning && (text.trim() !== "" || attachments.length > 0);

  const add = async (files: readonly PickedFile[]) => {
    if (files.length === 0) return;
    const picked = await attach(attachments, files);
    setAttachments(picked.attachments);
    setProblems(picked.problems);
    area.current?.focus();
  };
  useEffect(() => void add(dropped), [dropped]);
  useEffect(() => {
    const element = area.current;
    if (!element) return;
    element.style.height = "auto";
    element.style.height = `${element.scrollHeight}px`;
  }, [text]);

  const send = async () => {
    if (!canSend) return;
    const draft = { text, attachments };
    setText("");
    setAttachments([]);
    setProblems([]);
    if (await onSend(draft.text, draft.attachments)) return;
    setText((now) => now || draft.text);
    setAttachments((now) => (now.length > 0 ? now : draft.attachments));
  };
  const onKeyDown = (event: KeyboardEvent) => {
    // While an input method composes a character, Enter belongs to it.
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    void send();
  };
  const stop = () => {
    setStopError(undefined);
    onStop().catch(setStopError);
  };
  const atFields = Object.values(fieldErrors(refusal));

  return (
    <div class="composer">
      {refusal !== undefined && (
        <Problem error={atFields.length > 0 ? new Error(atFields.join(" ")) : refusal} />
      )}
      {stopError !== undefined && <Problem error={stopError} retry={stop} />}
      {problems.length > 0 && <Problem error={new Error(problems.join(" "))} />}
      <form
        class="composer-box"
        onSubmit={(event) => {
          event.preventDefault();
          void send();
        }}
      >
        {attachments.length > 0 && (
          <ul class="composer-files" aria-label="Attached files">
            {attachments.map((file) => (
              <li key={file.filename} class="file">
                <Icon name="file" size={14} />
                {file.filename} <span class="muted">{formatBytes(file.size)}</span>
                <button
                  type="button"
                  class="file-remove"
                  aria-label={`Remove ${file.filename}`}
                  onClick={() => setAttachments(attachments.filter((other) => other !== file))}
                >
                  <Icon name="close" size={13} />
                </button>
              </li>
            ))}
          </ul>
        )}
        <textarea
          ref={area}
          class="composer-text"
          rows={1}
          value={text}
          placeholder={`Message ${agentName}`}
          aria-label={`Message ${agentName}`}
          aria-describedby={hintId}
          onInput={(event) => setText(event.currentTarget.value)}
          onKeyDown={onKeyDown}
          onPaste={(event) => {
            const files = [...(event.clipboardData?.files ?? [])];
            if (files.length === 0) return;
            event.preventDefault();
            void add(files);
          }}
        />
        <div class="composer-actions">
          <input
            ref={picker}
            type="file"
            multiple
            hidden
            onChange={(event) => {
              void add([...(event.currentTarget.files ?? [])]);
              event.currentTarget.value = "";
            }}
          />
          <IconButton icon="attach" label="Attach text files" onClick={() => picker.current?.click()} />
          <span class="composer-hint" id={hintId}>
            Enter sends, Shift+Enter makes a new line
          </span>
          {isRunning ? (
            <IconButton icon="stop" label="Stop the answer" kind="primary" onClick={stop} />
          ) : (
            <IconButton icon="send" label="Send" kind="primary" type="submit" disabled={!canSend} />
          )}
        </div>
      </form>
    </div>
  );
}

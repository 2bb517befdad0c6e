import type { ComponentChildren } from "preact";
import { useEffect, useId, useRef, useState } from "preact/hooks";
import { useAction } from "../data.ts";
import { Button, IconButton } from "./button.tsx";
import { Field, TextInput } from "./field.tsx";
import { Problem } from "./problem.tsx";

export interface DialogProps {
  readonly title: string;
  readonly onClose: () => void;
  readonly children: ComponentChildren;
  /** Buttons below the content. */
  readonly actions?: ComponentChildren;
  readonly wide?: boolean;
}

/**
 * A dialog above the page. The browser keeps the focus inside, and returns it to where it was. Escape and a click beside the dialog
 * close it.
 */
export function Dialog({ title, onClose, children, actions, wide = false }: DialogProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  const titleId = useId();
  useEffect(() => {
    const element = dialog.current;
    const before = document.activeElement;
    element?.showModal();
    return () => {
      element?.close();
      if (before instanceof HTMLElement) before.focus();
    };
  }, []);
  return (
    <dialog
      ref={dialog}
      class="dialog"
      data-wide={wide || undefined}
      aria-labelledby={titleId}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
      onKeyDown={(event) => {
        // Escape closes the dialog, and not what is open below it.
        if (event.key === "Escape") event.stopPropagation();
      }}
      onMouseDown={(event) => {
        if (event.target === dialog.current) onClose();
      }}
    >
      <div class="dialog-box">
        <header class="dialog-head">
          <h2 id={titleId}>{title}</h2>
          <IconButton icon="close" label="Close" onClick={onClose} />
        </header>
        <div class="dialog-body">{children}</div>
        {actions !== undefined && <footer class="dialog-actions">{actions}</footer>}
      </div>
    </dialog>
  );
}

export interface ConfirmProps {
  readonly title: string;
  /** What will happen. */
  readonly children: ComponentChildren;
  readonly confirmLabel: string;
  /** Has to be typed before the button works. For what cannot be undone. */
  readonly typed?: string;
  /** Closes the dialog unless it throws; then the problem is shown. */
  readonly onConfirm: () => Promise<unknown>;
  readonly onClose: () => void;
}

/** Asks before something is done that is hard to undo. */
export function Confirm({ title, children, confirmLabel, typed, onConfirm, onClose }: ConfirmProps) {
  const [text, setText] = useState("");
  const { run, busy, error } = useAction(onConfirm);
  const isReady = typed === undefined || text === typed;
  const submit = async () => {
    if (isReady && (await run())) onClose();
  };
  return (
    <Dialog
      title={title}
      onClose={onClose}
      actions={
        <>
          <Button kind="quiet" onClick={onClose}>
            Cancel
          </Button>
          <Button kind="danger" busy={busy} disabled={!isReady} onClick={() => void submit()}>
            {confirmLabel}
          </Button>
        </>
      }
    >
      <div class="stack">
        <div>{children}</div>
        {typed !== undefined && (
          <Field label={`Type ${typed} to confirm`}>
            {(ids) => (
              <TextInput {...ids} value={text} onValue={setText} autocomplete="off" spellcheck={false} />
            )}
          </Field>
        )}
        {error !== undefined && <Problem error={error} />}
      </div>
    </Dialog>
  );
}

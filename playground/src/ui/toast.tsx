import { useEffect, useState } from "preact/hooks";
import { Button, IconButton } from "./button.tsx";
import { Icon } from "./icon.tsx";

export interface ToastOptions {
  readonly kind?: "info" | "ok" | "error";
  /** Something that can be done about it, such as undoing it. */
  readonly action?: { readonly label: string; readonly run: () => void };
}

interface Shown extends ToastOptions {
  readonly id: number;
  readonly text: string;
}

/** How long a message stays, in milliseconds. One that can be acted on stays longer. */
const STAYS_MS = { plain: 5_000, withAction: 10_000 };

let lastId = 0;
let show: ((toast: Shown) => void) | undefined;

/** Shows a short message at the edge of the page for some seconds. Problems belong beside what they are about, not here. */
export function toast(text: string, options: ToastOptions = {}): void {
  lastId += 1;
  show?.({ ...options, id: lastId, text });
}

/** Where messages appear. Mounted once. */
export function Toasts() {
  const [shown, setShown] = useState<readonly Shown[]>([]);
  const drop = (id: number) => setShown((all) => all.filter((one) => one.id !== id));
  useEffect(() => {
    show = (next) => {
      setShown((all) => [...all.slice(-2), next]);
      setTimeout(() => drop(next.id), next.action ? STAYS_MS.withAction : STAYS_MS.plain);
    };
    return () => {
      show = undefined;
    };
  }, []);
  return (
    <div class="toasts" role="status" aria-live="polite">
      {shown.map(({ id, text, kind = "info", action }) => (
        <div key={id} class="toast" data-kind={kind}>
          {kind !== "info" && <Icon name={kind === "ok" ? "check" : "alert"} size={16} />}
          <span class="toast-text">{text}</span>
          {action && (
            <Button
              small
              kind="quiet"
              onClick={() => {
                drop(id);
                action.run();
              }}
            >
              {action.label}
            </Button>
          )}
          <IconButton icon="close" label="Dismiss" onClick={() => drop(id)} />
        </div>
      ))}
    </div>
  );
}

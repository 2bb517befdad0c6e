import { useEffect, useRef } from "preact/hooks";
import type { Citation, RunEvent } from "./types.ts";

/** How a run has ended, as far as this page knows. */
type RunOutcome = "complete" | "cancelled" | "error";

/** What one part of the page tells the others. */
export type BusEvent =
  /** Every event of a chat's stream, in order. */
  | {
      readonly type: "run-event";
      readonly agentId: string;
      readonly conversationId: string;
      readonly event: RunEvent;
    }
  | {
      readonly type: "run-ended";
      readonly agentId: string;
      readonly conversationId: string;
      readonly outcome: RunOutcome;
    }
  | { readonly type: "agents-changed" }
  | { readonly type: "conversations-changed" }
  | { readonly type: "providers-changed" }
  | { readonly type: "knowledge-changed" }
  /** Shows the passage that an answer refers to. */
  | { readonly type: "open-passage"; readonly citation: Citation }
  /** Shows one of the panels beside the chat. */
  | { readonly type: "open-panel"; readonly id: string };

type EventOf<Type extends BusEvent["type"]> = Extract<BusEvent, { type: Type }>;
type Listener = (event: BusEvent) => void;

const listeners = new Set<Listener>();

/** Carries news between parts of the page that do not know each other. */
export const bus = {
  /** Calls the listener with every event of a type. Returns what ends that. */
  on<Type extends BusEvent["type"]>(type: Type, listener: (event: EventOf<Type>) => void): () => void {
    const listening: Listener = (event) => {
      // The comparison makes it the event of this type.
      if (event.type === type) listener(event as EventOf<Type>);
    };
    listeners.add(listening);
    return () => void listeners.delete(listening);
  },

  emit(event: BusEvent): void {
    for (const listener of listeners) listener(event);
  },
};

/** Calls the listener with every event of a type while the component is shown. */
export function useBus<Type extends BusEvent["type"]>(
  type: Type,
  listener: (event: EventOf<Type>) => void,
): void {
  const latest = useRef(listener);
  latest.current = listener;
  useEffect(() => bus.on(type, (event) => latest.current(event)), [type]);
}

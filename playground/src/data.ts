import { type Inputs, useCallback, useEffect, useState } from "preact/hooks";

/** What `useLoad` has loaded so far. */
export interface Loaded<T> {
  /** Undefined until the first answer. A later failure leaves it as it was. */
  readonly data: T | undefined;
  /** Why the last attempt failed, if it did. */
  readonly error: unknown;
  readonly loading: boolean;
  /** Loads again. What is shown stays until then. */
  readonly reload: () => void;
  /** Replaces the data, for example by the answer to a change. */
  readonly set: (next: T) => void;
}

/**
 * Loads something while the component is shown, and again when one of `inputs` changes. An answer that arrives after that is not
 * used, and its request is aborted.
 */
export function useLoad<T>(load: (signal: AbortSignal) => Promise<T>, inputs: Inputs): Loaded<T> {
  const [state, setState] = useState<{ data: T | undefined; error: unknown; loading: boolean }>({
    data: undefined,
    error: undefined,
    loading: true,
  });
  const [attempt, setAttempt] = useState(0);

  useEffect(() => setState({ data: undefined, error: undefined, loading: true }), inputs);
  useEffect(() => {
    const aborter = new AbortController();
    setState((before) => ({ ...before, loading: true }));
    const run = async () => {
      try {
        const data = await load(aborter.signal);
        if (!aborter.signal.aborted) setState({ data, error: undefined, loading: false });
      } catch (error) {
        if (!aborter.signal.aborted) setState(({ data }) => ({ data, error, loading: false }));
      }
    };
    void run();
    return () => aborter.abort();
  }, [...inputs, attempt]);

  const reload = useCallback(() => setAttempt((count) => count + 1), []);
  const set = useCallback((data: T) => setState({ data, error: undefined, loading: false }), []);
  return { ...state, reload, set };
}

/** The state of an action that a person starts, such as saving. */
export interface Action<Arguments extends readonly unknown[]> {
  readonly run: (...values: Arguments) => Promise<boolean>;
  readonly busy: boolean;
  readonly error: unknown;
  /** Forgets the last failure. */
  readonly clear: () => void;
}

/** Runs an action at most once at a time and keeps its failure, to be shown. `run` returns whether it has succeeded. */
export function useAction<Arguments extends readonly unknown[]>(
  action: (...values: Arguments) => Promise<unknown>,
): Action<Arguments> {
  const [state, setState] = useState<{ busy: boolean; error: unknown }>({ busy: false, error: undefined });
  const run = async (...values: Arguments): Promise<boolean> => {
    if (state.busy) return false;
    setState({ busy: true, error: undefined });
    try {
      await action(...values);
      setState({ busy: false, error: undefined });
      return true;
    } catch (error) {
      setState({ busy: false, error });
      return false;
    }
  };
  return { ...state, run, clear: () => setState({ busy: false, error: undefined }) };
}

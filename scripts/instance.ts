import { join } from "node:path";

import { onNpmGone } from "./npm-parent.ts";

/** Settles when the named part of the system ends by itself, which is an error. */
export interface Watched {
  readonly name: string;
  readonly exited: Promise<number | null>;
}

/**
 * Runs a service in the project's folder until it is told to stop or fails, ends what it has started, and ends this process: with
 * code 0 after a signal, and with code 1 and the reason on the terminal if `run` throws. `run` puts what it starts on the stack.
 */
export async function runUntilStopped(
  run: (running: AsyncDisposableStack) => Promise<never>,
): Promise<never> {
  process.chdir(join(import.meta.dirname, ".."));
  // A closed pipe, such as `| head`, must not end the service.
  for (const stream of [process.stdout, process.stderr]) stream.on("error", () => undefined);

  const running = new AsyncDisposableStack();
  let code = 0;
  try {
    await Promise.race([stopSignal(), run(running)]);
  } catch (error) {
    console.error(error instanceof Error ? error.message : String(error));
    code = 1;
  }

  process.exitCode = code;
  await running.disposeAsync();
  // Whatever was still starting is killed as the process exits.
  process.exit(code);
}

/**
 * Settles at the first signal, or when npm has gone. Later signals change nothing: a Ctrl-C arrives twice,
 * from the terminal and from npm.
 */
function stopSignal(): Promise<void> {
  return new Promise((resolve) => {
    onNpmGone(resolve);
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => resolve());
  });
}

/** Waits until one of the parts ends, and throws an error that names it. */
export async function firstToEnd(watched: readonly Watched[]): Promise<never> {
  const ended = await Promise.race(
    watched.map(async ({ name, exited }) => {
      const code = await exited;
      return `${name} ended (${code === null ? "killed" : `code ${code}`}).`;
    }),
  );
  throw new Error(ended);
}

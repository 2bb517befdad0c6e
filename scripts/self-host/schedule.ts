import { request } from "node:http";

/** How long scheduled work may take. */
const RUN_MS = 15 * 60_000;
const MINUTE_MS = 60_000;

/** Returns the time between two runs of a schedule, in milliseconds. Throws for a schedule other than "every n minutes". */
export function periodOf(cron: string): number {
  const [, minutes] = /^\*\/(\d{1,2}) \* \* \* \*$/u.exec(cron) ?? [];
  // Only divisors of an hour make equal periods.
  if (minutes === undefined || 60 % Number(minutes) !== 0)
    throw new Error(`npm start runs schedules such as "*/15 * * * *" only, not "${cron}".`);
  return Number(minutes) * MINUTE_MS;
}

/**
 * Calls `run` with each schedule whenever it is due, one call per schedule at a time, until the signal aborts. A failure is told
 * to `say` and not repeated before the next time.
 */
export async function keepSchedules(
  crons: readonly string[],
  run: (cron: string) => Promise<void>,
  say: (line: string) => void,
  signal: AbortSignal,
): Promise<void> {
  await Promise.all(
    crons.map(async (cron) => {
      const period = periodOf(cron);
      let due = nextMultiple(period);
      while (await waitUntil(due, signal)) {
        try {
          await run(cron);
        } catch (error) {
          say(
            `The scheduled work (${cron}) failed: ${error instanceof Error ? error.message : String(error)}`,
          );
        }
        // A timer may fire a millisecond early, which must not make the same time due twice.
        due = Math.max(due + period, nextMultiple(period));
      }
    }),
  );
}

const nextMultiple = (period: number): number => (Math.floor(Date.now() / period) + 1) * period;

/** Waits until a time, in milliseconds since 1970. Returns false if the signal aborts before it. */
function waitUntil(time: number, signal: AbortSignal): Promise<boolean> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(true), time - Date.now());
    const giveUp = () => {
      clearTimeout(timer);
      resolve(false);
    };
    if (signal.aborted) giveUp();
    else signal.addEventListener("abort", giveUp, { once: true });
  });
}

/** Runs the service's scheduled handler through the socket of the stand-ins. Throws if it fails or takes too long. */
export function runScheduled(socketPath: string, cron: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const options = {
      socketPath,
      method: "POST",
      path: `/?cron=${encodeURIComponent(cron)}`,
      timeout: RUN_MS,
    };
    const sent = request(options, (response) => {
      response.resume();
      response.on("error", reject);
      response.on("end", () =>
        response.statusCode === 200
          ? resolve()
          : reject(new Error(`the service answered ${response.statusCode}`)),
      );
    });
    sent.on("timeout", () => sent.destroy(new Error("it took too long")));
    sent.on("error", reject);
    sent.end();
  });
}

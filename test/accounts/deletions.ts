import { env } from "cloudflare:workers";
import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { expect } from "vitest";
import type { Client } from "../support/app.ts";

export const deletionOf = ({ email }: Client) => env.ACCOUNT_DELETION.getByName(email);

/** The phase that a deletion is in. */
export const phaseOf = (client: Client): Promise<string | undefined> =>
  runInDurableObject(deletionOf(client), async (_deletion, { storage }) => {
    const state = await storage.get<{ phase: string }>("deletion");
    return state?.phase;
  });

/** Waits until a deletion is in a phase. Alarms that are far off are let ring at once. */
export async function untilPhase(client: Client, phase: string): Promise<void> {
  await expect
    .poll(async () => {
      // An object that has just been killed answers the next time.
      const current = await phaseOf(client).catch(String);
      if (current !== phase) await runDurableObjectAlarm(deletionOf(client)).catch(() => false);
      return current;
    })
    .toBe(phase);
}

/** Waits until the first sweep is over. */
export const untilSwept = (client: Client): Promise<void> =>
  expect.poll(() => phaseOf(client)).toBe("resting");

import { createMiddleware } from "hono/factory";
import type { Caller } from "../../auth/caller.ts";
import { AppError } from "../../shared/errors.ts";
import { spaceName } from "../../users/space.ts";
import type { UserEnv } from "../env.ts";
import { type Burst, operationOf } from "../openapi.ts";

/** How many requests may come in how many seconds: what wrangler.toml says of the bindings, which don't tell. */
export const BURSTS = {
  costly: { binding: "COSTLY_BURST", quota: 120, seconds: 60 },
  public: { binding: "PUBLIC_BURST", quota: 60, seconds: 60 },
} as const satisfies Record<Burst, { binding: keyof Env; quota: number; seconds: number }>;

/** Whether an isolate has told that nothing counts bursts. */
let hasTold = false;

/**
 * Refuses requests that come too fast, on the routes that say so: those that cost much by the person who asks, those that
 * are open to everybody by the address that they come from. Plans say how much, this says how fast; superusers are let
 * through. To stand behind `authenticate`.
 */
export const limitBursts = createMiddleware<UserEnv>(async (c, next) => {
  const burst = operationOf(c)?.burst;
  if (burst === undefined) return next();

  const { binding, quota, seconds } = BURSTS[burst];
  // A deployment need not have it.
  const limiter: RateLimit | undefined = c.env[binding];
  if (!limiter) {
    tellOnce();
    return next();
  }

  const caller: Caller | undefined = c.var.caller;
  const key = burst === "costly" ? caller && spaceName(caller.space) : c.req.header("cf-connecting-ip");
  // Where everybody is a superuser, so is who has not said who it is.
  const isSpared = c.var.deps.rules.isSuperuser(caller?.space.owner ?? "");
  if (key !== undefined && !isSpared && !(await isAllowed(limiter, key)))
    throw new AppError("limit-exceeded", "Too many requests at once. Please wait a moment.", {
      retryable: true,
      retryAfter: seconds,
      rateLimit: { policy: burst, quota, remaining: 0, window: { seconds, resetSeconds: seconds } },
    });
  return next();
});

/** Protects the service from its callers, and must not become what keeps them out: if it fails, all pass. */
async function isAllowed(limiter: RateLimit, key: string): Promise<boolean> {
  try {
    return (await limiter.limit({ key })).success;
  } catch (error) {
    console.warn({ message: "Bursts could not be counted.", error: String(error) });
    return true;
  }
}

function tellOnce(): void {
  if (!hasTold) console.warn({ message: "There is no rate-limit binding: bursts are not limited." });
  hasTold = true;
}

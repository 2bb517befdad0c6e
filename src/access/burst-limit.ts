import { type AccountEmail, accountEmailOf } from "../shared/id-types.ts";
import type { Context, MiddlewareHandler } from "hono";
import { createMiddleware } from "hono/factory";
import type { Caller } from "./caller.ts";
import { AppError } from "../shared/errors.ts";
import { scopeName } from "./access-scope.ts";
import { networkOf } from "../shared/ip-ranges.ts";
import { documented, documenting } from "../http/openapi.ts";
import type { AppEnv, KeyEnv, UserEnv } from "./env.ts";

/** The kinds of routes with a burst limit: `costly` ones are counted by caller, `public` ones by client address. */
type Burst = "costly" | "public";

/** `quota` requests per `seconds`. Must match wrangler.toml, because a binding does not reveal its limit. */
export const BURSTS = {
  costly: { binding: "COSTLY_BURST", quota: 120, seconds: 60 },
  public: { binding: "PUBLIC_BURST", quota: 60, seconds: 60 },
} as const satisfies Record<Burst, { binding: keyof Env; quota: number; seconds: number }>;

/** Whether this isolate has logged that the binding is missing. */
let hasWarned = false;

/**
 * Refuses too many requests in a short time with a 429: on `costly` routes per caller, on `public` routes per client address
 * (IPv6: per /64 network). Plans limit the amount, this limits the rate. Superusers are exempt. Mount it right after the
 * access check of its route.
 */
export const limitBursts = (burst: Burst): MiddlewareHandler<AppEnv> =>
  documented(
    createMiddleware<AppEnv>(async (c, next) => {
      await countBurst(c, burst);
      await next();
    }),
    { kind: "burst" },
  );

/**
 * Refuses too many requests in a short time of a visitor's address and with a publishable key, as `limitBursts` does: a page has many
 * visitors, and a visitor can have many identities. Mount it right after `requirePublishableKey` or `requireVisitor`.
 */
export const limitVisitorBursts: MiddlewareHandler<KeyEnv> = documented(
  createMiddleware<KeyEnv>(async (c, next) => {
    const { id, accountEmail } = c.var.keyGrant;
    const address = c.req.header("cf-connecting-ip");
    await count(c, "public", address && networkOf(address), accountEmail);
    await count(c, "costly", `PublishableKey#${id}`, accountEmail);
    await next();
  }),
  { kind: "burst" },
);

/** Documents a route whose handler calls `countBurst`. */
export const countsBursts: MiddlewareHandler<AppEnv> = documenting({
  kind: "burst",
});

/**
 * Counts one request against a burst limit, for work whose cost is only known in the handler. `subject` takes the place of the caller or
 * address that it is counted for. Throws `limit-exceeded` above the limit.
 */
export async function countBurst(
  c: Context<AppEnv> | Context<UserEnv>,
  burst: Burst,
  subject?: string,
): Promise<void> {
  const caller = callerIn(c);
  const address = c.req.header("cf-connecting-ip");
  const key =
    subject ?? (burst === "costly" ? caller && scopeName(caller.scope) : address && networkOf(address));
  // With `*` among the superusers, anonymous callers are exempt, too.
  await count(c, burst, key, caller?.scope.accountEmail ?? accountEmailOf(""));
}

/** Counts a request for a key, unless the account is exempt. Without a key, nothing is counted. */
async function count(
  c: Context<AppEnv> | Context<UserEnv> | Context<KeyEnv>,
  burst: Burst,
  key: string | undefined,
  accountEmail: AccountEmail,
): Promise<void> {
  const { binding, quota, seconds } = BURSTS[burst];
  // The binding is optional.
  const limiter: RateLimit | undefined = c.env[binding];
  if (!limiter) {
    warnOnce();
    return;
  }

  const isExempt = c.var.deps.rules.isSuperuser(accountEmail);
  if (key !== undefined && !isExempt && !(await isAllowed(limiter, key)))
    throw new AppError(
      "limit-exceeded",
      "Too many requests in a short time. Please wait a moment and try again.",
      {
        retryable: true,
        retryAfter: seconds,
        rateLimit: { policy: burst, quota, remaining: 0, window: { seconds, resetSeconds: seconds } },
      },
    );
}

/** Returns the caller, or `undefined` on public routes. */
const callerIn = (c: Context): Caller | undefined => c.get("caller");

/** Fails open: a broken rate limiter must not take the service down. */
async function isAllowed(limiter: RateLimit, key: string): Promise<boolean> {
  try {
    return (await limiter.limit({ key })).success;
  } catch (error) {
    console.warn({ message: "The rate limiter failed; the request was let through.", error: String(error) });
    return true;
  }
}

function warnOnce(): void {
  if (!hasWarned)
    console.warn({ message: "Bursts are not limited, because the rate-limit binding is missing." });
  hasWarned = true;
}

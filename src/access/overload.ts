import type { Context, MiddlewareHandler } from "hono";
import { createMiddleware } from "hono/factory";
import { matchedRoutes } from "hono/route";
import { docOf, documented } from "../http/openapi.ts";
import { AdmissionQueue, type Leave, QueueTooLong } from "../shared/admission-queue.ts";
import { AppError } from "../shared/errors.ts";
import type { AppEnv, UserEnv } from "./env.ts";

/**
 * The beginnings of runs in this isolate, from when a message has been read until its run is recorded. 32 keep the CPU busy while
 * their requests to the table are under way. One account may have 24 of them, so that an account whose beginnings hang leaves some
 * to the others. In a burst, a request may wait for ten seconds, but in an overload that lasts, for one second only. A beginning
 * takes at most ten seconds to read, ten in the queue of its account's meter and ten to write; 40 seconds exceed that. An isolate has
 * 128 MB of memory, of which the messages that wait may hold a quarter.
 */
const BEGINNINGS = {
  limit: 32,
  lineLimit: 24,
  waitingBytes: 32 * 1024 * 1024,
  patienceMs: 10_000,
  standingPatienceMs: 1_000,
  leaseMs: 40_000,
  expectedMs: 100,
} as const;

/**
 * Makes the requests of a route wait for their turn, those of each account in a line of its own, and refuses a request that would
 * wait for too long with a 503 and `Retry-After`. For routes that are expensive to begin, such as sending a message. Mount it right
 * before the handler: a place in the queue may only be held by work whose duration we limit, not by a stranger or a slow upload.
 */
export const queued: MiddlewareHandler<UserEnv> = documented(
  createMiddleware<UserEnv>(async (c, next) => {
    // The body has been read before.
    await admitted(c, await c.req.text(), async (leave) => {
      c.set("leaveQueue", leave);
      await next();
    });
  }),
  { kind: "queue" },
);

/**
 * Does work when the request's turn has come; see `queued`, for routes of which only some requests have to wait. `message` is what the
 * request holds meanwhile. The work may leave the queue before it ends. Throws `unavailable` instead of waiting for too long.
 */
export async function admitted<T>(
  c: Context<UserEnv>,
  message: string,
  work: (leave: Leave) => Promise<T>,
): Promise<T> {
  const left = Promise.withResolvers<void>();
  // Otherwise the platform may end the request when its client disconnects, and its place would be taken until it expires.
  c.executionCtx.waitUntil(left.promise);
  let leave: Leave = () => undefined;
  try {
    // A text takes up to two bytes per character.
    const request = { line: c.var.scope.accountEmail, bytes: 2 * message.length, signal: c.req.raw.signal };
    leave = await c.var.beginnings.enter(request).catch(unavailable);
    return await work(() => {
      leave();
      left.resolve();
    });
  } finally {
    leave();
    left.resolve();
  }
}

/**
 * Returns the middleware that gives `queued` routes their queue. If every account would have to wait for too long, it refuses a
 * request before authentication, so that a refusal costs next to nothing: otherwise the refusals of an overload would take the time
 * that the admitted requests need. It takes no place in the queue.
 */
export const refuseOverload = (queue = new AdmissionQueue(BEGINNINGS)): MiddlewareHandler<AppEnv> =>
  createMiddleware<AppEnv>((c, next) => {
    c.set("beginnings", queue);
    if (!matchedRoutes(c).some(({ handler }) => docOf(handler)?.kind === "queue")) return next();

    try {
      queue.requireCapacity();
    } catch (error) {
      unavailable(error);
    }
    return next();
  });

/** The client of an aborted request has left, so nobody reads its answer. */
function unavailable(cause: unknown): never {
  throw new AppError("unavailable", "Too many messages are being sent at the moment. Please try again.", {
    // Without its stack, which would be most of the work of a refusal.
    cause: cause instanceof QueueTooLong ? cause.message : cause,
    retryAfter: cause instanceof QueueTooLong ? Math.max(1, Math.ceil(cause.waitMs / 1000)) : 1,
  });
}

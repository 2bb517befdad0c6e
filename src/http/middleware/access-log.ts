import { createMiddleware } from "hono/factory";
import { configFrom } from "../../config.ts";
import { deriveHmacKey, toHex, utf8 } from "../../shared/crypto.ts";
import type { Caller } from "../../auth/caller.ts";
import type { UserEnv } from "../env.ts";
import { routeOf } from "../openapi.ts";

/** Enough to tell the callers of a log from each other. */
const CALLER_BYTES = 8;

/** One key per isolate and secret. */
const keys = new Map<string, CryptoKey>();

/**
 * Writes one line per request: what was asked for, by the route's pattern, and how it went. No path, no query, no header
 * and no body stands there; callers are told apart by a keyed hash, which leads back to nobody. Streams are logged when
 * they open.
 */
export const accessLog = createMiddleware<UserEnv>(async (c, next) => {
  const startedAt = performance.now();
  await next();

  const line = {
    message: "request",
    method: c.req.method,
    route: routeOf(c) ?? null,
    status: c.res.status,
    ms: Math.round(performance.now() - startedAt),
    requestId: c.var.requestId,
  };
  const caller: Caller | undefined = c.var.caller;
  const name = caller && `${caller.space.owner} ${caller.kind} ${caller.id}`;
  c.executionCtx.waitUntil(write(line, name, c.env));
});

async function write(line: object, name: string | undefined, env: Env): Promise<void> {
  const caller = name === undefined ? null : await callerOf(name, env);
  console.log(JSON.stringify({ ...line, caller }));
}

async function callerOf(name: string, env: Env): Promise<string> {
  const [{ secret }] = configFrom(env).signingKeys;
  const key = keys.get(secret) ?? (await deriveHmacKey(secret, "callers in logs"));
  keys.set(secret, key);
  const mac = new Uint8Array(await crypto.subtle.sign("HMAC", key, utf8(name)));
  return toHex(mac.slice(0, CALLER_BYTES));
}

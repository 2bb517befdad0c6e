import { createMiddleware } from "hono/factory";
import { configFrom } from "../config.ts";
import { deriveHmacKey, toHex, utf8 } from "../shared/crypto.ts";
import type { Caller } from "./caller.ts";
import type { UserEnv } from "./env.ts";
import { routeOf } from "../http/openapi.ts";

/** 64 bits of the hash are enough to tell the callers in a log apart. */
const CALLER_BYTES = 8;

/** One key per isolate and secret. */
const keys = new Map<string, CryptoKey>();
/** The hashes of recent callers: secret and name → hash. */
const hashes = new Map<string, string>();
/** How many hashes are kept. They take about 100 bytes each. */
const MAX_HASHES = 1_000;

/**
 * Logs one line per request: method, route pattern, status, duration in milliseconds and request id. Privacy: it never logs
 * paths, queries, headers or bodies, and identifies callers by a keyed hash only. Streams are logged when they open.
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
  const name = caller && `${caller.scope.accountEmail} ${caller.kind} ${caller.id}`;
  c.executionCtx.waitUntil(write(line, name, c.env));
});

async function write(line: object, name: string | undefined, env: Env): Promise<void> {
  const caller = name === undefined ? null : await callerOf(name, env);
  console.log(JSON.stringify({ ...line, caller }));
}

async function callerOf(name: string, env: Env): Promise<string> {
  const [{ secret }] = configFrom(env).signingKeys;
  const id = `${secret} ${name}`;
  const known = hashes.get(id);
  if (known !== undefined) return known;

  const hash = await hashOf(name, secret);
  if (hashes.size >= MAX_HASHES) hashes.clear();
  hashes.set(id, hash);
  return hash;
}

async function hashOf(name: string, secret: string): Promise<string> {
  const key = keys.get(secret) ?? (await deriveHmacKey(secret, "callers in logs"));
  keys.set(secret, key);
  const mac = new Uint8Array(await crypto.subtle.sign("HMAC", key, utf8(name)));
  return toHex(mac.slice(0, CALLER_BYTES));
}

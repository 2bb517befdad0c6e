import { createMiddleware } from "hono/factory";
import type { UserEnv } from "../env.ts";
import { hashOf, IdempotencyHeader, idempotencyKey } from "../idempotency-key.ts";
import { documented } from "../openapi.ts";

/**
 * Carries out a request with an `Idempotency-Key` once: a repeat with the same body gets the same answer, one with
 * another body a 422. To stand behind validation, so that only requests that can succeed take a key. Refused requests
 * leave their key free; one that failed here is carried out again by its repeat.
 */
export const idempotent = documented(
  createMiddleware<UserEnv>(async (c, next) => {
    const key = idempotencyKey(c.req.header("idempotency-key"));
    if (key === undefined) return next();

    const { caller, deps } = c.var;
    const { idempotency } = deps;
    const [keyHash, bodyHash] = await Promise.all([
      hashOf([c.req.method, c.req.path, key, ...(caller.kind === "user" ? [] : [caller.id])]),
      hashOf(await c.req.json<unknown>()),
    ]);
    const request = { owner: caller.space.owner, keyHash, bodyHash };
    const claim = await idempotency.claim(request);
    if ("answer" in claim) {
      const { status, body } = claim.answer;
      return new Response(body, { status, headers: { "content-type": "application/json" } });
    }

    c.set("entityId", claim.entityId);
    await next();

    if (c.res.ok) await idempotency.answer(request, c.res.status, await c.res.clone().text());
    // Behind an error of ours the thing may have been made all the same: its id must not be forgotten.
    else if (c.res.status >= 500) await idempotency.handBack(request, claim.claimedAt);
    else await idempotency.release(request, claim.claimedAt);
  }),
  { kind: "input", target: "header", schema: IdempotencyHeader },
);

import type { Context, Next } from "hono";
import { createMiddleware } from "hono/factory";
import type { AppError } from "../../shared/errors.ts";
import { spaceName } from "../../users/space.ts";
import type { UserEnv } from "../env.ts";
import { hashOf, IdempotencyHeader, idempotencyKey } from "../idempotency-key.ts";
import { documented } from "../openapi.ts";

/** How an answer is kept for repeats, and given to them. */
interface Replay {
  kept(c: Context<UserEnv>): Promise<string>;
  given(status: number, kept: string): Response;
}

const whole: Replay = {
  kept: (c) => c.res.clone().text(),
  given: (status, kept) => new Response(kept, { status, headers: { "content-type": "application/json" } }),
};

const carriedOutOnce = (replay: Replay) =>
  documented(
    createMiddleware<UserEnv>((c, next) => carryOut(c, next, replay)),
    { kind: "input", target: "header", schema: IdempotencyHeader },
  );

/**
 * Carries out a request with an `Idempotency-Key` once: a repeat with the same body gets the same answer, one with
 * another body a 422. To stand behind validation, so that only requests that can succeed take a key. Refused requests
 * leave their key free; one that failed here is carried out again by its repeat.
 */
export const idempotent = carriedOutOnce(whole);

/** The same where the answer shows a secret: of that, nothing is kept but the id, and repeats are refused with it. */
export const idempotentSecret = (refusal: (id: string) => AppError) =>
  carriedOutOnce({
    kept: async (c) => c.var.entityId ?? "",
    given(_status, kept) {
      throw refusal(kept);
    },
  });

async function carryOut(c: Context<UserEnv>, next: Next, replay: Replay): Promise<Response | undefined> {
  const key = idempotencyKey(c.req.header("idempotency-key"));
  if (key === undefined) {
    await next();
    return undefined;
  }

  const { idempotency } = c.var.deps;
  const [keyHash, bodyHash] = await Promise.all([
    hashOf([c.req.method, c.req.path, key, ...whoElse(c)]),
    hashOf(await c.req.json<unknown>()),
  ]);
  const request = { owner: c.var.space.owner, keyHash, bodyHash };
  const claim = await idempotency.claim(request);
  if ("answer" in claim) return replay.given(claim.answer.status, claim.answer.body);

  c.set("entityId", claim.entityId);
  await next();

  if (c.res.ok) await idempotency.answer(request, c.res.status, await replay.kept(c));
  // Behind an error of ours the thing may have been made all the same: its id must not be forgotten.
  else if (c.res.status >= 500) await idempotency.handBack(request, claim.claimedAt);
  else await idempotency.release(request, claim.claimedAt);
  return undefined;
}

/** Callers of one account, and what is about one of its end users, have keys of their own: each that had an id, too. */
function whoElse(c: Context<UserEnv>): readonly string[] {
  const { caller, space } = c.var;
  return caller.kind === "user" && !space.endUser
    ? []
    : [caller.kind, caller.id, spaceName(space), space.generation ?? ""];
}

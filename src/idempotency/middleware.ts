import type { Context, Next } from "hono";
import { createMiddleware } from "hono/factory";
import type { AppError } from "../shared/errors.ts";
import { scopeName } from "../access/access-scope.ts";
import type { UserEnv } from "../access/env.ts";
import { hashOf, IdempotencyHeader, idempotencyKey } from "./key.ts";
import type { KeptAnswer } from "./model.ts";
import { documented } from "../http/openapi.ts";

/** How an answer is stored, and how it is replayed to a repeat. */
interface Replay {
  kept(c: Context<UserEnv>): Promise<string>;
  /** Returns the answer, or `undefined` if `next` has. */
  given(answer: KeptAnswer, c: Context<UserEnv>, next: Next): Promise<Response | undefined> | Response;
}

/** The header with what the caller should know about a request that was accepted. */
const WARNING = "X-Warning";

const whole: Replay = {
  kept: (c) => c.res.clone().text(),
  given: ({ status, body, warning }) =>
    new Response(body, {
      status,
      headers: { "content-type": "application/json", ...(warning !== null && { [WARNING]: warning }) },
    }),
};

const idempotentWith = (replay: Replay) =>
  documented(
    createMiddleware<UserEnv>((c, next) => executeOnce(c, next, replay)),
    { kind: "input", target: "header", schema: IdempotencyHeader },
  );

/**
 * Executes a request with an `Idempotency-Key` once. A repeat with the same body gets the same answer, one with another body
 * a 422. Mount it after validation, so that only valid requests use up a key. A refused request (4xx) frees its key; after a
 * server error (5xx) a repeat executes the request again, with the same entity id.
 */
export const idempotent = idempotentWith(whole);

/** Like `idempotent`, for answers that contain a secret: it stores only the entity id and refuses repeats with `refusal(id)`. */
export const idempotentSecret = (refusal: (id: string) => AppError) =>
  idempotentWith({
    kept: async (c) => c.var.entityId ?? "",
    given({ body }) {
      throw refusal(body);
    },
  });

/**
 * Like `idempotent`, for handlers that return the same answer for the same entity id, such as a secret that must not be stored here: a
 * repeat executes the handler again, with the entity id of the first request.
 */
export const idempotentById = idempotentWith({
  kept: async (c) => c.var.entityId ?? "",
  async given({ body }, c, next) {
    c.set("entityId", body);
    await next();
    return undefined;
  },
});

async function executeOnce(c: Context<UserEnv>, next: Next, replay: Replay): Promise<Response | undefined> {
  const key = idempotencyKey(c.req.header("idempotency-key"));
  if (key === undefined) {
    await next();
    return undefined;
  }

  const { idempotencyService } = c.var.deps;
  const [keyHash, bodyHash] = await Promise.all([
    hashOf([c.req.method, c.req.path, key, ...callerNamespace(c)]),
    hashOf(await bodyOf(c)),
  ]);
  const request = { accountEmail: c.var.scope.accountEmail, keyHash, bodyHash };
  const claim = await idempotencyService.claim(request);
  if ("answer" in claim) return replay.given(claim.answer, c, next);

  c.set("entityId", claim.entityId);
  await next();

  if (c.res.ok) {
    const { status, headers } = c.res;
    const answer = { status, body: await replay.kept(c), warning: headers.get(WARNING) };
    await idempotencyService.answer(request, answer);
  }
  // A server error may hide a success. The record keeps the entity id, so that a repeat does not create a second entity.
  else if (c.res.status >= 500) await idempotencyService.endClaim(request, claim.claimedAt);
  else await idempotencyService.release(request, claim.claimedAt);
  return undefined;
}

/** Returns the body, or null if the request has none. It has been validated. */
const bodyOf = async (c: Context<UserEnv>): Promise<unknown> =>
  (await c.req.text()) === "" ? null : c.req.json<unknown>();

/** Separates the keys of API keys and end users from those of the account, and those of a re-created end user from the old. */
function callerNamespace(c: Context<UserEnv>): readonly string[] {
  const { caller, scope } = c.var;
  return caller.kind === "user" && !scope.endUser
    ? []
    : [caller.kind, caller.id, scopeName(scope), scope.generation ?? ""];
}

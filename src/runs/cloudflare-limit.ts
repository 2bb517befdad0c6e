import type { Agent } from "../agents/model.ts";
import { CLOUDFLARE } from "../llm/cloudflare-provider.ts";
import type { ModelChunk, ModelRequest, OpenModel } from "../llm/model.ts";
import type { AccountPlan } from "../plans/account-plan.ts";
import { cloudflareTurnsExceeded } from "../plans/refusals.ts";
import type { AccountEmail } from "../shared/id-types.ts";
import type { TurnDeps } from "./turn-deps.ts";

/** Where one turn of Cloudflare's models is counted, and when. */
export interface CloudflareTurn {
  readonly accountEmail: AccountEmail;
  readonly plan: AccountPlan;
  /** In milliseconds since the epoch. */
  readonly startedAt: number;
}

type Limiting = Pick<TurnDeps, "usage" | "cloudflareTurnsPerDay" | "upgradeUrl">;

/** Throws `limit-exceeded` if no model but Cloudflare's can answer, and today's turns are used up. */
export function requireCloudflareTurns(agent: Agent, plan: AccountPlan, deps: Limiting): void {
  const { cloudflareTurnsPerDay: limit } = deps;
  const providers = [agent.provider, agent.fallbackProvider ?? agent.provider];
  if (limit === null || providers.some((provider) => provider !== CLOUDFLARE)) return;
  if (plan.cloudflareTurns >= limit) throw cloudflareTurnsExceeded(plan, limit, deps);
}

/**
 * Returns the model of a turn. If it is Cloudflare's, the turn is counted once, before its first request, which throws
 * `limit-exceeded` without sending anything if today's turns are used up. A fallback is counted only if it is asked.
 */
export function limitedModel(
  model: OpenModel,
  { accountEmail, plan, startedAt }: CloudflareTurn,
  deps: Limiting,
): OpenModel {
  const { usage, cloudflareTurnsPerDay: limit } = deps;
  if (model.provider !== CLOUDFLARE || limit === null) return model;
  let counted: Promise<boolean> | undefined;

  async function* stream(request: ModelRequest, signal: AbortSignal): AsyncGenerator<ModelChunk, void, void> {
    counted ??= usage.countCloudflareTurn(accountEmail, limit, startedAt);
    if (!(await counted)) throw cloudflareTurnsExceeded(plan, limit ?? 0, deps);
    signal.throwIfAborted();
    yield* model.stream(request, signal);
  }
  return { ...model, stream };
}

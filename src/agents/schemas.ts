import * as z from "zod";
import { blankAsAbsent, decimal, Origins, removable, wholeNumber } from "../http/schemas.ts";
import { PROVIDER_NAMES } from "../llm/providers.ts";
import { architectureNames } from "./architectures/registry.ts";
import { type AgentChanges as Changes, isGuardable } from "./model.ts";

/** Thirty days; 0 means never. */
const MAX_SESSION_TIMEOUT_MINUTES = 30 * 24 * 60;
/** More than any model writes today. */
const MAX_OUTPUT_TOKENS = 200_000;

const Model = z.string().trim().max(200);

const Changeable = {
  agent_architecture: blankAsAbsent(z.enum(architectureNames)),
  agent_persona: blankAsAbsent(z.string().max(40_000)),
  agent_provider: blankAsAbsent(z.enum(PROVIDER_NAMES)),
  agent_model: blankAsAbsent(Model.optional()),
  session_timeout_minutes: blankAsAbsent(wholeNumber(0, MAX_SESSION_TIMEOUT_MINUTES).optional()),
  temperature: removable(decimal(0, 2)),
  max_output_tokens: removable(wholeNumber(1, MAX_OUTPUT_TOKENS)),
  fallback_provider: removable(z.enum(PROVIDER_NAMES)),
  fallback_model: removable(Model),
  allowed_origins: blankAsAbsent(Origins.optional()).describe(
    "The pages that end users may talk to the agent from, such as `https://shop.example.com`.",
  ),
};

const Name = z.string().trim().min(1).max(200).refine(isGuardable, { error: "Too long for its script" });

/** What an agent is created from, by the members of its body. */
export const NewAgent = z.object({ agent_name: blankAsAbsent(Name), ...Changeable }).meta({ id: "NewAgent" });

/** What may be changed of an agent. */
export const AgentChanges = z
  .object({
    ...Changeable,
    agent_architecture: blankAsAbsent(z.enum(architectureNames).optional()),
    agent_persona: blankAsAbsent(z.string().max(40_000).optional()),
    agent_provider: blankAsAbsent(z.enum(PROVIDER_NAMES).optional()),
  })
  .meta({ id: "AgentChanges" });

type ModelSettings = Pick<Changes, "temperature" | "maxOutputTokens" | "fallbackProvider" | "fallbackModel">;

/** An agent that leaves everything to its provider, and has no other. */
export const NO_MODEL_SETTINGS = {
  temperature: null,
  maxOutputTokens: null,
  fallbackProvider: null,
  fallbackModel: null,
} as const;

/** What a body says of how the model is used; without a provider to fall back to, its model means nothing. */
export const modelSettings = (body: z.infer<typeof AgentChanges>): ModelSettings => ({
  ...(body.temperature !== undefined && { temperature: body.temperature }),
  ...(body.max_output_tokens !== undefined && { maxOutputTokens: body.max_output_tokens }),
  ...(body.fallback_model !== undefined && { fallbackModel: body.fallback_model }),
  ...(body.fallback_provider !== undefined && { fallbackProvider: body.fallback_provider }),
  ...(body.fallback_provider === null && { fallbackModel: null }),
});

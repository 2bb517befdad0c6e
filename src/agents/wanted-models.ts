import { architecturesWithoutTools } from "../architectures/registry.ts";
import type { AgentSettings } from "./fields.ts";

/** A model that an agent is to use, and the field that names it. */
export interface WantedModel {
  readonly field: "agent_model" | "fallback_model";
  readonly provider: string;
  readonly model: string;
  /** The architecture, if it needs tools. */
  readonly needsToolsFor: string | undefined;
}

/** The members that decide which models an agent uses, and for what. */
export const MODEL_MEMBERS = [
  "architecture",
  "provider",
  "model",
  "fallbackProvider",
  "fallbackModel",
] as const satisfies readonly (keyof AgentSettings)[];

type Models = Pick<AgentSettings, (typeof MODEL_MEMBERS)[number]>;

/** Returns the models that settings name. A provider's default model is not among them. */
function modelsOf({ architecture, provider, model, fallbackProvider, fallbackModel }: Models) {
  const needsToolsFor = architecturesWithoutTools.includes(architecture) ? undefined : architecture;
  const named = [
    { field: "agent_model", provider, model },
    { field: "fallback_model", provider: fallbackProvider ?? provider, model: fallbackModel },
  ] as const;
  return named.flatMap((one): WantedModel[] =>
    one.model === null ? [] : [{ ...one, model: one.model, needsToolsFor }],
  );
}

/**
 * Returns the models of settings that are new. What an agent already uses may be older than its provider's list, and must not
 * keep its owner from changing something else.
 */
export function newModels(settings: Models, previous?: Models): readonly WantedModel[] {
  const used = previous ? modelsOf(previous) : [];
  return modelsOf(settings).filter(
    (wanted) =>
      !used.some(
        (one) =>
          one.field === wanted.field &&
          one.provider === wanted.provider &&
          one.model === wanted.model &&
          one.needsToolsFor === wanted.needsToolsFor,
      ),
  );
}

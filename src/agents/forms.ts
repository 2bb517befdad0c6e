import type { AgentId } from "../shared/id-types.ts";
import type { ModelInfo } from "../llm/provider.ts";
import { type Form, type FormInput, rulesOf } from "../shared/forms.ts";
import { agentFields, type Choices } from "./fields.ts";
import { architecturesWithoutTools } from "../architectures/registry.ts";

/** A provider that can be chosen, with its models. */
export interface ProviderChoice {
  readonly name: string;
  readonly models: readonly ModelInfo[];
}

/** Returns the form that creates an agent. `providers` are the ones that the user can choose. */
export const createAgentForm = (providers: readonly ProviderChoice[]): Form => ({
  form_name: "Create Agent Form",
  submit_path: "/agents",
  form_inputs: inputs("create", providers),
});

/**
 * Returns the form that changes an agent, except for its name. Does not check that the agent exists: the submission
 * does.
 */
export const updateAgentForm = (agentId: AgentId, providers: readonly ProviderChoice[]): Form => ({
  form_name: "Update Agent Form",
  submit_path: `/agents/${encodeURIComponent(agentId)}`,
  form_inputs: inputs("change", providers).filter(({ name }) => name !== "agent_name"),
});

function inputs(purpose: "create" | "change", providers: readonly ProviderChoice[]): FormInput[] {
  const choices = choicesOf(providers);
  return agentFields.flatMap(([name, field]) => {
    if (!field.input) return [];
    const value = purpose === "create" ? field.initial : undefined;
    return [
      {
        name,
        ...field.input(choices),
        ...((typeof value === "string" || typeof value === "number") && { value: String(value) }),
        ...rulesOf(field[purpose]),
      },
    ];
  });
}

const choicesOf = (providers: readonly ProviderChoice[]): Choices => ({
  providers: providers.map(({ name }) => name),
  models: providers.flatMap((provider) =>
    provider.models.map(({ id, name, tools }) => ({
      value: id,
      label: `[${provider.name}] ${name}`,
      for: provider.name,
      ...(tools === false && { architectures: architecturesWithoutTools }),
    })),
  ),
});

import type { ModelInfo } from "../llm/provider.ts";
import { type Form, type FormInput, rulesOf } from "../shared/forms.ts";
import { architectureOptions } from "./architectures/registry.ts";
import { DEFAULT_SESSION_TIMEOUT_MINUTES } from "./model.ts";
import { AgentChanges, NewAgent } from "./schemas.ts";

/** A provider that can be chosen, with its models. */
export interface ProviderChoice {
  readonly name: string;
  readonly models: readonly ModelInfo[];
}

const SESSION_TIMEOUTS = [
  { value: "30", label: "30 minutes" },
  { value: "60", label: "1 hour (Default)" },
  { value: "120", label: "2 hours" },
  { value: "240", label: "4 hours" },
  { value: "0", label: "No timeout (load all)" },
];

const DEFAULTED = "Left to the provider where nothing is entered; `none` leaves it to the provider again.";

/** The form that creates an agent. */
export function createAgentForm(providers: readonly ProviderChoice[]): Form {
  const { agent_name, ...schemas } = NewAgent.shape;
  return {
    form_name: "Create Agent Form",
    submit_path: "/agents",
    form_inputs: [
      { input_type: "text", name: "agent_name", label: "Agent Name", ...rulesOf(agent_name) },
      ...commonInputs(providers, schemas, { value: String(DEFAULT_SESSION_TIMEOUT_MINUTES) }),
    ],
  };
}

/** The form that changes an agent; its name stays. Whether there is such an agent is for the submission to tell. */
export const updateAgentForm = (agentId: string, providers: readonly ProviderChoice[]): Form => ({
  form_name: "Update Agent Form",
  submit_path: `/agents/${encodeURIComponent(agentId)}`,
  form_inputs: commonInputs(providers, AgentChanges.shape, {}),
});

function commonInputs(
  providers: readonly ProviderChoice[],
  schemas: Omit<typeof NewAgent.shape, "agent_name"> | typeof AgentChanges.shape,
  timeout: Pick<FormInput, "value">,
): FormInput[] {
  const names = providers.map(({ name }) => name);
  const models = providers.flatMap((provider) =>
    provider.models.map(({ id, name }) => ({
      value: id,
      label: `[${provider.name}] ${name}`,
      for: provider.name,
    })),
  );

  return [
    {
      input_type: "select",
      name: "agent_architecture",
      label: "Architecture",
      values: architectureOptions.map(({ value }) => value),
      options: architectureOptions,
      ...rulesOf(schemas.agent_architecture),
    },
    { input_type: "text_area", name: "agent_persona", label: "Persona", ...rulesOf(schemas.agent_persona) },
    {
      input_type: "select",
      name: "agent_provider",
      label: "Provider Name",
      values: names,
      ...rulesOf(schemas.agent_provider),
      ...(names.length === 0 && { help: "Configure a provider in the settings first." }),
    },
    {
      input_type: "select",
      name: "agent_model",
      label: "Model",
      options: models,
      ...rulesOf(schemas.agent_model),
      depends_on: "agent_provider",
    },
    {
      input_type: "select",
      name: "session_timeout_minutes",
      label: "Session Timeout",
      options: SESSION_TIMEOUTS,
      ...timeout,
      ...rulesOf(schemas.session_timeout_minutes),
    },
    {
      input_type: "text",
      name: "temperature",
      label: "Temperature",
      attr: { inputmode: "decimal" },
      ...rulesOf(schemas.temperature),
      help: DEFAULTED,
    },
    {
      input_type: "text",
      name: "max_output_tokens",
      label: "Longest Answer (tokens)",
      attr: { inputmode: "numeric" },
      ...rulesOf(schemas.max_output_tokens),
      help: DEFAULTED,
    },
    {
      input_type: "select",
      name: "fallback_provider",
      label: "Fallback Provider",
      options: [{ value: "none", label: "None" }, ...names.map((name) => ({ value: name, label: name }))],
      ...rulesOf(schemas.fallback_provider),
      help: "Asked when the provider fails before it has said anything.",
    },
    {
      input_type: "select",
      name: "fallback_model",
      label: "Fallback Model",
      options: models,
      ...rulesOf(schemas.fallback_model),
      depends_on: "fallback_provider",
    },
  ];
}

import * as z from "zod";
import type { ProviderOption } from "../llm/providers.ts";
import { architectureOptions } from "./architectures/registry.ts";
import { DEFAULT_SESSION_TIMEOUT_MINUTES } from "./model.ts";

const Option = z.object({ value: z.string(), label: z.string() });

const FormInput = z.object({
  input_type: z.enum(["text", "text_area", "password", "select", "choice"]),
  name: z.string(),
  label: z.string(),
  value: z.string().optional(),
  values: z.array(z.string()).optional(),
  options: z.array(Option).optional(),
  attr: z.record(z.string(), z.string()).optional(),
});

/** A form as the back end describes it; a front end needs no knowledge of its own. */
export const Form = z
  .object({ form_name: z.string(), submit_path: z.string(), form_inputs: z.array(FormInput) })
  .meta({ id: "Form" });
type FormInput = z.infer<typeof FormInput>;

const SESSION_TIMEOUTS = [
  { value: "30", label: "30 minutes" },
  { value: "60", label: "1 hour (Default)" },
  { value: "120", label: "2 hours" },
  { value: "240", label: "4 hours" },
  { value: "0", label: "No timeout (load all)" },
];

/** The form that creates an agent. */
export const createAgentForm = (providers: readonly ProviderOption[]): z.infer<typeof Form> => ({
  form_name: "Create Agent Form",
  submit_path: "/agents",
  form_inputs: [
    { input_type: "text", name: "agent_name", label: "Agent Name" },
    ...commonInputs(providers),
    { ...timeoutInput, value: String(DEFAULT_SESSION_TIMEOUT_MINUTES) },
  ],
});

/** The form that changes an agent; its name stays. Whether there is such an agent is for the submission to tell. */
export const updateAgentForm = (
  agentId: string,
  providers: readonly ProviderOption[],
): z.infer<typeof Form> => ({
  form_name: "Update Agent Form",
  submit_path: `/agents/${encodeURIComponent(agentId)}`,
  form_inputs: [...commonInputs(providers), timeoutInput],
});

const commonInputs = (providers: readonly ProviderOption[]): FormInput[] => [
  {
    input_type: "select",
    name: "agent_architecture",
    label: "Architecture",
    values: architectureOptions.map(({ value }) => value),
    options: architectureOptions,
  },
  { input_type: "text_area", name: "agent_persona", label: "Persona" },
  {
    input_type: "select",
    name: "agent_provider",
    label: "Provider Name",
    values: providers.map(({ name }) => name),
  },
  {
    input_type: "select",
    name: "agent_model",
    label: "Model",
    options: providers.flatMap(({ models }) => [...models]),
  },
];

const timeoutInput: FormInput = {
  input_type: "select",
  name: "session_timeout_minutes",
  label: "Session Timeout",
  options: SESSION_TIMEOUTS,
};

import type * as z from "zod";
import { credentialField, type Provider } from "../llm/provider.ts";
import { type Form, type FormInput, rulesOf } from "../shared/forms.ts";
import type { Credentials } from "./model.ts";

/** Returns the form that configures a provider, filled in with the stored values except secrets. */
export const providerForm = (provider: Provider, stored: Credentials, isLocal: boolean): Form => ({
  form_name: `${provider.label} Configuration`,
  submit_path: `/settings/providers/${encodeURIComponent(provider.name)}`,
  form_inputs: fieldsOf(provider).map((field) => inputOf(field, stored[field.name], isLocal)),
});

/** Returns the fields of a provider's credentials, in form order. */
export const fieldsOf = ({ credentials }: Provider) =>
  // The type of `shape` does not say that every member is a zod schema.
  Object.entries(credentials.shape as Record<string, z.ZodType>).map(([name, schema]) => ({
    ...credentialField(schema),
    name,
    schema,
  }));

function inputOf(
  field: ReturnType<typeof fieldsOf>[number],
  stored: string | undefined,
  isLocal: boolean,
): FormInput {
  const { name, title, schema, help, placeholder, secret = false, options, presets, localPresets } = field;
  const suggested = [...(presets ?? []), ...(isLocal ? (localPresets ?? []) : [])];
  const offered = options ?? suggested;
  const { required = false, ...rules } = rulesOf(schema);
  return {
    input_type: secret ? "password" : options ? "select" : "text",
    name,
    label: title,
    ...(!secret && stored !== undefined && { value: stored }),
    ...(offered.length > 0 && { options: offered.map(({ value, label }) => ({ value, label })) }),
    ...(placeholder !== undefined && { attr: { placeholder } }),
    // A stored secret may be left blank.
    ...(required && !(secret && stored !== undefined) && { required }),
    ...rules,
    ...(help !== undefined && { help }),
  };
}

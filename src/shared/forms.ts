import * as z from "zod";

const Option = z.object({
  value: z.string(),
  label: z.string(),
  /** Only offered while the input named by `depends_on` has this value. */
  for: z.string().optional(),
  /** Only offered while `agent_architecture` has one of these values. Absent if it suits all of them. */
  architectures: z.array(z.string()).optional(),
});

const FormInput = z.object({
  input_type: z.enum(["text", "text_area", "password", "select", "choice"]),
  name: z.string(),
  label: z.string(),
  value: z.string().optional(),
  values: z.array(z.string()).optional(),
  options: z.array(Option).optional(),
  attr: z.record(z.string(), z.string()).optional(),
  required: z.boolean().optional(),
  /** A regular expression for the whole value. */
  pattern: z.string().optional(),
  /** Bounds of a number, or of a text's length. */
  min: z.number().optional(),
  max: z.number().optional(),
  help: z.string().optional(),
  /** The input that decides which options are offered. */
  depends_on: z.string().optional(),
});

/** A form that a front end can render without knowing its fields in advance. */
export const Form = z
  .object({ form_name: z.string(), submit_path: z.string(), form_inputs: z.array(FormInput) })
  .meta({ id: "Form" });

export type Form = z.infer<typeof Form>;
export type FormInput = z.infer<typeof FormInput>;

/** The validation rules that a form shows for a value. */
export type Rules = Pick<FormInput, "required" | "pattern" | "min" | "max">;

/** Rules by schema, derived once. */
const known = new WeakMap<z.ZodType, Rules>();

/** Returns the rules of a schema, for a form. */
export function rulesOf(schema: z.ZodType): Rules {
  const rules = known.get(schema) ?? readRules(schema);
  known.set(schema, rules);
  return rules;
}

function readRules(schema: z.ZodType): Rules {
  const whole = z.toJSONSchema(schema, { io: "output", unrepresentable: "any" });
  // In a union, the first option is the value that a form asks for; the second one stands for "no value".
  const { minLength, maxLength, minimum, maximum, pattern } = { ...whole, ...whole.anyOf?.[0] };
  const min = minLength ?? minimum;
  const max = maxLength ?? maximum;
  return {
    ...(!schema.safeParse(undefined).success && { required: true }),
    ...(pattern !== undefined && { pattern }),
    ...(min !== undefined && { min }),
    ...(max !== undefined && { max }),
  };
}

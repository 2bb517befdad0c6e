import * as z from "zod";

const Option = z.object({
  value: z.string(),
  label: z.string(),
  /** Only offered while the input named by `depends_on` has this value. */
  for: z.string().optional(),
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

/** A form as the back end describes it; a front end needs no knowledge of its own. */
export const Form = z
  .object({ form_name: z.string(), submit_path: z.string(), form_inputs: z.array(FormInput) })
  .meta({ id: "Form" });

export type Form = z.infer<typeof Form>;
export type FormInput = z.infer<typeof FormInput>;

/** What a form says of the rules for a value. */
export type Rules = Pick<FormInput, "required" | "pattern" | "min" | "max">;

/** Read once per schema. */
const known = new WeakMap<z.ZodType, Rules>();

/** The rules that a schema checks a submitted value by. */
export function rulesOf(schema: z.ZodType): Rules {
  const rules = known.get(schema) ?? readRules(schema);
  known.set(schema, rules);
  return rules;
}

function readRules(schema: z.ZodType): Rules {
  const whole = z.toJSONSchema(schema, { io: "output", unrepresentable: "any" });
  // Where there is a choice, the first one is what a form asks for; the other is a way to say nothing.
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

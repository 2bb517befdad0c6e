import * as z from "zod";
import { withoutProto } from "../http/schemas.ts";
import { isObject, type Json } from "../shared/json.ts";
import { describeViolation, rule } from "../shared/violations.ts";

/** Deeper arguments are hard to fill in for a model. */
const MAX_DEPTH = 5;
/** How many parameters a tool may have, nested ones included. */
const MAX_PARAMETERS = 60;
const MAX_ENUM = 100;

const Count = z.int().min(0).max(1_000_000);
const Limit = z.number().min(-1e15).max(1e15);
const Name = z.string().regex(/^[A-Za-z_]\w{0,63}$/u, {
  error: rule("must consist of letters, digits and underscores, and not begin with a digit."),
});

const base = { description: z.string().max(1_000).optional() };
const texts = z.array(z.string().max(200)).min(1).max(MAX_ENUM).optional();
const numbers = z.array(z.number()).min(1).max(MAX_ENUM).optional();

/**
 * One level of a parameter's schema. These are the keywords that providers of models agree on, so what is checked here is also what
 * the model sees. Anti-DoS: without `pattern` and `$ref`, checking arguments takes time in proportion to their length.
 */
const Level = z.discriminatedUnion("type", [
  z.strictObject({
    ...base,
    type: z.literal("string"),
    enum: texts,
    minLength: Count.optional(),
    maxLength: Count.optional(),
  }),
  z.strictObject({
    ...base,
    type: z.literal("number"),
    enum: numbers,
    minimum: Limit.optional(),
    maximum: Limit.optional(),
  }),
  z.strictObject({
    ...base,
    type: z.literal("integer"),
    enum: numbers,
    minimum: Limit.optional(),
    maximum: Limit.optional(),
  }),
  z.strictObject({ ...base, type: z.literal("boolean") }),
  z.strictObject({
    ...base,
    type: z.literal("array"),
    items: z.unknown(),
    minItems: Count.optional(),
    maxItems: Count.optional(),
  }),
  z.strictObject({
    ...base,
    type: z.literal("object"),
    properties: withoutProto(z.record(Name, z.unknown())).optional(),
    required: z.array(Name).max(MAX_PARAMETERS).optional(),
  }),
]);

type Level = z.infer<typeof Level>;

/** Something that is wrong with a schema. */
interface Problem {
  readonly path: readonly PropertyKey[];
  readonly message: string;
}

/** Returns what is wrong with the JSON Schema of a tool's parameters; empty if it can be used. */
export function parameterProblems(schema: unknown): readonly Problem[] {
  if (!isObject(schema) || schema["type"] !== "object")
    return [{ path: [], message: 'parameters must be a JSON Schema of `"type": "object"`.' }];

  let left = MAX_PARAMETERS;
  const visit = (value: unknown, path: readonly PropertyKey[], depth: number): readonly Problem[] => {
    if (left-- < 0) return [{ path, message: `parameters may have at most ${MAX_PARAMETERS} members.` }];
    if (depth > MAX_DEPTH)
      return [{ path, message: `parameters may be nested at most ${MAX_DEPTH} levels deep.` }];

    const level = Level.safeParse(value, { error: describeViolation });
    if (!level.success)
      return level.error.issues.map((issue) => ({ path: [...path, ...issue.path], message: issue.message }));
    if (level.data.type === "array") return visit(level.data.items, [...path, "items"], depth + 1);
    if (level.data.type !== "object") return [];

    const { properties = {}, required = [] } = level.data;
    const unknown = required.find((name) => !Object.hasOwn(properties, name));
    if (unknown !== undefined)
      return [{ path: [...path, "required"], message: `required names ${unknown}, which is no property.` }];
    return Object.entries(properties).flatMap(([name, member]) =>
      visit(member, [...path, "properties", name], depth + 1),
    );
  };
  return visit(schema, [], 1);
}

/** Returns the names of the parameters of a checked schema, and which of them every call has. */
export function parameterNames(schema: Json): {
  readonly all: readonly string[];
  readonly required: readonly string[];
} {
  const level = Level.safeParse(schema);
  if (!level.success || level.data.type !== "object") return { all: [], required: [] };
  return { all: Object.keys(level.data.properties ?? {}), required: level.data.required ?? [] };
}

/**
 * Returns the validation of arguments that a JSON Schema describes. Numbers and truth values may be written as text, as some models
 * do. Arguments that the schema does not name are dropped.
 */
export function argumentsSchema(parameters: Json): z.ZodObject {
  const level = Level.safeParse(parameters);
  return level.success && level.data.type === "object" ? objectSchema(level.data) : z.object({});
}

function objectSchema({ properties = {}, required = [] }: Extract<Level, { type: "object" }>): z.ZodObject {
  const shape = Object.entries(properties).map(([name, member]): [string, z.ZodType] => {
    const schema = valueSchema(member);
    return [name, required.includes(name) ? schema : schema.optional()];
  });
  return z.object(Object.fromEntries(shape));
}

function valueSchema(schema: unknown): z.ZodType {
  const { data: level } = Level.safeParse(schema);
  // Stored by another version of this service.
  if (!level) return z.unknown();
  switch (level.type) {
    case "string":
      return level.enum
        ? z.enum(level.enum)
        : z
            .string()
            .min(level.minLength ?? 0)
            .max(level.maxLength ?? Number.MAX_SAFE_INTEGER);
    case "boolean":
      return z.preprocess(
        (value) => (value === "true" ? true : value === "false" ? false : value),
        z.boolean(),
      );
    case "number":
    case "integer":
      return numberSchema(level);
    case "array":
      return z
        .array(valueSchema(level.items))
        .min(level.minItems ?? 0)
        .max(level.maxItems ?? Number.MAX_SAFE_INTEGER);
    case "object":
      return objectSchema(level);
  }
}

function numberSchema(level: Extract<Level, { type: "number" | "integer" }>): z.ZodType {
  const { enum: values, minimum = -Number.MAX_VALUE, maximum = Number.MAX_VALUE } = level;
  const any = z.number().min(minimum).max(maximum);
  const number = level.type === "integer" ? any.int() : any;
  return z.preprocess(
    (value) =>
      typeof value === "string" && /^\s{0,9}-?\d{1,15}(?:\.\d{1,15})?\s{0,9}$/u.test(value)
        ? Number(value)
        : value,
    values ? number.pipe(z.literal(values)) : number,
  );
}

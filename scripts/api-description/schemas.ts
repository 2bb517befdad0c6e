import * as z from "zod";
import { type FieldDocs, FIELDS, type SchemaDocs, type StreamDocs } from "../../src/http/docs.ts";
import { SCHEMAS } from "./all-docs.ts";

/** A JSON schema, as zod writes it. */
export type JsonSchema = z.core.JSONSchema.JSONSchema;

/** Whether a schema describes what callers send or what they get. */
type Direction = "input" | "output";

/** Where the description defines schemas that have an id. */
const COMPONENTS = "#/components/schemas/";

/**
 * The schemas of the description. Those with an id are defined once, and referenced everywhere else. Every property gets its text
 * from the docs of the schema, from the zod schema, or from the texts that all schemas share.
 */
export class Schemas {
  readonly #components = new Map<string, JsonSchema>();

  /** Adds a schema that is written by hand. */
  define(id: string, schema: JsonSchema): JsonSchema {
    this.#components.set(id, schema);
    return { $ref: `${COMPONENTS}${id}` };
  }

  /** Returns a schema, or a reference to it if it has an id. */
  of(schema: z.ZodType, io: Direction): JsonSchema {
    const { $schema: _dialect, $defs = {}, ...json } = z.toJSONSchema(schema, { io, unrepresentable: "any" });
    for (const [id, definition] of Object.entries($defs)) this.#add(id, definition);
    const { id } = z.globalRegistry.get(schema) ?? {};
    if (id === undefined) return described(toComponents(json), undefined);

    // A schema that has an id comes as a reference to its own definition, or as the definition itself.
    if (!(id in $defs)) this.#add(id, json);
    return { $ref: `${COMPONENTS}${id}` };
  }

  /** Returns the schema of a stream's events: one of several, which a member tells apart. */
  ofStream({ id, description, discriminator, events }: StreamDocs): JsonSchema {
    const references = events.map((event) => this.of(event, "output"));
    const mapping = events.flatMap((event, index) =>
      valuesOf(event.shape[discriminator]).map((value) => [value, references[index]?.$ref] as const),
    );
    return this.define(id, {
      description,
      oneOf: references,
      discriminator: { propertyName: discriminator, mapping: Object.fromEntries(mapping) },
    });
  }

  /** Returns all schemas with an id, in the order of their ids. Throws an error if there are docs of a schema that does not exist. */
  all(): Record<string, JsonSchema> {
    for (const id of SCHEMAS.keys())
      if (!this.#components.has(id)) throw new Error(`There are docs of ${id}, which is not a schema.`);
    return Object.fromEntries([...this.#components].toSorted(([a], [b]) => a.localeCompare(b)));
  }

  #add(id: string, definition: JsonSchema): void {
    const { id: _id, ...schema } = toComponents(definition);
    this.#components.set(id, described(schema, id));
  }
}

/** Moves references within a schema from its own definitions to the components. */
const toComponents = (schema: JsonSchema): JsonSchema =>
  JSON.parse(JSON.stringify(schema).replaceAll('"#/$defs/', `"${COMPONENTS}`));

/** The values that a schema of a constant or an enumeration has. */
function valuesOf(schema: z.core.$ZodType | undefined): string[] {
  if (schema instanceof z.ZodLiteral) return [...schema.values].map(String);
  if (schema instanceof z.ZodEnum) return schema.options.map(String);
  throw new Error("A discriminator must be a constant or an enumeration.");
}

/** Returns a schema with the texts about it and its properties. Throws an error if there are docs of a property that does not exist. */
function described(schema: JsonSchema, id: string | undefined): JsonSchema {
  const docs = id === undefined ? undefined : SCHEMAS.get(id);
  const own = fieldsOf(docs);
  const found = new Set<string>();
  const properties = withTexts(schema, "", (path) => {
    found.add(path);
    return own[path];
  });

  const unknown = Object.keys(docs?.fields ?? {}).filter((path) => !found.has(path));
  if (unknown.length > 0)
    throw new Error(`There are docs of ${id}.${unknown.join(", ")}, which does not exist.`);
  return docs ? { ...properties, description: docs.description } : properties;
}

/** Returns the texts of a schema and of the schema that it is like. */
function fieldsOf(docs: SchemaDocs | undefined): Readonly<Record<string, FieldDocs>> {
  if (docs?.like === undefined) return docs?.fields ?? {};
  return { ...fieldsOf(SCHEMAS.get(docs.like)), ...docs.fields };
}

/** Returns a schema with the texts of all properties below it. Alternatives and elements have the path of what contains them. */
function withTexts(
  schema: JsonSchema,
  path: string,
  textOf: (path: string) => FieldDocs | undefined,
): JsonSchema {
  const inside = (part: JsonSchema | boolean): JsonSchema =>
    typeof part === "boolean" ? {} : withTexts(part, path, textOf);

  return {
    ...schema,
    ...(schema.properties && {
      properties: Object.fromEntries(
        Object.entries(schema.properties).map(([name, property]) => {
          const at = path === "" ? name : `${path}.${name}`;
          if (typeof property === "boolean") return [name, property];
          return [name, withText(withTexts(property, at, textOf), textOf(at), FIELDS[at] ?? FIELDS[name])];
        }),
      ),
    }),
    ...(schema.items && !Array.isArray(schema.items) && { items: inside(schema.items) }),
    ...(schema.anyOf && { anyOf: schema.anyOf.map(inside) }),
    ...(schema.oneOf && { oneOf: schema.oneOf.map(inside) }),
  };
}

/** Adds the text of a property: its own, that of the zod schema, or the shared one. */
function withText(
  property: JsonSchema,
  own: FieldDocs | undefined,
  shared: FieldDocs | undefined,
): JsonSchema {
  const docs = own ?? property.description ?? shared;
  if (docs === undefined || typeof docs === "string")
    return { ...property, ...(docs && { description: docs }) };
  return {
    ...property,
    description: docs.description,
    ...(property.$ref === undefined && { format: docs.format }),
  };
}

import type { Description, Operation, Parameter, Schema } from "./description.ts";

const HEADER = `// Written by scripts/client-types.ts from docs/openapi.json. Do not edit: change the API's description instead.
`;

const REFERENCE = "#/components/schemas/";

/** What is read as events, and not as one answer. */
const STREAMS = new Set(["text/event-stream", "application/x-ndjson"]);

/**
 * Returns the TypeScript source of the client's types: one for each schema of the API's description, `Operations` with the
 * parameters, bodies and answers of all operations, and the set of those that take an `Idempotency-Key`. Throws for a schema
 * that it cannot express, so that no part of the API silently becomes `unknown`.
 */
export function renderClientTypes({ paths, components }: Description): string {
  const sent = sentSchemas(paths, components.schemas);
  const schemas = Object.entries(components.schemas).map(
    ([name, schema]) => `${comment(schema.description, "")}${declaration(name, schema, sent.has(name))}`,
  );

  const operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ method: method.toUpperCase(), path, operation })),
  );
  const methods = Map.groupBy(operations, ({ method }) => method);
  const members = [...methods].map(([method, ofMethod]) => {
    const rendered = ofMethod.map(({ path, operation }) => renderOperation(path, operation));
    return `  ${method}: {\n${rendered.join("")}  };\n`;
  });

  const idempotent = operations
    .filter(({ operation }) => operation.parameters?.some(({ name }) => name === "Idempotency-Key"))
    .map(({ method, path }) => `  "${method} ${path}",\n`);

  return [
    HEADER,
    ...schemas,
    comment("The `code` of a problem. New ones may be added.", ""),
    `export type ProblemCode =\n${problemCodes(components.responses)}  | (string & {});\n\n`,
    comment("All operations of the API, by method and path: what they take and what they answer.", ""),
    `export interface Operations {\n${members.join("")}}\n\n`,
    comment("The operations that take an `Idempotency-Key`, and so may be repeated.", ""),
    `export const IDEMPOTENT_OPERATIONS: ReadonlySet<string> = new Set([\n${idempotent.join("")}]);\n`,
  ].join("");
}

/** The names of the schemas that requests send. Their arrays are read-only, so that callers may pass any. */
function sentSchemas(
  paths: Description["paths"],
  schemas: Description["components"]["schemas"],
): Set<string> {
  const sent = new Set<string>();
  const visit = (schema: Schema): void => {
    const name = schema.$ref?.slice(REFERENCE.length);
    if (name !== undefined && !sent.has(name)) {
      sent.add(name);
      visit(schemas[name] ?? {});
    }
    for (const part of [...(schema.anyOf ?? []), ...(schema.oneOf ?? [])]) visit(part);
    for (const part of Object.values(schema.properties ?? {})) visit(part);
    if (schema.items) visit(schema.items);
    if (typeof schema.additionalProperties === "object") visit(schema.additionalProperties);
  };

  for (const operation of Object.values(paths).flatMap((methods) => Object.values(methods)))
    for (const { schema } of Object.values(operation.requestBody?.content ?? {})) visit(schema);
  return sent;
}

function declaration(name: string, schema: Schema, isSent: boolean): string {
  const body = typeOf(schema, "", isSent);
  return body.startsWith("{") && !body.includes("} | ")
    ? `export interface ${name} ${body}\n\n`
    : `export type ${name} = ${body};\n\n`;
}

function renderOperation(path: string, operation: Operation): string {
  const { summary, description, parameters = [], requestBody, responses, operationId } = operation;
  const options = [
    group("path", parameters, "path"),
    group("query", parameters, "query"),
    group("headers", parameters, "header"),
    requestBody ? `        body${requestBody.required ? "" : "?"}: ${bodyOf(requestBody.content)};\n` : "",
  ].join("");

  const answers = new Set<string>();
  const events = new Set<string>();
  for (const [status, { content }] of Object.entries(responses)) {
    if (Number(status) >= 400 || status === "302") continue;
    if (!content) answers.add("undefined");
    for (const [type, { schema }] of Object.entries(content ?? {}))
      (STREAMS.has(type) ? events : answers).add(typeOf(schema, "      ", false));
  }
  // A stream that has nothing to send is answered without a body.
  if (events.size > 0 && answers.size === 1 && answers.has("undefined")) answers.clear();

  const text = [summary && `${summary.replace(/\.$/u, "")}. (\`${operationId}\`)`, description]
    .filter((part) => part !== undefined && part !== "")
    .join("\n\n");
  return [
    comment(text, "    "),
    `    "${path}": {\n`,
    options === "" ? "      options: {};\n" : `      options: {\n${options}      };\n`,
    answers.size > 0 ? `      answer: ${[...answers].join(" | ")};\n` : "",
    events.size > 0 ? `      events: ${[...events].join(" | ")};\n` : "",
    "    };\n",
  ].join("");
}

function group(member: string, parameters: readonly Parameter[], place: string): string {
  const own = parameters.filter((parameter) => parameter.in === place);
  if (own.length === 0) return "";

  const lines = own.map(({ name, required, description, deprecated, schema }) =>
    property(
      name,
      required === true,
      { ...schema, ...documented(description, deprecated) },
      "          ",
      true,
    ),
  );
  const isNeeded = own.some(({ required }) => required);
  return `        ${member}${isNeeded ? "" : "?"}: {\n${lines.join("")}        }${isNeeded ? "" : " | undefined"};\n`;
}

const documented = (description: string | undefined, deprecated: boolean | undefined): Schema => ({
  ...(description !== undefined && { description }),
  ...(deprecated !== undefined && { deprecated }),
});

function bodyOf(content: Readonly<Record<string, { readonly schema: Schema }>>): string {
  const types = Object.entries(content).map(([type, { schema }]) =>
    type === "multipart/form-data" ? "FormData" : typeOf(schema, "        ", true),
  );
  return types.join(" | ");
}

/** Optional members may also be undefined: JSON and queries leave such members out. */
function property(
  name: string,
  isRequired: boolean,
  schema: Schema,
  indent: string,
  isSent: boolean,
): string {
  const key = /^[a-z_$][\w$]*$/iu.test(name) ? name : JSON.stringify(name);
  const text = schema.deprecated ? `${schema.description ?? ""}\n\n@deprecated` : schema.description;
  const type = typeOf(schema, indent, isSent);
  return `${comment(text, indent)}${indent}${key}${isRequired ? "" : "?"}: ${type}${isRequired ? "" : " | undefined"};\n`;
}

function typeOf(schema: Schema, indent: string, isSent: boolean): string {
  if (schema.$ref !== undefined) return schema.$ref.slice(REFERENCE.length);
  if ("const" in schema) return JSON.stringify(schema.const);
  if (schema.enum) return unionOf(schema.enum.map((value) => JSON.stringify(value)));

  const parts = schema.anyOf ?? schema.oneOf;
  if (parts) return unionOf(parts.map((part) => typeOf(part, indent, isSent)));
  if (Array.isArray(schema.type))
    return unionOf(schema.type.map((type: string) => typeOf({ ...schema, type }, indent, isSent)));

  switch (schema.type) {
    case "string":
      return schema.format === "binary" ? "Blob" : "string";
    case "integer":
    case "number":
      return "number";
    case "boolean":
    case "null":
      return schema.type;
    case "array":
      return arrayOf(typeOf(schema.items ?? {}, indent, isSent), isSent);
    case "object":
      return objectOf(schema, indent, isSent);
    case undefined:
      // An empty schema allows anything; one that restricts in a way unknown here must not pass as that.
      if (Object.keys(schema).every((key) => key === "description" || key === "deprecated")) return "unknown";
  }
  throw new Error(`No type can express this schema: ${JSON.stringify(schema)}`);
}

const unionOf = (types: readonly string[]): string => [...new Set(types)].join(" | ");

function arrayOf(item: string, isSent: boolean): string {
  const items = item.includes(" | ") ? `(${item})[]` : `${item}[]`;
  return isSent ? `readonly ${items}` : items;
}

function objectOf(schema: Schema, indent: string, isSent: boolean): string {
  const { properties = {}, required = [], additionalProperties = true } = schema;
  const others =
    additionalProperties === true || additionalProperties === false
      ? "unknown"
      : typeOf(additionalProperties, indent, isSent);
  const members = Object.entries(properties).map(([name, member]) =>
    property(name, required.includes(name), member, `${indent}  `, isSent),
  );
  if (members.length === 0) return `Record<string, ${others}>`;

  // Members of any name must have a type that suits the known ones too.
  const isOpen = typeof additionalProperties === "object";
  return `{\n${members.join("")}${isOpen ? `${indent}  [name: string]: unknown;\n` : ""}${indent}}`;
}

/** The names of shared answers consist of a status and the codes that it stands for. */
function problemCodes(responses: Readonly<Record<string, unknown>>): string {
  const codes = Object.keys(responses).flatMap((name) => name.split(".").slice(1));
  return [...new Set(codes)]
    .toSorted()
    .map((code) => `  | "${code}"\n`)
    .join("");
}

function comment(text: string | undefined, indent: string): string {
  if (text === undefined || text === "") return "";
  const lines = text.replaceAll("*/", "*\\/").split("\n");
  if (lines.length === 1) return `${indent}/** ${lines[0] ?? ""} */\n`;
  return `${indent}/**\n${lines.map((line) => `${indent} * ${line}`.trimEnd()).join("\n")}\n${indent} */\n`;
}

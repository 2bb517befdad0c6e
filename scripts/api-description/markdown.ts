import type { JsonSchema } from "./schemas.ts";

/** The parts of the API description that its texts are made of. */
export interface ApiDocument {
  readonly info: { readonly title: string; readonly summary: string; readonly description: string };
  readonly tags: readonly { readonly name: string; readonly description: string }[];
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: {
    readonly schemas: Readonly<Record<string, JsonSchema>>;
    readonly responses: Readonly<Record<string, Response>>;
    readonly headers: Readonly<Record<string, { readonly description: string }>>;
  };
}

interface Operation {
  readonly operationId: string;
  readonly tags: readonly string[];
  readonly summary: string;
  readonly description: string;
  readonly security: readonly Readonly<Record<string, readonly string[]>>[];
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: { readonly required: boolean; readonly content: Readonly<Record<string, Media>> };
  readonly responses: Readonly<Record<string, Response | { readonly $ref: string }>>;
}

interface Parameter {
  readonly name: string;
  readonly in: string;
  readonly required: boolean;
  readonly description: string;
  readonly schema: JsonSchema;
  readonly example: unknown;
}

interface Response {
  readonly description: string;
  readonly headers?: Readonly<Record<string, unknown>>;
  readonly content?: Readonly<Record<string, Media>>;
}

interface Media {
  readonly schema: JsonSchema;
  readonly example?: unknown;
  readonly examples?: Readonly<Record<string, { readonly value: unknown }>>;
}

/** An operation with its place in the API. */
interface Placed extends Operation {
  readonly method: string;
  readonly path: string;
}

/** What every answer has, so that it need not be said of each. */
const EVERYWHERE = "X-Request-Id";

const CALLERS: Readonly<Record<string, string>> = {
  bearer: "a person who has signed in",
  apiKey: "an API key",
  endUser: "an end user",
  mcpClient: "a connected MCP client",
};

/**
 * Returns the whole reference as Markdown, for programs and people that read text: the introduction, the operations by tag, the
 * schemas and the problems.
 */
export function renderReference(api: ApiDocument): string {
  const operations = operationsOf(api);
  const sections = api.tags.flatMap(({ name, description }) => [
    `## ${name}`,
    description,
    ...operations.filter(({ tags }) => tags.includes(name)).flatMap((one) => describeOperation(one, api)),
  ]);
  const schemas = Object.entries(api.components.schemas).flatMap(([name, schema]) => [
    `### Schema ${name}`,
    ...describeSchema(schema),
  ]);
  return `${[
    `# ${api.info.title}`,
    api.info.description,
    "`/openapi.json` is the same reference as an OpenAPI 3.1 document; `/docs` shows it to people, who can try it there.",
    ...sections,
    "## Schemas",
    ...schemas,
    "## Problems",
    "The codes of problem documents, by their status. Each operation names its own.",
    problemList(api),
  ].join("\n\n")}\n`;
}

/** Returns a short map of the documentation with links, in the form of llms.txt. */
export function renderMap(api: ApiDocument): string {
  const operations = operationsOf(api);
  const sections = api.tags.map(({ name, description }) => {
    const ids = operations.filter(({ tags }) => tags.includes(name)).map(({ operationId }) => operationId);
    const [first = ""] = description.split(/(?<=\.) /u);
    return `- [${name}](/docs.md#${name.toLowerCase()}): ${first} Operations: ${ids.join(", ")}`;
  });
  return `${[
    `# ${api.info.title}`,
    `> ${api.info.summary} Create an agent, start a conversation, send messages, and read the answers as server-sent events.`,
    "Authenticate with `Authorization: Bearer …`: the access token of a person, or an API key (`dab_…`). Errors are problem documents with a `code`.",
    "## Reference",
    [
      "- [Reference as Markdown](/docs.md): every operation with its parameters, bodies, answers, examples and problems",
      "- [OpenAPI 3.1 description](/openapi.json): the same for programs",
      "- [Reference page](/docs): the same for people, with a form to try each operation",
    ].join("\n"),
    "## Sections of the reference",
    sections.join("\n"),
    "## Optional",
    [
      "- [Schemas](/docs.md#schemas): the members of bodies and answers",
      "- [Problems](/docs.md#problems): what each code means",
    ].join("\n"),
  ].join("\n\n")}\n`;
}

const operationsOf = ({ paths }: ApiDocument): readonly Placed[] =>
  Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({
      ...operation,
      path,
      method: method.toUpperCase(),
    })),
  );

function describeOperation(operation: Placed, api: ApiDocument): string[] {
  const { method, path, operationId, summary, description, parameters = [], requestBody } = operation;
  return [
    `### ${summary}`,
    `\`${method} ${path}\` (\`${operationId}\`)`,
    description,
    `Callers: ${callersOf(operation)}.`,
    ...(parameters.length > 0 ? ["**Parameters**", parameters.map(parameterLine).join("\n")] : []),
    ...Object.entries(requestBody?.content ?? {}).flatMap(([type, media]) => [
      `**Body** (${type}${requestBody?.required ? "" : ", optional"}): ${inline(media.schema)}`,
      ...exampleOf(type, media),
    ]),
    ...Object.entries(operation.responses).flatMap(([status, response]) =>
      "$ref" in response ? [] : describeAnswer(status, response),
    ),
    `**Problems**: ${problemsOf(operation, api)}`,
  ];
}

function callersOf({ security }: Operation): string {
  if (security.length === 0) return "everybody";
  return security
    .flatMap((one) => Object.entries(one))
    .map(([scheme, scopes]) => {
      const scope = scopes.length > 0 ? ` with ${scopes.map(code).join(" or ")}` : "";
      return `${CALLERS[scheme] ?? scheme}${scope}`;
    })
    .join(", ");
}

const parameterLine = ({ name, in: place, required, description, schema, example }: Parameter): string =>
  `- ${code(name)} (${place}, ${inline(schema)}${required ? ", required" : ""}): ${oneLine(description)} Example: ${code(
    typeof example === "string" ? example : JSON.stringify(example),
  )}`;

function describeAnswer(status: string, { description, headers = {}, content = {} }: Response): string[] {
  const names = Object.keys(headers).filter((name) => name !== EVERYWHERE);
  const withHeaders = names.length > 0 ? ` Headers: ${names.map(code).join(", ")}.` : "";
  const contents = Object.entries(content);
  if (contents.length === 0) return [`**Answer ${status}**: ${description}${withHeaders}`];
  return contents.flatMap(([type, media]) => [
    `**Answer ${status}** (${type}): ${inline(media.schema)}. ${description}${withHeaders}`,
    ...exampleOf(type, media),
  ]);
}

/** Returns an example as a block of code: JSON, or the lines of a stream. */
function exampleOf(type: string, { example, examples }: Media): string[] {
  if (example !== undefined) return [fenced("json", JSON.stringify(example, undefined, 2))];
  const values = Object.values(examples ?? {}).map(({ value }) => JSON.stringify(value));
  if (values.length === 0) return [];
  return type === "text/event-stream"
    ? [fenced("", values.map((value) => `data: ${value}`).join("\n\n"))]
    : [fenced("", values.join("\n"))];
}

const fenced = (language: string, text: string): string => `\`\`\`${language}\n${text}\n\`\`\``;

/** The codes of an operation's problems, by their status. */
function problemsOf({ responses }: Operation, api: ApiDocument): string {
  return Object.entries(responses)
    .flatMap(([status, response]) =>
      "$ref" in response ? [`${status} ${codesOf(response.$ref, api).map(code).join(", ")}`] : [],
    )
    .join("; ");
}

function codesOf(reference: string, api: ApiDocument): readonly string[] {
  const response = api.components.responses[reference.split("/").at(-1) ?? ""];
  return Object.keys(response?.content?.["application/problem+json"]?.examples ?? {});
}

/** All codes with their meanings, each once. */
function problemList({ components }: ApiDocument): string {
  const meanings = new Map<string, string>();
  for (const { content } of Object.values(components.responses))
    for (const [id, { value }] of Object.entries(content?.["application/problem+json"]?.examples ?? {})) {
      // Written by `exampleOf` in problems.ts.
      const { status, detail } = value as { readonly status: number; readonly detail: string };
      meanings.set(id, `- ${status} ${code(id)}: ${detail}`);
    }
  return [...meanings.values()].toSorted((a, b) => a.localeCompare(b)).join("\n");
}

function describeSchema(schema: JsonSchema): string[] {
  const { description, discriminator, oneOf } = schema;
  const alternatives = oneOf?.map((one) => `- ${inline(one)}`).join("\n");
  const by = discriminator === undefined ? "" : ` by ${code(propertyNameOf(discriminator))}`;
  const members = memberLines(schema, "");
  return [
    ...(description === undefined ? [] : [description]),
    ...(alternatives === undefined ? [] : [`One of these${by}:`, alternatives]),
    ...(members.length > 0 ? [members.join("\n")] : []),
    ...(alternatives === undefined && members.length === 0 ? [`${inline(schema)}.`] : []),
  ];
}

const propertyNameOf = (discriminator: unknown): string =>
  String((discriminator as { readonly propertyName?: unknown }).propertyName);

/** One line for each member of an object, with the members of objects within it below. */
function memberLines(schema: JsonSchema, indent: string): string[] {
  return Object.entries(schema.properties ?? {}).flatMap(([name, property]) => {
    if (typeof property === "boolean") return [];
    const optional = schema.required?.includes(name) === true ? "" : ", optional";
    const text = property.description === undefined ? "" : `: ${oneLine(property.description)}`;
    const inner = objectWithin(property);
    return [
      `${indent}- ${code(name)} (${inline(property)}${optional})${text}`,
      ...(inner === undefined ? [] : memberLines(inner, `${indent}  `)),
    ];
  });
}

/** Returns the object that a schema is, or that its elements, values or only alternative beside null are. */
function objectWithin(schema: JsonSchema): JsonSchema | undefined {
  if (schema.properties !== undefined) return schema;
  const inner = [schema.items, schema.additionalProperties, ...(schema.anyOf ?? [])].flat();
  for (const part of inner) {
    if (typeof part !== "object" || part === null) continue;
    const found = objectWithin(part);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Returns a schema in a few words, with links to the schemas that have a name. */
function inline(schema: JsonSchema | boolean): string {
  if (typeof schema === "boolean") return "anything";
  if (schema.$ref !== undefined) {
    const name = schema.$ref.split("/").at(-1) ?? "";
    return `[${name}](#schema-${name.toLowerCase()})`;
  }
  const alternatives = schema.anyOf ?? schema.oneOf;
  if (alternatives !== undefined) return alternatives.map(inline).join(" or ");
  if (schema.const !== undefined) return code(JSON.stringify(schema.const));
  if (schema.enum !== undefined) return schema.enum.map((value) => code(JSON.stringify(value))).join(" or ");

  const types = [schema.type ?? "anything"].flat();
  return types.map((type) => inWords(type, schema)).join(" or ");
}

function inWords(type: string, schema: JsonSchema): string {
  if (type === "array") {
    const [element] = [schema.items ?? true].flat();
    const size = range(schema.minItems, schema.maxItems).trimEnd();
    return `list of ${inline(element ?? true)}${size && ` (${size})`}`;
  }
  if (type === "object" && schema.properties === undefined && typeof schema.additionalProperties === "object")
    return `object with values ${inline(schema.additionalProperties)}`;
  if (type === "string") {
    const length = range(schema.minLength, schema.maxLength);
    return `string${schema.format === undefined ? "" : ` ${schema.format}`}${length && ` of ${length}characters`}`;
  }
  if (type === "number" || type === "integer") return `${type} ${range(...limitsOf(schema))}`.trimEnd();
  return type;
}

/** The least and the greatest value, without those that only say that JavaScript counts no further. */
function limitsOf({ minimum, maximum }: JsonSchema): [number | undefined, number | undefined] {
  const real = (limit: number | undefined) =>
    limit !== undefined && Math.abs(limit) < Number.MAX_SAFE_INTEGER ? limit : undefined;
  return [real(minimum), real(maximum)];
}

/** `1 to 200 `, `at most 200 ` or nothing. */
function range(least: number | undefined, most: number | undefined): string {
  if (least !== undefined && most !== undefined) return least === most ? `${least} ` : `${least} to ${most} `;
  if (most !== undefined) return `at most ${most} `;
  return least === undefined ? "" : `at least ${least} `;
}

const code = (text: string): string => `\`${text}\``;

const oneLine = (text: string): string => text.replaceAll(/\s*\n\s*/gu, " ");

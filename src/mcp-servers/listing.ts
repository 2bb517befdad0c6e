import { fence } from "../shared/fence.ts";
import { isObject, type Json, objectAt, objectsAt, textAt } from "../shared/json.ts";
import { preview } from "../shared/text.ts";
import type { McpConnection } from "./connection.ts";
import type { Listing, ListedTool, Protocol, RefusedTool } from "./model.ts";
import { parameterHeadersIn } from "./parameter-headers.ts";

/** How many pages of a list are read. */
const MAX_PAGES = 20;
/** How many tools of a server are looked at. */
const MAX_TOOLS = 200;
/** The longest schema that is looked at, as JSON. */
const MAX_SCHEMA_CHARS = 32_768;
/** The longest definition of a tool, and of all tools of a server, as they are stored. */
const MAX_TOOL_CHARS = 12_288;
const MAX_LISTING_CHARS = 40_960;
const MAX_DESCRIPTION_CHARS = 1_500;
const MAX_TEXT_CHARS = 500;
/** How many refused tools are named. */
const MAX_REFUSED = 20;

/** Deeper levels of a schema become values of any kind. */
const MAX_DEPTH = 8;
/** How many levels a schema may have in all, with those that `$ref` repeats. */
const MAX_LEVELS = 300;
const MAX_ENUM = 100;

/** The names of tools that the protocol recommends. They also fit into a header. */
const TOOL_NAME = /^[\w./-]{1,128}$/u;
/** The names of arguments that every provider of models accepts. Zod drops arguments that are called `__proto__`. */
const ARGUMENT_NAME = /^(?!__proto__$)[\w.-]{1,64}$/u;

/** A tool can't be offered. The message is the reason, for the owner. */
class Refused extends Error {
  override readonly name = "Refused";
}

/** Asks a server for its tools. Throws `McpFailure`, and the signal's reason if it is aborted. */
export async function listTools(
  connection: Pick<McpConnection, "request" | "protocol">,
  allowed: readonly string[] | null,
  signal: AbortSignal,
): Promise<Omit<Listing, "listedAt">> {
  const tools: Json[] = [];
  let cursor: unknown;
  for (let page = 0; page < MAX_PAGES && tools.length <= MAX_TOOLS; page++) {
    const params = typeof cursor === "string" ? { cursor } : {};
    const result = await connection.request("tools/list", params, signal);
    // One page may have more elements than a call can have arguments.
    tools.push(...objectsAt(result, "tools").slice(0, MAX_TOOLS + 1));
    const next = result["nextCursor"];
    // A server that goes in circles has said everything.
    if (typeof next !== "string" || next === "" || next === cursor) break;
    cursor = next;
  }
  return toListing(tools, connection.protocol, allowed);
}

/**
 * Returns the tools of a list in the form in which they are stored: with schemas that every provider of models accepts, and texts that
 * can't imitate sections of a prompt. Tools that can't be called are refused with a reason. Never throws.
 */
export function toListing(
  described: readonly Json[],
  protocol: Protocol,
  allowed: readonly string[] | null,
): Omit<Listing, "listedAt"> {
  const tools: ListedTool[] = [];
  const others: string[] = [];
  const refused: RefusedTool[] = [];
  const known = new Set<string>();
  let left = MAX_LISTING_CHARS;
  const refuse = (name: string, reason: string) => {
    if (refused.length < MAX_REFUSED)
      refused.push({ name: preview(name.slice(0, 200), 100).toWellFormed(), reason });
  };

  for (const one of described.slice(0, MAX_TOOLS)) {
    const name = textAt(one, "name");
    if (!TOOL_NAME.test(name)) {
      refuse(name, "Its name is not one that the protocol recommends.");
      continue;
    }
    if (known.has(name)) {
      refuse(name, "Another tool has the same name.");
      continue;
    }
    known.add(name);
    if (allowed && !allowed.includes(name)) {
      others.push(name);
      continue;
    }
    try {
      const tool = toTool(name, one, protocol);
      const chars = JSON.stringify(tool).length;
      if (chars > MAX_TOOL_CHARS) throw new Refused(TOO_LONG);
      if (chars > left)
        throw new Refused("The list is longer than 40 KB. Choose the tools that the agent needs.");
      left -= chars;
      tools.push(tool);
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      refuse(name, error.message);
    }
  }
  if (described.length > MAX_TOOLS) refuse("", `Only the first ${MAX_TOOLS} tools are read.`);
  return { protocol, tools, others, refused };
}

const TOO_LONG = "Its definition is too long.";

function toTool(name: string, described: Json, protocol: Protocol): ListedTool {
  const schema = objectAt(described, "inputSchema");
  if (schema["type"] !== "object") throw new Refused("Its parameters are no JSON Schema of type object.");
  if (JSON.stringify(schema).length > MAX_SCHEMA_CHARS) throw new Refused(TOO_LONG);
  // The protocol has such headers since its stateless revision.
  const headers = protocol === "stateless" ? parameterHeadersIn(schema) : [];
  if (!headers) throw new Refused("It wants arguments as headers in a way that the protocol does not allow.");
  return {
    name,
    description: shownText(textAt(described, "description"), MAX_DESCRIPTION_CHARS),
    parameters: simplified(schema),
    ...(headers.length > 0 && { headers }),
  };
}

/** Security: text from outside becomes a part of each request to the model. */
const shownText = (text: string, maxChars: number): string =>
  fence(preview(text.slice(0, 4 * maxChars), maxChars).toWellFormed());

/**
 * Returns a schema with the keywords that providers of models agree on. `$ref` is replaced by what it refers to, a union by its first
 * alternative, and what is nested too deeply by any value. Throws `Refused` for a schema that has too many levels, or needs an argument
 * that can't be named. Anti-DoS: the numbers of levels and of characters bound the work, so references that repeat each other end early.
 */
function simplified(root: Json): Json {
  let left = MAX_LEVELS;
  let charsLeft = MAX_TOOL_CHARS;

  function take(levels: number): void {
    left -= levels;
    if (left < 0) throw new Refused(`Its parameters have more than ${MAX_LEVELS} levels.`);
  }

  /** Takes the room of a text before it is fenced, which is most of the work. */
  function takeText(text: string): string {
    charsLeft -= text.length;
    if (charsLeft < 0) throw new Refused(TOO_LONG);
    return text;
  }

  /** Returns a level without references, unions and parts. Following them counts, too. */
  function resolved(given: unknown): Json {
    let schema = known(given);
    for (;;) {
      const { $ref: reference, anyOf, oneOf, allOf, ...rest } = schema;
      const options = [anyOf, oneOf].find(Array.isArray) ?? [];
      const parts: readonly unknown[] = [
        typeof reference === "string" ? referred(reference, root) : undefined,
        options.find((one) => isObject(one) && one["type"] !== "null"),
        ...(Array.isArray(allOf) ? allOf : []),
      ];
      const found = parts.filter(isObject);
      if (found.length === 0) return rest;
      take(found.length);
      schema = [...found.map(known), rest].reduce((all, part) => merged(all, part), {});
    }
  }

  function visit(given: unknown, depth: number): Json {
    take(1);
    const schema = resolved(given);
    const type = typeOf(schema);
    return {
      type,
      ...(typeof schema["description"] === "string" && {
        description: shownText(takeText(schema["description"].slice(0, MAX_TEXT_CHARS)), MAX_TEXT_CHARS),
      }),
      ...enumOf(schema, takeText),
      ...limitsOf(schema),
      ...(type === "array" && { items: depth < MAX_DEPTH ? visit(schema["items"], depth + 1) : ANY }),
      ...(type === "object" && depth < MAX_DEPTH && members(schema, depth)),
    };
  }

  function members(schema: Json, depth: number): Json {
    const required = new Set(namesIn(schema["required"]));
    const properties = Object.entries(objectAt(schema, "properties")).flatMap(([name, member]) => {
      if (ARGUMENT_NAME.test(name)) return [[name, visit(member, depth + 1)] as const];
      take(1);
      if (!required.has(name)) return [];
      throw new Refused("It needs an argument whose name not every provider accepts.");
    });
    const names = new Set(properties.map(([name]) => name));
    const needed = [...required].filter((name) => names.has(name));
    return {
      properties: Object.fromEntries(properties),
      ...(needed.length > 0 && { required: needed }),
    };
  }

  return visit(root, 1);
}

const ANY = { type: "string" } as const;

/** Joins two descriptions of the same value. What the second says wins, but arguments add up. */
function merged(first: Json, second: Json): Json {
  const properties = { ...objectAt(first, "properties"), ...objectAt(second, "properties") };
  if (Object.keys(properties).length > MAX_LEVELS)
    throw new Refused(`Its parameters have more than ${MAX_LEVELS} levels.`);
  const required = [...namesIn(first["required"]), ...namesIn(second["required"])];
  return {
    ...first,
    ...second,
    ...(Object.keys(properties).length > 0 && { properties }),
    ...(required.length > 0 && { required }),
  };
}

/** Returns what a reference within the same schema refers to. Anything elsewhere is not fetched. */
function referred(reference: string, root: Json): unknown {
  if (reference === "#") return root;
  if (!reference.startsWith("#/") || reference.length > 500) return undefined;
  let at: unknown = root;
  for (const part of reference.slice(2).split("/")) {
    const name = part.replaceAll("~1", "/").replaceAll("~0", "~");
    at = isObject(at) && Object.hasOwn(at, name) ? at[name] : undefined;
  }
  return at;
}

const TYPES: readonly unknown[] = ["string", "number", "integer", "boolean", "array", "object"];

function typeOf(schema: Json): string {
  const { type } = schema;
  const stated: unknown = Array.isArray(type) ? type.find((one) => one !== "null") : type;
  if (TYPES.includes(stated)) return String(stated);
  if ("properties" in schema) return "object";
  return "items" in schema ? "array" : "string";
}

/** Values that would have to be changed for the prompt are left out, because the server does not know the changed ones. */
function enumOf(schema: Json, takeText: (text: string) => string): Json {
  const values = "const" in schema ? [schema["const"]] : schema["enum"];
  if (!Array.isArray(values) || values.length === 0 || values.length > MAX_ENUM) return {};
  const isUsable = values.every(
    (value: unknown) =>
      typeof value === "number" ||
      (typeof value === "string" && value.length <= 200 && fence(takeText(value)) === value),
  );
  return isUsable ? { enum: values } : {};
}

const LIMITS = ["minimum", "maximum", "minLength", "maxLength", "minItems", "maxItems"] as const;

/** The keywords that are read. A level without the others is small, however often references repeat it. */
const KEYWORDS = [
  "$ref",
  "anyOf",
  "oneOf",
  "allOf",
  "type",
  "description",
  "enum",
  "const",
  "properties",
  "required",
  "items",
  ...LIMITS,
] as const;

/** Returns a level with the keywords that are read; an empty one for what is no object. */
const known = (schema: unknown): Json =>
  isObject(schema)
    ? Object.fromEntries(
        KEYWORDS.flatMap((name) => (Object.hasOwn(schema, name) ? [[name, schema[name]]] : [])),
      )
    : {};

const limitsOf = (schema: Json): Json =>
  Object.fromEntries(LIMITS.flatMap((name) => (Number.isFinite(schema[name]) ? [[name, schema[name]]] : [])));

const namesIn = (names: unknown): readonly string[] =>
  Array.isArray(names) ? names.filter((name) => typeof name === "string").slice(0, MAX_LEVELS) : [];

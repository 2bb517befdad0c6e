import { toBase64, utf8 } from "../shared/crypto.ts";
import { isObject, type Json } from "../shared/json.ts";

/** The keyword with which a tool's schema asks for an argument as a header, too, so that proxies can route by it. */
const KEYWORD = "x-mcp-header";
/** Headers are not looked for below this level of nested objects. */
const MAX_DEPTH = 8;
/** A name that HTTP allows (RFC 9110, section 5.1). */
const TOKEN = /^[!#$%&'*+\-.^_`|~\dA-Za-z]{1,64}$/u;
/** The types whose values may be headers. */
const TYPES: readonly unknown[] = ["string", "integer", "boolean"];
/** Values that are sent as they are: visible characters of ASCII, with spaces only between them. */
const PLAIN = /^[!-~](?:[ -~]*[!-~])?$/u;

/** An argument that a server of the stateless revision also wants as a header. */
export interface ParameterHeader {
  /** The name without the prefix `Mcp-Param-`. */
  readonly name: string;
  /** The names of the members that lead to the argument. */
  readonly path: readonly string[];
}

/**
 * Returns the arguments that a tool's schema wants as headers; `undefined` if it asks for any in a way that the protocol does not allow: with a
 * name that is no header's or that occurs twice, for a value that is no text, integer or boolean, or elsewhere than on a chain of properties.
 */
export function parameterHeadersIn(schema: Json): readonly ParameterHeader[] | undefined {
  const headers: ParameterHeader[] = [];
  // Without recursion: a schema from outside may nest more deeply than the stack allows. No path: the place is not on a chain of properties.
  const pending: { readonly value: unknown; readonly path: readonly string[] | undefined }[] = [
    { value: schema, path: [] },
  ];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const { value, path } = next;
    if (Array.isArray(value)) for (const element of value) pending.push({ value: element, path: undefined });
    if (!isObject(value)) continue;
    if (Object.hasOwn(value, KEYWORD)) {
      const name = value[KEYWORD];
      const isAllowed =
        typeof name === "string" && TOKEN.test(name) && TYPES.includes(value["type"]) && path?.length;
      if (!isAllowed) return undefined;
      headers.push({ name, path });
    }
    for (const [key, member] of Object.entries(value)) {
      const isChain = key === "properties" && path !== undefined && path.length < MAX_DEPTH;
      if (isChain && isObject(member))
        for (const [name, property] of Object.entries(member))
          pending.push({ value: property, path: [...path, name] });
      else pending.push({ value: member, path: undefined });
    }
  }
  const names = new Set(headers.map(({ name }) => name.toLowerCase()));
  return names.size === headers.length ? headers : undefined;
}

/** Returns the headers of a call with these arguments. What is absent or null has none. */
export function headersOf(wanted: readonly ParameterHeader[], args: Json): Record<string, string> {
  return Object.fromEntries(
    wanted.flatMap(({ name, path }) => {
      const value = path.reduce<unknown>(
        (at, key) => (isObject(at) && Object.hasOwn(at, key) ? at[key] : undefined),
        args,
      );
      return ["string", "number", "boolean"].includes(typeof value)
        ? [[`mcp-param-${name.toLowerCase()}`, encoded(String(value))]]
        : [];
    }),
  );
}

/** Security: no value can end a header. One that looks encoded is encoded, so that the server does not decode it. */
function encoded(value: string): string {
  if (PLAIN.test(value) && !value.startsWith("=?")) return value;
  return `=?base64?${toBase64(utf8(value))}?=`;
}

import type { Context, MiddlewareHandler } from "hono";
import { matchedRoutes } from "hono/route";
import * as z from "zod";
import { invalidInput, type Issue } from "../shared/errors.ts";
import { unknownNames } from "../shared/unknown-names.ts";
import { docOf, documenting } from "./openapi.ts";

/**
 * Lets a route take query parameters that it does not know: others append theirs to the addresses of pages, of health checks
 * and of callbacks. Every other route refuses them, so that a slip in a name is never ignored.
 */
export const anyQuery = (): MiddlewareHandler => documenting({ kind: "any-query" });

/**
 * Throws `validation-failed` if the query has a parameter that no schema of the request's route describes, or repeats one that is
 * not a list, because using one of the values would ignore the others. The error names the parameter, and the known one that is
 * nearest to an unknown one. Every access check calls this, because every route has one.
 */
export function requireKnownQuery(c: Context): void {
  const values = c.req.queries();
  const names = Object.keys(values);
  if (names.length === 0) return;

  const docs = matchedRoutes(c).map(({ handler }) => docOf(handler));
  if (docs.some((doc) => doc?.kind === "any-query")) return;
  const known = new Map(
    docs.flatMap((doc) => (doc?.kind === "input" && doc.target === "query" ? parametersOf(doc.schema) : [])),
  );
  const unknown = names.filter((name) => !known.has(name));
  if (unknown.length > 0) throw invalidInput("query", [unknownNames(unknown, [...known.keys()])]);
  const repeated = names.filter((name) => (values[name]?.length ?? 0) > 1 && known.get(name) === "value");
  if (repeated.length > 0) throw invalidInput("query", repeated.map(sentTwice));
}

const sentTwice = (name: string): Issue => ({
  path: [name],
  message: `${name} must be sent only once.`,
  code: "custom",
});

/** A parameter, and whether it may be sent several times. */
type Parameter = readonly [name: string, kind: "value" | "list"];

/** The parameters of each schema, derived once. */
const derived = new WeakMap<z.ZodType, readonly Parameter[]>();

function parametersOf(schema: z.ZodType): readonly Parameter[] {
  const known =
    derived.get(schema) ?? Object.entries(objectSchemaOf(schema).properties ?? {}).map(parameterOf);
  derived.set(schema, known);
  return known;
}

const parameterOf = ([name, property]: readonly [string, unknown]): Parameter => [
  name,
  // A list is described as an array, or as one of several forms that include an array.
  JSON.stringify(property).includes('"type":"array"') ? "list" : "value",
];

const objectSchemaOf = (schema: z.ZodType) => z.toJSONSchema(schema, { io: "input", unrepresentable: "any" });

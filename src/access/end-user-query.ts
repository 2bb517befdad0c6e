import * as z from "zod";
import { invalidInput } from "../shared/errors.ts";

const NAMES = ["end_user_id", "end_user"] as const;

/** The names of an end user in a query. `end_user` was the only one in earlier versions. */
export const endUserQuery = {
  end_user_id: z.string().optional(),
  end_user: z.string().optional().meta({ deprecated: true }),
};

/**
 * Returns the id of the end user that a query names, or `undefined` if it names none. Throws `validation-failed` for an empty
 * id and for two different ones: both are mistakes, and taking them for "none" would use the owner's own memory instead.
 */
export function endUserIn(query: {
  readonly [name in (typeof NAMES)[number]]?: string | undefined;
}): string | undefined {
  const [name] = NAMES.filter((name) => query[name] !== undefined);
  if (name === undefined) return undefined;

  const id = query[name];
  if (id === "") throw invalid(name, `${name} must not be empty.`);
  if (query.end_user !== undefined && query.end_user !== id)
    throw invalid("end_user", "end_user and end_user_id name different end users. Send one of them.");
  return id;
}

const invalid = (name: string, message: string) =>
  invalidInput("query", [{ path: [name], message, code: "custom" }]);

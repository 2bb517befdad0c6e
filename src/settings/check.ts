import type { Provider, ProviderContext } from "../llm/provider.ts";
import { invalidInput, type Issue } from "../shared/errors.ts";
import { unknownNames } from "../shared/unknown-names.ts";
import { describeViolation } from "../shared/violations.ts";
import { fieldsOf } from "./forms.ts";
import type { Credentials } from "./model.ts";

/** A submitted form. Forms send a text for every field, blank if nothing was entered. */
export type Submitted = Readonly<Record<string, unknown>>;

/** Returns whether the credentials match the provider's schema. Does not call the provider. */
export const areValid = (provider: Provider, values: Credentials): boolean =>
  provider.credentials.safeParse(values).success;

/**
 * Returns the credentials to store. If no secret is entered, blank fields keep the `known` values. If a change affects
 * where the secret is sent (a base URL, a region), the secret must be entered again: otherwise a stolen session could
 * have it sent to another server. Throws `validation-failed` if something is missing or wrong.
 */
export function checkCredentials(
  provider: Provider,
  submitted: Submitted,
  known: Credentials | undefined,
  context: ProviderContext,
): Credentials {
  const fields = fieldsOf(provider);
  requireKnownFields(
    submitted,
    fields.map(({ name }) => name),
  );
  const given = Object.fromEntries(
    fields.flatMap(({ name }) => (isBlank(submitted[name]) ? [] : [[name, submitted[name]]])),
  );
  const secrets = fields.filter(({ secret }) => secret).map(({ name }) => name);
  const keeps = known !== undefined && !secrets.some((name) => Object.hasOwn(given, name));

  const values = parse(provider, keeps ? { ...known, ...given } : given);
  if (keeps) {
    // Parsed with today's schema, so that fields added since have their defaults.
    const before = parse(provider, known);
    const isMoved = fields.some(
      ({ name, secret, keepsSecrets }) => !secret && !keepsSecrets && values[name] !== before[name],
    );
    const kept = secrets.filter((name) => known[name] !== undefined);
    if (isMoved && kept.length > 0) throw invalidInput("json", kept.map(mustBeReentered));
  }

  const problem = provider.validateCredentials(values, context);
  if (problem !== undefined) throw invalidInput("json", [{ path: [], message: problem, code: "custom" }]);
  return values;
}

function requireKnownFields(submitted: Submitted, known: readonly string[]): void {
  const unknown = Object.keys(submitted).filter((name) => !known.includes(name));
  if (unknown.length > 0) throw invalidInput("json", [unknownNames(unknown, known)]);
}

/** White space counts as blank: some forms send it, and no credential consists of it. */
const isBlank = (value: unknown): boolean =>
  value === undefined || value === null || (typeof value === "string" && value.trim() === "");

function parse(provider: Provider, raw: Submitted): Credentials {
  const result = provider.credentials.safeParse(raw, { error: describeViolation });
  if (!result.success) throw invalidInput("json", result.error.issues);
  // Every field is a text. Optional fields that were left out are `undefined`.
  return Object.fromEntries(
    Object.entries(result.data).filter((entry): entry is [string, string] => typeof entry[1] === "string"),
  );
}

const mustBeReentered = (name: string): Issue => ({
  path: [name],
  message: "Please enter this again, because a setting that decides where it is sent has changed.",
  code: "custom",
});

import type { Provider, ProviderContext } from "../llm/provider.ts";
import { invalidInput, type Issue } from "../shared/errors.ts";
import { fieldsOf } from "./forms.ts";
import type { Credentials } from "./model.ts";

/** What somebody posts: forms send a text for every field, blank where nothing was entered. */
export type Submitted = Readonly<Record<string, unknown>>;

/** Whether a provider takes these credentials, as far as can be told without asking it. */
export const fits = (provider: Provider, values: Credentials): boolean =>
  provider.credentials.safeParse(values).success;

/**
 * The credentials to store. Where no secret is entered, blank fields keep what is `known`; but a secret goes only where
 * its user meant it to go, so whoever changes where that is enters it again. Throws a 422.
 */
export function checkCredentials(
  provider: Provider,
  submitted: Submitted,
  known: Credentials | undefined,
  context: ProviderContext,
): Credentials {
  const fields = fieldsOf(provider);
  const given = Object.fromEntries(
    fields.flatMap(({ name }) => (isBlank(submitted[name]) ? [] : [[name, submitted[name]]])),
  );
  const secrets = fields.filter(({ secret }) => secret).map(({ name }) => name);
  const keeps = known !== undefined && !secrets.some((name) => name in given);

  const values = parse(provider, keeps ? { ...known, ...given } : given);
  if (keeps) {
    // As it would be stored today: a field that has come since has its default.
    const before = parse(provider, known);
    const isMoved = fields.some(
      ({ name, secret, keepsSecrets }) => !secret && !keepsSecrets && values[name] !== before[name],
    );
    const kept = secrets.filter((name) => known[name] !== undefined);
    if (isMoved && kept.length > 0) throw invalidInput("json", kept.map(askAgain));
  }

  const objection = provider.objection(values, context);
  if (objection !== undefined) throw invalidInput("json", [{ path: [], message: objection, code: "custom" }]);
  return values;
}

/** Some forms leave white space behind; no credential consists of it. */
const isBlank = (value: unknown): boolean =>
  value === undefined || value === null || (typeof value === "string" && value.trim() === "");

function parse(provider: Provider, raw: Submitted): Credentials {
  const result = provider.credentials.safeParse(raw);
  if (!result.success) throw invalidInput("json", result.error.issues);
  // Every field of a provider's credentials is a text; those that were left out stand there as undefined.
  return Object.fromEntries(
    Object.entries(result.data).filter((entry): entry is [string, string] => typeof entry[1] === "string"),
  );
}

const askAgain = (name: string): Issue => ({
  path: [name],
  message: "Please enter it again: it was meant for the settings as they were",
  code: "custom",
});

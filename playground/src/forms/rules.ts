import type { Form } from "../types.ts";

export type FormInput = Form["form_inputs"][number];

/** What somebody has entered, by the names of the inputs. */
export type Values = Readonly<Record<string, string>>;

export interface Option {
  readonly value: string;
  readonly label: string;
}

/** Returns the values that a form begins with: what is stored, else what the form suggests, else nothing. */
export function initialValues(form: Form, stored: Values = {}): Values {
  return Object.fromEntries(
    form.form_inputs.map(({ name, value }) => [name, stored[name] ?? value ?? ""] as const),
  );
}

/**
 * Returns the options of an input that suit the other values: those for the value of the input that it depends on, and those for the
 * architecture. A value that is not offered (any longer) stays among them, so that showing a form changes nothing.
 */
export function optionsOf(input: FormInput, values: Values): readonly Option[] {
  const offered: readonly Option[] = (input.options ?? [])
    .filter(
      (option) =>
        option.for === undefined || input.depends_on === undefined || option.for === values[input.depends_on],
    )
    .filter(({ architectures }) => architectures?.includes(values["agent_architecture"] ?? "") ?? true);
  const plain = (input.values ?? []).map((value) => ({ value, label: value }));
  const all = input.options === undefined ? plain : offered;
  const value = values[input.name] ?? "";
  return value === "" || all.some((option) => option.value === value)
    ? all
    : [...all, { value, label: value }];
}

/**
 * Returns the values after one of them has changed. Choices that depended on it are emptied, because they belong to another value;
 * one that is still offered is kept.
 */
export function withValue(form: Form, values: Values, name: string, value: string): Values {
  const next: Record<string, string> = { ...values, [name]: value };
  for (const input of form.form_inputs) {
    if (input.depends_on !== name || input.options === undefined) continue;
    const isOffered = input.options.some(
      (option) => option.value === next[input.name] && (option.for === undefined || option.for === value),
    );
    if (!isOffered) next[input.name] = "";
  }
  return next;
}

/**
 * Returns the inputs that few people need: those behind the last required one which do not have to be filled in, unless they depend on
 * one before them.
 */
export function furtherInputs(form: Form): ReadonlySet<FormInput> {
  const inputs = form.form_inputs;
  const last = inputs.findLastIndex(({ required }) => required);
  const needed = new Set(inputs.slice(0, last + 1).map(({ name }) => name));
  return new Set(inputs.slice(last + 1).filter(({ depends_on: on }) => on === undefined || !needed.has(on)));
}

/** Returns what is wrong with the values, by the names of the inputs. The service has the last word; this spares a request. */
export function problemsIn(form: Form, values: Values): Readonly<Record<string, string>> {
  const found = form.form_inputs.flatMap((input) => {
    const problem = problemOf(input, values[input.name] ?? "");
    return problem === undefined ? [] : [[input.name, problem] as const];
  });
  return Object.fromEntries(found);
}

/** The word that removes a value. */
const NONE = "none";

function problemOf(input: FormInput, value: string): string | undefined {
  if (value.trim() === "") return input.required ? `${input.label} is required.` : undefined;
  if (value.trim() === NONE) return undefined;
  return isNumeric(input) ? numberProblem(input, value) : textProblem(input, value);
}

const isNumeric = ({ attr }: FormInput): boolean =>
  attr?.["type"] === "number" || /^(?:numeric|decimal)$/u.test(attr?.["inputmode"] ?? "");

function numberProblem({ label, min, max, attr }: FormInput, text: string): string | undefined {
  const value = Number(text);
  const isWhole = attr?.["inputmode"] === "numeric";
  if (Number.isNaN(value) || (isWhole && !Number.isInteger(value)))
    return `${label} must be a ${isWhole ? "whole " : ""}number.`;
  if (min !== undefined && value < min) return `${label} must be at least ${min.toLocaleString("en")}.`;
  if (max !== undefined && value > max) return `${label} must be at most ${max.toLocaleString("en")}.`;
  return undefined;
}

function textProblem({ label, min, max, pattern }: FormInput, text: string): string | undefined {
  if (min !== undefined && text.length < min) return `${label} needs at least ${min} characters.`;
  if (max !== undefined && text.length > max)
    return `${label} may have at most ${max.toLocaleString("en")} characters; these are ${text.length.toLocaleString("en")}.`;
  if (pattern !== undefined && matches(pattern, text) === false)
    return `${label} does not have the expected form.`;
  return undefined;
}

/** Returns whether a text matches a pattern as a whole; undefined if this browser cannot read the pattern. */
function matches(pattern: string, text: string): boolean | undefined {
  try {
    return new RegExp(`^(?:${pattern})$`, "u").test(text);
  } catch {
    return undefined;
  }
}

import type { Values } from "../forms/rules.ts";
import type { Agent, Form } from "../types.ts";

/** Returns an agent's values for a form: as texts, by the names of the inputs. */
export function valuesOf(agent: Agent, form: Form): Values {
  const members = Object.entries(agent);
  return Object.fromEntries(
    form.form_inputs.map(({ name }) => {
      const value: unknown = members.find(([member]) => member === name)?.[1];
      return [name, typeof value === "string" || typeof value === "number" ? String(value) : ""] as const;
    }),
  );
}

/** Returns the values that are sent: only those that differ from the stored ones. */
export const changesIn = (values: Values, stored: Values): Values =>
  Object.fromEntries(
    Object.entries(values).filter(([name, value]) => value !== "" && value !== stored[name]),
  );

import { describe, expect, it } from "vitest";
import { changesIn, valuesOf } from "../../playground/src/agents/agent-values.ts";
import {
  type FormInput,
  furtherInputs,
  initialValues,
  optionsOf,
  problemsIn,
  withValue,
} from "../../playground/src/forms/rules.ts";

const formOf = (...inputs: FormInput[]) => ({ form_name: "A form", submit_path: "/x", form_inputs: inputs });

const NAME: FormInput = { input_type: "text", name: "name", label: "Name", required: true, min: 1, max: 10 };
const PROVIDER: FormInput = {
  input_type: "select",
  name: "provider",
  label: "Provider",
  values: ["A", "B"],
};
const MODEL: FormInput = {
  input_type: "select",
  name: "model",
  label: "Model",
  depends_on: "provider",
  options: [
    { value: "a1", label: "[A] one", for: "A" },
    { value: "a2", label: "[A] two", for: "A", architectures: ["plain"] },
    { value: "b1", label: "[B] one", for: "B" },
  ],
};
const NUMBER: FormInput = {
  input_type: "text",
  name: "window",
  label: "Window",
  attr: { inputmode: "numeric" },
  min: 2_048,
  max: 20_000,
};

describe("the options of an input", () => {
  it("follow the value of the input that they depend on", () => {
    const values = (provider: string) => ({ provider, agent_architecture: "plain" });

    expect(optionsOf(MODEL, values("A")).map(({ value }) => value)).toEqual(["a1", "a2"]);
    expect(optionsOf(MODEL, values("B")).map(({ value }) => value)).toEqual(["b1"]);
    expect(optionsOf(MODEL, values(""))).toEqual([]);
  });

  it("suit the architecture", () => {
    const offered = optionsOf(MODEL, { provider: "A", agent_architecture: "with-tools" });

    expect(offered.map(({ value }) => value)).toEqual(["a1"]);
  });

  it("include a stored value that is not offered any longer", () => {
    expect(optionsOf(MODEL, { provider: "A", agent_architecture: "plain", model: "old" }).at(-1)).toEqual({
      value: "old",
      label: "old",
    });
  });

  it("are the plain values where there are no labels", () => {
    expect(optionsOf(PROVIDER, {})).toEqual([
      { value: "A", label: "A" },
      { value: "B", label: "B" },
    ]);
  });
});

describe("the inputs that are folded", () => {
  it("are those that few people need, behind the last one that everybody does", () => {
    const required: FormInput = { ...PROVIDER, required: true };
    const dependent: FormInput = { ...NUMBER, name: "other", depends_on: "window" };

    const folded = furtherInputs(
      formOf({ ...NUMBER, name: "early" }, NAME, required, MODEL, NUMBER, dependent),
    );

    expect([...folded].map(({ name }) => name)).toEqual(["window", "other"]);
  });

  it("are none if nothing is required before them that they could follow", () => {
    expect(furtherInputs(formOf(NAME)).size).toBe(0);
  });
});

describe("a change", () => {
  const form = formOf(NAME, PROVIDER, MODEL);

  it("empties a choice that belonged to the former value", () => {
    expect(withValue(form, { provider: "A", model: "a1" }, "provider", "B")).toEqual({
      provider: "B",
      model: "",
    });
  });

  it("keeps a choice that is still offered, and everything else", () => {
    const values = { name: "n", provider: "B", model: "a1" };

    expect(withValue(form, values, "provider", "A")).toEqual({ name: "n", provider: "A", model: "a1" });
    expect(withValue(form, values, "name", "m")).toEqual({ ...values, name: "m" });
  });
});

describe("what is wrong with the values", () => {
  const problem = (input: FormInput, value: string) =>
    problemsIn(formOf(input), { [input.name]: value })[input.name];

  it.each([
    [NAME, "", "Name is required."],
    [NAME, "  ", "Name is required."],
    [NAME, "x".repeat(11), "Name may have at most 10 characters; these are 11."],
    [NAME, "Ada", undefined],
    [NUMBER, "many", "Window must be a whole number."],
    [NUMBER, "3000.5", "Window must be a whole number."],
    [NUMBER, "10", "Window must be at least 2,048."],
    [NUMBER, "30000", "Window must be at most 20,000."],
    [NUMBER, "4096", undefined],
    [NUMBER, "", undefined],
    [NUMBER, "none", undefined],
    [{ ...NUMBER, attr: { type: "number" } }, "4096", undefined],
    [{ ...NUMBER, attr: { type: "number" } }, "10", "Window must be at least 2,048."],
    [{ ...NAME, pattern: "[a-z]+" }, "Ada1", "Name does not have the expected form."],
    [{ ...NAME, pattern: "[a-z]+" }, "ada", undefined],
    [{ ...NAME, pattern: "(" }, "ada", undefined],
  ])("is said in a sentence: $label = %j", (input, value, expected) => {
    expect(problem(input, value)).toBe(expected);
  });
});

describe("the values of a form", () => {
  it("begin with what is stored, or else with what the form suggests", () => {
    const form = formOf({ ...NAME, value: "suggested" }, { ...PROVIDER, value: "A" }, MODEL);

    expect(initialValues(form)).toEqual({ name: "suggested", provider: "A", model: "" });
    expect(initialValues(form, { name: "stored" })).toEqual({ name: "stored", provider: "A", model: "" });
  });

  it("of an agent are texts, and only changes are sent", () => {
    const agent = { agent_name: "Ada", temperature: 0.5, context_window: null, allowed_origins: [] };
    const form = formOf(
      { ...NAME, name: "agent_name" },
      { ...NUMBER, name: "temperature" },
      { ...NUMBER, name: "context_window" },
      { ...NUMBER, name: "allowed_origins" },
    );
    const stored = valuesOf(agent as never, form);

    expect(stored).toEqual({
      agent_name: "Ada",
      temperature: "0.5",
      context_window: "",
      allowed_origins: "",
    });
    expect(changesIn({ ...stored, agent_name: "Bob", temperature: "" }, stored)).toEqual({
      agent_name: "Bob",
    });
  });
});

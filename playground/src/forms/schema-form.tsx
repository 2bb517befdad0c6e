import type { ComponentChildren } from "preact";
import { useRef, useState } from "preact/hooks";
import { MarkdownLine } from "../chat/markdown.tsx";
import { useAction } from "../data.ts";
import type { Form } from "../types.ts";
import {
  Button,
  Field,
  type FieldIds,
  fieldErrors,
  Icon,
  Problem,
  Select,
  TextArea,
  TextInput,
} from "../ui/index.ts";
import {
  type FormInput,
  furtherInputs,
  initialValues,
  optionsOf,
  problemsIn,
  type Values,
  withValue,
} from "./rules.ts";

export interface SchemaFormProps {
  /** As the API returns it. */
  readonly form: Form;
  /** The stored values, if something is changed and not created. An input that is left empty then keeps its value. */
  readonly values?: Values;
  readonly submitLabel: string;
  /** Sends the values. What it throws is shown: at the input that it is about, or above the button. */
  readonly onSubmit: (values: Values) => Promise<unknown>;
  /** Whether what few people need is folded. */
  readonly folds?: boolean;
  /** Buttons beside the one that submits. */
  readonly actions?: ComponentChildren;
}

/** Renders a form of the API. It knows no form in advance: labels, choices, rules and help all come from the service. */
export function SchemaForm({
  form,
  values: stored,
  submitLabel,
  onSubmit,
  folds = false,
  actions,
}: SchemaFormProps) {
  const [values, setValues] = useState<Values>(() => initialValues(form, stored));
  const [found, setFound] = useState<Readonly<Record<string, string>>>({});
  const { run, busy, error } = useAction(onSubmit);
  const element = useRef<HTMLFormElement>(null);

  const further: ReadonlySet<FormInput> = folds ? furtherInputs(form) : new Set();
  const [isFurtherOpen, setFurtherOpen] = useState(false);
  const isShown = (name: string) => form.form_inputs.some((input) => input.name === name);
  const refused = fieldErrors(error);
  const problems = { ...refused, ...found };
  const isElsewhere = error !== undefined && !Object.keys(refused).some(isShown);

  /** Leads the person to the first input with a problem, once it is marked. */
  const showFirstProblem = () =>
    setTimeout(() => {
      const first = element.current?.querySelector<HTMLElement>("[aria-invalid]");
      if (first?.closest("details")) setFurtherOpen(true);
      // What is folded takes the focus only once it is open.
      setTimeout(() => first?.focus(), 0);
    }, 0);

  const submit = async (event: Event) => {
    event.preventDefault();
    const wrong = problemsIn(form, values);
    setFound(wrong);
    if (Object.keys(wrong).length > 0 || !(await run(values))) showFirstProblem();
  };
  const change = (name: string) => (value: string) => {
    setValues(withValue(form, values, name, value));
    const { [name]: _mended, ...others } = found;
    setFound(others);
  };

  const field = (input: FormInput) => (
    <FormField
      key={input.name}
      input={input}
      values={values}
      stored={stored?.[input.name]}
      error={problems[input.name]}
      onValue={change(input.name)}
    />
  );

  return (
    <form class="stack schema-form" onSubmit={(event) => void submit(event)} ref={element} noValidate>
      {form.form_inputs.filter((input) => !further.has(input)).map(field)}
      {further.size > 0 && (
        <details
          class="further"
          open={isFurtherOpen}
          onToggle={({ currentTarget: { open } }) => setFurtherOpen(open)}
        >
          <summary class="further-head">
            <Icon name="down" size={16} />
            More settings
          </summary>
          <div class="stack">{[...further].map(field)}</div>
        </details>
      )}
      {isElsewhere && <Problem error={error} />}
      <div class="row">
        <Button type="submit" kind="primary" busy={busy}>
          {submitLabel}
        </Button>
        {actions}
      </div>
    </form>
  );
}

interface FormFieldProps {
  readonly input: FormInput;
  readonly values: Values;
  readonly stored: string | undefined;
  readonly error: string | undefined;
  readonly onValue: (value: string) => void;
}

function FormField({ input, values, stored, error, onValue }: FormFieldProps) {
  const value = values[input.name] ?? "";
  const isKept = stored !== undefined && stored !== "" && value === "" && input.input_type !== "select";
  const text = input.help;
  const help = isKept
    ? `If empty, the present value stays: ${shortened(stored)}`
    : text !== undefined && text !== "" && <MarkdownLine text={text} />;
  return (
    <Field
      label={input.label}
      error={error}
      help={help || undefined}
      optional={!input.required && stored === undefined}
    >
      {(ids) => <Input ids={ids} input={input} values={values} value={value} onValue={onValue} />}
    </Field>
  );
}

const shortened = (text: string): string => (text.length > 60 ? `${text.slice(0, 60)}…` : text);

interface InputProps extends Pick<FormFieldProps, "input" | "values" | "onValue"> {
  readonly ids: FieldIds;
  readonly value: string;
}

/** Attributes of the API that an input takes. Others could change what the input is. */
const ATTRIBUTES = ["placeholder", "inputmode"] as const;

function Input({ ids, input, values, value, onValue }: InputProps) {
  const attributes = Object.fromEntries(
    ATTRIBUTES.flatMap((name) =>
      input.attr?.[name] === undefined ? [] : [[name, input.attr[name]] as const],
    ),
  );
  const shared = { ...ids, ...attributes, value, onValue, required: input.required ?? false };
  switch (input.input_type) {
    case "text_area":
      return <TextArea {...shared} rows={5} />;
    case "password":
      return <TextInput {...shared} type="password" autocomplete="off" spellcheck={false} />;
    case "select": {
      const options = optionsOf(input, values);
      const isRequired = input.required === true && value !== "";
      const empty = { value: "", label: emptyLabel(input, options.length, values) };
      return (
        <Select
          {...ids}
          value={value}
          onValue={onValue}
          disabled={options.length === 0}
          options={isRequired ? options : [empty, ...options]}
        />
      );
    }
    case "choice":
      return <Choices ids={ids} input={input} values={values} value={value} onValue={onValue} />;
    case "text":
      return (
        <>
          <TextInput {...shared} autocomplete="off" />
          <Suggestions input={input} values={values} value={value} onValue={onValue} />
        </>
      );
  }
}

function emptyLabel(input: FormInput, count: number, values: Values): string {
  const isWaiting = input.depends_on !== undefined && (values[input.depends_on] ?? "") === "";
  if (isWaiting) return "Choose the one above first";
  if (count === 0) return "Nothing to choose from";
  return input.required ? "Choose one" : "Default";
}

/** Values that the service suggests for a text. */
function Suggestions({ input, values, value, onValue }: Omit<InputProps, "ids">) {
  const options = input.options === undefined ? [] : optionsOf({ ...input, name: "" }, values);
  if (options.length === 0) return null;
  return (
    <div class="suggestions" role="group" aria-label={`Suggestions for ${input.label}`}>
      {options.map((option) => (
        <button
          key={option.value}
          type="button"
          class="suggestion"
          aria-pressed={option.value === value}
          onClick={() => onValue(option.value)}
        >
          {option.label}
        </button>
      ))}
    </div>
  );
}

function Choices({ ids, input, values, value, onValue }: InputProps) {
  return (
    <div class="choices" role="radiogroup" {...ids} aria-label={input.label}>
      {optionsOf(input, values).map((option) => (
        <label key={option.value} class="choice">
          <input
            type="radio"
            class="choice-input"
            name={input.name}
            value={option.value}
            checked={option.value === value}
            onChange={() => onValue(option.value)}
          />
          <span>{option.label}</span>
        </label>
      ))}
    </div>
  );
}

import type {
  ComponentChildren,
  PartialInputHTMLAttributes,
  PartialSelectHTMLAttributes,
  TextareaHTMLAttributes,
} from "preact";
import { useId, useLayoutEffect, useRef } from "preact/hooks";
import { Icon } from "./icon.tsx";

/** What an input needs so that screen readers read its help and its problem. */
export interface FieldIds {
  readonly id: string;
  readonly "aria-describedby": string | undefined;
  readonly "aria-invalid": true | undefined;
}

export interface FieldProps {
  readonly label: string;
  readonly help?: ComponentChildren;
  /** What is wrong with the value, in a sentence. */
  readonly error?: string | undefined;
  readonly optional?: boolean;
  readonly children: (ids: FieldIds) => ComponentChildren;
}

/** A label, an input, its help, and what is wrong with it. */
export function Field({ label, help, error, optional = false, children }: FieldProps) {
  const id = useId();
  const helpId = `${id}-help`;
  const errorId = `${id}-error`;
  const described = [error !== undefined && errorId, help !== undefined && helpId].filter(Boolean).join(" ");
  return (
    <div class="field">
      <label class="field-label" for={id}>
        {label}
        {optional && <span class="field-optional">optional</span>}
      </label>
      {children({
        id,
        "aria-describedby": described === "" ? undefined : described,
        "aria-invalid": error === undefined ? undefined : true,
      })}
      {error !== undefined && (
        <p class="field-error" id={errorId} role="alert">
          {error}
        </p>
      )}
      {help !== undefined && (
        <p class="field-help" id={helpId}>
          {help}
        </p>
      )}
    </div>
  );
}

interface Changes {
  readonly value: string;
  readonly onValue: (value: string) => void;
}

type Own<Attributes> = Omit<
  Attributes,
  "value" | "class" | "onInput" | "onChange" | "role" | "type" | "size"
> &
  Changes;

interface TextInputProps extends Own<PartialInputHTMLAttributes<HTMLInputElement>> {
  readonly type?: "text" | "password" | "search" | "email" | "url" | "number" | "date" | "datetime-local";
}

/** A line of text. */
export function TextInput({ onValue, type = "text", ...rest }: TextInputProps) {
  // The types want one kind of input at a time, because some attributes belong to one only.
  const kind = type as "text";
  return (
    <input {...rest} type={kind} class="input" onInput={(event) => onValue(event.currentTarget.value)} />
  );
}

/** Several lines of text. It grows with them, up to the height that its style allows. */
export function TextArea({ onValue, rows = 3, ...rest }: Own<TextareaHTMLAttributes>) {
  const area = useRef<HTMLTextAreaElement>(null);
  useLayoutEffect(() => {
    const element = area.current;
    if (!element) return;
    element.style.height = "auto";
    element.style.height = `${element.scrollHeight + 2}px`;
  }, [rest.value]);
  return (
    <textarea
      {...rest}
      ref={area}
      rows={rows}
      class="input text-area"
      onInput={(event) => onValue(event.currentTarget.value)}
    />
  );
}

export interface SelectOption {
  readonly value: string;
  readonly label: string;
}

/** A choice among several values. */
export function Select({
  onValue,
  options,
  ...rest
}: Own<PartialSelectHTMLAttributes<HTMLSelectElement>> & { readonly options: readonly SelectOption[] }) {
  return (
    <span class="select">
      <select {...rest} class="input" onChange={(event) => onValue(event.currentTarget.value)}>
        {options.map(({ value, label }) => (
          <option key={value} value={value} selected={value === rest.value}>
            {label}
          </option>
        ))}
      </select>
      <Icon name="down" size={16} />
    </span>
  );
}

export interface SwitchProps {
  readonly label: ComponentChildren;
  readonly checked: boolean;
  readonly onChecked: (checked: boolean) => void;
  readonly disabled?: boolean;
}

/** Something that is on or off. */
export function Switch({ label, checked, onChecked, disabled = false }: SwitchProps) {
  return (
    <label class="switch">
      <input
        type="checkbox"
        role="switch"
        class="switch-input"
        checked={checked}
        disabled={disabled}
        onChange={(event) => onChecked(event.currentTarget.checked)}
      />
      <span class="switch-track" aria-hidden="true" />
      <span>{label}</span>
    </label>
  );
}

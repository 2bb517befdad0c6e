import * as z from "zod";
import { architectureNames, architectureOptions } from "../architectures/registry.ts";
import { blankAsAbsent, decimal, Origins, removable, wholeNumber } from "../http/schemas.ts";
import { PROVIDER_NAMES } from "../llm/providers.ts";
import type { FormInput, Rules } from "../shared/forms.ts";
import { isOneLine } from "../shared/text.ts";
import { rule } from "../shared/violations.ts";
import { count, optionalCount, optionalNumber, optionalText, text, texts } from "../table/fields.ts";
import type { Item, Value } from "../table/marshal.ts";
import { isGuardable } from "./name.ts";
import { APPROVAL_MODES, approvalsIn, ToolApprovals } from "./tool-approvals.ts";

/** What a form can offer for selection. */
export interface Choices {
  /** The names of the providers that the user can choose. */
  readonly providers: readonly string[];
  /** The models of all these providers. */
  readonly models: NonNullable<FormInput["options"]>;
}

/** An input of a form. Its name, rules and initial value follow from the field. */
type Input = Omit<FormInput, "name" | "value" | keyof Rules>;

/**
 * A field of an agent. It has the same name in bodies, answers, forms and stored items. Validation, view, forms, changes and
 * attributes follow from it.
 */
interface Field<
  Member extends string,
  Stored extends Value,
  Create extends z.ZodType,
  Change extends z.ZodType,
> {
  /** The name of the member of `Agent`. */
  readonly member: Member;
  readonly view: z.ZodType<Stored>;
  /** Reads the attribute of a stored item. */
  readonly read: (item: Item, name: string) => Stored;
  /** Validates the member of a body that creates an agent. */
  readonly create: Create;
  /** Validates the member of a body that changes an agent. An absent member keeps its value. */
  readonly change: Change;
  /** The value if a new agent's body has none. Absent for fields that every body must have. */
  readonly initial?: NoInfer<Stored>;
  /** Whether the item of a new agent has the attribute only if the value is not the initial one. */
  readonly sparse?: boolean;
  /** The input in forms. Absent for fields without one. */
  readonly input?: (choices: Choices) => Input;
}

const field = <
  const Member extends string,
  Stored extends Value,
  Create extends z.ZodType,
  Change extends z.ZodType,
>(
  definition: Field<Member, Stored, Create, Change>,
) => definition;

/** Thirty days. */
const MAX_SESSION_TIMEOUT_MINUTES = 30 * 24 * 60;
const DEFAULT_SESSION_TIMEOUT_MINUTES = 60;
/** More than any current model can write. */
const MAX_OUTPUT_TOKENS = 200_000;
/** Below the least, the instructions alone fill the window. No current model reads more than the most. */
const CONTEXT_WINDOW = { least: 2_048, most: 20_000_000 };
/** More than one person sends in a month. */
const MAX_END_USER_MESSAGES = 1_000_000;
/** The architecture of agents that were stored before the attribute existed. */
const DEFAULT_ARCHITECTURE = "krishna-mini";

const SESSION_TIMEOUTS = [
  { value: "30", label: "30 minutes" },
  { value: "60", label: "1 hour (Default)" },
  { value: "120", label: "2 hours" },
  { value: "240", label: "4 hours" },
  { value: "0", label: "No timeout (load all)" },
];

const DEFAULTED = "If empty, the provider's default applies. `none` restores that default.";

const Name = z
  .string()
  .trim()
  .min(1)
  .max(200)
  .refine(isOneLine, { error: rule("must be one line of text, without control characters.") })
  .refine(isGuardable, {
    error: "The name is too long: letters outside the Latin alphabet count several times. Please shorten it.",
  });
const Architecture = z.enum(architectureNames);
const Persona = z.string().max(40_000);
const canonicalProvider = (name: unknown): unknown =>
  PROVIDER_NAMES.find((known) => typeof name === "string" && known.toLowerCase() === name.toLowerCase()) ??
  name;

/** Matched without case, and stored as the provider is called. */
const Provider = z.preprocess(
  (name: (typeof PROVIDER_NAMES)[number]) => canonicalProvider(name),
  z.enum(PROVIDER_NAMES),
);
const Model = z.string().trim().max(200);
const Timeout = blankAsAbsent(wholeNumber(0, MAX_SESSION_TIMEOUT_MINUTES).optional());
const AllowedOrigins = blankAsAbsent(Origins.optional());

const NullableText = z.string().nullable();
const NullableNumber = z.number().nullable();

const nullableText = (item: Item, name: string): string | null => optionalText(item, name) || null;
const nullableNumber = (item: Item, name: string): number | null => optionalNumber(item, name) ?? null;
const nullableCount = (item: Item, name: string): number | null => optionalCount(item, name) ?? null;

/** A field that is null unless it is set. `none` in a body makes it null again. */
const nullable = <S extends z.ZodType>(schema: S) => ({
  create: schema,
  change: schema,
  initial: null,
  sparse: true,
});

/** The fields of an agent that its owner sets, in the order of the forms. */
export const AGENT_FIELDS = {
  agent_name: field({
    member: "name",
    view: z.string(),
    read: text,
    create: blankAsAbsent(Name),
    change: blankAsAbsent(Name.optional()),
    input: () => ({ input_type: "text", label: "Agent Name" }),
  }),
  /** May be older than those offered today, and no longer available; so may the provider and the model. */
  agent_architecture: field({
    member: "architecture",
    view: z.string(),
    read: (item, name) => text(item, name, DEFAULT_ARCHITECTURE),
    create: blankAsAbsent(Architecture),
    change: blankAsAbsent(Architecture.optional()),
    input: () => ({
      input_type: "select",
      label: "Architecture",
      values: architectureOptions.map(({ value }) => value),
      options: architectureOptions,
    }),
  }),
  agent_persona: field({
    member: "persona",
    view: z.string(),
    read: text,
    create: blankAsAbsent(Persona),
    change: blankAsAbsent(Persona.optional()),
    input: () => ({ input_type: "text_area", label: "Persona" }),
  }),
  agent_provider: field({
    member: "provider",
    view: z.string(),
    read: text,
    create: blankAsAbsent(Provider),
    change: blankAsAbsent(Provider.optional()),
    input: ({ providers }) => ({
      input_type: "select",
      label: "Provider Name",
      values: [...providers],
      ...(providers.length === 0 && { help: "Configure a provider in the settings first." }),
    }),
  }),
  /** Null means the provider's default. */
  agent_model: field({
    member: "model",
    view: NullableText,
    read: nullableText,
    ...nullable(removable(Model)),
    // The legacy Python service stores null, too.
    sparse: false,
    input: ({ models }) => ({
      input_type: "select",
      label: "Model",
      options: [...models],
      depends_on: "agent_provider",
    }),
  }),
  /** In minutes. A turn after a longer pause starts without history; 0 always keeps the history. */
  session_timeout_minutes: field({
    member: "sessionTimeoutMinutes",
    view: z.number(),
    read: (item, name) => count(item, name, DEFAULT_SESSION_TIMEOUT_MINUTES),
    create: Timeout,
    change: Timeout,
    initial: DEFAULT_SESSION_TIMEOUT_MINUTES,
    input: () => ({ input_type: "select", label: "Session Timeout", options: SESSION_TIMEOUTS }),
  }),
  /** Null means the provider's default. */
  temperature: field({
    member: "temperature",
    view: NullableNumber,
    read: nullableNumber,
    ...nullable(removable(decimal(0, 2))),
    input: () => ({
      input_type: "text",
      label: "Temperature",
      attr: { inputmode: "decimal" },
      help: DEFAULTED,
    }),
  }),
  /** Null means the provider's default. */
  max_output_tokens: field({
    member: "maxOutputTokens",
    view: NullableNumber,
    read: nullableCount,
    ...nullable(removable(wholeNumber(1, MAX_OUTPUT_TOKENS))),
    input: () => ({
      input_type: "text",
      label: "Longest Answer (tokens)",
      attr: { inputmode: "numeric" },
      help: DEFAULTED,
    }),
  }),
  /** The context window of the model, in tokens, if its owner knows it better. Null means the known or learned one. */
  context_window: field({
    member: "contextWindow",
    view: NullableNumber,
    read: nullableCount,
    ...nullable(removable(wholeNumber(CONTEXT_WINDOW.least, CONTEXT_WINDOW.most))),
    input: () => ({
      input_type: "text",
      label: "Context Window (tokens)",
      attr: { inputmode: "numeric" },
      help: "If empty, the model's known window applies. `none` restores it.",
    }),
  }),
  /** Answers if the provider fails before it has said anything. Null with a fallback model means the same provider. */
  fallback_provider: field({
    member: "fallbackProvider",
    view: NullableText,
    read: nullableText,
    ...nullable(removable(Provider)),
    input: ({ providers }) => ({
      input_type: "select",
      label: "Fallback Provider",
      options: [{ value: "none", label: "None" }, ...providers.map((name) => ({ value: name, label: name }))],
      help: "Answers if the provider fails before it has said anything.",
    }),
  }),
  fallback_model: field({
    member: "fallbackModel",
    view: NullableText,
    read: nullableText,
    ...nullable(removable(Model)),
    input: ({ models }) => ({
      input_type: "select",
      label: "Fallback Model",
      options: [...models],
      depends_on: "fallback_provider",
    }),
  }),
  /** Origins of the pages from which end users may talk to the agent. */
  allowed_origins: field({
    member: "allowedOrigins",
    view: z.array(z.string()),
    read: (item, name) => [...texts(item, name)],
    create: AllowedOrigins,
    change: AllowedOrigins,
    initial: [],
    sparse: true,
  }),
  /** Which tools wait for an approval before they are run, by name; `*` stands for all that are not named. */
  tool_approvals: field({
    member: "toolApprovals",
    view: z.record(z.string(), z.enum(APPROVAL_MODES)),
    read: approvalsIn,
    create: ToolApprovals,
    change: ToolApprovals,
    initial: {},
    sparse: true,
    input: () => ({
      input_type: "text_area",
      label: "Tools That Ask First",
      help: "One tool per line, with `always`, `first` (once per conversation) or `never`: `send_mail: always`. `*` stands for all other tools. `none` removes all lines.",
    }),
  }),
  /** Messages in a month (UTC). Applies if it is lower than the plan's limit; null sets no limit. */
  end_user_messages_per_month: field({
    member: "endUserMessagesPerMonth",
    view: NullableNumber,
    read: nullableCount,
    ...nullable(removable(wholeNumber(1, MAX_END_USER_MESSAGES))),
    input: () => ({
      input_type: "text",
      label: "Messages per End User and Month",
      attr: { inputmode: "numeric" },
      help: "If empty, only the plan's limit applies. `none` removes a limit that was set here.",
    }),
  }),
} as const;

type Fields = typeof AGENT_FIELDS;
type FieldName = keyof Fields;

/** What the owner sets of an agent, under the names of `Agent`. */
export type AgentSettings = {
  readonly [N in FieldName as Fields[N]["member"]]: ReturnType<Fields[N]["read"]>;
};

/** A field whose types are not known, for loops over the table. */
type AnyField = Omit<Field<keyof AgentSettings, Value, z.ZodType, z.ZodType>, "view"> & {
  readonly view: z.ZodType;
};

/** The table as a list of names and fields. */
export const agentFields: readonly (readonly [FieldName, AnyField])[] = Object.entries(
  AGENT_FIELDS,
) as (readonly [FieldName, AnyField])[];

/** Returns one part of every field under the field's name, such as the shape of a schema. */
export const agentShape = <P extends "view" | "create" | "change">(part: P) =>
  // The cast states what the loop does, which `fromEntries` cannot.
  Object.fromEntries(agentFields.map(([name, field]) => [name, field[part]])) as {
    [N in FieldName]: Fields[N][P];
  };

import * as z from "zod";
import { withoutProto } from "../http/schemas.ts";
import type { Attachment } from "../messages/attachments.ts";
import { attachmentsFrom, type InlineFile } from "../messages/inline-files.ts";
import type { GivenMessage } from "../messages/model.ts";
import { toClientTool } from "../runs/client-tools.ts";
import type { GivenResponse } from "../runs/turn.ts";
import { nameIn, rule } from "../shared/violations.ts";
import { MAX_RESPONSE_ID_CHARS } from "../wires/response-id.ts";
import {
  CALL_ARGUMENTS,
  CALL_ID,
  CALL_NAME,
  CHOICES,
  clientToolsOf,
  NO_CHOICE,
  type PastEntry,
  requireChoice,
  requireShort,
  toGiven,
  TOOL_MEMBERS,
  toolList,
  withResults,
} from "./client-tools.ts";
import { answerFormat, FormatType, instructionsFrom, NamedSchema, nothing } from "./completion-request.ts";

const MAX_ITEMS = 2_000;
const MAX_PARTS = 100;
/** OpenAI's limits on metadata, which its clients state. */
const MAX_METADATA = 16;
const MAX_METADATA_KEY_CHARS = 64;
const MAX_METADATA_VALUE_CHARS = 512;

const PART_TYPES = ["input_text", "output_text", "refusal", "input_image", "input_file"] as const;

const InputPart = z.object({
  // Only items of the type `reasoning` have the last one.
  type: z.enum([...PART_TYPES, "reasoning_text"]),
  text: z.string().optional(),
  refusal: z.string().optional(),
  file_data: z.string().nullish(),
  file_url: z.string().nullish(),
  image_url: z.string().nullish(),
  file_id: z.string().nullish(),
  filename: z.string().max(255).nullish(),
});

/** The types of items that are read. Reasoning is not needed: the agent has its own. */
const ITEM_TYPES = ["message", "function_call", "function_call_output", "reasoning"] as const;

/** What to do instead of sending items of other types. */
const NO_REFERENCES =
  "can't be referred to. Send the items themselves, which clients do with `store: false`, or continue with `previous_response_id`.";
const OTHER_ITEMS = `is not supported. Supported: ${ITEM_TYPES.join(", ")}.`;

const Content = z.union(
  [
    z.string().transform((text): z.output<typeof InputPart>[] => [{ type: "input_text", text }]),
    z.array(InputPart).max(MAX_PARTS),
  ],
  {
    error: rule(
      `must be text, or a list of at most ${MAX_PARTS} parts whose type is one of: ${PART_TYPES.join(", ")}.`,
    ),
  },
);

/** Returns the text that a request has in the place of an issue, behind `before`; nothing if it is no short text. */
const quoted = ({ input }: Pick<z.core.$ZodRawIssue, "input">, before: string): string =>
  typeof input === "string" && input.length <= 64 ? `${before}\`${input}\`` : "";

type InputItem = z.output<typeof InputItem>;

const InputItem = z.object({
  type: z
    .enum(ITEM_TYPES, {
      error: (issue) =>
        issue.input === "item_reference"
          ? `${nameIn(issue)}: items ${NO_REFERENCES}`
          : `${nameIn(issue)}${quoted(issue, ": ")} ${OTHER_ITEMS}`,
    })
    .default("message"),
  role: z.enum(["user", "assistant", "system", "developer"]).optional(),
  content: Content.nullish(),
  call_id: CALL_ID.optional(),
  name: CALL_NAME.optional(),
  arguments: CALL_ARGUMENTS.optional(),
  output: Content.optional(),
});

/** The members that items of a type must have. */
const REQUIRED = {
  message: ["role", "content"],
  function_call: ["call_id", "name", "arguments"],
  function_call_output: ["call_id", "output"],
  reasoning: [],
} as const satisfies Record<InputItem["type"], readonly (keyof InputItem)[]>;

/** A result of a call that the service has made. */
interface GivenResult {
  readonly callId: string;
  readonly output: string;
}

/** What a request says. */
interface Input {
  /** What the user says now. Empty if the results of calls are all that is new. */
  readonly content: string;
  readonly attachments: readonly Attachment[];
  /** What the application says along with it. */
  readonly preceding: readonly GivenMessage[];
  /** The messages up to the agent's last one, oldest first. Empty if the client does not keep the history. */
  readonly history: readonly GivenMessage[];
  /** What the agent has answered since `content`, with the results of its calls, if the client keeps the history. */
  readonly responses: readonly GivenResponse[];
  /** The results of calls whose history the service keeps. */
  readonly results: readonly GivenResult[];
}

/** An item before its files are read. */
interface ReadItem extends Omit<PastEntry, "attachments"> {
  readonly attachments: readonly Attachment[];
  readonly isInstruction: boolean;
  readonly files: readonly InlineFile[];
}

/**
 * Returns what the items say: the history up to the agent's last message, and behind it what is new. Several new messages of the
 * user become one, because a turn answers one. Without the calls, results are those of calls that the service keeps. Adds issues to the
 * context for what can't be read.
 */
function inputOf(items: readonly InputItem[], context: z.RefinementCtx): Input {
  const keepsCalls = items.some(({ type }) => type === "function_call");
  const entries = entriesOf(items, context);
  const refuse: Parameters<typeof withResults>[1] = (index, member, predicate) =>
    addIssue(context, [index, ...MEMBERS[member]], predicate);
  const results = keepsCalls ? [] : bareResults(entries, refuse);
  const read = withResults(
    keepsCalls ? entries : entries.filter(({ resultOf }) => resultOf === undefined),
    refuse,
  );

  const newest = read.findLastIndex(({ role }) => role === "assistant") + 1;
  const isUsers = ({ role, isInstruction }: (typeof read)[number]) => role === "user" && !isInstruction;
  const isAnswered = (read[newest - 1]?.calls.length ?? 0) > 0;
  const isGoingOn = isAnswered && !read.slice(newest).some(isUsers);
  // What is new begins here: behind the last answer, or with the message whose answer is not whole.
  const begin = isGoingOn ? Math.max(0, read.findLastIndex(isUsers)) : newest;
  const recent = read.slice(begin);
  const said = recent.filter(isUsers);
  const content = textOf(said.map(({ content: text }) => text));
  const attachments = attachmentsFrom(
    said.flatMap(({ files }) => files),
    context,
  );
  const last = read.at(-1);
  if (isGoingOn && said.length === 0)
    addIssue(context, [last?.index ?? 0], "must follow a message of the user.");
  else if (last?.role === "assistant" && !isGoingOn)
    addIssue(context, [last.index, "role"], "must not be `assistant` in the last item.");
  else if (content.trim() === "" && attachments.length === 0 && results.length === 0 && !isGoingOn)
    addIssue(context, [], "must not be blank.");
  else if (!content.isWellFormed()) addIssue(context, [], "is not well-formed Unicode.");

  const given = (item: (typeof read)[number]) =>
    toGiven({ ...item, attachments: attachmentsFrom(item.files, context) });
  return {
    content,
    attachments,
    preceding: recent.filter(({ isInstruction }) => isInstruction).map(given),
    history: read.slice(0, begin).map(given),
    responses: recent.filter(({ role }) => role === "assistant"),
    results,
  };
}

/** Where the parts of calls and results are in their items. */
const MEMBERS = { calls: [], id: ["call_id"], output: ["output"] } as const;

/** Returns the items in the form that chat completions have, too: the calls of an answer are a part of it. */
function entriesOf(items: readonly InputItem[], context: z.RefinementCtx): readonly ReadItem[] {
  const entries: ReadItem[] = [];
  for (const [index, item] of items.entries()) {
    const { type, call_id: id = "", name = "", arguments: text = "" } = item;
    for (const member of REQUIRED[type])
      if ((item[member] ?? null) === null) addIssue(context, [index, member], "is required.");
    if (type === "reasoning") continue;
    const last = entries.at(-1);
    const call = { id, name, arguments: text };
    if (type === "function_call" && last?.role === "assistant")
      entries[entries.length - 1] = { ...last, calls: [...last.calls, call] };
    else if (type === "function_call") entries.push({ ...EMPTY, index, role: "assistant", calls: [call] });
    else entries.push(readItem(item, index, context));
  }
  return entries;
}

const EMPTY = { content: "", attachments: [], files: [], calls: [], isInstruction: false } as const;

/** Returns the results of calls that the service keeps. The user's message may only stand behind them: before, it was answered. */
function bareResults(
  entries: readonly ReadItem[],
  refuse: Parameters<typeof withResults>[1],
): readonly GivenResult[] {
  const ids = new Set<string>();
  const results: GivenResult[] = [];
  const last = entries.findLastIndex(({ resultOf }) => resultOf !== undefined);
  for (const [at, entry] of entries.entries()) {
    const { index, resultOf: callId, content: output, role, isInstruction } = entry;
    if (callId === undefined) {
      if (at < last && role === "user" && !isInstruction)
        refuse(index, "calls", "must stand behind the results: what was said before has been answered.");
      continue;
    }
    if (ids.has(callId)) refuse(index, "id", "must not have a result already.");
    requireShort(entry, refuse);
    ids.add(callId);
    results.push({ callId, output });
  }
  return results;
}

/** Returns a message or a result. Adds issues to the context for parts without their content. */
function readItem(item: InputItem, index: number, context: z.RefinementCtx): ReadItem {
  const { type, role = "user", call_id: resultOf } = item;
  const member = type === "message" ? "content" : "output";
  const files: InlineFile[] = [];
  const texts: string[] = [];
  for (const [at, part] of (item[member] ?? []).entries()) {
    const path = [index, member, at];
    const [name, value] = contentOf(part);
    if (type !== "message" && isFile(part))
      addIssue(context, [...path, "type"], "must be `input_text`: the result of a tool is text.");
    else if (part.type === "reasoning_text")
      addIssue(context, [...path, "type"], "is for items of the type `reasoning`.");
    else if (value === undefined || value === null)
      addIssue(
        context,
        [...path, name],
        isFile(part) ? "is required: files can't be sent by id." : "is required.",
      );
    else if (isFile(part)) files.push({ path: [...path, name], data: value, filename: part.filename });
    else texts.push(value);
  }
  const isInstruction = type === "message" && (role === "system" || role === "developer");
  const text = textOf(texts);
  return {
    ...EMPTY,
    index,
    role: type === "message" && role === "assistant" ? role : "user",
    // Instructions of the request have the rights of its user; see `readMessage` of completions.
    content: isInstruction ? instructionsFrom(text) : text,
    isInstruction,
    files,
    ...(type === "function_call_output" && { resultOf: resultOf ?? "" }),
  };
}

const isFile = ({ type }: z.output<typeof InputPart>): boolean =>
  type === "input_file" || type === "input_image";

/** Returns the member of a part that has its content, and the content. */
function contentOf(part: z.output<typeof InputPart>): [string, string | null | undefined] {
  if (part.type === "refusal") return ["refusal", part.refusal];
  if (part.type === "input_image") return ["image_url", part.image_url];
  if (part.type !== "input_file") return ["text", part.text];
  return part.file_data === undefined && part.file_url
    ? ["file_url", part.file_url]
    : ["file_data", part.file_data];
}

const textOf = (texts: readonly string[]): string => texts.filter((text) => text !== "").join("\n\n");

const addIssue = (context: z.RefinementCtx, path: (string | number)[], predicate: string): void =>
  context.addIssue({ code: "custom", message: `${["input", ...path].join(".")} ${predicate}`, path });

/** Says what is wrong with an input: with the first item that is not valid, if it is a list. */
function describeInput(issue: z.core.$ZodRawIssue): string {
  if (issue.input === undefined) return "input is required.";
  const [, ofList = []] = issue.code === "invalid_union" ? issue.errors : [];
  const [first] = ofList;
  return first && first.path.length > 0
    ? `input.${first.message}`
    : `input must be text, or a list of 1 to ${MAX_ITEMS} items.`;
}

const Input = z
  .union(
    [
      z
        .string()
        .transform((text): InputItem[] => [
          { type: "message", role: "user", content: [{ type: "input_text", text }] },
        ]),
      z.array(InputItem).min(1).max(MAX_ITEMS),
    ],
    { error: describeInput },
  )
  .transform(inputOf);

const Format = NamedSchema.partial({ name: true })
  .extend({ type: FormatType })
  .refine(({ type, name, schema }) => type !== "json_schema" || (name !== undefined && schema), {
    error: rule("must have a `name` and a `schema` with this type."),
  });

const Conversation = z.union(
  [z.string().min(1).max(255), z.object({ id: z.string().min(1).max(255) }).transform(({ id }) => id)],
  { error: rule("must be the id or the name of a conversation, of 1 to 255 characters.") },
);

/** The types of tools that OpenAI runs, or whose calls are not functions. */
const ClientTool = z.object({
  type: z.literal("function", {
    error: (issue) =>
      `${nameIn(issue)} must be \`function\`${quoted(issue, ", not ")}: the agent has its own tools beside the client's functions.`,
  }),
  ...TOOL_MEMBERS,
  strict: z.boolean().nullish(),
});

const ToolChoiceOf = z.union(
  [z.enum(CHOICES), z.object({ type: z.literal("function"), name: z.string().max(64) })],
  NO_CHOICE,
);

/**
 * The body of a response. What would change the answer's form and is not supported is refused. Settings that belong to the agent,
 * such as `temperature`, and members that we do not know are ignored.
 */
export const NewResponse = z
  .object({
    model: z.string().min(1).max(255),
    input: Input,
    instructions: z.string().nullish(),
    stream: z.boolean().nullish(),
    background: z.boolean().nullish(),
    store: z.boolean().nullish(),
    previous_response_id: z.string().max(MAX_RESPONSE_ID_CHARS).nullish(),
    conversation: Conversation.nullish(),
    text: z.object({ format: Format.nullish() }).nullish(),
    metadata: withoutProto(
      z.record(z.string().max(MAX_METADATA_KEY_CHARS), z.string().max(MAX_METADATA_VALUE_CHARS)),
    )
      .refine((metadata) => Object.keys(metadata).length <= MAX_METADATA, {
        error: rule(`must have at most ${MAX_METADATA} members.`),
      })
      .nullish(),
    user: z.string().max(255).nullish(),
    safety_identifier: z.string().max(255).nullish(),
    tools: toolList(ClientTool)
      .nullish()
      .transform((tools) => tools ?? []),
    tool_choice: ToolChoiceOf.nullish(),
    parallel_tool_calls: z.boolean().nullish(),
    prompt: nothing("is not supported: the agent has instructions of its own."),
  })
  .superRefine((request, context) => {
    const { previous_response_id: previous, conversation, store, input } = request;
    const refuse = (member: string, sentence: string) =>
      context.addIssue({ code: "custom", path: [member], message: `${member} ${sentence}` });
    // This is called also if the input has issues. Then it has not been read.
    if (!("results" in input)) return;
    requireChoice(request.tools, choiceOf(request), ["tool_choice", "name"], context);
    const continued = (previous ?? conversation ?? null) !== null;
    if (!continued && input.results.length > 0)
      refuse("input", "has results without their calls. Send these, too, or `previous_response_id`.");
    if (!continued) return;
    if (previous && conversation)
      refuse("previous_response_id", "must not be sent together with `conversation`.");
    if (store === false)
      refuse("store", "must not be false in a conversation, because it keeps what is said.");
    if (keepsHistory(input))
      refuse(
        "input",
        "must have no messages and calls of the assistant in a conversation, because it has its own history.",
      );
  })
  .meta({ id: "NewResponse" });

/** Returns the form of the answer that a request asks for, or `undefined` for text. */
export const formatOf = ({ text }: z.output<typeof NewResponse>) =>
  text?.format ? answerFormat(text.format.type, text.format) : undefined;

/** Returns whether the client keeps the history, and sends it with the request. */
export const keepsHistory = ({ history, responses }: Input): boolean =>
  history.length > 0 || responses.length > 0;

const choiceOf = ({
  tool_choice: choice,
}: {
  tool_choice?: z.output<typeof ToolChoiceOf> | null | undefined;
}) => choice ?? undefined;

/** Returns the tools of the client that a request offers to the model, and how the model may call them. */
export const offeredTools = (request: z.output<typeof NewResponse>) =>
  clientToolsOf(request.tools.map(toClientTool), choiceOf(request), request.parallel_tool_calls);

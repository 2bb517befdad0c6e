import * as z from "zod";
import type { Attachment } from "../messages/attachments.ts";
import { attachmentsFrom, type InlineFile } from "../messages/inline-files.ts";
import type { GivenMessage } from "../messages/model.ts";
import { rule } from "../shared/violations.ts";
import { MAX_RESPONSE_ID_CHARS } from "../wires/response-id.ts";
import { answerFormat, FormatType, instructionsFrom, NamedSchema, nothing } from "./completion-request.ts";

const MAX_ITEMS = 2_000;
const MAX_PARTS = 100;
/** OpenAI's limits on metadata, which its clients state. */
const MAX_METADATA = 16;
const MAX_METADATA_KEY_CHARS = 64;
const MAX_METADATA_VALUE_CHARS = 512;

const PART_TYPES = ["input_text", "output_text", "refusal", "input_image", "input_file"] as const;

const InputPart = z.object({
  type: z.enum(PART_TYPES),
  text: z.string().optional(),
  refusal: z.string().optional(),
  file_data: z.string().nullish(),
  file_url: z.string().nullish(),
  image_url: z.string().nullish(),
  file_id: z.string().nullish(),
  filename: z.string().max(255).nullish(),
});

const InputItem = z.object({
  type: z
    .literal("message", {
      error: rule("must be `message`: items of tools and of reasoning are not supported."),
    })
    .optional(),
  role: z.enum(["user", "assistant", "system", "developer"]),
  content: z.union(
    [
      z.string().transform((text): z.output<typeof InputPart>[] => [{ type: "input_text", text }]),
      z.array(InputPart).max(MAX_PARTS),
    ],
    {
      error: rule(
        `must be text, or a list of at most ${MAX_PARTS} parts whose type is one of: ${PART_TYPES.join(", ")}.`,
      ),
    },
  ),
});

/** What a request says. */
interface Input {
  /** What the user says now. */
  readonly content: string;
  readonly attachments: readonly Attachment[];
  /** What the application says along with it. */
  readonly preceding: readonly GivenMessage[];
  /** The messages up to the agent's last one, oldest first. Empty if the client does not keep the history. */
  readonly history: readonly GivenMessage[];
}

/** An item before its files are read. */
interface ReadItem {
  readonly role: z.output<typeof InputItem>["role"];
  readonly text: string;
  readonly files: readonly InlineFile[];
}

/**
 * Returns what the items say: the history up to the agent's last message, and behind it what is new. Several new messages of the
 * user become one, because a turn answers one. Adds issues to the context for what can't be read.
 */
function inputOf(items: readonly z.output<typeof InputItem>[], context: z.RefinementCtx): Input {
  const read = items.map((item, index) => readItem(item, index, context));
  const newest = read.findLastIndex(({ role }) => role === "assistant") + 1;
  const isUsers = ({ role }: ReadItem) => role === "user";
  const said = read.slice(newest).filter(isUsers);
  const content = textOf(said.map(({ text }) => text));
  const attachments = attachmentsFrom(
    said.flatMap(({ files }) => files),
    context,
  );
  if (newest > 0 && newest === items.length)
    addIssue(context, [newest - 1, "role"], "must not be `assistant` in the last item.");
  else if (content.trim() === "" && attachments.length === 0) addIssue(context, [], "must not be blank.");
  else if (!content.isWellFormed()) addIssue(context, [], "is not well-formed Unicode.");

  const given = (item: ReadItem) => toGiven(item, context);
  return {
    content,
    attachments,
    preceding: read
      .slice(newest)
      .filter((item) => !isUsers(item))
      .map(given),
    history: read.slice(0, newest).map(given),
  };
}

/** Returns the text and the files of an item. Adds issues to the context for parts without their content. */
function readItem(
  { role, content }: z.output<typeof InputItem>,
  index: number,
  context: z.RefinementCtx,
): ReadItem {
  const files: InlineFile[] = [];
  const texts: string[] = [];
  for (const [at, part] of content.entries()) {
    const path = [index, "content", at];
    const [member, value] = contentOf(part);
    if (value === undefined || value === null)
      addIssue(
        context,
        [...path, member],
        isFile(part) ? "is required: files can't be sent by id." : "is required.",
      );
    else if (isFile(part)) files.push({ path: [...path, member], data: value, filename: part.filename });
    else texts.push(value);
  }
  return { role, text: textOf(texts), files };
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

/** Returns an item in our form. Instructions of the request have the rights of its user; see `readMessage` of completions. */
function toGiven({ role, text, files }: ReadItem, context: z.RefinementCtx): GivenMessage {
  const attachments = attachmentsFrom(files, context);
  return role === "assistant" || role === "user"
    ? { role, content: text, attachments }
    : { role: "user", content: instructionsFrom(text), attachments };
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
    : `input must be text, or a list of 1 to ${MAX_ITEMS} messages.`;
}

const Input = z
  .union(
    [
      z
        .string()
        .transform((text) => [{ role: "user" as const, content: [{ type: "input_text" as const, text }] }]),
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
    metadata: z
      .record(z.string().max(MAX_METADATA_KEY_CHARS), z.string().max(MAX_METADATA_VALUE_CHARS))
      .refine((metadata) => Object.keys(metadata).length <= MAX_METADATA, {
        error: rule(`must have at most ${MAX_METADATA} members.`),
      })
      .nullish(),
    user: z.string().max(255).nullish(),
    safety_identifier: z.string().max(255).nullish(),
    tools: nothing("must be empty: tools of the client are not supported. The agent runs its own."),
    prompt: nothing("is not supported: the agent has instructions of its own."),
  })
  .superRefine((request, context) => {
    const { previous_response_id: previous, conversation, store, input } = request;
    const refuse = (member: string, sentence: string) =>
      context.addIssue({ code: "custom", path: [member], message: `${member} ${sentence}` });
    const continued = (previous ?? conversation ?? null) !== null;
    if (!continued) return;
    if (previous && conversation)
      refuse("previous_response_id", "must not be sent together with `conversation`.");
    if (store === false)
      refuse("store", "must not be false in a conversation, because it keeps what is said.");
    if (input.history.length > 0)
      refuse(
        "input",
        "must have no messages of the assistant in a conversation, because it has its own history.",
      );
  })
  .meta({ id: "NewResponse" });

/** Returns the form of the answer that a request asks for, or `undefined` for text. */
export const formatOf = ({ text }: z.output<typeof NewResponse>) =>
  text?.format ? answerFormat(text.format.type, text.format) : undefined;

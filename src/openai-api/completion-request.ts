import * as z from "zod";
import { type Attachment } from "../messages/attachments.ts";
import { attachmentsFrom, type InlineFile } from "../messages/inline-files.ts";
import type { GivenMessage } from "../runs/turn.ts";
import type { AnswerFormat } from "../llm/model.ts";
import { rule } from "../shared/violations.ts";

const MAX_MESSAGES = 2_000;
const MAX_PARTS = 100;
/** Far more than providers accept. Anti-DoS: a schema that nests thousands of levels can't be passed to the runner. */
const MAX_SCHEMA_LEVELS = 100;

const ContentPart = z.object({
  type: z.enum(["text", "refusal", "file"]).describe("The type of the part."),
  text: z.string().optional().describe("The text of a part of type `text`."),
  refusal: z.string().optional().describe("The text of a part of type `refusal`."),
  file: z
    .object({
      file_data: z.string().optional().describe("A text file: a `data:` URL, or base64."),
      filename: z.string().max(255).nullish().describe("The name of the file."),
    })
    .optional()
    .describe("The file of a part of type `file`."),
});

const CompletionMessage = z.object({
  role: z
    .enum(["system", "developer", "user", "assistant"])
    .describe("Who says it. The last message is the user's."),
  content: z
    .union(
      [
        z.string().transform((text) => [{ type: "text" as const, text }]),
        z.array(ContentPart).max(MAX_PARTS),
      ],
      {
        error: rule("must be text, or a list of at most 100 parts whose type is one of: text, file."),
      },
    )
    .nullish()
    .describe("The text, or its parts."),
  tool_calls: z
    .array(z.unknown())
    .max(0, { error: rule("must be empty: tools of the client are not supported.") })
    .nullish()
    .describe("Not supported."),
});

type CompletionMessage = z.output<typeof CompletionMessage>;

/** The messages of a request: what the user says, and what was said before. */
interface Said {
  readonly content: string;
  readonly attachments: readonly Attachment[];
  /** Oldest first. */
  readonly history: readonly GivenMessage[];
}

/** Returns the last message and those before it. Adds issues to the context for what can't be read. */
function saidIn(messages: readonly CompletionMessage[], context: z.RefinementCtx): Said {
  const read = messages.map((message, index) => readMessage(message, index, context));
  const last = messages.length - 1;
  if (messages[last]?.role !== "user")
    addIssue(context, [last, "role"], "must be `user` in the last message.");
  const { content = "", attachments = [] } = read[last] ?? {};
  if (content.trim() === "" && attachments.length === 0)
    addIssue(context, [last, "content"], "must not be blank.");
  return { content, attachments, history: read.slice(0, -1) };
}

/**
 * Returns a message in our form. The agent has instructions of its own. Those of the request reach the model as words of the
 * user, whose rights they have.
 */
function readMessage(
  { role, content }: CompletionMessage,
  index: number,
  context: z.RefinementCtx,
): GivenMessage {
  const files: InlineFile[] = [];
  const texts: string[] = [];
  for (const [at, part] of (content ?? []).entries()) {
    const path = [index, "content", at];
    const text = part.type === "refusal" ? part.refusal : part.text;
    if (part.type === "file") {
      if (part.file?.file_data === undefined)
        addIssue(context, [...path, "file", "file_data"], "is required: files can't be sent by id.");
      else
        files.push({
          path: [...path, "file", "file_data"],
          data: part.file.file_data,
          filename: part.file.filename,
        });
    } else if (text === undefined) addIssue(context, [...path, part.type], "is required.");
    else texts.push(text);
  }

  const said = texts.join("\n\n");
  const attachments = attachmentsFrom(files, context);
  if (role === "assistant" || role === "user") return { role, content: said, attachments };
  return { role: "user", content: instructionsFrom(said), attachments };
}

/** Returns instructions of a request as words of the user; "" if there are none. */
export const instructionsFrom = (text: string): string =>
  text === "" ? "" : `Instructions from the application:\n${text}`;

const addIssue = (context: z.RefinementCtx, path: (string | number)[], predicate: string): void =>
  context.addIssue({ code: "custom", message: `messages.${path.join(".")} ${predicate}`, path });

/** Returns whether a value nests at most `MAX_SCHEMA_LEVELS` levels. Takes linear time and does not recurse. */
function nestsLittle(value: unknown): boolean {
  let level = [value];
  for (let left = MAX_SCHEMA_LEVELS; left > 0 && level.length > 0; left--)
    level = level.flatMap((inner): unknown[] =>
      typeof inner === "object" && inner !== null ? Object.values(inner) : [],
    );
  return level.every((inner) => typeof inner !== "object" || inner === null);
}

export const FormatType = z.enum(["text", "json_object", "json_schema"]).describe("The form of the answer.");

/** A JSON Schema that an answer must match. */
export const NamedSchema = z.object({
  name: z
    .string()
    .regex(/^[\w-]{1,64}$/u, { error: rule("must have 1 to 64 letters, digits, `_` and `-`.") })
    .describe("The name of the schema."),
  description: z.string().max(1_000).nullish().describe("What the answer is for."),
  schema: z
    .record(z.string(), z.unknown())
    .refine(nestsLittle, { error: rule(`must nest at most ${MAX_SCHEMA_LEVELS} levels.`) })
    .nullish()
    .describe("The JSON Schema."),
  strict: z.boolean().nullish().describe("Whether the provider must keep exactly to the schema."),
});

const ResponseFormat = z
  .object({
    type: FormatType,
    json_schema: NamedSchema.nullish().describe("Required with the type `json_schema`."),
  })
  .refine(({ type, json_schema: schema }) => type !== "json_schema" || schema?.schema, {
    error: rule("must have a `schema` with this type."),
    path: ["json_schema"],
  });

/** Returns the form that a request asks for, or `undefined` for text. */
function formatOf(wanted: z.output<typeof ResponseFormat> | null | undefined): AnswerFormat | undefined {
  return wanted ? answerFormat(wanted.type, wanted.json_schema ?? {}) : undefined;
}

/** Returns the form of a type and a schema, or `undefined` for text. */
export function answerFormat(
  type: z.output<typeof FormatType>,
  {
    name = "answer",
    description,
    schema,
    strict,
  }: { readonly [K in keyof z.output<typeof NamedSchema>]?: z.output<typeof NamedSchema>[K] | undefined },
): AnswerFormat | undefined {
  if (type === "text") return undefined;
  return {
    name,
    description: description ?? undefined,
    schema: type === "json_schema" ? (schema ?? undefined) : undefined,
    isStrict: strict === true,
  };
}

/** Accepts a member that asks for nothing, and refuses any other value of it. */
export const nothing = (sentence: string) =>
  z
    .unknown()
    .refine(
      (value) => value === undefined || value === null || (Array.isArray(value) && value.length === 0),
      {
        error: rule(sentence),
      },
    )
    .optional();

/**
 * The body of a chat completion. What would change the answer's form and is not supported is refused. Settings that belong to the
 * agent, such as `temperature`, and members that we do not know are ignored.
 */
export const CompletionRequest = z
  .object({
    model: z.string().min(1).max(255).describe("The id or the name of an agent."),
    messages: z
      .array(CompletionMessage)
      .min(1)
      .max(MAX_MESSAGES)
      .transform(saidIn)
      .describe("What was said, and last what the user says now."),
    stream: z.boolean().nullish().describe("Whether the answer is streamed."),
    stream_options: z
      .object({ include_usage: z.boolean().nullish().describe("Whether the last chunk has the tokens.") })
      .nullish()
      .describe("Options of the stream."),
    user: z.string().max(255).nullish().describe("The end user whose conversations and memory are used."),
    metadata: z
      .object({
        conversation_id: z.string().min(1).max(255).nullish().describe("The same as `X-Conversation-Id`."),
      })
      .nullish()
      .describe("Only `conversation_id` is read."),
    n: z
      .literal(1, { error: rule("must be 1.") })
      .nullish()
      .describe("The number of answers."),
    tools: nothing("must be empty: tools of the client are not supported. The agent runs its own.").describe(
      "Not supported.",
    ),
    functions: nothing("must be empty: functions of the client are not supported.").describe(
      "Not supported.",
    ),
    audio: nothing("is not supported: agents answer in text.").describe("Not supported."),
    response_format: ResponseFormat.nullish()
      .transform(formatOf)
      .describe("The form of the answer; text by default."),
  })
  .meta({ id: "CompletionRequest" });

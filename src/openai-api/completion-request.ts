import * as z from "zod";
import { type Attachment } from "../messages/attachments.ts";
import { attachmentsFrom, type InlineFile } from "../messages/inline-files.ts";
import type { GivenMessage } from "../messages/model.ts";
import { JsonSchema, toClientTool } from "../runs/client-tools.ts";
import type { GivenResponse } from "../runs/turn.ts";
import type { AnswerFormat } from "../llm/model.ts";
import { rule } from "../shared/violations.ts";
import {
  CALL_ARGUMENTS,
  CALL_ID,
  CALL_NAME,
  CHOICES,
  clientToolsOf,
  MAX_CALLS,
  NO_CHOICE,
  type PastEntry,
  requireChoice,
  toGiven,
  TOOL_MEMBERS,
  toolList,
  withResults,
} from "./client-tools.ts";

const MAX_MESSAGES = 2_000;
const MAX_PARTS = 100;

const ContentPart = z.object({
  type: z.enum(["text", "refusal", "file"]),
  text: z.string().optional(),
  refusal: z.string().optional(),
  file: z
    .object({
      file_data: z.string().optional(),
      filename: z.string().max(255).nullish(),
    })
    .optional(),
});

const CompletionCall = z.object({
  id: CALL_ID,
  type: z.literal("function").default("function"),
  function: z.object({
    name: CALL_NAME,
    arguments: CALL_ARGUMENTS,
  }),
});

const CompletionMessage = z.object({
  role: z.enum(["system", "developer", "user", "assistant", "tool"]),
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
    .nullish(),
  tool_calls: z.array(CompletionCall).max(MAX_CALLS).nullish(),
  tool_call_id: z.string().max(200).nullish(),
});

type CompletionMessage = z.output<typeof CompletionMessage>;

/** The messages of a request: what the user says, and what was said before. */
interface Said {
  readonly content: string;
  readonly attachments: readonly Attachment[];
  /** Oldest first. */
  readonly history: readonly GivenMessage[];
  /** The answers since then that have called the client's tools, with all their results. */
  readonly responses: readonly GivenResponse[];
}

/** Returns the last message of the user, those before it, and what the agent has answered since. Adds issues for what can't be read. */
function saidIn(messages: readonly CompletionMessage[], context: z.RefinementCtx): Said {
  const entries = messages.map((message, index) => readMessage(message, index, context));
  const read = withResults(entries, (index, member, predicate) =>
    addIssue(context, [index, MEMBERS[member]], predicate),
  );
  const last = messages.length - 1;
  const lastRole = messages[last]?.role;
  if (lastRole !== "user" && lastRole !== "tool")
    addIssue(context, [last, "role"], "must be `user` or `tool` in the last message.");
  const at = read.findLastIndex(({ role }) => role === "user");
  const said = read[at];
  const { content = "", attachments = [] } = said ?? {};
  if (lastRole !== "tool" && content.trim() === "" && attachments.length === 0)
    addIssue(context, [said?.index ?? last, "content"], "must not be blank.");
  if (lastRole === "tool" && !said) addIssue(context, [last, "role"], "must follow a message of the user.");

  return {
    content,
    attachments,
    history: read.slice(0, at).map(toGiven),
    responses: at < 0 ? [] : read.slice(at + 1),
  };
}

const MEMBERS = { calls: "tool_calls", id: "tool_call_id", output: "content" } as const;

/**
 * Returns a message in our form. The agent has instructions of its own. Those of the request reach the model as words of the
 * user, whose rights they have.
 */
function readMessage(
  { role, content, tool_calls: toolCalls, tool_call_id: resultOf }: CompletionMessage,
  index: number,
  context: z.RefinementCtx,
): PastEntry {
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
  const calls = (toolCalls ?? []).map(({ id, function: { name, arguments: text } }) => ({
    id,
    name,
    arguments: text,
  }));
  if (role === "assistant" || role === "user") return { index, role, content: said, attachments, calls };
  if (role === "tool")
    return { index, role: "user", content: said, attachments: [], calls, resultOf: resultOf ?? "" };
  return { index, role: "user", content: instructionsFrom(said), attachments, calls };
}

/** Returns instructions of a request as words of the user; "" if there are none. */
export const instructionsFrom = (text: string): string =>
  text === "" ? "" : `Instructions from the application:\n${text}`;

const addIssue = (context: z.RefinementCtx, path: (string | number)[], predicate: string): void =>
  context.addIssue({ code: "custom", message: `messages.${path.join(".")} ${predicate}`, path });

export const FormatType = z.enum(["text", "json_object", "json_schema"]);

/** A JSON Schema that an answer must match. */
export const NamedSchema = z.object({
  name: z
    .string()
    .regex(/^[\w-]{1,64}$/u, { error: rule("must have 1 to 64 letters, digits, `_` and `-`.") }),
  description: z.string().max(1_000).nullish(),
  schema: JsonSchema.nullish(),
  strict: z.boolean().nullish(),
});

const ResponseFormat = z
  .object({
    type: FormatType,
    json_schema: NamedSchema.nullish(),
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

const ClientTool = z
  .object({
    type: z.literal("function", { error: rule("must be `function`.") }),
    function: z.object(TOOL_MEMBERS),
  })
  .transform(({ function: tool }) => toClientTool(tool));

const ToolChoiceOf = z.union(
  [
    z.enum(CHOICES),
    z.object({
      type: z.literal("function"),
      function: z.object({ name: z.string().max(64) }),
    }),
  ],
  NO_CHOICE,
);

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
    model: z.string().min(1).max(255),
    messages: z.array(CompletionMessage).min(1).max(MAX_MESSAGES).transform(saidIn),
    stream: z.boolean().nullish(),
    stream_options: z.object({ include_usage: z.boolean().nullish() }).nullish(),
    user: z.string().max(255).nullish(),
    metadata: z
      .object({
        conversation_id: z.string().min(1).max(255).nullish(),
      })
      .nullish(),
    n: z.literal(1, { error: rule("must be 1.") }).nullish(),
    tools: toolList(ClientTool)
      .nullish()
      .transform((tools) => tools ?? []),
    tool_choice: ToolChoiceOf.nullish(),
    parallel_tool_calls: z.boolean().nullish(),
    functions: nothing("must be empty: send them as `tools`."),
    audio: nothing("is not supported: agents answer in text."),
    response_format: ResponseFormat.nullish().transform(formatOf),
  })
  .superRefine((request, context) =>
    requireChoice(request.tools, choiceOf(request), ["tool_choice", "function", "name"], context),
  )
  .meta({ id: "CompletionRequest" });

const choiceOf = ({
  tool_choice: choice,
}: {
  tool_choice?: z.output<typeof ToolChoiceOf> | null | undefined;
}) => (typeof choice === "object" && choice !== null ? choice.function : (choice ?? undefined));

/** Returns the tools of the client that a request offers to the model, and how the model may call them. */
export const offeredTools = (request: z.output<typeof CompletionRequest>) =>
  clientToolsOf(request.tools, choiceOf(request), request.parallel_tool_calls);

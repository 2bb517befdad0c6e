import * as z from "zod";
import type { Decision } from "../architectures/events.ts";
import { blankAsAbsent, withoutProto } from "../http/schemas.ts";
import { attachmentsFrom, type InlineFile } from "../messages/inline-files.ts";
import type { CallDecision } from "../runs/decisions.ts";
import {
  ClientToolDescription,
  ClientToolName,
  ClientToolParameters,
  fitsTogether,
  MAX_CLIENT_TOOLS,
  MAX_LEVELS,
  MAX_RESULT_CHARS,
  nestsLittle,
  toClientTool,
} from "../runs/client-tools.ts";
import { rule } from "../shared/violations.ts";
import { AI_SDK_VERSIONS, type AiSdkVersion } from "../wires/wire.ts";

const MAX_PARTS = 100;
/** An answer has a part per call, text and note. */
const MAX_ANSWER_PARTS = 5_000;
const NOT_USER =
  "must be `user` in the last message. An answer may be the last one if its last step has results of the client's tools, or says that calls were approved or rejected.";

/** An id that a client has chosen. */
export const ClientId = z.string().min(1).max(255);

/** A part of a message. Parts that have nothing to say to an agent, such as `data-…` and `step-start`, are passed over. */
const Part = z.object({
  type: z.string().max(300),
  text: z.string().optional(),
  url: z.string().optional(),
  mediaType: z.string().max(255).nullish(),
  filename: z.string().max(255).nullish(),
  toolCallId: z.string().min(1).max(200).optional(),
  state: z.string().max(100).optional(),
  approval: z.object({ approved: z.boolean().optional(), reason: z.string().max(2_000).nullish() }).nullish(),
  output: z.unknown().optional(),
  errorText: z.string().nullish(),
});

const SILENT = /^(?:data-.*|step-start|source-url|source-document)$/u;

/** The last message of a chat: what the user says, with files, or an answer with what is decided about its calls. */
const LastMessage = z
  .object({
    id: ClientId,
    role: z.enum(["user", "assistant"], { error: rule(NOT_USER) }),
    parts: z.array(Part).min(1).max(MAX_ANSWER_PARTS),
  })
  .transform(({ id, role, parts }, context) => {
    if (role === "assistant") {
      const decisions = decisionsIn(parts, context);
      if (decisions.length === 0) addIssue(context, ["role"], NOT_USER);
      return { kind: "decisions" as const, id, decisions };
    }

    if (parts.length > MAX_PARTS) addIssue(context, ["parts"], `must have at most ${MAX_PARTS} items.`);
    const texts: string[] = [];
    const files: InlineFile[] = [];
    for (const [index, { type, text, url, mediaType, filename }] of parts.entries()) {
      const path = ["parts", index];
      if (type === "text") {
        if (text === undefined) addIssue(context, [...path, "text"], "is required.");
        else texts.push(text);
      } else if (type === "file") {
        if (url === undefined) addIssue(context, [...path, "url"], "is required.");
        else files.push({ path: [...path, "url"], data: url, mediaType, filename });
      } else if (!SILENT.test(type)) addIssue(context, [...path, "type"], "must be one of: text, file.");
    }

    const content = texts.join("\n\n");
    const attachments = attachmentsFrom(files, context);
    if (content.trim() === "" && files.length === 0)
      addIssue(context, ["parts"], "must have a text or a file.");
    return { kind: "message" as const, id, content, attachments };
  });

/** A message of the user. */
export type UserMessage = Extract<z.output<typeof LastMessage>, { kind: "message" }>;

/**
 * Returns what is decided about the calls of an answer: approvals of the user, and results of the tools that the client has run. Only the
 * last step can wait; those before it have gone on with what they say. Adds issues to the context for results that can't be kept.
 */
function decisionsIn(
  parts: readonly z.output<typeof Part>[],
  context: z.RefinementCtx,
): readonly CallDecision[] {
  const lastStep = parts.findLastIndex(({ type }) => type === "step-start") + 1;
  return parts.slice(lastStep).flatMap((part, index): CallDecision[] => {
    const { toolCallId: callId } = part;
    const decision =
      callId === undefined ? undefined : decisionIn(part, ["parts", lastStep + index], context);
    return callId === undefined || !decision ? [] : [{ callId, decision }];
  });
}

/** Returns what a part decides about its call; `undefined` if nothing. The tools of the agent are `dynamic-tool` parts. */
function decisionIn(
  { type, state, approval, output, errorText }: z.output<typeof Part>,
  path: readonly (string | number)[],
  context: z.RefinementCtx,
): Decision | undefined {
  if (state === "approval-responded")
    return approval?.approved === true
      ? { kind: "approved" }
      : { kind: "rejected", reason: approval?.reason ?? null };
  if (!type.startsWith("tool-")) return undefined;
  if (state === "output-error") return answered(errorText ?? "", "error", [...path, "errorText"], context);
  if (state !== "output-available") return undefined;
  return typeof output === "string"
    ? answered(output, undefined, [...path, "output"], context)
    : answered(jsonOf(output), "json", [...path, "output"], context);
}

/** Returns a value as JSON; `undefined` if it nests too deeply to be written. A tool that returns nothing has the result null. */
const jsonOf = (value: unknown): string | undefined =>
  nestsLittle(value) ? JSON.stringify(value ?? null) : undefined;

/** Returns a result, or adds an issue to the context if it can't be kept. */
function answered(
  output: string | undefined,
  form: "json" | "error" | undefined,
  path: (string | number)[],
  context: z.RefinementCtx,
): Decision {
  if (output === undefined) addIssue(context, path, `must nest at most ${MAX_LEVELS} levels.`);
  else if (output.length > MAX_RESULT_CHARS)
    addIssue(context, path, `must have at most ${MAX_RESULT_CHARS} characters, as JSON if it is no text.`);
  // What a page reads may be cut off in the middle of a character. It can't send anything better.
  return { kind: "answered", output: (output ?? "").toWellFormed(), ...(form && { form }) };
}

const addIssue = (context: z.RefinementCtx, path: (string | number)[], predicate: string): void =>
  context.addIssue({ code: "custom", message: `messages.${path.join(".")} ${predicate}`, path });

/** Tools that the client runs, by their names. Further members, such as those of a client's own tools, are ignored. */
const ToolsByName = withoutProto(
  z.record(
    ClientToolName,
    z
      .object({
        description: ClientToolDescription,
        parameters: ClientToolParameters,
        inputSchema: ClientToolParameters.describe("The same as `parameters`."),
      })
      .describe("The tool."),
  ),
);

/** Refuses too many tools before it validates any: each of them could add an issue. */
const ClientTools = z
  .preprocess((tools: z.input<typeof ToolsByName>, context) => {
    if (typeof tools !== "object" || tools === null || Object.keys(tools).length <= MAX_CLIENT_TOOLS)
      return tools;
    context.addIssue({ code: "custom", message: `tools must have at most ${MAX_CLIENT_TOOLS} members.` });
    return z.NEVER;
  }, ToolsByName)
  .transform((tools) =>
    Object.entries(tools).map(([name, { description, parameters, inputSchema }]) =>
      toClientTool({ name, description, parameters: parameters ?? inputSchema }),
    ),
  )
  .refine(...fitsTogether);

/**
 * The body that `DefaultChatTransport` of the AI SDK sends. The conversation is kept here, so only the last message is read. Further
 * members are ignored, because applications add their own.
 */
export const ChatRequest = z
  .object({
    id: ClientId,
    messages: z
      .array(z.unknown())
      .min(1)
      .transform((messages) => messages.at(-1))
      .pipe(LastMessage),
    tools: ClientTools.nullish(),
    trigger: z.enum(["submit-message", "regenerate-message"]).nullish(),
    messageId: ClientId.nullish(),
  })
  .refine(({ messages, trigger }) => messages.kind === "message" || trigger !== "regenerate-message", {
    path: ["messages"],
    error: rule("must end with the user's message, whose answer is to be written again."),
  })
  .meta({ id: "ChatRequest" });

/** The query of both routes of the AI SDK. */
export const ChatQuery = z.object({
  ai_sdk: blankAsAbsent(z.enum(["5", "6", "7"]).optional()),
  reasoning: blankAsAbsent(z.enum(["0", "1"]).optional()),
});

/** The header that says the same as `ai_sdk`: the AI SDK appends to its address to resume, so it can't have a query there. */
export const AiSdkHeader = z.object({ "X-AI-SDK": z.string().max(20).optional() });

/** Returns the version that a query or a header asks for. A header that asks for another one is ignored. */
export const versionIn = (query: string | undefined, header: string | undefined): AiSdkVersion =>
  AI_SDK_VERSIONS.find((version) => String(version) === (query ?? header)) ?? 5;

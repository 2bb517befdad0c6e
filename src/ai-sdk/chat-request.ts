import * as z from "zod";
import type { Decision } from "../architectures/events.ts";
import { blankAsAbsent } from "../http/schemas.ts";
import { attachmentsFrom, type InlineFile } from "../messages/inline-files.ts";
import type { CallDecision } from "../runs/decisions.ts";
import { rule } from "../shared/violations.ts";
import { AI_SDK_VERSIONS, type AiSdkVersion } from "../wires/wire.ts";

const MAX_PARTS = 100;
/** An answer has a part per call, text and note. */
const MAX_ANSWER_PARTS = 5_000;
const NOT_USER =
  "must be `user` in the last message. An answer may be the last one if it says that calls were approved or rejected; results of tools that run in the browser are not supported.";

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
});

const SILENT = /^(?:data-.*|step-start|source-url|source-document)$/u;

/** The last message of a chat: what the user says, with files, or an answer whose calls the user has decided about. */
const LastMessage = z
  .object({
    id: ClientId,
    role: z.enum(["user", "assistant"], { error: rule(NOT_USER) }),
    parts: z.array(Part).min(1).max(MAX_ANSWER_PARTS),
  })
  .transform(({ id, role, parts }, context) => {
    if (role === "assistant") {
      const decisions = decisionsIn(parts);
      if (decisions.length === 0) addIssue(context, ["role"], NOT_USER);
      return { kind: "decisions" as const, decisions };
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

/** Returns what the user has decided about the calls of an answer. Its other parts are passed over. */
function decisionsIn(parts: readonly z.output<typeof Part>[]): readonly CallDecision[] {
  return parts.flatMap(({ toolCallId, state, approval }): CallDecision[] => {
    if (state !== "approval-responded" || toolCallId === undefined) return [];
    const decision: Decision =
      approval?.approved === true
        ? { kind: "approved" }
        : { kind: "rejected", reason: approval?.reason ?? null };
    return [{ callId: toolCallId, decision }];
  });
}

const addIssue = (context: z.RefinementCtx, path: (string | number)[], predicate: string): void =>
  context.addIssue({ code: "custom", message: `messages.${path.join(".")} ${predicate}`, path });

/**
 * The body that `DefaultChatTransport` of the AI SDK sends. The conversation is kept here, so only the last message is read. Further
 * members are ignored, because applications add their own.
 */
export const ChatRequest = z
  .object({
    id: ClientId.describe("The chat's id, which the client has chosen, or the id of a conversation."),
    messages: z
      .array(z.unknown())
      .min(1)
      .transform((messages) => messages.at(-1))
      .pipe(LastMessage)
      .describe(
        "The chat's messages. Only the last one is read: it is the user's, or the answer whose calls the user has approved or rejected.",
      ),
    trigger: z
      .enum(["submit-message", "regenerate-message"])
      .nullish()
      .describe("Why the client sends the request. `regenerate-message` has the last answer written again."),
    messageId: ClientId.nullish().describe(
      "With `regenerate-message`: the id of the answer to write again. The last one if absent.",
    ),
  })
  .refine(({ messages, trigger }) => messages.kind === "message" || trigger !== "regenerate-message", {
    path: ["messages"],
    error: rule("must end with the user's message, whose answer is to be written again."),
  })
  .meta({ id: "ChatRequest" });

/** The query of both routes of the AI SDK. */
export const ChatQuery = z.object({
  ai_sdk: blankAsAbsent(z.enum(["5", "6", "7"]).optional()).describe(
    "The major version of the AI SDK that reads the stream. Without it, all parts are those of 5.0.7, which every later release reads.",
  ),
  reasoning: blankAsAbsent(z.enum(["0", "1"]).optional()).describe(
    "`1` also streams what the model thinks, as `reasoning-…` parts.",
  ),
});

/** The header that says the same as `ai_sdk`: the AI SDK appends to its address to resume, so it can't have a query there. */
export const AiSdkHeader = z.object({ "X-AI-SDK": z.string().max(20).optional() });

/** Returns the version that a query or a header asks for. A header that asks for another one is ignored. */
export const versionIn = (query: string | undefined, header: string | undefined): AiSdkVersion =>
  AI_SDK_VERSIONS.find((version) => String(version) === (query ?? header)) ?? 5;

import type { ModelMessage, ProviderData, ToolCall } from "../llm/model.ts";
import type { Message, StoredToolCall } from "../messages/model.ts";
import {
  MESSAGE_TOKENS,
  readableText,
  readableWithin,
  shortened,
  tokensOfCall,
} from "../messages/reading.ts";
import type { WindowMessage } from "../messages/window.ts";
import { neutralizeTokens, neutralizeArguments, fence } from "../shared/fence.ts";

/** A dialogue turn: what one speaker says before the other one speaks. */
interface DialogueTurn {
  readonly role: "user" | "assistant";
  readonly content: string;
  /** The responses that called tools, before the one with the text. */
  readonly responses: readonly Response[];
  /** What the provider expects back with the text. */
  readonly providerData?: ProviderData | undefined;
}

/** A response of the model that called tools. */
interface Response {
  readonly calls: readonly StoredToolCall[];
  readonly providerData: ProviderData | undefined;
}

/**
 * Returns the conversation as the model reads it: the window (oldest first, starting with the user), then the new
 * message if there is one. Speakers always alternate because providers require it, even if the stored messages don't.
 */
export function toConversation(
  window: readonly WindowMessage[],
  newest: string | undefined,
): readonly ModelMessage[] {
  const turns = window.map(toDialogueTurn);
  if (newest !== undefined) turns.push({ role: "user", content: newest, responses: [] });
  const nonEmpty = turns.filter(({ content, responses }) => content.trim() !== "" || responses.length > 0);
  return joinBySpeaker(nonEmpty).flatMap(toMessages);
}

function toDialogueTurn({ message, maxTokens }: WindowMessage): DialogueTurn {
  if (maxTokens !== null) return shortenedTurn(message, maxTokens);
  if (message.role !== "assistant") return { role: "user", content: readableText(message), responses: [] };
  return { role: "assistant", content: neutralizeTokens(message.content), ...responsesOf(message) };
}

/** The share of a shortened message that its tool calls may take. */
const CALLS_SHARE = 0.4;

/** Returns a message in about `maxTokens`, with the newest of its calls. The provider's data would be incomplete. */
function shortenedTurn(message: Message, maxTokens: number): DialogueTurn {
  const toolCalls = newestCalls(message.toolCalls, maxTokens * CALLS_SHARE);
  const remaining = toolCalls.reduce((left, call) => left - tokensOfCall(call), maxTokens - MESSAGE_TOKENS);
  if (message.role !== "assistant")
    return { role: "user", content: readableWithin(message, remaining), responses: [] };
  const { responses } = responsesOf({ ...message, toolCalls, providerData: [] });
  return { role: "assistant", content: shortened(neutralizeTokens(message.content), remaining), responses };
}

/** Returns the newest calls that fit together. */
function newestCalls(calls: readonly StoredToolCall[], maxTokens: number): readonly StoredToolCall[] {
  let remaining = maxTokens;
  let start = calls.length;
  for (const call of calls.toReversed()) {
    remaining -= tokensOfCall(call);
    if (remaining < 0) break;
    start--;
  }
  return calls.slice(start);
}

/** Groups the calls by the response that contained them, because providers expect their data back with that response. */
function responsesOf({
  toolCalls,
  providerData = [],
}: Message): Pick<DialogueTurn, "responses" | "providerData"> {
  const dataOf = (wanted: number) => providerData.find(({ step }) => step === wanted)?.providerData;
  const steps = Map.groupBy(toolCalls, ({ step = 0 }) => step);
  const last = providerData.at(-1);
  return {
    responses: [...steps].map(([step, calls]) => ({ calls, providerData: dataOf(step) })),
    ...(last && !steps.has(last.step) && { providerData: last.providerData }),
  };
}

/** Joins consecutive messages of one speaker, such as those after a failed turn, with a blank line in between. */
function joinBySpeaker(turns: readonly DialogueTurn[]): readonly DialogueTurn[] {
  const groups: { readonly role: DialogueTurn["role"]; readonly members: DialogueTurn[] }[] = [];
  for (const turn of turns) {
    const last = groups.at(-1);
    if (last?.role === turn.role) last.members.push(turn);
    else groups.push({ role: turn.role, members: [turn] });
  }

  return groups.map(({ role, members: joined }) => ({
    role,
    content:
      joined.length === 1
        ? (joined[0]?.content ?? "")
        : joined
            .map(({ content }) => content)
            .filter((text) => text.trim() !== "")
            .join("\n\n"),
    responses: joined.flatMap(({ responses }) => responses),
    providerData: joined.at(-1)?.providerData,
  }));
}

/** Converts a dialogue turn to messages. Tool calls and their results precede the text that they led to. */
function toMessages({ role, content, responses, providerData }: DialogueTurn): readonly ModelMessage[] {
  if (role === "user") return [{ role, content }];
  const answer: ModelMessage[] =
    content.trim() === "" ? [] : [{ role, content, calls: [], ...(providerData && { providerData }) }];
  return [...responses.flatMap(toCallMessages), ...answer];
}

function toCallMessages({ calls, providerData }: Response): readonly ModelMessage[] {
  const made: ToolCall[] = calls.map(({ id, name, arguments: text }) => ({
    id,
    name,
    arguments: neutralizeArguments(text),
  }));
  const results = calls.map(
    ({ id, output }) => ({ role: "tool", callId: id, content: fence(output) }) as const,
  );
  return [{ role: "assistant", content: "", calls: made, ...(providerData && { providerData }) }, ...results];
}

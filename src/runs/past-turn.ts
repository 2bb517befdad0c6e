import type { PromptInput } from "../architectures/assemble.ts";
import type { TurnSoFar } from "../architectures/turn-so-far.ts";
import type { ToolChoice, ToolSpec } from "../llm/model.ts";
import type { Message } from "../messages/model.ts";
import { AppError, invalidInput, notFound } from "../shared/errors.ts";
import type { RunId } from "../shared/id-types.ts";
import { notTheLast } from "./last-exchange.ts";
import type { Regeneration, RunIds } from "./model.ts";
import type { TurnInput } from "./turn.ts";
import type { TurnState } from "./turn-repository.ts";

/** Returns the tools of which calls were approved in a turn. */
export const approvedIn = ({ responses }: TurnSoFar): readonly string[] =>
  responses.flatMap(({ waiting }) =>
    waiting.filter(({ decision }) => decision?.kind === "approved").map(({ name }) => name),
  );

/** Returns what a turn that goes on has read when it began: its message, and the history before it. */
export function beforeMessage(state: TurnState, { userMessageId }: RunIds) {
  const at = state.history.findIndex(({ id }) => id === userMessageId);
  const message = state.history[at];
  // Somebody has deleted it.
  if (!message) throw notFound("Message");
  const { content, attachments } = message;
  return { state: { ...state, history: state.history.slice(0, at) }, content, attachments };
}

const hasName = (tools: readonly { readonly name: string }[], wanted: string | null): boolean =>
  tools.some(({ name }) => name === wanted);

/** Throws `validation-failed` if a tool of the client has the name of one of the agent's. */
export function requireOtherNames(
  clientTools: readonly ToolSpec[] = [],
  own: readonly { readonly name: string }[],
): void {
  const taken = clientTools.find(({ name }) => hasName(own, name));
  if (!taken) return;
  const message = `tools must not have the name of one of the agent's own tools: ${taken.name}.`;
  throw invalidInput("json", [{ path: ["tools"], message, code: "custom" }]);
}

/**
 * Returns the client's tools in a turn that goes on, and the choice among them. Results that were taken must not be lost, so a tool whose
 * calls were left to the client stays the client's, also if the agent has gained one of its name. Security: others are the agent's, or
 * else a request with results could put a tool in the place of the agent's, and make up what it returns.
 */
export function toolsGoingOn(
  { clientTools = [], toolChoice }: Pick<TurnInput, "clientTools" | "toolChoice">,
  own: readonly { readonly name: string }[],
  { responses }: TurnSoFar,
): Pick<TurnInput, "clientTools" | "toolChoice"> {
  const left = responses.flatMap(({ waiting }) => waiting.filter(({ waitsFor }) => waitsFor === "result"));
  const isTheirs = ({ name }: ToolChoice) => !hasName(own, name) || hasName(left, name);
  return {
    clientTools: clientTools.filter(isTheirs),
    toolChoice: toolChoice && isTheirs(toolChoice) ? toolChoice : undefined,
  };
}

/** Returns the responses that the client has sent in the form of a turn that has waited; `undefined` if there are none. */
export function givenSoFar({ givenResponses = [], showsReasoning }: TurnInput): TurnSoFar | undefined {
  if (givenResponses.length === 0) return undefined;
  return {
    responses: givenResponses.map(({ content: text, calls }) => ({
      text,
      calls,
      providerData: undefined,
      results: new Map(),
      waiting: calls.map((call) => ({
        ...call,
        waitsFor: "result",
        expiresAt: null,
        decision: { kind: "answered", output: call.output },
      })),
    })),
    // They are those of other runs.
    modelCalls: 0,
    chars: 0,
    citations: [],
    paused: { usage: null, answeredBy: { provider: "", model: "" }, seenLines: {}, showsReasoning },
  };
}

/** Returns a past followed by what the client says before the message. */
export const withPreceding = (
  { history, summary }: Pick<PromptInput, "history" | "summary">,
  preceding: readonly Message[],
): Pick<PromptInput, "history" | "summary"> => ({ history: [...history, ...preceding], summary });

/**
 * Throws `conflict` if a later run than this one has been answered. Runs that have failed or were cancelled do not count, so that a
 * client can try again without knowing them. The history was read by the conversation's only active run, so no message can come
 * between this check and the turn.
 */
export function requireNewest(runId: RunId, history: readonly Message[]): void {
  const newest = history.findLastIndex((message) => message.runId === runId);
  const isAnswer = ({ role, status }: Message) => role === "assistant" && status !== "interrupted";
  if (newest >= 0 && !history.slice(newest + 1).some(isAnswer)) return;
  throw hasGoneOn();
}

/** The error for a message that follows an answer which others have followed. */
export const hasGoneOn = (): AppError =>
  new AppError("conflict", "The conversation has gone on since that answer. Continue from its newest one.");

/**
 * Returns the history before the message that is answered again. Throws `conflict` if this message, with its answer, is no longer the
 * last one.
 */
export function pastBefore(
  { question, answer }: Regeneration,
  { history, summary }: Pick<TurnState, "history" | "summary">,
): Pick<TurnState, "history" | "summary"> {
  const at = history.findLastIndex(({ id }) => id === question.id);
  if (at < 0 || history.at(-1)?.id !== (answer ?? question).id) throw notTheLast();
  return { history: history.slice(0, at), summary };
}

import type { ChatCompletionMessageParam } from "openai/resources/chat/completions";

type Message = ChatCompletionMessageParam;

/**
 * Mistral allows text or calls in a message but not both, and no message of the user directly behind the result of a
 * tool, as there is after a turn that was interrupted.
 */
export function inMistralsOrder(messages: readonly Message[]): Message[] {
  return messages.flatMap((message, index): Message[] => {
    if (message.role === "user" && messages[index - 1]?.role === "tool")
      return [{ role: "assistant", content: INTERRUPTED }, message];
    if (message.role !== "assistant" || !message.tool_calls) return [message];
    const { content, ...calls } = message;
    return typeof content === "string" && content.trim() !== ""
      ? [{ role: "assistant", content }, calls]
      : [calls];
  });
}

const INTERRUPTED = "(The answer was interrupted.)";

/** Puts the system prompt in front of the first message of the user, for models that know no system role. */
export function systemAsUser(messages: readonly Message[]): Message[] {
  const system = messages.filter(({ role }) => role === "system").map(textIn);
  const rest = messages.filter(({ role }) => role !== "system");
  return system.length === 0
    ? rest
    : alternating([{ role: "user", content: system.join("\n\n") }, ...rest], ["user"]);
}

/** Joins consecutive messages of one role, for templates that require roles to alternate. */
export function alternating(
  messages: readonly Message[],
  roles = ["system", "user", "assistant"],
): Message[] {
  const joined: Message[] = [];
  for (const message of messages) {
    const last = joined.at(-1);
    const joins =
      last?.role === message.role && roles.includes(message.role) && !hasCalls(last) && !hasCalls(message);
    if (last && joins) {
      const content = [textIn(last), textIn(message)].filter((text) => text !== "").join("\n\n");
      joined[joined.length - 1] = { ...message, content };
    } else joined.push(message);
  }
  return joined;
}

const hasCalls = (message: Message): boolean =>
  message.role === "assistant" && message.tool_calls !== undefined;

const textIn = ({ content }: Message): string => (typeof content === "string" ? content : "");

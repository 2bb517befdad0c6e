import type { ModelMessage, ToolCall } from "../../llm/model.ts";
import type { Message, StoredToolCall } from "../../messages/model.ts";
import { readableText } from "../../messages/reading.ts";

/** One side's say: what stands between two changes of speaker. */
interface Say {
  readonly role: "user" | "assistant";
  readonly content: string;
  readonly calls: readonly StoredToolCall[];
}

/**
 * The conversation as the model reads it: the window (oldest first, begun by the user), then the new message, if there
 * is one. Speakers alternate, whatever the table holds.
 */
export function toConversation(
  window: readonly Message[],
  newest: string | undefined,
): readonly ModelMessage[] {
  const says = window.map(toSay);
  if (newest !== undefined) says.push({ role: "user", content: newest, calls: [] });
  const spoken = says.filter(({ content, calls }) => content.trim() !== "" || calls.length > 0);
  return join(spoken).flatMap(toMessages);
}

const toSay = (message: Message): Say => ({
  role: message.role === "assistant" ? "assistant" : "user",
  content: message.role === "assistant" ? message.content : readableText(message),
  calls: message.toolCalls,
});

/** Joins what one side said in several messages, as after a turn that failed, by a blank line. */
function join(says: readonly Say[]): readonly Say[] {
  const joined: Say[] = [];

  for (const say of says) {
    const last = joined.at(-1);
    if (last?.role !== say.role) {
      joined.push(say);
    } else {
      const content = [last.content, say.content].filter((text) => text.trim() !== "").join("\n\n");
      joined[joined.length - 1] = { role: say.role, content, calls: [...last.calls, ...say.calls] };
    }
  }

  return joined;
}

/** Tool calls come before the words they led to, each followed by its result. */
function toMessages({ role, content, calls }: Say): readonly ModelMessage[] {
  if (role === "user") return [{ role, content }];
  if (calls.length === 0) return [{ role, content, calls: [] }];

  const made: ToolCall[] = calls.map(({ id, name, arguments: text }) => ({ id, name, arguments: text }));
  const results = calls.map(({ id, output }) => ({ role: "tool", callId: id, content: output }) as const);
  const answer: ModelMessage[] = content.trim() === "" ? [] : [{ role, content, calls: [] }];
  return [{ role, content: "", calls: made }, ...results, ...answer];
}

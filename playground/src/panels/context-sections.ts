import { fullTime } from "../format.ts";
import { counted } from "./formats.ts";
import type { ConversationContext } from "../../../client/src/index.ts";

/** A part of what the model would read, as a segment of the bar. */
export interface ContextSegment {
  /** Unique within a context. */
  readonly id: string;
  readonly label: string;
  readonly tokens: number;
  /** Its share of everything that the model would read, from 0 to 1. */
  readonly share: number;
  /** What belongs to it: the text of a section, each tool, or each message. */
  readonly entries: readonly ContextEntry[];
}

/** A text that the model would read, or the name of something that it would. */
interface ContextEntry {
  readonly title: string | null;
  readonly text: string;
  readonly tokens: number;
}

/** The names of sections, in words for people. Others are shown as they are, without underscores. */
const LABELS: Readonly<Record<string, string>> = {
  identity: "Instructions",
  memory_tools: "How to use memory",
  persona: "Persona",
  core_memory: "Core memory",
  memory_warning: "Memory warning",
  knowledge_base: "Knowledge bases",
  conversation_summary: "Summary of older messages",
  context: "Clock",
};

const ROLES: Readonly<Record<string, string>> = { user: "User", assistant: "Agent", tool: "Tool" };

/** Returns the segments of a context in the order in which the model reads them. Empty ones are left out. */
export function contextSegments(context: ConversationContext): readonly ContextSegment[] {
  const { sections, tools, history, volatile, totals } = context;
  const segments = [
    ...sections.map((section, index) => ({
      id: `section-${index}`,
      label: labelOf(section.name),
      tokens: section.tokens,
      entries: [{ title: null, text: section.text, tokens: section.tokens }],
    })),
    {
      id: "tools",
      label: "Tools",
      tokens: totals.tool_tokens,
      entries: tools.map(({ name, tokens }) => ({ title: null, text: name, tokens })),
    },
    {
      id: "history",
      label: "Messages",
      tokens: totals.history_tokens,
      entries: history.sent.map(({ role, content, tool_calls: calls, tokens }) => ({
        title: ROLES[role] ?? role,
        text: [content, ...calls.map((call) => `${call.name} ${call.arguments}`)].filter(Boolean).join("\n"),
        tokens,
      })),
    },
    {
      id: "volatile",
      label: labelOf(volatile.name),
      tokens: volatile.tokens,
      entries: [{ title: null, text: volatile.text, tokens: volatile.tokens }],
    },
  ];
  const shown = segments.filter(({ tokens }) => tokens > 0);
  // The sections are estimated one by one, and the total at once, so the sum differs by a few tokens.
  const sum = shown.reduce((total, { tokens }) => total + tokens, 0);
  return shown.map((segment) => ({ ...segment, share: segment.tokens / sum }));
}

/** Returns what the model would not read, in sentences for people; empty if it reads everything. */
export function leftOutSentences({ left_out: leftOut, history }: ConversationContext): readonly string[] {
  const shortened = history.stored.filter((message) => message.shortened).length;
  const [oldest] = history.stored;
  const sentences = [
    leftOut.session_timed_out &&
      "The last message is long ago, so the agent begins a new session without the earlier messages.",
    leftOut.messages > 0 &&
      `${counted(leftOut.messages, "message")} ${leftOut.messages === 1 ? "does" : "do"} not fit.`,
    leftOut.has_older_messages &&
      (oldest
        ? `Messages before ${fullTime(oldest.created_at)} are not read.`
        : "Older messages are not read."),
    leftOut.messages_summarized > 0 &&
      `${counted(leftOut.messages_summarized, "older message")} ${leftOut.messages_summarized === 1 ? "is" : "are"} read as a summary.`,
    shortened > 0 && `${counted(shortened, "long message")} ${shortened === 1 ? "is" : "are"} shortened.`,
    leftOut.memory_blocks.length > 0 &&
      `Too long to be included: ${leftOut.memory_blocks.join(", ")}. The agent reads ${leftOut.memory_blocks.length === 1 ? "this block" : "these blocks"} with a tool.`,
  ];
  return sentences.filter((sentence) => sentence !== false);
}

const labelOf = (name: string): string => {
  const words = name.replaceAll("_", " ");
  return LABELS[name] ?? words.charAt(0).toUpperCase() + words.slice(1);
};

import {
  answerFromFacts,
  factsFrom,
  isQuestion,
  parseFact,
  sentenceOf,
  splitSentences,
  type Fact,
} from "./demo-facts.ts";
import { field, parseJson } from "./json.ts";
import { textOf } from "./model-reply.ts";
import {
  startModelServer,
  type ChatMessage,
  type ChatRequest,
  type ChatToolCall,
  type ReplyStep,
  type Responder,
} from "./model-server.ts";

const APPEND = "core_memory_append";
const SEARCH = "knowledge_base_search";
const WORD_MS = 15;

const UNKNOWN = "I do not know that yet. I am the demo model: I only know the facts you have told me.";
const NOT_FOUND = "I found nothing about that in the knowledge bases.";
const NO_MEMORY = "I am the demo model, and in this architecture I have no memory, so I cannot answer that.";
const HINT = 'I am the demo model. Tell me a fact, such as "My name is Alice", or ask about one.';
const HINT_WITHOUT_TOOLS =
  "I am the demo model. I have no memory in this architecture, so I cannot keep what you tell me.";

/** A tool call that the demo model makes; `arguments` is JSON as text. */
export interface PlannedCall {
  readonly id: string;
  readonly name: string;
  readonly arguments: string;
}

/** What the demo model answers: a text, or tool calls that are made in one go. */
export type Plan = { readonly text: string } | { readonly calls: readonly PlannedCall[] };

/**
 * Answers with simple patterns and no intelligence: stores facts, answers questions from the core memory that
 * the system message shows, or else with what the best result of the knowledge bases says, and never repeats
 * anything else of the system message.
 */
export const demoResponder: Responder = (request) => stream(answerTo(request));

/** Decides the answer to a chat request. Pure: the same request gets the same plan. */
export function answerTo(request: ChatRequest): Plan {
  // The demo model cannot summarise. Without an answer, the service assembles a summary itself.
  if (isSummary(request.messages)) return { text: "" };

  const results = lastToolResults(request.messages);
  const found = results.find(({ call }) => call.function.name === SEARCH);
  if (found !== undefined) return { text: quoteFrom(found.text) };
  if (results.length > 0) return { text: acknowledge(results) };

  const question = lastUserText(request.messages);
  const sentences = splitSentences(question);
  const offers = (name: string) => (request.tools ?? []).some((tool) => tool.function.name === name);
  const offersMemory = offers(APPEND);

  const facts = sentences.filter((sentence) => !isQuestion(sentence)).flatMap(factsFrom);
  if (offersMemory && facts.length > 0) return { calls: storeCalls(facts, request.messages) };

  const asked = sentences.filter(isQuestion);
  if (asked.length === 0) return { text: offersMemory ? HINT : HINT_WITHOUT_TOOLS };
  const known = answerQuestion(asked.join(" "), knownFacts(request.messages), offersMemory);
  if (known !== UNKNOWN || !offers(SEARCH)) return { text: known };
  return { calls: [searchCall(asked.join(" "), request.messages)] };
}

function searchCall(query: string, messages: readonly ChatMessage[]): PlannedCall {
  return { id: `call_${nextCallNumber(messages)}`, name: SEARCH, arguments: JSON.stringify({ query }) };
}

/** Returns the first paragraph of the best result with its number, as an answer that cites it. */
function quoteFrom(output: string): string {
  const found = /^\[(\d+)\] [^\n]*\n {4}Source: [^\n]*\n {4}Content: ((?:[^\n]+\n)+)/m.exec(output);
  if (found === null) return NOT_FOUND;

  const [, number = "", paragraph = ""] = found;
  return `${paragraph.replace(/\s+/g, " ").trim()} [${number}]`;
}

function answerQuestion(question: string, known: readonly Fact[] | undefined, offersMemory: boolean): string {
  if (known === undefined && !offersMemory) return NO_MEMORY;
  return answerFromFacts(question, known ?? []) ?? UNKNOWN;
}

async function* stream(plan: Plan): AsyncGenerator<ReplyStep> {
  if ("calls" in plan) {
    for (const call of plan.calls) yield { call };
    return;
  }

  for (const word of plan.text.split(/(?<=\s)/)) {
    yield { text: word };
    yield { wait: WORD_MS };
  }
}

function storeCalls(facts: readonly Fact[], messages: readonly ChatMessage[]): readonly PlannedCall[] {
  const first = nextCallNumber(messages);
  return facts.map((fact, index) => ({
    id: `call_${first + index}`,
    name: APPEND,
    arguments: JSON.stringify({ block: "human", content: fact.line }),
  }));
}

function nextCallNumber(messages: readonly ChatMessage[]): number {
  const used = messages
    .flatMap((message) => (message.role === "assistant" ? (message.tool_calls ?? []) : []))
    .map((call) => Number(/^call_(\d+)$/.exec(call.id)?.[1] ?? 0));
  return Math.max(0, ...used) + 1;
}

interface ToolResult {
  readonly call: ChatToolCall;
  readonly text: string;
}

/** Returns the results at the end of the conversation, each with the call that it answers. */
function lastToolResults(messages: readonly ChatMessage[]): readonly ToolResult[] {
  const start = messages.findLastIndex((message) => message.role !== "tool") + 1;
  const caller = messages[start - 1];
  if (caller?.role !== "assistant") return [];

  return messages.slice(start).flatMap((message) => {
    if (message.role !== "tool") return [];
    const call = caller.tool_calls?.find(({ id }) => id === message.tool_call_id);
    return call === undefined ? [] : [{ call, text: textOf(message.content) }];
  });
}

function acknowledge(results: readonly ToolResult[]): string {
  const stored: Fact[] = [];
  const known: Fact[] = [];
  const failed: string[] = [];
  for (const { call, text } of results) {
    const fact = parseFact(storedLine(call));
    if (text.startsWith("Error:")) failed.push(`I could not store "${fact.line}": ${text.slice(6).trim()}`);
    else if (text.startsWith("Line already exists")) known.push(fact);
    else stored.push(fact);
  }

  const sentences = [
    greet(stored),
    known.length > 0 ? `I knew that already: ${sentenceOf(known)}.` : "",
    ...failed,
  ];
  return sentences.filter((sentence) => sentence !== "").join(" ");
}

function storedLine(call: ChatToolCall): string {
  const content = field(parseJson(call.function.arguments), "content");
  return typeof content === "string" ? content : call.function.name;
}

function greet(stored: readonly Fact[]): string {
  if (stored.length === 0) return "";

  const name = stored.find((fact) => fact.key?.toLowerCase() === "name");
  if (name === undefined) return `I'll remember that: ${sentenceOf(stored)}.`;

  const others = stored.filter((fact) => fact !== name);
  const rest = others.length === 0 ? "your name" : `that ${sentenceOf(others)}`;
  return `Nice to meet you, ${name.value}! I'll remember ${rest}.`;
}

/**
 * Returns the user's facts from the core memory section, or `undefined` if the system message has no such
 * section.
 */
function knownFacts(messages: readonly ChatMessage[]): readonly Fact[] | undefined {
  const system = messages
    .filter((message) => message.role === "system" || message.role === "developer")
    .map((message) => textOf(message.content))
    .join("\n");
  // The last section is the real one: the text before it may mention the tag.
  const section = [...system.matchAll(/<core_memory>\n([\s\S]*?)<\/core_memory>/g)].at(-1)?.[1];
  if (section === undefined) return undefined;

  const facts: Fact[] = [];
  let block = "";
  for (const line of section.split("\n")) {
    block = /^\s*\[([^\]]*?)(?: - [^\]]*)?\]/.exec(line)?.[1]?.toLowerCase() ?? block;
    const fact = /^\s*\d+: (.+)$/.exec(line)?.[1];
    // The persona says who the agent is, not who the user is.
    if (fact !== undefined && block !== "persona") facts.push(parseFact(fact.trim()));
  }
  return facts;
}

const isSummary = (messages: readonly ChatMessage[]): boolean =>
  messages.some(
    ({ role, content }) =>
      role === "system" && textOf(content).startsWith("You keep the running summary of a conversation"),
  );

/** Returns the user's last message without the time that follows it. */
function lastUserText(messages: readonly ChatMessage[]): string {
  const last = messages.findLast((message) => message.role === "user");
  return textOf(last?.content)
    .replace(/<context>[^<]*<\/context>\s*$/, "")
    .trim();
}

async function main(): Promise<void> {
  try {
    const port = process.env["PORT"];
    const server = await startModelServer({
      respond: demoResponder,
      ...(port ? { port: Number(port) } : {}),
    });
    console.log(`demo model: ${server.url}`);
  } catch (error) {
    console.error(error instanceof Error ? error.message : String(error));
    process.exitCode = 1;
  }
}

if (import.meta.main) await main();

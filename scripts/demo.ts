import type { Agent, AgentBuilder, ToolCallResultEvent, ToolCallStartEvent } from "../client/src/index.ts";
import { createDemoAgent, signInToDemo } from "./demo-account.ts";

const FACTS = "My name is Alice and I work at Google.";
const QUESTION = "What is my name and where do I work?";
const EXPECTED = ["Alice", "Google"];

const colourful = process.stdout.isTTY && !process.env["NO_COLOR"];
const paint = (code: number) => (text: string) => (colourful ? `\u001b[${code}m${text}\u001b[0m` : text);
const bold = paint(1);
const dim = paint(2);
const red = paint(31);
const green = paint(32);
const yellow = paint(33);
const cyan = paint(36);

await main();

async function main(): Promise<void> {
  const url = process.env["API_URL"] || `http://localhost:${process.env["PORT"] || "8787"}`;
  try {
    await converse(url);
  } catch (error) {
    console.error(red(error instanceof Error ? error.message : String(error)));
    process.exitCode = 1;
  }
}

/** Tells an agent two facts, and asks for them in a second conversation, which knows nothing of the first. */
async function converse(url: string): Promise<void> {
  const client = await signInToDemo(url);
  const agent = await createDemoAgent(client);
  console.log(dim(`${agent.agent_name} at ${url}`));

  console.log(`\n${bold("First conversation")}`);
  await say(client, agent, await open(client, agent, "Getting to know each other"), FACTS);
  await showMemory(client, agent);

  console.log(`\n${bold("Second conversation")}`);
  const answer = await say(client, agent, await open(client, agent, "A new day"), QUESTION);

  const missing = EXPECTED.filter((word) => !answer.includes(word));
  if (missing.length > 0) throw new Error(`The agent did not remember ${missing.join(" and ")}.`);
  console.log(`\n${green("The agent remembers across conversations.")}`);
}

/** Starts a conversation and returns its id. */
async function open(client: AgentBuilder, { agent_id }: Agent, title: string): Promise<string> {
  return (await client.conversations.create({ title, agent_id })).conversation_id;
}

/** Sends a message, shows the turn as it comes, and returns the whole text of the answer. */
async function say(
  client: AgentBuilder,
  agent: Agent,
  conversationId: string,
  content: string,
): Promise<string> {
  console.log(`${cyan("you")}    ${content}`);

  let answer = "";
  let midLine = false;
  const endLine = () => {
    if (midLine) process.stdout.write("\n");
    midLine = false;
  };
  const line = (text: string) => {
    endLine();
    console.log(text);
  };
  for await (const event of client.agents(agent.agent_id).send(conversationId, content)) {
    switch (event.event_type) {
      case "AGENT_RESPONSE_TO_USER":
        process.stdout.write(midLine ? event.content : `${green("agent")}  ${event.content}`);
        midLine = true;
        answer += event.content;
        break;
      case "TOOL_CALL_START":
        line(`${yellow("tool")}   ${describeCall(event)}`);
        break;
      case "TOOL_CALL_RESULT":
        line(describeResult(event));
        break;
      case "ERROR":
        endLine();
        throw new Error(event.content);
      default:
    }
  }

  endLine();
  return answer;
}

function describeCall({ tool_name: name, tool_args: args }: ToolCallStartEvent): string {
  const values = Object.entries(args).map(([key, value]) => `${key}: ${JSON.stringify(value)}`);
  return `${name}(${values.join(", ")})`;
}

function describeResult({ success, content }: ToolCallResultEvent): string {
  return success ? dim(`       ${content}`) : red(`       failed: ${content}`);
}

async function showMemory(client: AgentBuilder, { agent_id }: Agent): Promise<void> {
  const { lines, word_count, word_limit } = await client.agents(agent_id).memory.block("human").get();
  console.log(`\n${bold("Core memory, block human")} ${dim(`(${word_count} of ${word_limit} words)`)}`);
  lines.forEach((text, index) => console.log(`  ${dim(`${index + 1}:`)} ${text}`));
}

import { DemoApi, type Agent, type StreamEvent } from "./demo-api.ts";
import { field } from "./json.ts";

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
  const api = await DemoApi.signIn(url);
  const agent = await api.createAgent();
  console.log(dim(`${agent.agentName} at ${url}`));

  console.log(`\n${bold("First conversation")}`);
  await say(api, agent, await api.openConversation(agent, "Getting to know each other"), FACTS);
  await showMemory(api, agent);

  console.log(`\n${bold("Second conversation")}`);
  const answer = await say(api, agent, await api.openConversation(agent, "A new day"), QUESTION);

  const missing = EXPECTED.filter((word) => !answer.includes(word));
  if (missing.length > 0) throw new Error(`The agent did not remember ${missing.join(" and ")}.`);
  console.log(`\n${green("The agent remembers across conversations.")}`);
}

/** Sends a message, shows the turn as it comes, and returns the whole text of the answer. */
async function say(api: DemoApi, agent: Agent, conversationId: string, content: string): Promise<string> {
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
  for await (const event of api.send(agent, conversationId, content)) {
    if (event.type === "AGENT_RESPONSE_TO_USER") {
      process.stdout.write(midLine ? event.content : `${green("agent")}  ${event.content}`);
      midLine = true;
      answer += event.content;
    }
    if (event.type === "TOOL_CALL_START") line(`${yellow("tool")}   ${describeCall(event)}`);
    if (event.type === "TOOL_CALL_RESULT") line(describeResult(event));
    if (event.type === "ERROR") {
      endLine();
      throw new Error(event.content);
    }
  }

  endLine();
  return answer;
}

function describeCall(event: StreamEvent): string {
  const values =
    typeof event.toolArgs === "object" && event.toolArgs !== null ? Object.entries(event.toolArgs) : [];
  return `${event.toolName}(${values.map(([name, value]) => `${name}: ${JSON.stringify(value)}`).join(", ")})`;
}

function describeResult(event: StreamEvent): string {
  return event.success === false ? red(`       failed: ${event.content}`) : dim(`       ${event.content}`);
}

async function showMemory(api: DemoApi, agent: Agent): Promise<void> {
  const block = await api.readMemory(agent, "human");
  const lines = field(block, "lines");
  const usage = `${String(field(block, "word_count"))} of ${String(field(block, "word_limit"))} words`;

  console.log(`\n${bold("Core memory, block human")} ${dim(`(${usage})`)}`);
  if (!Array.isArray(lines)) return;
  lines.forEach((text: unknown, index) => console.log(`  ${dim(`${index + 1}:`)} ${String(text)}`));
}

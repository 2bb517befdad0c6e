import { ada, type Client } from "../support/app.ts";
import { scriptModel } from "../support/control.ts";
import type { ScriptStep } from "../support/control-protocol.ts";
import { chat, chatBody } from "../support/wires.ts";

/** Tools that run in the page, as the AI SDK's clients declare and answer them. */

/** The tools of a page. */
export const TOOLS = {
  read_title: { description: "Returns the title of the page.", parameters: { type: "object" } },
  scroll: { inputSchema: { type: "object", properties: { to: { type: "string" } } } },
};

/** A tool of the agent with the name of one of the page's. */
export const ownTool = {
  name: "read_title",
  description: "Reads a title.",
  method: "GET",
  url: "https://example.com/",
  parameters: { type: "object", properties: {} },
};

/** A call of one of the tools, as the model makes it. */
export const call = (id: string, name = "read_title", input: object | string = {}): ScriptStep => ({
  call: { id, name, arguments: typeof input === "string" ? input : JSON.stringify(input) },
});

/** An agent that answers as the model is scripted. */
export async function agentWith(client: Client, ...replies: readonly (readonly ScriptStep[])[]) {
  const model = await scriptModel(...replies);
  const { body } = await client("POST", "/agents", { ...ada, agent_model: model.name });
  return { model, agentId: body.agent_id as string };
}

/** Asks the agent something. The page has its tools. */
export const ask = (client: Client, agentId: string, query = "", tools: unknown = TOOLS) =>
  chat(client, agentId, { ...chatBody("chat", "What is this page?"), tools }, query);

/** The part of a call that has a result. */
export const part = (toolCallId: string, output: unknown, more: object = {}) => ({
  type: "tool-read_title",
  toolCallId,
  state: "output-available",
  input: {},
  output,
  ...more,
});
/** The part of a call that has failed. */
export const failed = (toolCallId: string, errorText: string) => ({
  type: "tool-read_title",
  toolCallId,
  state: "output-error",
  input: {},
  errorText,
});

/** The request that brings these parts back. */
export const answer = (parts: readonly object[], id = "a1") => ({
  id: "chat",
  trigger: "submit-message",
  tools: TOOLS,
  messages: [{ id, role: "assistant", parts: [{ type: "step-start" }, ...parts] }],
});

import { beginConversation, type Client, signUp } from "./app.ts";
import { scriptModel } from "./control.ts";
import type { ScriptStep } from "./control-protocol.ts";

/** A call of a tool that changes core memory. */
export const append = (id: string, content: string): ScriptStep => ({
  call: { id, name: "core_memory_append", arguments: JSON.stringify({ block: "human", content }) },
});

/** An agent one of whose tools asks before it is run. */
export async function askingAgent(
  replies: readonly (readonly ScriptStep[])[],
  approvals: Readonly<Record<string, string>> = { core_memory_append: "always" },
  client?: Client,
) {
  const owner = client ?? (await signUp());
  const model = await scriptModel(...replies);
  const place = await beginConversation(owner, { agent_model: model.name, tool_approvals: approvals });
  return { client: owner, model, ...place };
}

export const decidePath = (conversationId: string, runId: string, callId: string): string =>
  `/conversations/${conversationId}/runs/${runId}/approvals/${encodeURIComponent(callId)}`;

export const approve = (client: Client, conversationId: string, runId: string, callId: string) =>
  client("POST", decidePath(conversationId, runId, callId), { decision: "approve" });

export const reject = (
  client: Client,
  conversationId: string,
  runId: string,
  callId: string,
  reason?: string,
) => client("POST", decidePath(conversationId, runId, callId), { decision: "reject", reason });

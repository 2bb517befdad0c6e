import { beginConversation, type Client } from "./app.ts";
import { type NamingClient, signUpNaming } from "./call-names.ts";
import { scriptModel } from "./control.ts";
import type { ScriptStep } from "./control-protocol.ts";

/** A call of a tool that changes core memory. */
export const append = (id: string, content: string): ScriptStep => ({
  call: { id, name: "core_memory_append", arguments: JSON.stringify({ block: "human", content }) },
});

/** An agent one of whose tools asks before it is run, and a client for which the calls that wait are `c1`, `c2` … */
export async function askingAgent(
  replies: readonly (readonly ScriptStep[])[],
  approvals: Readonly<Record<string, string>> = { core_memory_append: "always" },
  client?: NamingClient,
) {
  const owner = client ?? (await signUpNaming());
  const model = await scriptModel(...replies);
  const place = await beginConversation(owner, { agent_model: model.name, tool_approvals: approvals });
  return { client: owner, model, ...place };
}

/** Returns the calls that a run waits for. Not every wire shows them. */
export const pendingCalls = async (
  client: Client,
  conversationId: string,
  runId: string,
): Promise<readonly string[]> => {
  const { body } = await client("GET", `/conversations/${conversationId}/runs/${runId}`);
  return body.pending_calls.map((call: { readonly tool_call_id: string }) => call.tool_call_id);
};

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

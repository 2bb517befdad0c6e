import { type Agent, AgentBuilder, type RunEvent } from "../../../client/src/index.ts";
import { field, parseJson } from "../../../scripts/json.ts";
import { type CommandSettings, SERVER_NAME, SETTINGS } from "./protocol.ts";

/**
 * The client that the conformance suite runs for each of its client scenarios, with the address of its server as the last argument: an owner who adds
 * that server to a new agent of the running service, authorizes it if the scenario is about that, and sends the agent a message. The
 * scripted model calls the tools. Prints what came of it.
 */

/** How often the owner authorizes the service at most: once, and again if the server asks for more. The service repeats nothing by itself. */
const MAX_AUTHORIZATIONS = 2;

const { url, token, model }: CommandSettings = JSON.parse(process.env[SETTINGS] ?? "{}");
const scenario = process.env["MCP_CONFORMANCE_SCENARIO"] ?? "";
const context = parseJson(process.env["MCP_CONFORMANCE_CONTEXT"] ?? "{}");
const address = process.argv.at(-1) ?? "";
const usesOAuth = scenario.startsWith("auth/");

const client = new AgentBuilder({ baseUrl: url, token });
const agent = await client.agents.create({
  agent_name: `${scenario} ${crypto.randomUUID()}`,
  agent_architecture: "krishna-mini",
  agent_provider: "Demo",
  agent_model: model,
  agent_persona: "An agent of the tests.",
});
console.log(await outcome(agent));

/** Returns what came of the scenario: the results of the tools, or the sentence with which the service refused. */
async function outcome({ agent_id: agentId }: Agent): Promise<string> {
  const added = await client.request("POST", "/agents/{agentId}/mcp-servers", {
    path: { agentId },
    body: { name: SERVER_NAME, url: address, auth: usesOAuth ? "oauth" : "none" },
  });
  const path = { agentId, serverId: added.server_id };
  const serverNow = () => client.request("GET", "/agents/{agentId}/mcp-servers/{serverId}", { path });
  let answered = "";
  for (let times = 0; times < MAX_AUTHORIZATIONS; times++) {
    const { state, error } = await serverNow();
    if (state === "failed") return `failed: ${error ?? ""}`;
    if (state === "unauthorized") {
      const refused = await authorize(path);
      if (refused !== undefined) return `refused: ${refused}`;
    }
    answered = await talk(agentId);
    if ((await serverNow()).state !== "unauthorized") break;
  }
  return `answered: ${answered}`;
}

/** Sends a message that has the model call the tools, and returns its answer. */
async function talk(agentId: string): Promise<string> {
  const conversation = await client.conversations.create({ title: "A conversation", agent_id: agentId });
  const calls = field(context, "toolCalls") ?? null;
  const answer = client.agents(agentId).send(conversation.conversation_id, JSON.stringify({ calls }));
  const events: RunEvent[] = await Array.fromAsync(answer);
  const last = events.findLast(({ event_type }) => event_type === "ASSISTANT_MESSAGE_SAVED");
  return String(field(last, "content"));
}

/** Authorizes the service as its owner does in a browser. Returns the sentence of a refusal. */
async function authorize(path: { agentId: string; serverId: string }): Promise<string | undefined> {
  const begun = await client
    .request("POST", "/agents/{agentId}/mcp-servers/{serverId}/authorization", { path })
    .catch((error: Error) => error);
  if (begun instanceof Error) return begun.message;
  const { headers } = await fetch(begun.authorization_url, { redirect: "manual" });
  const back = new URL(headers.get("location") ?? "");
  const asked = await fetch(back);
  if (!asked.ok) return paragraphOf(await asked.text());
  const body = new URLSearchParams(
    ["state", "code", "iss"].flatMap((name) => {
      const value = back.searchParams.get(name);
      return value === null ? [] : [[name, value]];
    }),
  );
  const confirmed = await fetch(back.origin + back.pathname, { method: "POST", body });
  return confirmed.ok ? undefined : paragraphOf(await confirmed.text());
}

/** Returns the paragraph of a page. */
function paragraphOf(page: string): string {
  return /<p>([^<]*)/u.exec(page)?.[1]?.trim() ?? page;
}

import { createServer, request as sendRequest } from "node:http";
import { join } from "node:path";
import { afterAll, beforeAll } from "vitest";
import { AgentBuilder } from "../../../client/src/index.ts";
import { freePort } from "../../../scripts/free-port.ts";
import { startModelServer } from "../../../scripts/model-server.ts";
import { cleanUps, startServer, workplace } from "../dev-process.ts";
import { callingTools } from "./model.ts";
import { type CommandSettings, SETTINGS } from "./protocol.ts";

const COMMAND = join(import.meta.dirname, "command.ts");
const MODEL = "calls-tools";

/** A running service with an account and an agent. */
export interface ConformanceService {
  readonly url: () => string;
  /** The client of the account. */
  readonly client: () => AgentBuilder;
  readonly agentId: () => string;
  /** The address at which the agent's MCP server needs no token: the suite can send none. */
  readonly agentUrl: () => string;
  /** The arguments and the environment with which the suite runs the service as a client. */
  readonly asClient: () => {
    readonly args: readonly string[];
    readonly env: Readonly<Record<string, string>>;
  };
}

/**
 * Starts the service before the tests of a file, and stops it after the last one. It runs in workerd with the embedded database, in the
 * local environment: requests to servers on this machine are allowed.
 */
export function useConformanceService(): ConformanceService {
  let url = "";
  let agentUrl = "";
  let agentId = "";
  let token = "";
  let own: typeof cleanUps = [];

  beforeAll(async () => {
    const model = await startModelServer({ respond: callingTools });
    cleanUps.push(model.stop);
    const port = await freePort();
    const variables = await workplace();
    url = `http://localhost:${variables.PORT}`;
    const page = `http://localhost:${port}`;
    await startServer({ ...variables, DEMO_MODEL_URL: model.url, FRONTEND_URL: page, LOG: "text" });
    const visitor = new AgentBuilder({ baseUrl: url });
    const account = { username: "conformance", password: "secret" };
    ({ token } = await visitor.request("POST", "/auth/local/signup", { body: account }));
    const client = new AgentBuilder({ baseUrl: url, token });
    ({ agent_id: agentId } = await client.agents.create({
      agent_name: "Ada",
      agent_architecture: "krishna-memgpt",
      agent_provider: "Demo",
      agent_model: MODEL,
      agent_persona: "You are Ada.",
    }));
    const { secret } = await client.request("POST", "/api-keys", {
      body: { name: "suite", scopes: ["conversations:write", "memory:read", "memory:write"] },
    });
    cleanUps.push(await startProxy(port, `${url}/mcp/agents/${agentId}`, secret));
    agentUrl = `${page}/mcp`;
    // They would run after the first test.
    own = cleanUps.splice(0);
  });
  afterAll(async () => {
    for (const cleanUp of own.toReversed()) await cleanUp();
  });

  return {
    url: () => url,
    client: () => new AgentBuilder({ baseUrl: url, token }),
    agentId: () => agentId,
    agentUrl: () => agentUrl,
    asClient: () => {
      const settings: CommandSettings = { url, token, model: MODEL };
      return {
        args: ["--command", `${process.execPath} ${COMMAND}`],
        env: { [SETTINGS]: JSON.stringify(settings) },
      };
    },
  };
}

/** Starts a proxy that sends what it gets to an address with an API key, and changes nothing else. Returns how to stop it. */
async function startProxy(port: number, to: string, key: string): Promise<() => Promise<void>> {
  const proxy = createServer((incoming, outgoing) => {
    const headers = { ...incoming.headers, authorization: `Bearer ${key}` };
    const onward = sendRequest(to, { method: incoming.method ?? "GET", headers }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(outgoing);
    });
    onward.on("error", () => outgoing.destroy());
    outgoing.on("close", () => onward.destroy());
    incoming.pipe(onward);
  });
  await new Promise<void>((resolve) => proxy.listen(port, "localhost", resolve));
  return () =>
    new Promise((resolve) => {
      proxy.close(() => resolve());
      proxy.closeAllConnections();
    });
}

import { type Agent, AgentBuilder, ApiError, ConnectionError } from "../client/src/index.ts";

/** Not a secret: accounts with passwords exist only in local development. */
const ACCOUNT = { username: "demo", password: "demo-password" };

/**
 * Creates the demo's account, or logs in if it exists, and returns its client. `url` is the address of the API. Throws a sentence
 * if nothing answers there.
 */
export async function signInToDemo(url: string): Promise<AgentBuilder> {
  const visitor = new AgentBuilder({ baseUrl: url });
  try {
    const { token } = await visitor.request("POST", "/auth/local/signup", { body: ACCOUNT });
    return new AgentBuilder({ baseUrl: url, token });
  } catch (error) {
    if (error instanceof ConnectionError)
      throw new Error(`Nothing answers at ${url}. Start it first: npm run dev`, { cause: error });
    if (!(error instanceof ApiError) || error.code !== "conflict") throw error;
  }
  const { token } = await visitor.request("POST", "/auth/local/login", { body: ACCOUNT });
  return new AgentBuilder({ baseUrl: url, token });
}

/** Returns the demo's agent: the API answers with the existing one if the name is in use. */
export const createDemoAgent = async (client: AgentBuilder): Promise<Agent> =>
  await client.agents.create({
    agent_name: "Demo agent",
    agent_architecture: "krishna-memgpt",
    agent_provider: "Demo",
    agent_model: "demo",
    agent_persona: "A friendly assistant that remembers what it is told.",
  });

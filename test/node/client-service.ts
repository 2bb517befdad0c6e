import { afterAll, beforeAll } from "vitest";
import { AgentBuilder, type NewAgent, type RunEvent } from "../../client/src/index.ts";
import { demoResponder } from "../../scripts/demo-model.ts";
import { type ReplyStep, startModelServer } from "../../scripts/model-server.ts";
import { cleanUps, startServer, workplace } from "./dev-process.ts";

/** A service that runs for all tests of a file, and what they need of it. */
export interface ClientService {
  readonly url: () => string;
  /** Creates an account and returns its access token. */
  readonly signUp: () => Promise<string>;
  /** Creates an account with an agent and a conversation, and returns what a test talks to them with. */
  readonly begin: (agent?: Partial<NewAgent>) => Promise<Talk>;
  /** Lets the held models of an id go on. */
  readonly release: (model: string) => void;
}

export interface Talk {
  readonly token: string;
  readonly client: AgentBuilder;
  readonly agentId: string;
  readonly conversationId: string;
}

/**
 * Starts the service before the tests of a file and stops it after them. A model whose name begins with `held` says "One ", waits
 * until it is released, and says "two."; one whose name begins with `failing` says "One " and ends without its end.
 */
export function useClientService(): ClientService {
  const holds = new Map<string, PromiseWithResolvers<void>>();
  const holdOf = (model: string): PromiseWithResolvers<void> => {
    const hold = holds.get(model) ?? Promise.withResolvers<void>();
    holds.set(model, hold);
    return hold;
  };
  let url = "";
  let accounts = 0;
  let own: typeof cleanUps = [];

  beforeAll(async () => {
    const model = await startModelServer({
      respond(request, signal, headers) {
        if (request.model.startsWith("held")) return held(holdOf(request.model).promise, signal);
        if (request.model.startsWith("failing")) return [{ text: "One " }, { end: true }];
        return demoResponder(request, signal, headers);
      },
    });
    cleanUps.push(model.stop);
    const variables = await workplace();
    await startServer({ ...variables, DEMO_MODEL_URL: model.url, LOG: "text" });
    url = `http://localhost:${variables.PORT}`;
    // They would run after the first test.
    own = cleanUps.splice(0);
  });
  afterAll(async () => {
    for (const cleanUp of own.toReversed()) await cleanUp();
  });

  const signUp = async (): Promise<string> => {
    const body = { username: `client-${accounts++}`, password: "secret" };
    return (await new AgentBuilder({ baseUrl: url }).request("POST", "/auth/local/signup", { body })).token;
  };
  return {
    url: () => url,
    signUp,
    release: (model) => holdOf(model).resolve(),
    async begin(agent = {}) {
      const token = await signUp();
      const client = new AgentBuilder({ baseUrl: url, token });
      const { agent_id: agentId } = await client.agents.create({
        agent_name: "Ada",
        agent_architecture: "krishna-memgpt",
        agent_provider: "Demo",
        agent_model: "demo",
        agent_persona: "You are Ada.",
        ...agent,
      });
      const { conversation_id: conversationId } = await client.conversations.create({
        title: "A conversation",
        agent_id: agentId,
      });
      return { token, client, agentId, conversationId };
    },
  };
}

async function* held(released: Promise<void>, signal: AbortSignal): AsyncGenerator<ReplyStep> {
  yield { text: "One " };
  await Promise.race([
    released,
    new Promise((resolve) => {
      signal.addEventListener("abort", resolve);
    }),
  ]);
  yield { text: "two." };
}

/** Reads all events. */
export async function eventsOf(answer: AsyncIterable<RunEvent>): Promise<RunEvent[]> {
  return await Array.fromAsync(answer);
}

import OpenAI, { APIError } from "openai";
import { ada, type Client } from "../support/app.ts";
import { scriptModel } from "../support/control.ts";
import type { ScriptStep } from "../support/control-protocol.ts";
import { fetchOf } from "../support/wires.ts";

/** An agent that answers as the model is scripted, and OpenAI's client for it. */
export async function agentWith(client: Client, ...replies: readonly (readonly ScriptStep[])[]) {
  const model = await scriptModel(...replies);
  const name = `Ada ${crypto.randomUUID()}`;
  const { body } = await client("POST", "/agents", { ...ada, agent_name: name, agent_model: model.name });
  return { model, name, agentId: body.agent_id as string, openai: openAiOf(client) };
}

/** An agent that answers `One.`, `Two.` and `Three.`, and OpenAI's client for it. */
export const countingAgent = (client: Client) =>
  agentWith(client, [{ text: "One." }], [{ text: "Two." }], [{ text: "Three." }]);

/** OpenAI's client, which reaches the app as this caller. */
export const openAiOf = (client: Client): OpenAI =>
  new OpenAI({
    apiKey: client.token,
    baseURL: "https://api.example.com/v1",
    fetch: fetchOf(client),
    maxRetries: 0,
    dangerouslyAllowBrowser: true,
  });

export const user = (content: string) => ({ role: "user", content }) as const;

/** The error that a request of OpenAI's client ends with. */
export const errorOf = (request: PromiseLike<unknown>): Promise<APIError> =>
  Promise.resolve(request).then(
    () => {
      throw new Error("The request was not refused.");
    },
    (error: unknown) => {
      if (error instanceof APIError) return error;
      throw error;
    },
  );

import { expect, it } from "vitest";
import { ownTool } from "../ai-sdk/page-tools.ts";
import { signUpNaming } from "../support/call-names.ts";
import { agentWith } from "./openai-client.ts";

const tool = (name: string) =>
  ({ type: "function", name, description: "The client's.", parameters: {}, strict: false }) as const;

it("does not let a request with results put a tool of the client in the place of the agent's", async () => {
  const client = await signUpNaming();
  const asking = { call: { id: "c1", name: "ask", arguments: "{}" } };
  const { agentId, openai, model } = await agentWith(client, [asking], [{ text: "Done." }]);
  await client("POST", `/agents/${agentId}/http-tools`, ownTool);
  const first = await openai.responses.create({ model: agentId, input: "Hi", tools: [tool("ask")] });

  const second = await openai.responses.create({
    model: agentId,
    previous_response_id: first.id,
    input: [{ type: "function_call_output", call_id: "c1", output: "Tea" }],
    tools: [tool("ask"), tool(ownTool.name)],
    tool_choice: { type: "function", name: ownTool.name },
  });

  expect(second.output_text).toBe("Done.");
  const [, going] = (await model.log()).requests.map(({ body }) => body as { tool_choice?: unknown });
  const text = JSON.stringify(going);
  expect(text.split("The client's.")).toHaveLength(2);
  expect(text).toContain(ownTool.description);
  expect(text).toContain("Tea");
  expect(going?.tool_choice).toBeUndefined();
});

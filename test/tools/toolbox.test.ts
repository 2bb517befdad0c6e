import { expect, it } from "vitest";
import * as z from "zod";
import { estimateTokens } from "../../src/llm/token-estimate.ts";
import { toolbox } from "../../src/tools/toolbox.ts";
import { argumentsOf, defineTool } from "../../src/tools/tool.ts";

const echo = defineTool({
  name: "echo",
  description: "Repeats a text.",
  input: z.object({ text: z.string() }),
  run: ({ text }) => text,
});

// Scenario 7.
it.each(["__proto__", "constructor", "toString", "hasOwnProperty"])(
  "treats %s as an ordinary name of a tool or an argument",
  async (name) => {
    const tools = toolbox([echo], { resultTokens: 1_000 });
    const call = { id: "1", name: "echo", arguments: `{"${name}":{"text":"inherited"}}` };

    expect(await tools.invoke({ id: "1", name, arguments: "{}" })).toEqual({
      ok: false,
      output: `Error: Unknown tool: ${name}`,
    });
    expect(await tools.invoke(call)).toMatchObject({ ok: false, output: expect.stringContaining("text") });
    expect(JSON.stringify(argumentsOf(call))).toBe(call.arguments);
    expect(Reflect.get(argumentsOf(call), "text")).toBeUndefined();
  },
);

it("shortens a result that is far longer than what the model can read", async () => {
  const tools = toolbox([echo], { resultTokens: 100 });
  const text = `first ${"字".repeat(10_000)} last`;

  const { output } = await tools.invoke({ id: "1", name: "echo", arguments: JSON.stringify({ text }) });

  expect(output).toMatch(/^first 字+\n\n\[Shortened: .*\]\n\n.* ?last$/su);
  expect(estimateTokens(output)).toBeLessThan(160);
});

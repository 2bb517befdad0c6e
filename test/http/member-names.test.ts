import { expect, it } from "vitest";
import { beginConversation, signUp } from "../support/app.ts";

/** Members that the sender names, as JSON. `z.record` would drop one that is called `__proto__`. */
const tool = (more: string) =>
  `{"name":"look_up","description":"Looks up.","method":"GET","url":"https://example.com/",${more}}`;

it.each([
  ["tool_approvals", "PATCH", "", '{"tool_approvals":{"__proto__":"always"}}'],
  ["parameters", "POST", "/http-tools", tool('"parameters":{"type":"object","__proto__":{}}')],
  [
    "parameters",
    "POST",
    "/http-tools",
    tool('"parameters":{"type":"object","properties":{"__proto__":{"type":"null"}}}'),
  ],
  ["headers", "POST", "/http-tools", tool('"headers":{"__proto__":"x"}')],
  ["secrets", "POST", "/http-tools", tool('"secrets":{"__proto__":"a long secret"}')],
  ["body", "POST", "/http-tools", tool('"body":{"form":{"__proto__":"x"}}')],
])(
  "a member of %s that is called __proto__ is refused and not dropped",
  async (member, method, path, body) => {
    const client = await signUp();
    const { agentId } = await beginConversation(client);

    const { status, body: problem } = await client(method, `/agents/${agentId}${path}`, body);

    expect([status, problem.errors[0].path[0], problem.errors[0].path.at(-1)]).toEqual([
      422,
      member,
      "__proto__",
    ]);
  },
);

it("metadata of a response with a member that is called __proto__ are refused", async () => {
  const client = await signUp();
  const { agentId } = await beginConversation(client);
  const body = `{"model":"${agentId}","input":"Hi","metadata":{"__proto__":"x"}}`;

  const { status, body: answer } = await client("POST", "/v1/responses", body);

  expect([status, answer.error.param]).toEqual([422, "metadata.__proto__"]);
});

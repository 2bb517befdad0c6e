import { expect, it } from "vitest";
import { beginConversation, signUp } from "../support/app.ts";
import { say, typesOf } from "../support/sse.ts";

it("remembers a fact and answers from it in another conversation", async () => {
  const client = await signUp();
  const { agentId, path } = await beginConversation(client);

  const first = await say(client, path, "My name is Alice and I work at Google");
  console.log(first.status, JSON.stringify(first.events, null, 1), first.body?.detail);
  expect(first.status).toBe(200);
  expect(typesOf(first.events).at(-1)).toBe("STREAM_COMPLETE");
  const content = await client("GET", `/agents/${agentId}/memory-blocks/human/content`);
  expect(content.body.lines).toEqual(["Name: Alice", "Works at: Google"]);
});

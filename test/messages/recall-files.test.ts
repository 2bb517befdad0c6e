import { describe, expect, it } from "vitest";
import { beginConversation, signUp } from "../support/app.ts";
import { scriptModel } from "../support/control.ts";
import { say } from "../support/sse.ts";

/** Characters as in binary files that were read as text: controls, nulls, symbols and emoji. */
const noise = (length: number): string =>
  Array.from({ length }, (_, n) =>
    String.fromCodePoint([n % 32, 0x7f + (n % 160), 0xfffd, 0x1f600 + (n % 60)][n % 4] ?? 0),
  ).join("");

describe("a search in conversations finds a message by what is in its file", () => {
  it.each([
    ["among control characters", `${noise(3_000)} flamingo ${noise(3_000)}`],
    ["behind a null character", "\u0000\u0000flamingo"],
    ["among thousands of marks", `${"\u0301\u0316".repeat(10_000)} flamingo`],
    ["behind a word of 80,000 characters", `${"x".repeat(80_000)} flamingo`],
    ["in one line of base64", `${"QUJDREVGR0hJSktM".repeat(1_000)} flamingo`],
    ["among emoji", `${"👨‍👩‍👧‍👦".repeat(1_500)} flamingo`],
  ])("%s", async (_case, content) => {
    const client = await signUp();
    const model = await scriptModel([{ text: "I see." }]);
    const { agentId, path } = await beginConversation(client, { agent_model: model.name });

    const { last } = await say(client, path, "Keep this", { attachments: [{ filename: "a.txt", content }] });
    const { body } = await client("GET", `/agents/${agentId}/recall?query=flamingo`);

    expect(last?.event_type).toBe("STREAM_COMPLETE");
    expect(body.total).toBe(1);
    expect(body.items[0].file_passage.text).toContain("flamingo");
    expect(body.items[0].file_passage.text.length).toBeLessThanOrEqual(410);
  });

  it("of 250 KB altogether, with each file searchable from its beginning", async () => {
    const client = await signUp();
    const model = await scriptModel([{ text: "I see." }]);
    const { agentId, path } = await beginConversation(client, { agent_model: model.name });
    const attachments = ["heron", "ibis", "stork"].map((bird) => ({
      filename: `${bird}.md`,
      content: `The ${bird} sleeps. ${"文字".repeat(13_800)}`,
    }));

    const { last } = await say(client, path, "Keep these", { attachments });

    expect(last?.event_type).toBe("STREAM_COMPLETE");
    for (const bird of ["heron", "ibis", "stork"]) {
      const { body } = await client("GET", `/agents/${agentId}/recall?query=${bird}`);
      expect(body.items[0].file_passage).toMatchObject({
        text: expect.stringContaining(`The ${bird} sleeps`),
      });
    }
  });
});

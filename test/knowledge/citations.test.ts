import { describe, expect, it } from "vitest";
import { type Citation, citationsFrom, citationsIn } from "../../src/knowledge/citation-model.ts";
import { messageFrom, messageItem } from "../../src/messages/model.ts";
import { conversationIdOf, knowledgeBaseIdOf, pageIdOf } from "../../src/shared/id-types.ts";
import { itemBytes } from "../../src/table/marshal.ts";

const citation = (n: number, more: Partial<Citation> = {}): Citation => ({
  n,
  kbId: knowledgeBaseIdOf("kb"),
  pageId: pageIdOf("page"),
  url: "https://example.com/prices",
  title: "Prices",
  heading: null,
  passageId: `page-${n}`,
  ...more,
});

const answerWith = (content: string, citations: readonly Citation[]) =>
  ({
    id: "answer",
    conversationId: conversationIdOf("conversation"),
    createdBy: "owner@example.com",
    role: "assistant",
    content,
    attachments: [],
    createdAt: "2026-01-29T11:51:36.123456+00:00",
    status: "complete",
    toolCalls: [],
    usage: null,
    tokenRatio: null,
    runId: null,
    citations,
  }) as const;

describe("citationsIn", () => {
  it.each([
    ["Five euros [1].", [1]],
    ["Five euros [2][1].", [1, 2]],
    ["Five euros [1, 3].", [1, 3]],
    ["五欧元【2】。", [2]],
    ["Five euros [9], in items[x].", []],
    ["Five euros.", []],
  ])("finds the citations that %j refers to", (text, numbers) => {
    expect(
      citationsIn(
        text,
        [1, 2, 3].map((n) => citation(n)),
      ).map(({ n }) => n),
    ).toEqual(numbers);
  });
});

describe("the citations of a message", () => {
  it("are stored and read", () => {
    const citations = [citation(1), citation(2, { url: null, title: null, heading: "Children" })];

    expect(messageFrom(messageItem(answerWith("[1][2]", citations))).citations).toEqual(citations);
  });

  it("are fifty at most, and leave an address out that is too long", () => {
    const citations = Array.from({ length: 60 }, (_, n) =>
      citation(n, { url: `https://example.com/${"x".repeat(3_000)}` }),
    );

    const stored = citationsFrom(messageItem(answerWith("", citations)));

    expect(stored).toHaveLength(50);
    expect(stored[0]?.url).toBeNull();
  });

  it("never make the item of a message too large", () => {
    const long = {
      url: `https://example.com/${"x".repeat(2_000)}`,
      title: "字".repeat(300),
      heading: "字".repeat(300),
    };
    const citations = Array.from({ length: 50 }, (_, n) => citation(n, long));

    const item = messageItem(answerWith("字".repeat(110_000), citations));

    expect(itemBytes(item)).toBeLessThan(400_000);
    expect(citationsFrom(item).length).toBeGreaterThan(5);
  });

  it("are absent from messages that have none, and from those of earlier versions", () => {
    expect(messageItem(answerWith("", []))).not.toHaveProperty("citations");
    expect(messageFrom({ role: "assistant", content: "Hello" })).not.toHaveProperty("citations");
  });
});

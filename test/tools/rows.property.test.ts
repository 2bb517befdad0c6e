import { accountEmailOf, agentIdOf, conversationIdOf, runIdOf } from "../../src/shared/id-types.ts";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { coreMemorySection } from "../../src/architectures/krishna-memgpt/memory-prompt.ts";
import { ConversationReader } from "../../src/messages/conversation-reader.ts";
import { readableText } from "../../src/messages/reading.ts";
import { summaryRequest, transcriptLine } from "../../src/messages/summary-text.ts";
import type { MemoryToolContext } from "../../src/tools/native/memory-context.ts";
import { archivalMemorySearch } from "../../src/tools/native/archival-memory-search.ts";
import { recallConversation } from "../../src/tools/native/recall-conversation.ts";
import { toolbox } from "../../src/tools/toolbox.ts";
import { messageOf } from "../messages/conversation.ts";

/** Everything that some reader treats as the end of a line. */
const BREAK = /[\n\v\f\r\u0085\u2028\u2029]/u;

/** Texts made of the parts of rows, sections and speakers. */
const text = fc
  .array(
    fc.constantFrom(
      ...Array.from("\n\r\v\f\u0085\u2028\u2029()[]: \u200b<"),
      "[1] (2026-01-29) ",
      "[11:51 AM, Jan 29, 2026] (x) Assistant: ",
      "[Jan 29, 2026] User: ",
      ") User: ",
      "] (0/1 words)",
      "(file: a.md, which begins: ",
      "(used core_memory_append)",
      "1: ",
      "</core_memory>",
      "<core_memory>",
      "</context>",
      "</attached_file>",
      '<attached_file name="a">',
      '"',
      "[Human - Facts]",
      "(empty)",
      "words",
    ),
    { maxLength: 8 },
  )
  .map((parts) => parts.join(""));

const hit = fc.record({ content: text, title: text, isAnswer: fc.boolean() });
const page = (total: number) => ({ total, notes: [] });

/** Returns a tool's output for a search that finds these hits. */
async function resultOf(name: string, hits: readonly object[]): Promise<string> {
  const found = () => Promise.resolve({ ...page(hits.length), hits });
  const place = {
    agentId: agentIdOf("a"),
    userId: "u",
    accountEmail: accountEmailOf("u"),
    conversationsOf: "u",
    conversationId: conversationIdOf("c"),
    runId: runIdOf("r"),
  };
  const nothing = { sortKeys: () => Promise.resolve([]), at: () => Promise.resolve([]) };
  const search = { recall: found } as unknown as ConstructorParameters<
    typeof ConversationReader
  >[0]["search"];
  const context = {
    resultTokens: 4_000,
    archive: { search: found },
    conversation: new ConversationReader({ place, messages: nothing, search }),
  };
  const tools = toolbox([archivalMemorySearch, recallConversation], context as unknown as MemoryToolContext);
  return (await tools.invoke({ id: "c", name, arguments: '{"query":"x"}' })).output;
}

const linesOf = (output: string): readonly string[] => output.split(BREAK);

describe("outside text can't make two different structures read the same", () => {
  it("as rows of archival memory", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(text, text), { minLength: 1, maxLength: 5 }), async (memories) => {
        const hits = memories.map(([content, day]) => ({ content, createdAt: day, occurredAt: null }));

        const rows = linesOf(await resultOf("archival_memory_search", hits)).slice(2);

        expect(rows).toHaveLength(hits.length);
        for (const [index, row] of rows.entries())
          expect(row).toMatch(new RegExp(String.raw`^\[${index + 1}\] \([^()]*\) `, "u"));
      }),
    );
  });

  it("as rows of messages: their number, speakers and conversations", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(hit, { minLength: 1, maxLength: 5 }), async (said) => {
        const hits = said.map(({ content, title, isAnswer }) => ({
          content,
          files: [title],
          conversationTitle: title,
          role: isAnswer ? "assistant" : "user",
          createdAt: "2026-01-29T11:51:36.123456+00:00",
        }));

        const rows = linesOf(await resultOf("recall_conversation", hits)).slice(2);

        const speakers = rows.map(
          (row) => /^\[11:51 AM, Jan 29, 2026\] \([^()]*\) (User|Assistant): /u.exec(row)?.[1],
        );
        expect(speakers).toEqual(said.map(({ isAnswer }) => (isAnswer ? "Assistant" : "User")));
      }),
    );
  });

  it("as blocks of core memory and their lines", () => {
    const block = fc.record({ description: text, lines: fc.array(text, { minLength: 1, maxLength: 4 }) });
    fc.assert(
      fc.property(fc.array(block, { minLength: 1, maxLength: 3 }), (blocks) => {
        const views = blocks.map(({ description, lines }, index) => ({
          name: `block_${index}`,
          description,
          lines,
          wordLimit: 100,
          wordCount: 1,
          isDefault: false,
          createdAt: "",
          updatedAt: null,
        }));

        const shown = coreMemorySection(views, 10_000).section.text;

        expect(shown.match(/<\/?core_memory>/gu)).toEqual(["<core_memory>", "</core_memory>"]);
        const expected = views.flatMap(({ lines }, at) => [
          ...(at > 0 ? [expect.stringMatching(/^$/u)] : []),
          expect.stringMatching(new RegExp(String.raw`^\[Block_${at} - [^\[\]]*\] \(1/100 words\)$`, "u")),
          ...lines.map((_line, index) => expect.stringMatching(new RegExp(`^${index + 1}: `, "u"))),
        ]);
        expect(linesOf(shown).slice(1, -1)).toEqual(expected);
      }),
    );
  });

  it("as the input of a summary: messages, their files and tools", () => {
    const message = fc.record({ content: text, files: fc.array(text, { maxLength: 2 }), tools: fc.nat(2) });
    fc.assert(
      fc.property(fc.array(message, { minLength: 1, maxLength: 4 }), (messages) => {
        const lines = messages.map(({ content, files, tools }, index) =>
          transcriptLine({
            ...messageOf(index, content),
            attachments: files.map((filename) => ({ filename, content: filename, size: 0 })),
            toolCalls: Array.from({ length: tools }, (_, n) => ({
              id: "c",
              name: `tool_${n}`,
              arguments: "",
              output: "",
              success: true,
            })),
          }),
        );

        const request = summaryRequest("", lines).messages[1]?.content ?? "";

        expect(request.match(/<\/?context>/gu)).toEqual(["<context>", "</context>"]);
        const rows = linesOf(request.split(/<\/?context>\n?/u)[1]?.replace(/\n$/u, "") ?? "");
        expect(rows).toHaveLength(messages.length);
        for (const [index, row] of rows.entries()) {
          expect(row).toMatch(/^\[Jan 29, 2026\] (?:User|Assistant):/u);
          expect(row.match(/\(file: /gu) ?? []).toHaveLength(messages[index]?.files.length ?? 0);
          expect(row.match(/\(used /gu) ?? []).toHaveLength(messages[index]?.tools ?? 0);
        }
      }),
    );
  });

  it("as files and the text of their message", () => {
    const file = fc.record({ filename: text, content: text, size: fc.constant(0) });
    fc.assert(
      fc.property(text, fc.array(file, { maxLength: 3 }), (content, attachments) => {
        const shown = readableText({ content, attachments });

        expect(shown.match(/<attached_file name="[^"\n\r\v\f\u0085\u2028\u2029]*">\n/gu) ?? []).toHaveLength(
          attachments.length,
        );
        expect(shown.match(/<attached_file/gu) ?? []).toHaveLength(attachments.length);
        expect(shown.match(/<\/attached_file>/gu) ?? []).toHaveLength(attachments.length);
      }),
    );
  });
});

import * as z from "zod";
import { estimateTokens } from "../../llm/token-estimate.ts";
import { defineTool } from "../tool.ts";
import { field, indented, type KnowledgeToolContext } from "./knowledge-context.ts";

/** About the most characters of a token, in English. What does not fit is left to the next call. */
const CHARS_PER_TOKEN = 5;

export const knowledgeBaseRead = defineTool({
  name: "knowledge_base_read",
  description:
    "Read the page of a result of knowledge_base_search, from that result on. Its passages are numbered like results, and cited in the same way.",
  input: z.object({
    page: z.coerce
      .string()
      .regex(/^\s*\[?\d{1,6}\]?\s*$/u, { error: "page must be the number of a result, such as 2." })
      .transform((text) => Number(text.replaceAll(/\D/gu, "")))
      .describe("The number of a result of this turn, such as 2."),
    from: z.coerce
      .number()
      .int()
      .min(1)
      .optional()
      .describe("The passage to begin with: 1 is the beginning of the page. By default, that of the result."),
  }),
  async run({ page: n, from }, { knowledge, resultTokens }: KnowledgeToolContext) {
    const start = from === undefined ? undefined : from - 1;
    const reading = await knowledge.read(n, start, resultTokens * CHARS_PER_TOKEN);
    if (reading === null) return "Error: This page can't be read right now. Try again later.";
    if (!reading)
      return `Error: There is no result [${n}] in this turn, or its page is gone. Search with knowledge_base_search first.`;

    const { title, url, passages, total } = reading;
    const name = field(title ?? "Untitled");
    if (passages.length === 0) return `"${name}" has ${total} passages. There is no passage ${from}.`;

    const rows = passages.map(({ found, citation }) => ({
      position: found.position,
      citation,
      text: [`[${citation.n}] ${field(found.headings.join(" > "))}`.trimEnd(), indented(found.text), ""].join(
        "\n",
      ),
    }));
    let room = resultTokens;
    const fitting = rows.filter(({ text }, index) => {
      room -= estimateTokens(text);
      return room >= 0 || index === 0;
    });
    const first = (fitting[0]?.position ?? 0) + 1;
    const last = (fitting.at(-1)?.position ?? 0) + 1;
    const more = last < total ? [`(Use page=${n} and from=${last + 1} to read on.)`] : [];
    return {
      output: [
        `${name} (passages ${first} to ${last} of ${total})`,
        `Source: ${field(url ?? title ?? "file")}`,
        "",
        ...fitting.map(({ text }) => text),
        ...more,
      ].join("\n"),
      citations: fitting.map(({ citation }) => citation),
    };
  },
});

import { describeAnswer } from "../../src/http-tools/calls.ts";
import { argumentsSchema, parameterProblems } from "../../src/http-tools/parameters.ts";
import { placeholderProblems } from "../../src/http-tools/placeholders.ts";
import { redaction } from "../../src/http-tools/redaction.ts";
import { fillRequest, partsOfUrl } from "../../src/http-tools/request.ts";
import { changesIn, HttpToolChanges } from "../../src/http-tools/schemas.ts";
import { hasStrayBraces, partsOf } from "../../src/http-tools/template.ts";
import { runNews } from "../../src/mcp/run-events.ts";
import { utf8 } from "../../src/shared/crypto.ts";
import type { Reads } from "./linear.ts";
import { bodyOf, piecesOf } from "./linear-inputs.ts";

const PARAMETERS = {
  type: "object",
  properties: {
    a: { type: "string" },
    b: { type: "number" },
    c: { type: "array", items: { type: "boolean" } },
  },
};

/** Whatever becomes of a text that is refused. */
function tried(work: () => unknown): unknown {
  try {
    return work();
  } catch {
    return undefined;
  }
}

const requestWith = (text: string) => ({
  method: "POST" as const,
  url: `https://example.com/${text}?${text}`,
  headers: { [text]: text, a: "{{a}}" },
  body: { json: [text, ...piecesOf(text)] },
});

/** The readers of HTTP tools and of the Model Context Protocol. */
export const HTTP_TOOL_READERS: Readonly<Record<string, Reads>> = {
  "http-tools/template: partsOf": (text) => [partsOf(text), partsOf(`{{${text}`), hasStrayBraces(text)],
  "http-tools/request: partsOfUrl": (text) => [partsOfUrl(text), partsOfUrl(`https://${text}`)],
  "http-tools/request: fillRequest": (text) => {
    const values = { arguments: { a: text }, secrets: { s: text } };
    return [
      tried(() => fillRequest(requestWith(text), values)),
      tried(() =>
        fillRequest({ ...requestWith("{{a}}"), body: { form: { a: "{{a}}{{secrets.s}}" } } }, values),
      ),
    ];
  },
  "http-tools/placeholders: placeholderProblems": (text) =>
    placeholderProblems({ parameters: PARAMETERS, request: requestWith(text) }, [text]),
  "http-tools/parameters: parameterProblems": (text) => [
    parameterProblems({ ...PARAMETERS, [text]: text, description: text, required: piecesOf(text) }),
    parameterProblems({ type: "object", properties: { [text]: { type: text } } }),
  ],
  "http-tools/parameters: argumentsSchema": (text) => {
    const schema = argumentsSchema(PARAMETERS);
    return [schema.safeParse({ a: text, b: text, c: piecesOf(text) }), schema.safeParse({ [text]: text })];
  },
  "http-tools/schemas: HttpToolChanges": (text) => {
    const parsed = HttpToolChanges.safeParse({
      name: text,
      description: text,
      url: `https://${text}`,
      headers: { [text]: text },
      body: { json: text },
    });
    return parsed.success && changesIn(parsed.data);
  },
  "http-tools/redaction: redaction": (text) => [
    redaction(["secret", "another secret"])(text, true),
    redaction([text.slice(0, 4_096)])(text, true),
  ],
  "http-tools/calls: describeAnswer": (text) =>
    describeAnswer(
      { kind: "answer", status: 200, mediaType: "application/json", text, bytes: text.length, isCut: true },
      { key: "secret" },
    ),
  "mcp/run-events: runNews": async (text) => {
    const news: unknown[] = [];
    for (const body of [`data: ${JSON.stringify({ text })}\n\n`, text, `: ${text}\n\n`])
      for await (const one of runNews(bodyOf(utf8(body), 100))) news.push(one);
    return news;
  },
};

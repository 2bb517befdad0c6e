import * as z from "zod";
import { type HttpToolCalls, specOf } from "../../http-tools/calls.ts";
import type { HttpTool } from "../../http-tools/model.ts";
import { argumentsSchema } from "../../http-tools/parameters.ts";
import { defineTool, type Tool, toolOf } from "../tool.ts";
import { pageNote, partsOf } from "./pages.ts";
import { PageNumber } from "./schema.ts";

/** What the HTTP tools of an agent may access. */
export interface HttpToolContext {
  readonly httpCalls: HttpToolCalls;
  /** How many tokens a result may have. */
  readonly resultTokens: number;
  /** Aborted when the turn ends. */
  readonly signal: AbortSignal;
}

const READ = "http_result_read";

const httpResultRead = defineTool({
  name: READ,
  description: "Read another page of a long result of this turn, without sending the request again.",
  input: z.object({
    result: z.coerce.number().int().min(1).describe("The number of the result, as its first page states it."),
    page: PageNumber,
  }),
  run({ result: number, page }, { httpCalls, resultTokens }: HttpToolContext) {
    const result = httpCalls.kept(number);
    if (result === undefined) return `Error: There is no result ${number} in this turn. Call the tool again.`;
    const parts = partsOf(result, resultTokens);
    const shown = Math.min(Math.max(1, page), parts.length);
    return [parts[shown - 1] ?? "", ...pageNote(shown, parts.length)].join("\n");
  },
});

/** Returns the HTTP tools that an agent's model is offered, and the one that reads on in their results; none if it has no tools. */
export function httpTools(tools: readonly HttpTool[]): readonly Tool<HttpToolContext>[] {
  return tools.length === 0 ? [] : [...tools.map(httpTool), httpResultRead];
}

/** The validation of its arguments is made when it is called: most turns call none of them. */
const httpTool = (tool: HttpTool): Tool<HttpToolContext> => ({
  spec: specOf(tool),
  invoke: (call, context) => callable(tool).invoke(call, context),
});

const callable = (tool: HttpTool): Tool<HttpToolContext> =>
  toolOf({
    spec: specOf(tool),
    input: argumentsSchema(tool.parameters),
    async run(input, { httpCalls, resultTokens, signal }) {
      const result = await httpCalls.call(tool, input, signal);
      const parts = partsOf(result, resultTokens);
      if (parts.length <= 1) return result;

      const number = httpCalls.keep(result);
      const more =
        number === undefined
          ? "(The rest is not shown.)"
          : `(Page 1 of ${parts.length}. Use ${READ} with result=${number} and page=2 for more.)`;
      return [parts[0] ?? "", more].join("\n");
    },
  });

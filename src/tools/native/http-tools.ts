import { type HttpToolCalls, specOf } from "../../http-tools/calls.ts";
import type { HttpTool } from "../../http-tools/model.ts";
import { argumentsSchema } from "../../http-tools/parameters.ts";
import { type Tool, toolOf } from "../tool.ts";
import { firstPage, resultReader } from "./paged-results.ts";

/** What the HTTP tools of an agent may access. */
export interface HttpToolContext {
  readonly httpCalls: HttpToolCalls;
  /** How many tokens a result may have. */
  readonly resultTokens: number;
  /** Aborted when the turn ends. */
  readonly signal: AbortSignal;
}

const READ = "http_result_read";

const httpResultRead = resultReader(READ, ({ httpCalls }: HttpToolContext) => httpCalls.results);

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
      return firstPage(result, { resultTokens, results: httpCalls.results, reader: READ });
    },
  });

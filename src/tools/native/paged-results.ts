import * as z from "zod";
import type { KeptResults } from "../../http-tools/kept-results.ts";
import { defineTool, type Tool } from "../tool.ts";
import { pageNote, partsOf } from "./pages.ts";
import { PageNumber } from "./schema.ts";

/** What reading on in long results needs. */
interface PagedContext {
  /** How many tokens a page may have. */
  readonly resultTokens: number;
}

/** Returns the tool that reads on in the long results of a turn, which `resultsOf` finds in its context. */
export const resultReader = <Context extends PagedContext>(
  name: string,
  resultsOf: (context: Context) => KeptResults,
): Tool<Context> =>
  defineTool({
    name,
    description: "Read another page of a long result of this turn, without sending the request again.",
    input: z.object({
      result: z.coerce
        .number()
        .int()
        .min(1)
        .describe("The number of the result, as its first page states it."),
      page: PageNumber,
    }),
    run({ result: number, page }, context: Context) {
      const result = resultsOf(context).kept(number);
      if (result === undefined)
        return `Error: There is no result ${number} in this turn. Call the tool again.`;
      const parts = partsOf(result, context.resultTokens);
      const shown = Math.min(Math.max(1, page), parts.length);
      return [parts[shown - 1] ?? "", ...pageNote(shown, parts.length)].join("\n");
    },
  });

/** Returns the first page of a result, and keeps the result if it has more, which the tool `reader` reads. */
export function firstPage(
  result: string,
  {
    resultTokens,
    results,
    reader,
  }: PagedContext & { readonly results: KeptResults; readonly reader: string },
): string {
  const parts = partsOf(result, resultTokens);
  if (parts.length <= 1) return result;

  const number = results.keep(result);
  const more =
    number === undefined
      ? "(The rest is not shown.)"
      : `(Page 1 of ${parts.length}. Use ${reader} with result=${number} and page=2 for more.)`;
  return [parts[0] ?? "", more].join("\n");
}

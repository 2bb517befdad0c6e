import * as z from "zod";

/** Models write numbers as texts now and then; both are line numbers. */
export const LineNumber = z.coerce.number().int().min(1).describe("Number of the line, from 1.");

export const BlockName = z.string().trim().min(1).describe("Name of the block, for example `human`.");

export const Expected = z
  .string()
  .optional()
  .describe("The text that you believe stands in the line; nothing is changed if it does not.");

/** Pages are counted from 1; what lies outside is answered by the tool. Some models fill in null or "" for nothing. */
export const PageNumber = z
  .preprocess(
    (value) => (value === null || value === "" ? undefined : value),
    z.coerce.number().int().default(1),
  )
  .describe("Number of the page, from 1.");

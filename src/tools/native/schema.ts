import * as z from "zod";

/** Models sometimes send numbers as strings, so both are accepted. */
export const LineNumber = z.coerce.number().int().min(1).describe("The line number, starting at 1.");

export const BlockName = z.string().trim().min(1).describe("The name of the block, for example `human`.");

export const Expected = z
  .string()
  .optional()
  .describe("The text that you expect on the line. If the line differs, nothing is changed.");

/** A page number from 1. Tools answer for pages out of range. */
export const PageNumber = z.coerce.number().int().default(1).describe("The page number, starting at 1.");

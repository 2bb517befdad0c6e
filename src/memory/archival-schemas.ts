import * as z from "zod";
import { utf8Length } from "../shared/text.ts";
import { nameIn, rule } from "../shared/violations.ts";
import { MAX_CONTENT_BYTES } from "./archival-model.ts";

/** The content of a new memory. */
export const Content = z
  .string()
  .refine((content) => content.trim() !== "", { error: rule("must not be blank.") })
  .refine((content) => utf8Length(content) <= MAX_CONTENT_BYTES, {
    error: rule(`must have at most ${MAX_CONTENT_BYTES / 1024} KB.`),
  });

/** A date, or a date and time with or without an offset. Stored as written. */
export const OccurredAt = z.union([z.iso.date(), z.iso.datetime({ offset: true, local: true }).max(40)], {
  error: (issue) =>
    `${nameIn(issue)} must be a date such as 2026-06-01, or a date and time such as 2026-06-01T12:00:00Z.`,
});

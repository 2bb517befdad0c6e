import * as z from "zod";
import { blankAsAbsent } from "../http/schemas.ts";
import { AppError } from "../shared/errors.ts";

/** The header of routes that resume a stream. */
export const LastEventHeader = z.object({
  "Last-Event-ID": z.string().optional(),
});

/** The query of routes that resume a stream. */
export const EventsQuery = z.object({ after: blankAsAbsent(z.string().max(100).optional()) });

/**
 * Returns the number of the event after which a stream goes on: `after`, or else the header `Last-Event-ID`, or else 0. Throws
 * `malformed-request` if it is not a number.
 */
export function resumePoint(after: string | undefined, lastEventId: string | undefined): number {
  const text = after ?? lastEventId ?? "0";
  if (!/^\d{1,15}$/u.test(text))
    throw new AppError("malformed-request", "`after` must be the number of an event.");
  return Number(text);
}

import type { Context } from "hono";
import * as z from "zod";
import { timeZoneOf } from "../shared/time-zone.ts";

/** The header of routes that run a turn or preview one. */
export const TimeZoneHeader = z.object({
  "X-Time-Zone": z.string().optional(),
});

/** Returns the time zone that a request states, or `undefined` if it states no known one. */
export const timeZoneIn = (c: Context): string | undefined => timeZoneOf(c.req.header("x-time-zone"));

import * as z from "zod";
import type { Decision } from "../architectures/events.ts";
import { blankAsAbsent } from "../http/schemas.ts";

/** Enough for a long reason, escaped as JSON, in bytes. */
export const DECISION_LIMIT = 64 * 1024;

/** The id of a call, as a path names it. */
export const CallId = z.string().min(1).max(200);

export const NewDecision = z
  .strictObject({
    decision: z.enum(["approve", "reject"]),
    reason: blankAsAbsent(z.string().max(2_000).optional()),
  })
  .meta({ id: "NewDecision" });

/** Returns what a request has decided about a call. */
export const decisionOf = ({ decision, reason }: z.output<typeof NewDecision>): Decision =>
  decision === "approve" ? { kind: "approved" } : { kind: "rejected", reason: reason ?? null };

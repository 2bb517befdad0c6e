import * as z from "zod";
import { TokenUsageView, toTokenUsageView } from "../plans/token-usage.ts";
import type { Run } from "./model.ts";

/** A run as the API returns it. */
export const RunView = z
  .object({
    run_id: z.string(),
    conversation_id: z.string(),
    agent_id: z.string(),
    state: z.enum(["running", "completed", "failed", "cancelled", "interrupted"]),
    started_at: z.string(),
    ended_at: z.string().nullable(),
    user_message_id: z.string(),
    message_id: z.string().nullable(),
    usage: TokenUsageView.nullable(),
    error_code: z.string().nullable(),
  })
  .meta({ id: "Run" });

/** A run without its token usage and error code. */
export const RunReference = RunView.omit({ usage: true, error_code: true }).meta({ id: "RunReference" });

export const toRunView = (run: Run): z.infer<typeof RunView> => ({
  run_id: run.id,
  conversation_id: run.conversationId,
  agent_id: run.agentId,
  state: run.state,
  started_at: run.startedAt,
  ended_at: run.endedAt,
  user_message_id: run.userMessageId,
  message_id: run.messageId,
  usage: run.usage && toTokenUsageView(run.usage),
  error_code: run.errorCode,
});

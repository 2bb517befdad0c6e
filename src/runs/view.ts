import * as z from "zod";
import { formatTimestamp } from "../shared/clock.ts";
import { TokenUsageView, toTokenUsageView } from "../plans/token-usage.ts";
import { argumentsOf } from "../tools/tool.ts";
import type { WaitingCall } from "../architectures/turn-so-far.ts";
import { type Run, RUN_STATES } from "./model.ts";

/** A run as the API returns it. */
export const RunView = z
  .object({
    run_id: z.string(),
    conversation_id: z.string(),
    agent_id: z.string(),
    state: z.enum(RUN_STATES),
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

/** A call that waits. */
export const PendingCall = z
  .object({
    tool_call_id: z.string(),
    tool_name: z.string(),
    tool_args: z.record(z.string(), z.unknown()),
    waits_for: z.enum(["approval", "result"]),
    decision: z.enum(["approve", "reject", "result"]).nullable(),
    expires_at: z.string().nullable(),
  })
  .meta({ id: "PendingCall" });

/** A run with the calls that it waits for. */
export const RunDetails = RunView.extend({ pending_calls: z.array(PendingCall) }).meta({ id: "RunDetails" });

const DECISIONS = { approved: "approve", rejected: "reject", answered: "result" } as const;

export const toPendingCall = (call: WaitingCall): z.infer<typeof PendingCall> => ({
  tool_call_id: call.id,
  tool_name: call.name,
  tool_args: argumentsOf(call),
  waits_for: call.waitsFor,
  decision: call.decision ? DECISIONS[call.decision.kind] : null,
  expires_at: call.expiresAt === null ? null : formatTimestamp(call.expiresAt),
});

export const toRunDetails = ({ run, calls }: RunWithCalls): z.infer<typeof RunDetails> => ({
  ...toRunView(run),
  pending_calls: calls.map(toPendingCall),
});

/** A run, and the calls that it waits for. */
export interface RunWithCalls {
  readonly run: Run;
  readonly calls: readonly WaitingCall[];
  /** The answer so far, and the id under which it will be stored, if the run has left calls to its client and has not ended. */
  readonly answer: { readonly id: string; readonly text: string } | null;
}

import * as z from "zod";
import { operation } from "../http/openapi.ts";
import { userRouter } from "../http/router.ts";
import { Id } from "../http/schemas.ts";
import { sendFrames } from "../http/sse.ts";
import { validate } from "../http/validate.ts";
import { Attachments } from "../messages/attachments.ts";
import type { AgentEvent } from "./events.ts";
import { paceText } from "./pacing.ts";
import { PING, toFrame } from "./wire.ts";

/** A message with its files: 250 KB of them, escaped as JSON, and a long text. */
const BODY_LIMIT = 1024 * 1024;

const NewMessage = z
  .object({ content: z.string(), attachments: Attachments.nullish().transform((files) => files ?? []) })
  .meta({ id: "NewMessage" });

const Place = z.object({ agentId: Id, conversationId: Id });

export const runRoutes = userRouter().post(
  "/:agentId/:conversationId/send-message",
  operation(
    "sendMessage",
    "Say something to an agent; the answer streams as server-sent events",
    { 200: "event-stream" },
    { bodyLimit: BODY_LIMIT, checksAccount: true },
  ),
  validate("param", Place),
  validate("json", NewMessage),
  async (c) => {
    const abort = new AbortController();
    const input = { owner: c.var.user.email, ...c.req.valid("param"), ...c.req.valid("json") };
    const { runId, events } = await c.var.deps.openTurn(input, abort.signal);
    return sendFrames(c, framesOf(runId, events), { ping: PING, abort });
  },
);

/** Numbers the events as they are sent: text that was joined is one event. */
async function* framesOf(
  runId: string,
  events: AsyncIterable<AgentEvent>,
): AsyncGenerator<string, void, void> {
  let seq = 0;
  for await (const event of paceText(events)) yield toFrame(event, runId, ++seq);
}

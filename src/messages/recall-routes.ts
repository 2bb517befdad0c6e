import { Hono } from "hono";
import * as z from "zod";
import { endUserScope } from "../access/end-user-scope.ts";
import { operation } from "../http/openapi.ts";
import { limitBursts } from "../access/burst-limit.ts";
import type { AppEnv } from "../access/env.ts";
import { requireAccess } from "../access/require-access.ts";
import { validateAgentPath } from "../access/agent-path.ts";
import { AgentIdText, pageQuery } from "../http/schemas.ts";
import { validate } from "../http/validate.ts";
import type { RecallHit } from "../search/model.ts";
import { EvidenceView, evidenceField, SearchParameters, criteriaFromQuery } from "../search/schemas.ts";

const FoundMessageView = z.object({
  message_id: z.string(),
  conversation_id: z.string(),
  conversation_title: z.string(),
  role: z.string(),
  content: z.string(),
  file_passage: z.object({ filename: z.string(), text: z.string() }).nullable(),
  created_at: z.string(),
  score: z.number(),
});

const RecalledView = z
  .object({
    items: z.array(FoundMessageView),
    total: z.number(),
    next_cursor: z.string().nullable(),
    has_more: z.boolean(),
    notes: z.array(z.string()),
    evidence: EvidenceView.optional(),
  })
  .meta({ id: "FoundMessages" });

const RecallQuery = pageQuery(10).extend(SearchParameters.shape);

export const recallRoutes = new Hono<AppEnv>().get(
  "/:agentId/recall",
  operation("recall", {
    200: RecalledView,
  }),
  requireAccess("user", "conversations:read"),
  limitBursts("costly"),
  validateAgentPath(z.object({ agentId: AgentIdText })),
  endUserScope,
  validate("query", RecallQuery),
  async (c) => {
    const { limit, cursor, ...parameters } = c.req.valid("query");
    const criteria = criteriaFromQuery(parameters);
    const { agentId } = c.req.valid("param");
    const found = await c.var.deps.recallService.search(c.var.scope, agentId, criteria, limit, cursor);
    const page = { next_cursor: found.nextCursor, has_more: found.nextCursor !== null };
    return c.json(
      {
        items: found.hits.map(toView),
        total: found.total,
        ...page,
        notes: [...found.notes],
        ...evidenceField(found.evidence),
      },
      200,
    );
  },
);

const toView = (hit: RecallHit): z.infer<typeof FoundMessageView> => ({
  message_id: hit.messageId,
  conversation_id: hit.conversationId,
  conversation_title: hit.conversationTitle,
  role: hit.role,
  content: hit.content,
  file_passage: hit.filePassage && { ...hit.filePassage },
  created_at: hit.createdAt,
  score: hit.score,
});

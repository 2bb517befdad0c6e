import * as z from "zod";
import { endUserSpace } from "../http/middleware/end-user-space.ts";
import { operation } from "../http/openapi.ts";
import { userRouter } from "../http/router.ts";
import { Id, pageQuery } from "../http/schemas.ts";
import { validate } from "../http/validate.ts";
import type { RecallHit } from "../search/model.ts";

/** A query is a question, not a document. */
const MAX_QUERY_CHARS = 20_000;

const FoundMessageView = z.object({
  message_id: z.string(),
  conversation_id: z.string(),
  conversation_title: z.string(),
  role: z.string(),
  content: z.string(),
  created_at: z.string(),
  score: z.number(),
});

const RecalledView = z
  .object({
    items: z.array(FoundMessageView),
    total: z.number(),
    next_cursor: z.string().nullable(),
    has_more: z.boolean(),
    notes: z.array(z.string()).describe("Reasons, such as `nothing-stored` or `index-building`."),
  })
  .meta({ id: "FoundMessages" });

const RecallQuery = pageQuery(10).extend({ query: z.string().max(MAX_QUERY_CHARS).default("") });

export const recallRoutes = userRouter().get(
  "/:agentId/recall",
  operation(
    "recall",
    "Search what was said in all conversations with the agent, best first",
    {
      200: RecalledView,
    },
    { access: ["user", "conversations:read"], burst: "costly" },
  ),
  validate("param", z.object({ agentId: Id })),
  endUserSpace,
  validate("query", RecallQuery),
  async (c) => {
    const { query, limit, cursor } = c.req.valid("query");
    const { agentId } = c.req.valid("param");
    const found = await c.var.deps.recallService.search(c.var.space, agentId, query, limit, cursor);
    const page = { next_cursor: found.nextCursor, has_more: found.nextCursor !== null };
    return c.json(
      { items: found.hits.map(toView), total: found.total, ...page, notes: [...found.notes] },
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
  created_at: hit.createdAt,
  score: hit.score,
});

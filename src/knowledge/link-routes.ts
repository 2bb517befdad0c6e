import { Hono } from "hono";
import * as z from "zod";
import { validateAgentPath } from "../access/agent-path.ts";
import type { AppEnv } from "../access/env.ts";
import { requireAccess } from "../access/require-access.ts";
import { operation } from "../http/openapi.ts";
import { AgentIdText, KnowledgeBaseIdText, NOBODYS_ID } from "../http/schemas.ts";
import { validate } from "../http/validate.ts";
import { knowledgeBaseIdOf } from "../shared/id-types.ts";
import { KnowledgeBaseView, toKnowledgeBaseView } from "./view.ts";

const AgentParam = z.object({ agentId: AgentIdText });
const LinkParam = AgentParam.extend({ kbId: KnowledgeBaseIdText });
const LinkQuery = z.object({ kb_id: KnowledgeBaseIdText });

const LinkView = z
  .object({
    message: z.string(),
    kb_id: z.string(),
    agent_id: z.string(),
    linked_at: z.string().optional(),
  })
  .meta({ id: "KnowledgeBaseLink" });

export const linkRoutes = new Hono<AppEnv>()
  .post(
    "/:agentId/knowledge-bases",
    operation("linkKnowledgeBase", { 201: LinkView }),
    requireAccess("user", "knowledge:write"),
    validateAgentPath(AgentParam),
    validate("query", LinkQuery),
    async (c) => {
      const { deps, scope } = c.var;
      const { agentId } = c.req.valid("param");
      // A caller that is limited to certain agents must not open the account's other bases to them.
      const kbId = scope.agentIds ? knowledgeBaseIdOf(NOBODYS_ID) : c.req.valid("query").kb_id;
      const base = { accountEmail: scope.accountEmail, kbId };
      const { linkedAt } = await deps.linkService.link(base, agentId);
      const ends = { kb_id: kbId, agent_id: agentId };
      return linkedAt === undefined
        ? c.json({ message: "Knowledge base already linked", ...ends }, 201)
        : c.json({ message: "Knowledge base linked successfully", ...ends, linked_at: linkedAt }, 201);
    },
  )
  .get(
    "/:agentId/knowledge-bases",
    operation("listLinkedKnowledgeBases", {
      200: z.array(KnowledgeBaseView),
    }),
    requireAccess("user", "knowledge:read"),
    validateAgentPath(AgentParam),
    async (c) => {
      const { deps, scope } = c.var;
      const bases = await deps.linkService.list(scope.accountEmail, c.req.valid("param").agentId);
      return c.json(bases.map(toKnowledgeBaseView), 200);
    },
  )
  .delete(
    "/:agentId/knowledge-bases/:kbId",
    operation("unlinkKnowledgeBase", { 204: "empty" }),
    requireAccess("user", "knowledge:write"),
    validateAgentPath(LinkParam),
    async (c) => {
      const { deps, scope } = c.var;
      const { agentId, kbId } = c.req.valid("param");
      await deps.linkService.unlink({ accountEmail: scope.accountEmail, kbId }, agentId);
      return c.body(null, 204);
    },
  );

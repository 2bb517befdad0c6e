import { Hono } from "hono";
import * as z from "zod";
import { validateAgentPath } from "../access/agent-path.ts";
import { endUserScope } from "../access/end-user-scope.ts";
import type { AppEnv } from "../access/env.ts";
import { requireAccess } from "../access/require-access.ts";
import { operation } from "../http/openapi.ts";
import { AgentIdText, pageOf, pageQuery, RunIdText, toPage } from "../http/schemas.ts";
import { validate } from "../http/validate.ts";
import type { RunChange } from "./run-change-model.ts";
import type { Revert } from "./run-change-service.ts";

const RunChangeView = z
  .object({
    block_name: z.string().nullable(),
    version: z.number().nullable(),
    memory_id: z.string().nullable(),
    created_at: z.string(),
  })
  .meta({ id: "RunMemoryChange" });

const RevertsView = z
  .object({
    items: z.array(
      z.object({
        block_name: z.string().nullable(),
        memory_id: z.string().nullable(),
        outcome: z.enum(["reverted", "conflict"]),
      }),
    ),
  })
  .meta({ id: "RevertedMemoryChanges" });

const RunParam = z.object({ agentId: AgentIdText, runId: RunIdText });

export const runChangeRoutes = new Hono<AppEnv>()
  .get(
    "/:agentId/runs/:runId/memory-changes",
    operation("listMemoryChanges", { 200: pageOf(RunChangeView) }),
    requireAccess("user", "memory:read"),
    validateAgentPath(RunParam),
    endUserScope,
    validate("query", pageQuery(50)),
    async (c) => {
      const { agentId, runId } = c.req.valid("param");
      const { limit, cursor } = c.req.valid("query");
      const page = await c.var.deps.runChangeService.list(c.var.scope, agentId, runId, limit, cursor);
      return c.json(toPage(page.items.map(toChangeView), page.nextCursor), 200);
    },
  )
  .post(
    "/:agentId/runs/:runId/memory-changes/revert",
    operation("revertMemoryChanges", { 200: RevertsView }),
    requireAccess("user", "memory:write"),
    validateAgentPath(RunParam),
    endUserScope,
    async (c) => {
      const { agentId, runId } = c.req.valid("param");
      const reverts = await c.var.deps.runChangeService.revert(c.var.scope, agentId, runId);
      return c.json({ items: reverts.map(toRevertView) }, 200);
    },
  );

const toChangeView = ({ subject, createdAt }: RunChange): z.infer<typeof RunChangeView> => ({
  ...subjectView(subject),
  version: "block" in subject ? subject.version : null,
  created_at: createdAt,
});

const toRevertView = ({ subject, outcome }: Revert) => ({ ...subjectView(subject), outcome });

const subjectView = (subject: Revert["subject"]) => ({
  block_name: "block" in subject ? subject.block : null,
  memory_id: "memoryId" in subject ? subject.memoryId : null,
});

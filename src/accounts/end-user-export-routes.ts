import { Hono } from "hono";
import * as z from "zod";
import type { AppEnv } from "../access/env.ts";
import { requireAccess } from "../access/require-access.ts";
import { validateAgentPath } from "../access/agent-path.ts";
import { toConversationView } from "../conversations/view.ts";
import { EndUserId, toEndUserView } from "../end-users/view.ts";
import { linesOf, ndjson } from "../http/ndjson.ts";
import { operation } from "../http/openapi.ts";
import { AgentIdText } from "../http/schemas.ts";
import { toFormerMemoryView, toMemoryView } from "../memory/archival-view.ts";
import { toContentView, toVersionView, toView as toBlockView } from "../memory/view.ts";
import { toMessageView } from "../messages/view.ts";
import { toSummaryView } from "../runs/context-view.ts";
import { toRunView } from "../runs/view.ts";
import type { EndUser } from "../end-users/model.ts";
import type { Exported } from "./end-user-export.ts";

const EndUserParam = z.object({ agentId: AgentIdText, endUserId: EndUserId });

export const endUserExportRoutes = new Hono<AppEnv>().get(
  "/:agentId/end-users/:endUserId/export",
  operation("exportEndUser", { 200: "json-lines" }),
  // The export may create the end user's memory blocks, and it streams, so a later check could not refuse it any more.
  requireAccess("user", "end-users:read", { account: "before" }),
  validateAgentPath(EndUserParam),
  async (c) => {
    const { agentId, endUserId } = c.req.valid("param");
    const { deps, scope } = c.var;
    const endUser = await deps.endUserService.get(scope.accountEmail, agentId, endUserId);
    return ndjson(linesOf(described(endUser, deps.exportService.endUser(endUser))));
  },
);

async function* described(endUser: EndUser, exported: AsyncIterable<Exported>) {
  yield { type: "end_user", ...toEndUserView(endUser) };
  for await (const thing of exported) yield { type: thing.type, ...viewOf(thing) };
  yield { type: "end" };
}

function viewOf(thing: Exported): object {
  switch (thing.type) {
    case "conversation":
      return toConversationView(thing.value);
    case "message":
      // Unlike a list, an export includes the content of files.
      return { ...toMessageView(thing.value), attachments: thing.value.attachments };
    case "run":
      return toRunView(thing.value);
    case "summary":
      return toSummaryView(thing.value);
    case "memory_block":
      return { ...toBlockView(thing.value), ...toContentView(thing.value) };
    case "memory_block_version":
      return { block_name: thing.block, ...toVersionView(thing.value) };
    case "memory":
      return toMemoryView(thing.value);
    case "memory_version":
      return toFormerMemoryView(thing.value);
  }
}

import * as z from "zod";
import { toSummaryView } from "../conversations/context-view.ts";
import { ConversationView, toConversationView } from "../conversations/view.ts";
import { linesOf, ndjson } from "../http/ndjson.ts";
import { operation } from "../http/openapi.ts";
import { userRouter } from "../http/router.ts";
import {
  blankAsAbsent,
  Id,
  Origins,
  pageOf,
  pageQuery,
  toPage,
  Unfinished,
  UNFINISHED,
  wholeNumber,
} from "../http/schemas.ts";
import { validate } from "../http/validate.ts";
import { toMemoryView } from "../memory/archival-view.ts";
import { toContentView, toVersionView } from "../memory/view.ts";
import { MessageView, toMessageView } from "../messages/view.ts";
import { toRunView } from "../runs/view.ts";
import { formatTimestamp } from "../shared/clock.ts";
import type { Exported } from "./export.ts";
import { type EndUser, isEndUserId } from "./model.ts";

const HOUR = 60 * 60;

const NewClientToken = z
  .object({
    end_user_id: z.string().refine(isEndUserId, { error: "Use 1 to 128 letters, digits and ._@:-" }),
    expires_in: blankAsAbsent(wholeNumber(60, 24 * HOUR).default(HOUR)).describe("In seconds."),
    origins: Origins.optional().describe(
      "The pages that may use the token, of the agent's `allowed_origins`; all of them where it is absent. A token without any is for programs.",
    ),
  })
  .meta({ id: "NewClientToken" });

const ClientToken = z
  .object({
    token: z.string(),
    expires_at: z.string(),
    agent_id: z.string(),
    end_user_id: z.string(),
    origins: z.array(z.string()),
  })
  .meta({ id: "ClientToken" });

const EndUserView = z
  .object({ end_user_id: z.string(), agent_id: z.string(), created_at: z.string() })
  .meta({ id: "EndUser" });

/** What can't be an end user is read as one that nobody is. */
const EndUserId = z.string().transform((id) => (isEndUserId(id) ? id : "!"));

const AgentParam = z.object({ agentId: Id });
const EndUserParam = AgentParam.extend({ endUserId: EndUserId });
const ConversationParam = EndUserParam.extend({ conversationId: Id });

const toView = ({ id, agentId, createdAt }: EndUser): z.infer<typeof EndUserView> => ({
  end_user_id: id,
  agent_id: agentId,
  created_at: createdAt,
});

const READS = { access: ["user", "end-users:read"] } as const;
const WRITES = { access: ["user", "end-users:write"] } as const;

export const endUserRoutes = userRouter()
  .post(
    "/:agentId/client-tokens",
    operation(
      "createClientToken",
      "A token with which an end user may talk to the agent, safe to hand to a browser",
      { 201: ClientToken },
      { ...WRITES, burst: "costly" },
    ),
    validate("param", AgentParam),
    validate("json", NewClientToken),
    async (c) => {
      const { end_user_id: endUserId, expires_in: expiresInSeconds, origins } = c.req.valid("json");
      const { agentId } = c.req.valid("param");
      const wish = { endUserId, expiresInSeconds, origins };
      const minted = await c.var.deps.endUserService.mint(c.var.space.owner, agentId, wish);
      const view = {
        token: minted.token,
        expires_at: formatTimestamp(minted.expiresAt),
        agent_id: agentId,
        end_user_id: endUserId,
        origins: [...minted.origins],
      };
      return c.json(view, 201, { "cache-control": "no-store" });
    },
  )
  .get(
    "/:agentId/end-users",
    operation("listEndUsers", "An agent's end users by their ids", { 200: pageOf(EndUserView) }, READS),
    validate("param", AgentParam),
    validate("query", pageQuery(20)),
    async (c) => {
      const { agentId } = c.req.valid("param");
      const { limit, cursor } = c.req.valid("query");
      const page = await c.var.deps.endUserService.list(c.var.space.owner, agentId, limit, cursor);
      return c.json(toPage(page.items.map(toView), page.nextCursor), 200);
    },
  )
  .get(
    "/:agentId/end-users/:endUserId",
    operation("getEndUser", "An end user of an agent", { 200: EndUserView }, READS),
    validate("param", EndUserParam),
    async (c) => {
      const { agentId, endUserId } = c.req.valid("param");
      return c.json(toView(await c.var.deps.endUserService.get(c.var.space.owner, agentId, endUserId)), 200);
    },
  )
  .delete(
    "/:agentId/end-users/:endUserId",
    operation(
      "deleteEndUser",
      "Delete an end user with conversations and memories; tokens are dead at once",
      { 202: Unfinished, 204: "empty" },
      WRITES,
    ),
    validate("param", EndUserParam),
    async (c) => {
      const { agentId, endUserId } = c.req.valid("param");
      const done = await c.var.deps.endUserService.remove(c.var.space.owner, agentId, endUserId);
      return done ? c.body(null, 204) : c.json(UNFINISHED, 202);
    },
  )
  .get(
    "/:agentId/end-users/:endUserId/conversations",
    operation(
      "listEndUserConversations",
      "An end user's conversations, newest first",
      { 200: pageOf(ConversationView) },
      READS,
    ),
    validate("param", EndUserParam),
    validate("query", pageQuery(10)),
    async (c) => {
      const { agentId, endUserId } = c.req.valid("param");
      const { limit, cursor } = c.req.valid("query");
      const { deps, space: own } = c.var;
      const space = await deps.endUserService.space(own.owner, agentId, endUserId);
      const page = await deps.conversations.list(space, limit, cursor);
      return c.json(toPage(page.items.map(toConversationView), page.nextCursor), 200);
    },
  )
  .get(
    "/:agentId/end-users/:endUserId/conversations/:conversationId/messages",
    operation(
      "listEndUserMessages",
      "The messages of an end user's conversation, newest first",
      { 200: pageOf(MessageView) },
      READS,
    ),
    validate("param", ConversationParam),
    validate("query", pageQuery(20)),
    async (c) => {
      const { agentId, endUserId, conversationId } = c.req.valid("param");
      const { limit, cursor } = c.req.valid("query");
      const { deps, space: own } = c.var;
      const space = await deps.endUserService.space(own.owner, agentId, endUserId);
      const page = await deps.conversationService.messages(space, conversationId, limit, cursor);
      return c.json(toPage(page.items.map(toMessageView), page.nextCursor), 200);
    },
  )
  .get(
    "/:agentId/end-users/:endUserId/export",
    operation(
      "exportEndUser",
      "Everything that there is of an end user, one JSON object a line; the last one is of type `end`, or the export is not whole",
      { 200: "json-lines" },
      // It may begin the end user's memory, and the answer is on its way before the account could be found gone.
      { ...READS, account: "before" },
    ),
    validate("param", EndUserParam),
    async (c) => {
      const { agentId, endUserId } = c.req.valid("param");
      const { deps, space } = c.var;
      const endUser = await deps.endUserService.get(space.owner, agentId, endUserId);
      return ndjson(linesOf(described(endUser, deps.exportEndUser(endUser))));
    },
  );

async function* described(endUser: EndUser, exported: AsyncIterable<Exported>) {
  yield { type: "end_user", ...toView(endUser) };
  for await (const thing of exported) yield { type: thing.type, ...viewOf(thing) };
  yield { type: "end" };
}

function viewOf(thing: Exported): object {
  switch (thing.type) {
    case "conversation":
      return toConversationView(thing.value);
    case "message":
      // Unlike a list, an export holds the content of files, too.
      return { ...toMessageView(thing.value), attachments: thing.value.attachments };
    case "run":
      return toRunView(thing.value);
    case "summary":
      return toSummaryView(thing.value);
    case "memory_block":
      return toContentView(thing.value);
    case "memory_block_version":
      return { block_name: thing.block, ...toVersionView(thing.value) };
    case "memory":
      return toMemoryView(thing.value);
  }
}

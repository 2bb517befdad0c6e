import { type Context, Hono } from "hono";
import * as z from "zod";
import { validateBasePath } from "../access/base-path.ts";
import type { AppEnv, UserEnv } from "../access/env.ts";
import { requireAccess } from "../access/require-access.ts";
import { written, writtenAs } from "../access/written.ts";
import { ifMatch } from "../http/etag.ts";
import { headers, operation } from "../http/openapi.ts";
import { UNFINISHED, Unfinished } from "../http/schemas.ts";
import { validate } from "../http/validate.ts";
import { idempotent } from "../idempotency/middleware.ts";
import { AppError } from "../shared/errors.ts";
import { Form } from "../shared/forms.ts";
import type { KnowledgeBaseId } from "../shared/id-types.ts";
import { sliceWhole } from "../shared/text.ts";
import type { KnowledgeBase } from "./model.ts";
import { BaseParam, createKnowledgeBaseForm, KnowledgeBaseChanges, NewKnowledgeBase } from "./schemas.ts";
import { baseTag, KnowledgeBaseReference, KnowledgeBaseView, toKnowledgeBaseView } from "./view.ts";

/** As long as an id can be. */
const MAX_SHOWN_ID_CHARS = 128;

const WrittenBase = writtenAs(KnowledgeBaseView, KnowledgeBaseReference);

const IfMatch = z.object({
  "If-Match": z.string().optional(),
});

export const knowledgeBaseRoutes = new Hono<AppEnv>()
  .get(
    "/create-schema",
    operation("getCreateKnowledgeBaseForm", { 200: Form }),
    requireAccess("user", "knowledge:read"),
    (c) => c.json(createKnowledgeBaseForm, 200),
  )
  .post(
    "/",
    operation("createKnowledgeBase", { 201: WrittenBase }),
    requireAccess("user", "knowledge:write"),
    validate("json", NewKnowledgeBase),
    idempotent,
    async (c) => {
      const { deps, entityId, scope } = c.var;
      if (scope.agentIds)
        throw new AppError(
          "forbidden",
          "This API key is limited to certain agents and cannot create knowledge bases.",
        );
      const { name, description = null } = c.req.valid("json");
      const input = { name, description };
      const base = await deps.knowledgeBaseService.create(scope.accountEmail, input, entityId);
      return c.json(written(c, toKnowledgeBaseView(base), KnowledgeBaseReference), 201);
    },
  )
  .get(
    "/",
    operation("listKnowledgeBases", { 200: z.array(KnowledgeBaseView) }),
    requireAccess("user", "knowledge:read"),
    async (c) => {
      const { deps, scope } = c.var;
      const bases = scope.agentIds ? [] : await deps.knowledgeBaseService.list(scope.accountEmail);
      return c.json(bases.map(toKnowledgeBaseView), 200);
    },
  )
  .get(
    "/:kbId",
    operation("getKnowledgeBase", {
      200: KnowledgeBaseView,
    }),
    requireAccess("user", "knowledge:read"),
    validateBasePath(BaseParam),
    async (c) => {
      const { deps, scope } = c.var;
      const base = await deps.knowledgeBaseService.get(scope.accountEmail, c.req.valid("param").kbId);
      c.header("etag", baseTag(base));
      return c.json(toKnowledgeBaseView(base), 200);
    },
  )
  .put(
    "/:kbId",
    operation("updateKnowledgeBase", {
      200: WrittenBase,
    }),
    requireAccess("user", "knowledge:write"),
    headers(IfMatch),
    validateBasePath(BaseParam),
    validate("json", KnowledgeBaseChanges),
    async (c) => c.json(await updated(c, c.req.valid("param").kbId, c.req.valid("json")), 200),
  )
  .patch(
    "/:kbId",
    operation("patchKnowledgeBase", { 200: WrittenBase }),
    requireAccess("user", "knowledge:write"),
    headers(IfMatch),
    validateBasePath(BaseParam),
    validate("json", KnowledgeBaseChanges),
    async (c) => c.json(await updated(c, c.req.valid("param").kbId, c.req.valid("json")), 200),
  )
  .delete(
    "/:kbId",
    operation("deleteKnowledgeBase", {
      202: Unfinished,
      204: "empty",
    }),
    requireAccess("user", "knowledge:write"),
    validateBasePath(BaseParam),
    async (c) => {
      const { deps, scope } = c.var;
      const base = { accountEmail: scope.accountEmail, kbId: c.req.valid("param").kbId };
      const askedFor = sliceWhole(c.req.param("kbId"), 0, MAX_SHOWN_ID_CHARS);
      const isDone = await deps.partialDeletionService.begin(
        scope.accountEmail,
        { kind: "knowledge-base", kbId: base.kbId },
        () => deps.knowledgeBaseService.remove(base, askedFor),
      );
      return isDone ? c.body(null, 204) : c.json(UNFINISHED, 202);
    },
  );

async function updated(
  c: Context<UserEnv>,
  kbId: KnowledgeBaseId,
  changes: z.infer<typeof KnowledgeBaseChanges>,
) {
  const { deps, scope } = c.var;
  const header = c.req.header("if-match");
  const matches = ifMatch(header);
  const base = await deps.knowledgeBaseService.update(
    { accountEmail: scope.accountEmail, kbId },
    definedIn(changes),
    header === undefined ? undefined : (stored: KnowledgeBase) => matches(baseTag(stored)),
  );
  c.header("etag", baseTag(base));
  return written(c, toKnowledgeBaseView(base), KnowledgeBaseReference);
}

/** Members that are absent from the body are absent from the changes. */
const definedIn = ({ name, description }: z.infer<typeof KnowledgeBaseChanges>) => ({
  ...(name !== undefined && { name }),
  ...(description !== undefined && { description }),
});

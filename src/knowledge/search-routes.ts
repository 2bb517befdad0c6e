import { Hono } from "hono";
import * as z from "zod";
import { validateAgentPath } from "../access/agent-path.ts";
import { validateBasePath } from "../access/base-path.ts";
import { limitBursts } from "../access/burst-limit.ts";
import type { AppEnv } from "../access/env.ts";
import { requireAccess } from "../access/require-access.ts";
import { operation } from "../http/openapi.ts";
import { AgentIdText, blankAsAbsent, Id, wholeNumber } from "../http/schemas.ts";
import { validate, validateOptionalBody } from "../http/validate.ts";
import type { FoundPassage } from "../search/passage-model.ts";
import { EvidenceView, evidenceField, MAX_QUERIES, QueryText } from "../search/schemas.ts";
import { invalidInput } from "../shared/errors.ts";
import type { KnowledgeBaseId } from "../shared/id-types.ts";
import type { KnowledgeHit } from "./knowledge-search.ts";
import { BaseParam } from "./schemas.ts";
import type { SoughtPassages } from "./search-model.ts";
import type { KnowledgePage } from "./search-service.ts";

export const USUAL_RESULTS = 5;
const MAX_RESULTS = 20;

/** What a search asks for, in the query or in the body. What the body says counts more. */
const Asked = {
  query: QueryText.optional(),
  top_k: blankAsAbsent(wholeNumber(1, MAX_RESULTS).optional()),
  cursor: blankAsAbsent(z.string().max(2_048).optional()),
};
const Questions = z.array(QueryText).max(MAX_QUERIES);
const SearchQuery = z.object({
  ...Asked,
  queries: z.union([QueryText.transform((query) => [query]), Questions]).optional(),
});
const SearchBody = z
  .strictObject({
    ...Asked,
    queries: Questions.optional(),
  })
  .meta({ id: "KnowledgeSearch" });

const PassageFields = {
  passage_id: z.string(),
  kb_id: z.string(),
  page_id: z.string(),
  page_title: z.string().nullable(),
  source_url: z.string().nullable(),
  heading: z.string().nullable(),
  headings: z.array(z.string()),
  content: z.string(),
  citation_url: z.string().nullable(),
};

const FoundView = z
  .object({
    results: z.array(
      z.object({
        chunk_id: z.string(),
        ...PassageFields,
        score: z.number(),
      }),
    ),
    query: z.string(),
    total: z.number(),
    next_cursor: z.string().nullable(),
    has_more: z.boolean(),
    notes: z.array(z.string()),
    indexing: z.object({ indexed_pages: z.number(), total_pages: z.number() }).nullable(),
    evidence: EvidenceView.optional(),
  })
  .meta({ id: "FoundPassages" });

const PassageView = z.object({ ...PassageFields, passage: z.string() }).meta({ id: "Passage" });

const AgentParam = z.object({ agentId: AgentIdText });
const PassageParam = BaseParam.extend({ passageId: Id });

/** Mounted under `/knowledge-bases`. */
export const knowledgeSearchRoutes = new Hono<AppEnv>()
  .post(
    "/:kbId/search",
    operation("searchKnowledgeBase", { 200: FoundView }),
    requireAccess("user", "knowledge:read"),
    limitBursts("costly"),
    validateBasePath(BaseParam),
    validate("query", SearchQuery),
    validateOptionalBody(SearchBody),
    async (c) => {
      const { sought, limit, cursor } = askedBy(c.req.valid("query"), c.req.valid("json"));
      const base = { accountEmail: c.var.scope.accountEmail, kbId: c.req.valid("param").kbId };
      const page = await c.var.deps.knowledgeSearchService.search(base, sought, limit, cursor);
      return c.json(toFoundView(page, sought), 200);
    },
  )
  .get(
    "/:kbId/passages/:passageId",
    operation("getPassage", {
      200: PassageView,
    }),
    requireAccess("user", "knowledge:read"),
    validateBasePath(PassageParam),
    async (c) => {
      const { kbId, passageId } = c.req.valid("param");
      const base = { accountEmail: c.var.scope.accountEmail, kbId };
      const passage = await c.var.deps.knowledgeSearchService.passage(base, passageId);
      return c.json({ ...toPassageFields(kbId, passage), passage: passage.text }, 200);
    },
  );

/** Mounted under `/agents`. */
export const agentKnowledgeRoutes = new Hono<AppEnv>().post(
  "/:agentId/knowledge-search",
  operation("searchAgentKnowledge", {
    200: FoundView,
  }),
  requireAccess("user", "knowledge:read"),
  limitBursts("costly"),
  validateAgentPath(AgentParam),
  validate("query", SearchQuery),
  validateOptionalBody(SearchBody),
  async (c) => {
    const { sought, limit, cursor } = askedBy(c.req.valid("query"), c.req.valid("json"));
    const { deps, scope } = c.var;
    const { agentId } = c.req.valid("param");
    const service = deps.knowledgeSearchService;
    const page = await service.searchForAgent(scope.accountEmail, agentId, sought, limit, cursor);
    return c.json(toFoundView(page, sought), 200);
  },
);

/** Returns what a request asks for. Throws `validation-failed` if it has no question. */
function askedBy(query: z.infer<typeof SearchQuery>, body: z.infer<typeof SearchBody>) {
  const isAsked = (text: string | undefined) => text !== undefined && text.trim() !== "";
  const question = isAsked(body.query) ? body.query : query.query;
  const [first, ...further] = [question ?? "", ...(body.queries ?? query.queries ?? [])].filter(isAsked);
  if (first === undefined)
    throw invalidInput("query", [
      { path: ["query"], message: "query is required, as a parameter or in the body.", code: "custom" },
    ]);
  return {
    sought: { query: first, ...(further.length > 0 && { queries: further }) },
    limit: body.top_k ?? query.top_k ?? USUAL_RESULTS,
    cursor: body.cursor ?? query.cursor,
  };
}

function toFoundView(page: KnowledgePage, { query }: SoughtPassages): z.infer<typeof FoundView> {
  const { hits, total, nextCursor, notes, indexing, evidence } = page;
  return {
    results: hits.map(toHitView),
    query,
    total,
    next_cursor: nextCursor,
    has_more: nextCursor !== null,
    notes: [...notes],
    indexing: indexing && { indexed_pages: indexing.indexedPages, total_pages: indexing.totalPages },
    ...evidenceField(evidence),
  };
}

const toHitView = (hit: KnowledgeHit) => ({
  chunk_id: hit.passageId,
  ...toPassageFields(hit.kbId, hit),
  score: hit.score,
});

const toPassageFields = (kbId: KnowledgeBaseId, passage: FoundPassage) => ({
  passage_id: passage.passageId,
  kb_id: kbId,
  page_id: passage.pageId,
  page_title: passage.title,
  source_url: passage.url,
  heading: passage.headings.at(-1) ?? null,
  headings: [...passage.headings],
  content: passage.content,
  citation_url: passage.citationUrl,
});

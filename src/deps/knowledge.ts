import { PageBudgetService } from "../knowledge/budget-service.ts";
import { LinkService } from "../knowledge/link-service.ts";
import { PageService } from "../knowledge/page-service.ts";
import { PASSAGES_VERSION, passagesOf } from "../knowledge/passages.ts";
import { readDocument } from "../knowledge/reading/read-document.ts";
import { KnowledgeSearchService } from "../knowledge/search-service.ts";
import { KnowledgeBaseService } from "../knowledge/service.ts";
import { UploadService } from "../knowledge/upload-service.ts";
import { createCrawlService } from "./crawling.ts";
import type { Ports } from "./ports.ts";
import type { Repositories } from "./repositories.ts";
import { createUsageNotices } from "./usage-notices.ts";

/** Keeps a request alive for work that continues after its answer. */
type Later = (work: Promise<void>) => void;

/**
 * Constructs the services that Durable Objects use as well: the pages of knowledge bases and what they cost. With `later`, indexes
 * are told of the pages that these services write; without, the next search finds them.
 */
export function createPageServices(ports: Ports, repositories: Repositories, later?: Later) {
  const { clock, documentIndexes } = ports;
  const { cursors, pageReservations: reservations, pages, usage: plans } = repositories;
  return {
    pageService: new PageService({
      pages,
      cursors,
      plans,
      passagesOf,
      passagesVersion: PASSAGES_VERSION,
      changed: (base) => later?.(documentIndexes.wake(base).catch(notTold)),
      clock,
    }),
    pageBudgetService: new PageBudgetService({
      reservations,
      plans,
      notices: createUsageNotices(ports, repositories),
      clock,
    }),
  };
}

const notTold = (error: unknown): void => {
  console.warn({ message: "An index was not told of a changed page.", error: String(error) });
};

/** Constructs the services about knowledge bases. */
export function createKnowledgeServices(ports: Ports, repositories: Repositories, later: Later) {
  const { clock, documentIndexes: indexes } = ports;
  const { agents, cursors, knowledgeBases, knowledgeLinks: links, rules, usage: plans } = repositories;
  const pageServices = createPageServices(ports, repositories, later);
  const crawlService = createCrawlService(ports, repositories, pageServices.pageBudgetService);
  const linkService = new LinkService({ links, knowledgeBases, agents, clock });
  const knowledgeBaseService = new KnowledgeBaseService({
    knowledgeBases,
    links: linkService,
    budget: pageServices.pageBudgetService,
    indexes,
    crawlJobs: crawlService,
    clock,
  });
  return {
    ...pageServices,
    crawlService,
    linkService,
    knowledgeBaseService,
    knowledgeSearchService: new KnowledgeSearchService({
      bases: knowledgeBaseService,
      links: linkService,
      indexes,
      cursors,
    }),
    uploadService: new UploadService({
      pages: pageServices.pageService,
      plans,
      rules,
      stored: (accountEmail) => later(createUsageNotices(ports, repositories).ofPages(accountEmail)),
      readDocument: (source) => readDocument(source, { pdfReader: ports.pdfReader }),
      clock,
    }),
  };
}

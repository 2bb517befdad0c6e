import { CrawlService } from "../knowledge/crawling/crawl-service.ts";
import { PoliteFetcher } from "../knowledge/crawling/polite-fetcher.ts";
import type { PageBudget } from "../knowledge/page-model.ts";
import { guardedFetch } from "../shared/guarded-fetch.ts";
import type { OutboundPolicy } from "../shared/outbound.ts";
import type { Ports } from "./ports.ts";
import type { Repositories } from "./repositories.ts";

/** The crawler's name, in its user agent and in robots.txt. */
export const PRODUCT_TOKEN = "DynamicAgentBuilderBot";

/** Constructs the fetcher of crawls. */
export const createPoliteFetcher = (ports: Ports): PoliteFetcher =>
  new PoliteFetcher({
    fetch: guardedFetch({
      ...policyOf(ports),
      fetch: ports.providerContext.fetch,
      resolve: ports.providerContext.resolve,
    }),
    gate: ports.hostGate,
    userAgent: userAgentOf(ports) ?? PRODUCT_TOKEN,
  });

/** Constructs the service for crawl jobs. */
export function createCrawlService(
  ports: Ports,
  { crawlJobs, crawlSchedules, rules, usage }: Repositories,
  budget: PageBudget,
): CrawlService {
  return new CrawlService({
    jobs: crawlJobs,
    schedules: crawlSchedules,
    runners: ports.crawlClient,
    budget,
    plans: usage,
    rules,
    policy: policyOf(ports),
    userAgent: userAgentOf(ports),
    clock: ports.clock,
  });
}

/**
 * Security: what the operator allows for model servers is not allowed for crawls, or every account could read what such a server
 * shows. Web pages need no TLS, because requests for them carry no secrets.
 */
const policyOf = ({ providerContext: { isLocal, ownHosts } }: Ports): OutboundPolicy => ({
  isLocal,
  ownHosts,
  allowedOrigins: [],
  allowsPlainHttp: true,
});

const userAgentOf = ({ config: { crawling } }: Ports): string | undefined =>
  crawling.contact === undefined ? undefined : `${PRODUCT_TOKEN}/1.0 (+${crawling.contact})`;

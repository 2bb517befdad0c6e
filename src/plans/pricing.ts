import * as z from "zod";
import document from "../../pricing_config.json" with { type: "json" };

/** The billing cycles that a plan can be bought in. */
export const CYCLES = ["monthly", "annual"] as const;
export type BillingCycle = (typeof CYCLES)[number];

/** The ids of an account's open runs are stored in one item, at 36 bytes each. DynamoDB's items hold 400 KB. */
const MAX_CONCURRENT_RUNS = 2_000;

/** A limit; 0 means unlimited. */
const Limit = z.number().int().min(0);

const Tier = z.strictObject({
  key: z.string().regex(/^[a-z][a-z0-9_]*$/u),
  name: z.string().min(1),
  /** As shown to people: `$29`. The amount charged is derived from the digits; see `amountOf`. */
  prices: z.strictObject({ monthly: z.string(), annual: z.string() }),
  /** Lookup keys of Stripe's prices, the same in test and live mode. A plan without them cannot be bought. */
  lookup_keys: z.strictObject({ monthly: z.string().optional(), annual: z.string().optional() }),
  badge: z.string(),
  description: z.string(),
  cta: z.strictObject({ label: z.string(), href: z.string() }),
  highlighted: z.boolean(),
  features: z.array(z.string()),
  limits: z.strictObject({
    agents: Limit,
    messages_per_month: Limit,
    kb_pages: Limit,
    memory_blocks: Limit,
    /** Per agent and person. */
    archival_memories: Limit,
    /** Sum of the contents of these memories, in UTF-8 bytes. */
    memory_bytes: Limit,
    /** Runs of an account at one time. */
    concurrent_runs: Limit.max(MAX_CONCURRENT_RUNS),
    /** Messages of one end user to one agent in a month (UTC). */
    end_user_messages_per_month: Limit,
  }),
});

/** The schema of `pricing_config.json`. Plans are ordered from the smallest to the largest. */
export const PricingConfig = z
  .strictObject({
    currency: z.string().regex(/^[a-z]{3}$/u),
    tiers: z.tuple([Tier], Tier),
    faqs: z.array(z.strictObject({ question: z.string(), answer: z.string() })),
  })
  .superRefine(({ tiers }, context) => {
    const keys = tiers.map(({ key }) => key);
    const prices = tiers.flatMap(({ lookup_keys }) => Object.values(lookup_keys));
    if (new Set(keys).size < keys.length)
      context.addIssue({ code: "custom", message: "Two plans share a key." });
    if (new Set(prices).size < prices.length)
      context.addIssue({ code: "custom", message: "Two prices share a lookup key." });

    for (const tier of tiers)
      for (const cycle of CYCLES)
        if (tier.lookup_keys[cycle] !== undefined && amountOf(tier, cycle) === null)
          context.addIssue({ code: "custom", message: `${tier.key} is sold ${cycle} without an amount.` });
  });

export type Pricing = z.infer<typeof PricingConfig>;
export type Plan = z.infer<typeof Tier>;

/** The limits of a plan. */
export type PlanLimits = Plan["limits"];

/** The plans of this deployment. An invalid file keeps the service from starting. */
export const pricing: Pricing = PricingConfig.parse(document);

const [firstPlan] = pricing.tiers;

/** Returns whether any plan limits one of these. If none does, callers need not read the account's plan. */
export const isAnywhereLimited = (...names: readonly (keyof PlanLimits)[]): boolean =>
  pricing.tiers.some(({ limits }) => names.some((name) => limits[name] > 0));

/** Returns what a plan costs per cycle, in hundredths of the currency, or null if its price is not a number. */
export function amountOf({ prices }: Pick<Plan, "prices">, cycle: BillingCycle): number | null {
  const digits = /^\D*(\d[\d,]*)(?:\.(\d{2}))?$/u.exec(prices[cycle].trim());
  if (!digits) return null;
  return Number((digits[1] ?? "").replaceAll(",", "")) * 100 + Number(digits[2] ?? 0);
}

/** Returns the plan with this key, or the first plan if there is none (any more). */
export const planOf = (name: string): Plan => findPlan(name) ?? firstPlan;

/** Returns the plan with this key, or `undefined` if there is none. */
export const findPlan = (name: string): Plan | undefined => pricing.tiers.find(({ key }) => key === name);

/** Returns the position of a plan, from 0 for the smallest. Unknown keys rank like the first plan. */
export const rankOf = (name: string): number =>
  Math.max(
    0,
    pricing.tiers.findIndex(({ key }) => key === name),
  );

/** Returns the plan and cycle that a Stripe price sells, by its lookup key, or `undefined` if it is unknown. */
export function soldBy(
  lookupKey: string,
): { readonly plan: string; readonly cycle: BillingCycle } | undefined {
  for (const { key, lookup_keys } of pricing.tiers)
    for (const cycle of CYCLES) if (lookup_keys[cycle] === lookupKey) return { plan: key, cycle };
  return undefined;
}

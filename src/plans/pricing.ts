import * as z from "zod";
import document from "../../pricing_config.json" with { type: "json" };

/** The billing cycles that a plan can be bought in. */
export const CYCLES = ["monthly", "annual"] as const;
export type BillingCycle = (typeof CYCLES)[number];

/** A limit; 0 means that there is none. */
const Limit = z.number().int().min(0);

const Tier = z.strictObject({
  key: z.string().regex(/^[a-z][a-z0-9_]*$/u),
  name: z.string().min(1),
  /** As they are shown: `$29`. What is charged follows from the digits; see `amountOf`. */
  prices: z.strictObject({ monthly: z.string(), annual: z.string() }),
  /** Names of Stripe's prices that are the same in test and in live mode. Without them a plan can't be bought. */
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
  }),
});

/** The plans that are sold, from the least to the most. */
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

/** What a plan limits. */
export type PlanLimits = Plan["limits"];

/** The plans of this deployment; a file that is not valid stops the start. */
export const pricing: Pricing = PricingConfig.parse(document);

const [firstPlan] = pricing.tiers;

/** What a plan costs per cycle, in the currency's hundredths; null where its price is no number. */
export function amountOf({ prices }: Pick<Plan, "prices">, cycle: BillingCycle): number | null {
  const digits = /^\D*(\d[\d,]*)(?:\.(\d{2}))?$/u.exec(prices[cycle].trim());
  if (!digits) return null;
  return Number((digits[1] ?? "").replaceAll(",", "")) * 100 + Number(digits[2] ?? 0);
}

/** The plan of this name; names that no plan has (any more) mean the first one. */
export const planOf = (name: string): Plan => findPlan(name) ?? firstPlan;

export const findPlan = (name: string): Plan | undefined => pricing.tiers.find(({ key }) => key === name);

/** Where a plan stands among all, from 0; the higher, the more. Unknown names stand with the first. */
export const rankOf = (name: string): number =>
  Math.max(
    0,
    pricing.tiers.findIndex(({ key }) => key === name),
  );

/** The plan and cycle that one of Stripe's prices sells, by its lookup key. */
export function soldBy(
  lookupKey: string,
): { readonly plan: string; readonly cycle: BillingCycle } | undefined {
  for (const { key, lookup_keys } of pricing.tiers)
    for (const cycle of CYCLES) if (lookup_keys[cycle] === lookupKey) return { plan: key, cycle };
  return undefined;
}

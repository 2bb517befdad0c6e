import { describe, expect, it } from "vitest";
import { amountOf, planOf, pricing, PricingConfig, rankOf, soldBy } from "../../src/plans/pricing.ts";
import { anonymous } from "../support/app.ts";

describe("the plans", () => {
  it("are public", async () => {
    const { status, body } = await anonymous("GET", "/payments/stripe/pricing");

    expect(status).toBe(200);
    expect(
      body.tiers.map((tier: { name: string; planKey: string; prices: object }) => [
        tier.planKey,
        tier.prices,
      ]),
    ).toEqual([
      // Nothing is sold at Stripe: pages show a link instead of a checkout.
      [null, { monthly: "$0", annual: "$0" }],
      ["starter", { monthly: "$29", annual: "$290" }],
      ["pro", { monthly: "$99", annual: "$990" }],
      [null, { monthly: "Custom", annual: "Custom" }],
    ]);
    expect(Object.keys(body.tiers[0])).toEqual([
      "name",
      "badge",
      "description",
      "prices",
      "planKey",
      "ctaLabel",
      "ctaHref",
      "highlighted",
      "features",
    ]);
    expect(body.faqs).toHaveLength(3);
  });

  it("have the limits of the price list", () => {
    expect(pricing.tiers.map(({ key, limits }) => [key, ...Object.values(limits)])).toEqual([
      ["free", 1, 100, 10, 5, 0, 0, 5, 0],
      ["starter", 3, 10_000, 100, 20, 0, 0, 20, 0],
      ["pro", 10, 50_000, 1_000, 0, 0, 0, 100, 0],
      ["enterprise", 0, 0, 0, 0, 0, 0, 0, 0],
    ]);
  });

  it("that are unknown count as the first one", () => {
    expect(planOf("gold").key).toBe("free");
    expect(planOf("__proto__").key).toBe("free");
    expect([rankOf("free"), rankOf("starter"), rankOf("pro"), rankOf("gold")]).toEqual([0, 1, 2, 0]);
  });

  it("are found by the lookup keys of their prices", () => {
    expect(soldBy("pro-annual-usd")).toEqual({ plan: "pro", cycle: "annual" });
    expect(soldBy("gold-annual-usd")).toBeUndefined();
  });
});

describe("an amount", () => {
  it.each([
    ["$29", 2_900],
    ["$1,290", 129_000],
    ["£9.50", 950],
    ["$0", 0],
    ["Custom", null],
    ["", null],
    ["$29 or less", null],
  ])("of %j is %j", (shown, cents) => {
    expect(amountOf({ prices: { monthly: shown, annual: "" } }, "monthly")).toBe(cents);
  });
});

describe("a price list", () => {
  const [free, starter] = pricing.tiers;
  const withTiers = (...tiers: object[]) => PricingConfig.safeParse({ ...pricing, tiers });

  it.each([
    ["two plans of one key", [free, { ...starter, key: "free" }]],
    ["two prices of one lookup key", [starter, { ...starter, key: "other" }]],
    ["a plan that is sold without an amount", [{ ...starter, prices: { monthly: "Custom", annual: "$1" } }]],
    ["an invalid limit", [{ ...free, limits: { ...free.limits, agents: -1 } }]],
    ["a misspelled member", [{ ...free, limit: {} }]],
    ["no plan", []],
  ])("is refused with %s", (_case, tiers) => {
    expect(withTiers(...(tiers as object[])).success).toBe(false);
  });
});

import * as z from "zod";
import { signedIn } from "../http/middleware/authenticate.ts";
import { operation } from "../http/openapi.ts";
import { publicRouter, userRouter } from "../http/router.ts";
import { blankAsAbsent } from "../http/schemas.ts";
import { validate } from "../http/validate.ts";
import { amountOf, CYCLES, pricing } from "../plans/pricing.ts";
import type { Subscription } from "../plans/subscription.ts";
import { AppError } from "../shared/errors.ts";

/** Stripe's events are a few kilobytes. */
const WEBHOOK_LIMIT = 256 * 1024;

const PricingView = z
  .object({
    tiers: z.array(
      z.object({
        name: z.string(),
        badge: z.string(),
        description: z.string(),
        prices: z.object({ monthly: z.string(), annual: z.string() }),
        /** Null for plans that are not sold by themselves. */
        planKey: z.string().nullable(),
        ctaLabel: z.string(),
        ctaHref: z.string(),
        highlighted: z.boolean(),
        features: z.array(z.string()),
      }),
    ),
    faqs: z.array(z.object({ question: z.string(), answer: z.string() })),
  })
  .meta({ id: "Pricing" });

const CheckoutOrder = z
  .object({
    planKey: z.string().trim().min(1).max(50),
    billingCycle: z.enum(CYCLES),
    userEmail: blankAsAbsent(z.email().max(254).optional()).describe(
      "Fills in the e-mail for people who are not signed in.",
    ),
  })
  .meta({ id: "CheckoutOrder" });

const Address = z.object({ url: z.string() }).meta({ id: "Address" });

const SubscriptionStatus = z
  .object({
    tier: z.string(),
    status: z.string().nullable(),
    current_period_start: z.string().nullable(),
    current_period_end: z.string().nullable(),
    is_active: z.boolean(),
    cancel_at_period_end: z.boolean().nullable(),
    billing_cycle: z.string().nullable(),
  })
  .meta({ id: "SubscriptionStatus" });

const Ending = z
  .object({ success: z.literal(true), message: z.string(), current_period_end: z.string().nullable() })
  .meta({ id: "SubscriptionEnding" });

const CheckoutState = z
  .object({ status: z.string(), payment_status: z.string() })
  .meta({ id: "CheckoutState" });

const Acknowledged = z.object({ status: z.literal("ok") }).meta({ id: "Acknowledged" });

const SessionParam = z.object({ sessionId: z.string() });

const secondsText = (seconds: number | null): string | null => (seconds === null ? null : String(seconds));

const toStatus = (subscription: Subscription | undefined): z.infer<typeof SubscriptionStatus> => ({
  tier: subscription?.plan ?? "free",
  status: subscription?.status ?? null,
  current_period_start: secondsText(subscription?.periodStart ?? null),
  current_period_end: secondsText(subscription?.periodEnd ?? null),
  is_active: subscription !== undefined,
  cancel_at_period_end: subscription?.cancelAtPeriodEnd ?? null,
  billing_cycle: subscription?.cycle ?? null,
});

const PRICING: z.infer<typeof PricingView> = {
  tiers: pricing.tiers.map((tier) => ({
    name: tier.name,
    badge: tier.badge,
    description: tier.description,
    prices: tier.prices,
    planKey: amountOf(tier, "monthly") === null ? null : tier.key,
    ctaLabel: tier.cta.label,
    ctaHref: tier.cta.href,
    highlighted: tier.highlighted,
    features: tier.features,
  })),
  faqs: pricing.faqs,
};

/** What anybody may ask about payments, and what Stripe tells. */
export const publicPaymentRoutes = publicRouter()
  .get(
    "/pricing",
    operation("getPricing", "The plans, as they are shown", { 200: PricingView }, { access: "public" }),
    (c) => c.json(PRICING, 200),
  )
  .get(
    "/session/:sessionId",
    operation(
      "getCheckout",
      "How far a checkout has come; it says nothing of whose it is",
      { 200: CheckoutState },
      { access: "public", burst: "public" },
    ),
    validate("param", SessionParam),
    async (c) => {
      const { sessionId } = c.req.valid("param");
      if (!/^cs_[A-Za-z0-9_]{1,200}$/u.test(sessionId))
        throw new AppError("not-found", "Session not found or expired");
      const { status, paymentStatus } = await c.var.deps.payments().gateway.checkoutStatus(sessionId);
      return c.json({ status, payment_status: paymentStatus }, 200);
    },
  )
  .post(
    "/webhook",
    operation(
      "stripeWebhook",
      "What Stripe tells, signed by it",
      { 200: Acknowledged },
      { access: "public", bodyLimit: WEBHOOK_LIMIT },
    ),
    async (c) => {
      const { gateway, sync } = c.var.deps.payments();
      const body = new Uint8Array(await c.req.arrayBuffer());
      await sync.handle(await gateway.eventOf(body, c.req.header("stripe-signature")));
      return c.json({ status: "ok" } as const, 200);
    },
  );

/** Buying is for everybody: who is signed in buys for the account, and who is not for the e-mail that pays. */
export const checkoutRoutes = publicRouter().post(
  "/checkout",
  operation(
    "checkout",
    "The address of the page where a plan is paid; who has one already changes it",
    { 200: Address },
    { access: "public", burst: "public" },
  ),
  validate("json", CheckoutOrder),
  async (c) => {
    const { planKey: plan, billingCycle: cycle, userEmail } = c.req.valid("json");
    const { service } = c.var.deps.payments();
    const buyer = await signedIn(c);
    const url = buyer
      ? await service.checkout(buyer.owner, { plan, cycle })
      : await service.anonymousCheckout({ plan, cycle }, userEmail);
    return c.json({ url }, 200);
  },
);

export const paymentRoutes = userRouter()
  .get(
    "/subscription/status",
    operation(
      "getSubscription",
      "What the account pays for",
      { 200: SubscriptionStatus },
      { access: ["user"] },
    ),
    async (c) => c.json(toStatus(await c.var.deps.payments().service.current(c.var.space.owner)), 200),
  )
  .post(
    "/subscription/cancel",
    operation(
      "cancelSubscription",
      "Let the subscription end with its period",
      { 200: Ending },
      { access: ["user"] },
    ),
    async (c) => {
      const { periodEnd } = await c.var.deps.payments().service.setEnding(c.var.space.owner, true);
      return c.json(
        {
          success: true,
          message: "Subscription will be cancelled at the end of the current billing period",
          current_period_end: secondsText(periodEnd),
        } as const,
        200,
      );
    },
  )
  .post(
    "/subscription/resume",
    operation(
      "resumeSubscription",
      "Let the subscription go on after all",
      { 200: Ending },
      { access: ["user"] },
    ),
    async (c) => {
      const { periodEnd } = await c.var.deps.payments().service.setEnding(c.var.space.owner, false);
      return c.json(
        {
          success: true,
          message: "Subscription goes on",
          current_period_end: secondsText(periodEnd),
        } as const,
        200,
      );
    },
  )
  .post(
    "/portal",
    operation("openPortal", "A page for cards, invoices and plans", { 200: Address }, { access: ["user"] }),
    async (c) => c.json({ url: await c.var.deps.payments().service.portal(c.var.space.owner) }, 200),
  );

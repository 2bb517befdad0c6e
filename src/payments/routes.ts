import { Hono } from "hono";
import * as z from "zod";
import { operation } from "../http/openapi.ts";
import { anyQuery } from "../http/query-names.ts";
import { limitBursts } from "../access/burst-limit.ts";
import type { AppEnv } from "../access/env.ts";
import { publicAccess, requireAccess, signedIn } from "../access/require-access.ts";
import { maxBody } from "../http/middleware/body-limit.ts";
import { blankAsAbsent } from "../http/schemas.ts";
import { validate } from "../http/validate.ts";
import { CYCLES, pricing } from "../plans/pricing.ts";
import type { Subscription, SubscriptionState } from "../plans/subscription.ts";
import { AppError } from "../shared/errors.ts";

/** In bytes. Stripe's events have a few kilobytes. */
const WEBHOOK_LIMIT = 256 * 1024;

const PricingView = z
  .object({
    tiers: z.array(
      z.object({
        name: z.string(),
        badge: z.string(),
        description: z.string(),
        prices: z.object({ monthly: z.string(), annual: z.string() }),
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
  .strictObject({
    planKey: z.string().trim().min(1).max(50),
    billingCycle: z.enum(CYCLES),
    userEmail: blankAsAbsent(z.email().max(254).optional()),
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
    cancel_at: z.string().nullable(),
    billing_cycle: z.string().nullable(),
    unclaimed: z.boolean(),
  })
  .meta({ id: "SubscriptionStatus" });

const ClaimBody = z
  .strictObject({
    session_id: z
      .string()
      .regex(/^cs_(?:test|live)_[A-Za-z0-9]{1,200}$/u, "This is not the id of a checkout session."),
  })
  .meta({ id: "Claim" });

const OwnSubscription = z
  .object({
    subscription_id: z.string(),
    plan: z.string(),
    status: z.string(),
    current_period_end: z.string().nullable(),
    cancel_at_period_end: z.boolean(),
  })
  .meta({ id: "OwnSubscription" });

const Portal = z
  .object({
    url: z.string(),
    subscriptions: z.array(OwnSubscription.extend({ url: z.string() })),
  })
  .meta({ id: "Portal" });

const Ending = z
  .object({
    success: z.literal(true),
    message: z.string(),
    current_period_end: z.string().nullable(),
    subscriptions: z.array(OwnSubscription),
  })
  .meta({ id: "SubscriptionEnding" });

const CheckoutState = z
  .object({ status: z.string(), payment_status: z.string() })
  .meta({ id: "CheckoutState" });

const Acknowledged = z.object({ status: z.literal("ok") }).meta({ id: "Acknowledged" });

const SessionParam = z.object({ sessionId: z.string() });

const secondsText = (seconds: number | null): string | null => (seconds === null ? null : String(seconds));

/** What everybody has in a deployment without payments. */
const NO_SUBSCRIPTION: SubscriptionState = { current: undefined, hasUnclaimed: false };

const toStatus = ({
  current: subscription,
  hasUnclaimed,
}: SubscriptionState): z.infer<typeof SubscriptionStatus> => ({
  tier: subscription?.plan ?? "free",
  status: subscription?.status ?? null,
  current_period_start: secondsText(subscription?.periodStart ?? null),
  current_period_end: secondsText(subscription?.periodEnd ?? null),
  is_active: subscription !== undefined,
  cancel_at_period_end: subscription?.cancelAtPeriodEnd ?? null,
  cancel_at: secondsText(subscription?.cancelAt ?? null),
  billing_cycle: subscription?.cycle ?? null,
  unclaimed: hasUnclaimed,
});

const toOwnSubscription = (subscription: Subscription): z.infer<typeof OwnSubscription> => ({
  subscription_id: subscription.id,
  plan: subscription.plan,
  status: subscription.status,
  current_period_end: secondsText(subscription.periodEnd),
  cancel_at_period_end: subscription.cancelAtPeriodEnd,
});

/** `message` is for one subscription. Several are named in `several`. */
const toEnding = (
  changed: readonly Subscription[],
  message: string,
  several = message,
): z.infer<typeof Ending> => ({
  success: true,
  message: changed.length > 1 ? several : message,
  current_period_end: secondsText(changed[0]?.periodEnd ?? null),
  subscriptions: changed.map(toOwnSubscription),
});

const PRICING: z.infer<typeof PricingView> = {
  tiers: pricing.tiers.map((tier) => ({
    name: tier.name,
    badge: tier.badge,
    description: tier.description,
    prices: tier.prices,
    planKey: Object.keys(tier.lookup_keys).length === 0 ? null : tier.key,
    ctaLabel: tier.cta.label,
    ctaHref: tier.cta.href,
    highlighted: tier.highlighted,
    features: tier.features,
  })),
  faqs: pricing.faqs,
};

/** Public routes about payments, and Stripe's webhook. */
export const publicPaymentRoutes = new Hono<AppEnv>()
  .get("/pricing", operation("getPricing", { 200: PricingView }), publicAccess, (c) => c.json(PRICING, 200))
  .get(
    "/session/:sessionId",
    operation("getCheckout", {
      200: CheckoutState,
    }),
    publicAccess,
    limitBursts("public"),
    validate("param", SessionParam),
    async (c) => {
      const { sessionId } = c.req.valid("param");
      if (!/^cs_[A-Za-z0-9_]{1,200}$/u.test(sessionId))
        throw new AppError("not-found", "Session not found or expired");
      const { status, paymentStatus } = await c.var.deps
        .requirePaymentServices()
        .stripeGateway.checkouts.find(sessionId);
      return c.json({ status, payment_status: paymentStatus }, 200);
    },
  )
  .post(
    "/webhook",
    operation("stripeWebhook", { 200: Acknowledged }),
    maxBody(WEBHOOK_LIMIT),
    anyQuery(),
    publicAccess,
    async (c) => {
      const { stripeGateway, subscriptionSyncService } = c.var.deps.requirePaymentServices();
      const body = new Uint8Array(await c.req.arrayBuffer());
      await subscriptionSyncService.handle(
        await stripeGateway.eventOf(body, c.req.header("stripe-signature")),
      );
      return c.json({ status: "ok" } as const, 200);
    },
  );

/** Anybody may buy a plan: for the account if signed in, otherwise for the e-mail address that pays. */
export const checkoutRoutes = new Hono<AppEnv>().post(
  "/checkout",
  operation("checkout", {
    200: Address,
  }),
  publicAccess,
  limitBursts("public"),
  validate("json", CheckoutOrder),
  async (c) => {
    const { planKey: plan, billingCycle: cycle, userEmail } = c.req.valid("json");
    const { paymentService } = c.var.deps.requirePaymentServices();
    const buyer = await signedIn(c);
    const url = buyer
      ? await paymentService.checkout(buyer.accountEmail, { plan, cycle })
      : await paymentService.anonymousCheckout({ plan, cycle }, userEmail);
    return c.json({ url }, 200);
  },
);

export const paymentRoutes = new Hono<AppEnv>()
  .get(
    "/subscription/status",
    operation("getSubscription", { 200: SubscriptionStatus }),
    requireAccess("user"),
    async (c) =>
      c.json(
        toStatus(
          (await c.var.deps.paymentServices()?.paymentService.subscriptionState(c.var.scope.accountEmail)) ??
            NO_SUBSCRIPTION,
        ),
        200,
      ),
  )
  .post(
    "/claim",
    operation("claimPurchase", {
      200: SubscriptionStatus,
    }),
    requireAccess("user"),
    limitBursts("costly"),
    validate("json", ClaimBody),
    async (c) => {
      const { accountEmail } = c.var.scope;
      const { claimService, paymentService } = c.var.deps.requirePaymentServices();
      await claimService.claim(accountEmail, c.req.valid("json").session_id);
      return c.json(toStatus(await paymentService.subscriptionState(accountEmail)), 200);
    },
  )
  .post(
    "/subscription/cancel",
    operation("cancelSubscription", {
      200: Ending,
    }),
    requireAccess("user"),
    async (c) => {
      const changed = await c.var.deps
        .requirePaymentServices()
        .managementService.cancel(c.var.scope.accountEmail);
      const plans = changed.map(({ plan }) => plan).join(" and ");
      const message = "Subscription will be cancelled at the end of the current billing period";
      const several = `Your subscriptions (${plans}) will be cancelled at the end of their current billing periods`;
      return c.json(toEnding(changed, message, several), 200);
    },
  )
  .post(
    "/subscription/resume",
    operation("resumeSubscription", { 200: Ending }),
    requireAccess("user"),
    async (c) => {
      const changed = await c.var.deps
        .requirePaymentServices()
        .managementService.resume(c.var.scope.accountEmail);
      return c.json(toEnding(changed, "Subscription will continue"), 200);
    },
  )
  .post("/portal", operation("openPortal", { 200: Portal }), requireAccess("user"), async (c) => {
    const { url, subscriptions } = await c.var.deps
      .requirePaymentServices()
      .managementService.portal(c.var.scope.accountEmail);
    const named = subscriptions.map((one) => ({ ...toOwnSubscription(one.subscription), url: one.url }));
    return c.json({ url, subscriptions: named }, 200);
  });

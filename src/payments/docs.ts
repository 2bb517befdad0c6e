import { EXAMPLE, type FeatureDocs } from "../http/docs.ts";

const OWN = {
  subscription_id: "sub_1Abc",
  plan: "pro",
  status: "active",
  current_period_end: "1782864000",
  cancel_at_period_end: true,
};

const STATUS = {
  tier: "pro",
  status: "active",
  current_period_start: "1780272000",
  current_period_end: "1782864000",
  is_active: true,
  cancel_at_period_end: false,
  cancel_at: null,
  billing_cycle: "monthly",
  unclaimed: false,
};

/** The texts and examples of payments. */
export const paymentDocs: FeatureDocs = {
  operations: {
    getPricing: {
      tag: "Plans",
      summary: "List the plans and their prices",
      description:
        "Returns what a page with prices shows: plans, prices, features, and questions with answers.",
      answers: {
        200: {
          tiers: [
            {
              name: "Pro",
              badge: "Most popular",
              description: "For people who build more than one agent.",
              prices: { monthly: "$20", annual: "$200" },
              planKey: "pro",
              ctaLabel: "Choose Pro",
              ctaHref: "/checkout?plan=pro",
              highlighted: true,
              features: ["10 agents", "2,000 messages a month"],
            },
          ],
          faqs: [{ question: "Can I cancel at any time?", answer: "Yes, at the end of the period." }],
        },
      },
    },
    getCheckout: {
      tag: "Plans",
      summary: "Get the state of a checkout",
      description:
        "Says whether a checkout is paid, for the page after the payment. It does not say whose checkout it is.",
      answers: { 200: { status: "complete", payment_status: "paid" } },
      problems: ["not-found", "not-configured"],
    },
    checkout: {
      tag: "Plans",
      summary: "Buy a plan, or change to a better one",
      description:
        "Returns the address of a checkout page at Stripe; send the browser there. For an account that pays for a plan already, it upgrades the running subscription at once and pro rata, and returns the settings page. Without a token, the plan counts for the e-mail address that pays. What Stripe refuses, such as a declined card, is a 409 with a `reason`.",
      request: { planKey: "pro", billingCycle: "monthly" },
      answers: { 200: { url: `https://checkout.stripe.com/c/pay/${EXAMPLE.checkoutId}` } },
      problems: ["unauthenticated", "forbidden", "conflict", "not-configured"],
    },
    getSubscription: {
      tag: "Plans",
      summary: "Get the account's subscription",
      description:
        "Returns the subscription that decides the account's plan, or the free plan if there is none.",
      answers: { 200: STATUS },
    },
    claimPurchase: {
      tag: "Plans",
      summary: "Claim a purchase that was made without signing in",
      description:
        "Moves a plan that was bought without signing in to the account, by the id of its checkout. A purchase of another account, an unpaid one, or one beside a plan that the account pays for is a 409.",
      request: { session_id: "cs_test_a1B2c3D4e5F6g7H8" },
      answers: { 200: STATUS },
      problems: ["not-found", "conflict", "not-configured"],
    },
    cancelSubscription: {
      tag: "Plans",
      summary: "Cancel the account's subscriptions",
      description:
        "Ends all of the account's own subscriptions with their periods; the plan lasts until then. Subscriptions that are set to end already are a 409. `resumeSubscription` revokes it.",
      answers: {
        200: {
          success: true,
          message: "Subscription will be cancelled at the end of the current billing period",
          current_period_end: "1782864000",
          subscriptions: [OWN],
        },
      },
      problems: ["not-found", "conflict", "not-configured"],
    },
    resumeSubscription: {
      tag: "Plans",
      summary: "Revoke the cancellation of the subscription",
      description:
        "Continues the best subscription that is set to end. It is refused with 409 if none is, or while another subscription continues.",
      answers: {
        200: {
          success: true,
          message: "Subscription will continue",
          current_period_end: "1782864000",
          subscriptions: [{ ...OWN, cancel_at_period_end: false }],
        },
      },
      problems: ["not-found", "conflict", "not-configured"],
    },
    openPortal: {
      tag: "Plans",
      summary: "Get the address of Stripe's billing portal",
      description:
        "Returns an address at which the person manages cards, invoices and plans. Send the browser there at once, because the address expires. For a plan that has not been claimed, it is Stripe's login page.",
      answers: {
        200: {
          url: "https://billing.stripe.com/p/session/test_123",
          subscriptions: [{ ...OWN, url: "https://billing.stripe.com/p/session/test_123" }],
        },
      },
      problems: ["not-found", "conflict", "not-configured"],
    },
    stripeWebhook: {
      tag: "Administration",
      summary: "Receive an event from Stripe",
      description:
        "Stripe calls it with the header `Stripe-Signature`. The contents of the event are not believed: the service fetches the subscription from Stripe. Events may arrive in any order, twice or not at all.",
      answers: { 200: { status: "ok" } },
      problems: ["malformed-request", "payload-too-large", "not-configured"],
    },
  },
  schemas: {
    Pricing: {
      description: "Plans and prices.",
      fields: {
        "tiers.planKey": "Null for plans that cannot be bought online.",
        tiers: "The plans, in the order in which they are shown.",
        "tiers.badge": "A short text beside the name; may be empty.",
        "tiers.description": "Whom the plan is for.",
        "tiers.prices": "Prices as texts.",
        "tiers.prices.monthly": "The price if paid by the month.",
        "tiers.prices.annual": "The price if paid by the year.",
        "tiers.ctaLabel": "The label of the button.",
        "tiers.ctaHref": "Where the button leads.",
        "tiers.highlighted": "Whether the plan is emphasised.",
        "tiers.features": "What the plan includes.",
        faqs: "Questions with answers.",
        "faqs.question": "The question.",
        "faqs.answer": "The answer.",
      },
    },
    CheckoutOrder: {
      description: "A plan to buy.",
      fields: {
        userEmail: "Prefills the e-mail address for people who are not signed in.",
        planKey: "The `planKey` of the plan.",
        billingCycle: "How it is paid.",
      },
    },
    Address: { description: "Where the browser goes on." },
    CheckoutState: {
      description: "The state of a checkout at Stripe.",
      fields: {
        status: "`open`, `complete` or `expired`.",
        payment_status: "`paid`, `unpaid` or `no_payment_required`.",
      },
    },
    Claim: {
      description: "The purchase to claim.",
      fields: {
        session_id:
          "The id of the checkout session, which the page after the payment receives in its address.",
      },
    },
    SubscriptionStatus: {
      description: "The subscription that decides the account's plan.",
      fields: {
        tier: "The key of the plan; `free` without a subscription.",
        cancel_at_period_end: "Whether it is set to end.",
        unclaimed:
          "Whether a plan was bought for this address without signing in and has not been claimed. It counts only if the account has no plan of its own.",
        status: "The status at Stripe, such as `active` or `past_due`; null without a subscription.",
        current_period_start: "When the period began, in seconds since 1970 as text.",
        current_period_end: "When the period ends, in seconds since 1970 as text.",
        is_active: "Whether the account has a subscription that counts.",
        cancel_at:
          "When it ends, in seconds since 1970 as text, if it is set to end at a date. Otherwise it ends with its period.",
        billing_cycle: "`monthly` or `annual`; null without a subscription.",
      },
    },
    OwnSubscription: {
      description: "A subscription of the account.",
      fields: {
        plan: "The key of the plan.",
        status: "The status at Stripe.",
        current_period_end: "When the period ends, in seconds since 1970 as text.",
        cancel_at_period_end: "Whether it is set to end.",
      },
    },
    SubscriptionEnding: {
      description: "Subscriptions whose end was set or revoked.",
      fields: {
        success: "Always true.",
        subscriptions: "The subscriptions that were changed, the best one first.",
        current_period_end: "When the period of the best one ends, in seconds since 1970 as text.",
      },
    },
    Portal: {
      description: "Where subscriptions are managed.",
      fields: {
        subscriptions:
          "The account's own subscriptions, the one that decides its plan first, each with the portal that manages it.",
        "subscriptions.plan": "The key of the plan.",
        "subscriptions.status": "The status at Stripe.",
        "subscriptions.current_period_end": "When the period ends, in seconds since 1970 as text.",
        "subscriptions.cancel_at_period_end": "Whether it is set to end.",
      },
    },
    Acknowledged: { description: "The event was received.", fields: { status: "Always `ok`." } },
  },
};

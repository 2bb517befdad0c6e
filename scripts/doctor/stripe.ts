import { limitedFetch } from "../../src/shared/limited-fetch.ts";
import { amountOf, CYCLES, pricing } from "../../src/plans/pricing.ts";
import { withoutTrailing } from "../../src/shared/text.ts";
import { field, parseJson } from "../json.ts";
import { type CheckContext, type Finding, listed, note, ok, reasonOf, wrong } from "./finding.ts";

/** A hundred prices or endpoints take less. */
const MAX_ANSWER_BYTES = 2_000_000;
const PAGE = 100;

/** The events that keep subscriptions up to date. */
export const STRIPE_EVENTS: readonly string[] = [
  "charge.dispute.created",
  "checkout.session.async_payment_failed",
  "checkout.session.async_payment_succeeded",
  "checkout.session.completed",
  "customer.subscription.created",
  "customer.subscription.deleted",
  "customer.subscription.paused",
  "customer.subscription.resumed",
  "customer.subscription.updated",
  "invoice.paid",
  "invoice.payment_failed",
  "invoice.payment_succeeded",
  "invoice_payment.paid",
];

/** A list from Stripe, or a sentence about why there is none. */
type Answer = { readonly items: readonly unknown[] } | { readonly problem: string; readonly status?: number };

/** Checks the key, that all plans have their prices, and that Stripe sends its events to this service. */
export async function checkStripe(context: CheckContext): Promise<readonly Finding[]> {
  const { variables, isLocal } = context;
  const key = variables["STRIPE_SECRET_KEY"];
  if (key === undefined) {
    if (variables["STRIPE_WEBHOOK_SECRET"] !== undefined)
      return [wrong("STRIPE_WEBHOOK_SECRET is set without STRIPE_SECRET_KEY. Set both to sell plans.")];
    return [note("STRIPE_SECRET_KEY is not set, so nothing can be bought.")];
  }
  const shape = keyFindings(key, isLocal);
  if (shape.some(({ level }) => level === "wrong")) return shape;

  const prices = await priceFindings(context, key);
  // Whatever is wrong with the key is said once.
  if (typeof prices === "string") return [...shape, wrong(prices)];
  return [...shape, ...prices, ...secretFindings(variables), ...(await webhookFindings(context, key))];
}

function keyFindings(key: string, isLocal: boolean): readonly Finding[] {
  if (key.startsWith("pk_"))
    return [
      wrong(
        "STRIPE_SECRET_KEY is a publishable key (pk_…). Set the secret one (sk_…), from Stripe's dashboard.",
      ),
    ];
  if (!/^(?:sk|rk)_/u.test(key))
    return [wrong("STRIPE_SECRET_KEY is not a key of Stripe, which begin with sk_ or rk_.")];
  return /^.._test_/u.test(key) && !isLocal
    ? [note("STRIPE_SECRET_KEY belongs to Stripe's test mode: purchases cost nothing, and give plans away.")]
    : [];
}

function secretFindings(variables: CheckContext["variables"]): readonly Finding[] {
  const secrets = (variables["STRIPE_WEBHOOK_SECRET"] ?? "")
    .split(",")
    .map((entry) => entry.trim())
    .filter(Boolean);
  if (secrets.length === 0)
    return [
      wrong(
        "STRIPE_WEBHOOK_SECRET is not set, so Stripe's events are refused. Set the signing secret of the webhook endpoint (whsec_…).",
      ),
    ];
  return secrets.every((secret) => secret.startsWith("whsec_"))
    ? []
    : [wrong("STRIPE_WEBHOOK_SECRET is not a signing secret of Stripe, which begin with whsec_.")];
}

/** Returns findings about prices, or a sentence if Stripe does not accept the key. */
async function priceFindings(context: CheckContext, key: string): Promise<readonly Finding[] | string> {
  const sold = pricing.tiers.flatMap((plan) =>
    CYCLES.flatMap((cycle) => {
      const lookupKey = plan.lookup_keys[cycle];
      return lookupKey === undefined ? [] : [{ lookupKey, amount: amountOf(plan, cycle) }];
    }),
  );
  const query = new URLSearchParams([
    ...sold.map(({ lookupKey }) => ["lookup_keys[]", lookupKey] as [string, string]),
    ["active", "true"],
    ["limit", String(PAGE)],
  ]);
  const answer = await ask(context, key, `prices?${query}`);
  if ("problem" in answer) return answer.problem;

  const found = new Map(
    answer.items.map((price) => [field(price, "lookup_key"), field(price, "unit_amount")]),
  );
  const missing = sold.filter(({ lookupKey }) => !found.has(lookupKey)).map(({ lookupKey }) => lookupKey);
  const other = sold
    .filter(({ lookupKey, amount }) => found.has(lookupKey) && found.get(lookupKey) !== amount)
    .map(({ lookupKey }) => lookupKey);
  if (missing.length > 0)
    return [
      wrong(
        `Stripe has no active price for ${listed(missing)}. Create what is missing: npm run stripe:sync -- --apply`,
      ),
    ];
  return other.length > 0
    ? [
        wrong(
          `Stripe's price for ${listed(other)} is another than pricing_config.json says. See npm run stripe:sync`,
        ),
      ]
    : [ok("Stripe accepts the key and has a price for every plan that is sold.")];
}

async function webhookFindings(context: CheckContext, key: string): Promise<readonly Finding[]> {
  const { variables, isLocal } = context;
  const publicUrl = variables["PUBLIC_URL"];
  if (publicUrl === undefined || isLocal) return [];

  const wanted = `${withoutTrailing(publicUrl, "/")}/payments/stripe/webhook`;
  const answer = await ask(context, key, `webhook_endpoints?limit=${PAGE}`);
  if ("problem" in answer)
    return [note(`Whether Stripe sends its events to ${wanted} was not checked: ${answer.problem}`)];

  const ours = answer.items.filter((endpoint) => field(endpoint, "url") === wanted);
  if (ours.length === 0)
    return [
      wrong(
        `Stripe has no webhook endpoint ${wanted}, so plans that are bought do not begin. Add it in Stripe's dashboard, for the events that docs/payments.md lists.`,
      ),
    ];
  const enabled = ours.filter((endpoint) => field(endpoint, "status") === "enabled");
  if (enabled.length === 0)
    return [wrong(`Stripe's webhook endpoint ${wanted} is disabled. Enable it in Stripe's dashboard.`)];

  const events = new Set(enabled.flatMap((endpoint) => field(endpoint, "enabled_events")).map(String));
  const lacking = events.has("*") ? [] : STRIPE_EVENTS.filter((event) => !events.has(event));
  return lacking.length > 0
    ? [
        wrong(
          `Stripe's webhook endpoint ${wanted} lacks the events ${listed(lacking)}. Add them in Stripe's dashboard.`,
        ),
      ]
    : [ok("Stripe sends the events that the service needs.")];
}

/** Asks Stripe for a list. Its messages may quote the key, so only their kind is kept. */
async function ask(
  { variables, isLocal, fetch, signal }: CheckContext,
  key: string,
  path: string,
): Promise<Answer> {
  const api = (isLocal ? variables["STRIPE_API_URL"] : undefined) ?? "https://api.stripe.com";
  let response: Response;
  let body: unknown;
  try {
    const headers = { authorization: `Bearer ${key}` };
    response = await limitedFetch(fetch, MAX_ANSWER_BYTES)(`${withoutTrailing(api, "/")}/v1/${path}`, {
      headers,
      signal,
    });
    body = parseJson(await response.text());
  } catch (error) {
    return { problem: `Stripe does not answer (${reasonOf(error, signal)}).` };
  }
  const { status } = response;
  if (status === 401)
    return {
      status,
      problem: "Stripe does not accept the key in STRIPE_SECRET_KEY. Has it been rolled or revoked?",
    };
  if (status === 403)
    return {
      status,
      problem: `the key in STRIPE_SECRET_KEY may not read ${path.split("?", 1)[0]}. Give a restricted key that right.`,
    };
  const data = field(body, "data");
  if (!response.ok || !Array.isArray(data)) return { status, problem: `Stripe answered ${status}.` };
  return { items: data };
}

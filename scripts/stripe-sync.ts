import { parseArgs } from "node:util";
import { Stripe } from "stripe";
import { field } from "./json.ts";
import { amountOf, CYCLES, pricing, type Plan } from "../src/plans/pricing.ts";

/**
 * Creates the products and prices of pricing_config.json at Stripe. Prices cannot be changed at Stripe: if an amount differs,
 * a new price takes over the lookup key, and running subscriptions keep the old price. By default, only prints what it would
 * do.
 */
const HELP = `Usage: npm run stripe:sync -- [--apply]

Creates what pricing_config.json sells as products and prices at Stripe, and says what it does.
Without --apply it changes nothing. The account is that of STRIPE_SECRET_KEY.`;

const TIMEOUT_MS = 20_000;

const { values } = parseArgs({ options: { apply: { type: "boolean" }, help: { type: "boolean" } } });
if (values.help === true) {
  console.log(HELP);
  process.exit(0);
}

const secretKey = process.env["STRIPE_SECRET_KEY"];
if (!secretKey) {
  console.error("Set STRIPE_SECRET_KEY to the secret key of the account (sk_test_… or sk_live_…).");
  process.exit(1);
}

const stripe = connect(secretKey, process.env["STRIPE_API_URL"]);
const changes = await syncPrices(stripe, values.apply === true).catch((error: unknown) => {
  console.error(sentenceOf(error));
  process.exit(1);
});
for (const change of changes) console.log(`${values.apply === true ? "done" : "would"}: ${change}`);
console.log(
  changes.length === 0
    ? "Stripe has everything as pricing_config.json says."
    : values.apply === true
      ? `${changes.length} changes made.`
      : `${changes.length} changes to make. Run again with --apply to make them.`,
);

function connect(key: string, apiUrl: string | undefined): Stripe {
  const limits = { telemetry: false, timeout: TIMEOUT_MS, maxNetworkRetries: 1 };
  if (!apiUrl) return new Stripe(key, limits);
  const { protocol, hostname, port } = new URL(apiUrl);
  return new Stripe(key, {
    ...limits,
    protocol: protocol === "http:" ? "http" : "https",
    host: hostname,
    ...(port !== "" && { port }),
  });
}

/** Returns one line about a failure. Stripe's own messages are left out, because they may quote the key. */
function sentenceOf(error: unknown): string {
  if (error instanceof Stripe.errors.StripeConnectionError)
    return `Stripe does not answer (${String(field(error.detail, "code") ?? "no connection")}). Are you offline?`;
  if (error instanceof Stripe.errors.StripeAuthenticationError)
    return "Stripe does not accept the key in STRIPE_SECRET_KEY.";
  if (error instanceof Stripe.errors.StripePermissionError)
    return "The key in STRIPE_SECRET_KEY may not read and write products and prices.";
  if (error instanceof Stripe.errors.StripeError)
    return `Stripe refused a request: ${[error.type, error.code, error.param].filter(Boolean).join(" ")}.`;
  return String(error);
}

/** Makes the changes, or with `apply` false none; returns descriptions of them. */
async function syncPrices(stripe: Stripe, apply: boolean): Promise<readonly string[]> {
  const made: string[] = [];
  const products = await stripe.products
    .list({ active: true, limit: 100 })
    .autoPagingToArray({ limit: 1_000 });

  for (const plan of pricing.tiers) {
    const sold = CYCLES.filter((cycle) => plan.lookup_keys[cycle] !== undefined);
    if (sold.length === 0) continue;

    let product = products.find(({ metadata }) => metadata["plan_key"] === plan.key)?.id;
    if (product === undefined) {
      made.push(`create the product ${plan.name}`);
      if (apply) product = await createProduct(stripe, plan);
    }
    for (const cycle of sold) made.push(...(await syncPrice(stripe, plan, cycle, product, apply)));
  }
  return made;
}

async function createProduct(stripe: Stripe, plan: Plan): Promise<string> {
  const product = await stripe.products.create(
    { name: plan.name, description: plan.description, metadata: { plan_key: plan.key } },
    { idempotencyKey: `product-${plan.key}-${new Date().toISOString().slice(0, 10)}` },
  );
  return product.id;
}

async function syncPrice(
  stripe: Stripe,
  plan: Plan,
  cycle: (typeof CYCLES)[number],
  product: string | undefined,
  apply: boolean,
): Promise<readonly string[]> {
  const lookupKey = plan.lookup_keys[cycle] ?? "";
  const amount = amountOf(plan, cycle) ?? 0;
  const interval = cycle === "annual" ? "year" : "month";
  const { currency } = pricing;

  const { data } = await stripe.prices.list({ lookup_keys: [lookupKey], active: true, limit: 1 });
  const [price] = data;
  const isRight =
    price?.unit_amount === amount && price.currency === currency && price.recurring?.interval === interval;
  if (isRight) return [];

  if (apply && product !== undefined)
    await stripe.prices.create(
      {
        product,
        currency,
        unit_amount: amount,
        recurring: { interval },
        lookup_key: lookupKey,
        transfer_lookup_key: true,
        metadata: { plan_key: plan.key, billing_cycle: cycle },
      },
      { idempotencyKey: `price-${lookupKey}-${currency}-${amount}-${price?.id ?? "first"}` },
    );
  const shown = `${(amount / 100).toFixed(2)} ${currency.toUpperCase()} per ${interval} (${lookupKey})`;
  return [`${price ? `replace the price ${price.id} by` : "create the price"} ${shown}`];
}

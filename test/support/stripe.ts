import { env } from "cloudflare:workers";
import { Stripe } from "stripe";
import { inject } from "vitest";
import { anonymous, type Answer, table } from "./app.ts";
import type { StripeEvent, StripeFault } from "./control-protocol.ts";
import type { Item } from "../../src/table/marshal.ts";

/** The two secrets that the tests' deployment accepts. */
export const [FIRST_SECRET = "", SECOND_SECRET = ""] = String(
  (env as { STRIPE_WEBHOOK_SECRET?: string }).STRIPE_WEBHOOK_SECRET,
).split(",");

const signer = new Stripe("sk_test_signer");

/** Controls an account of the fake of Stripe; by default, that of the tests' deployment. */
export function stripeSide(secretKey = "sk_test_of_these_tests") {
  // oxlint-disable-next-line typescript/no-explicit-any -- objects as Stripe writes them
  async function act<T = any>(action: string, input: object = {}): Promise<T> {
    const response = await fetch(`${inject("stripe")}/test/${action}`, {
      method: "POST",
      headers: { authorization: `Bearer ${secretKey}` },
      body: JSON.stringify(input),
    });
    if (!response.ok) throw new Error(await response.text());
    return response.json<T>();
  }

  return {
    act,
    /** Stripe's events about a subscription, oldest first. */
    events: async (about: string) =>
      (await act<StripeEvent[]>("events", { about })).map(({ event }) => event),
    fault: (fault: StripeFault) => act("fault", fault),
    /** Ends the faults that match this, however many are left. */
    mend: (match: string) => act("mend", { match }),
    /** The requests whose path contains this text, in the order of their arrival. */
    requests: (match: string) => act<{ method: string; path: string }[]>("requests", { match }),
    /** Pays on the page of a checkout, which begins a subscription; `outcome` has its state. */
    pay: (url: string, email?: string, outcome?: object) =>
      act("pay", { session: url.split("/").at(-1), email, outcome }),
  };
}

interface Delivery {
  readonly secret?: string;
  /** Seconds since the epoch that the signature names. */
  readonly at?: number;
  /** The body that arrives instead of the signed one. */
  readonly body?: string;
}

/** Delivers an event to the webhook, as Stripe does. */
export async function deliver(
  event: object,
  { secret = FIRST_SECRET, at, body }: Delivery = {},
): Promise<Answer> {
  const payload = JSON.stringify(event);
  const signature = await signer.webhooks.generateTestHeaderStringAsync({
    payload,
    secret,
    ...(at !== undefined && { timestamp: at }),
  });
  return anonymous("POST", "/payments/stripe/webhook", body ?? payload, { "stripe-signature": signature });
}

/** Delivers all of Stripe's events about a subscription, in order. */
export async function deliverAll(id: string): Promise<void> {
  for (const event of await stripeSide().events(id)) await deliver(event);
}

/** The subscriptions of an account in the table. */
export const storedSubscriptions = (email: string): Promise<readonly Item[]> =>
  table.query(`User#${email}`, { range: { beginsWith: "Subscription#" } });

export const uniqueEmail = (): string => `buyer-${crypto.randomUUID().slice(0, 13)}@example.com`;

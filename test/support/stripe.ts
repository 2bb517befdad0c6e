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

/** Stripe's own side, for one account of Stripe's; the tests' deployment has the one that is named by default. */
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
    /** What Stripe tells about a subscription, oldest first. */
    events: async (about: string) =>
      (await act<StripeEvent[]>("events", { about })).map(({ event }) => event),
    fault: (fault: StripeFault) => act("fault", fault),
    /** Somebody pays on the page of a checkout, and a subscription begins. */
    pay: (url: string, email?: string) => act("pay", { session: url.split("/").at(-1), email }),
  };
}

interface Delivery {
  readonly secret?: string;
  /** Seconds since the epoch that the signature names. */
  readonly at?: number;
  /** What arrives instead of what was signed. */
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

/** What the table says of an account's subscriptions. */
export const storedSubscriptions = (email: string): Promise<readonly Item[]> =>
  table.query(`User#${email}`, { range: { beginsWith: "Subscription#" } });

export const uniqueEmail = (): string => `buyer-${crypto.randomUUID().slice(0, 13)}@example.com`;

import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { pricing } from "../../src/plans/pricing.ts";
import type { StripeEvent, StripeFault } from "../support/control-protocol.ts";
import { type Params, parseForm, read } from "./form.ts";
import {
  invalid,
  listOf,
  merged,
  foundIn,
  missing,
  now,
  type Obj,
  only,
  randomId,
  StripeRefusal,
} from "./stripe-answers.ts";
import { newInvoice, newPrice, newSession, newSubscription } from "./stripe-objects.ts";
import { checkEnding, endingOf, StripeSchedules } from "./stripe-schedules.ts";

/**
 * Stripe as far as this service uses it, with a memory: customers, prices, checkouts, subscriptions, invoices and the
 * events about them, with Stripe's own paths and form-encoded bodies. Unknown parameters are
 * refused, as Stripe does; so is an idempotency key that is used again with other parameters.
 */

const DAY = 86_400;

export async function startFakeStripe() {
  const accounts = new Map<string, FakeStripe>();
  const server = createServer((request, response) => {
    // Each secret key is an account of its own; tests name theirs the same way.
    const account = request.headers.authorization ?? "";
    const stripe = accounts.get(account) ?? new FakeStripe();
    accounts.set(account, stripe);
    void stripe.serve(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  // A server that listens on TCP has an address of this shape.
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, stop: () => void server.close() };
}

class FakeStripe {
  readonly #customers = new Map<string, Obj>();
  readonly #sessions = new Map<string, Obj>();
  readonly #subscriptions = new Map<string, Obj>();
  readonly #invoices = new Map<string, Obj>();
  readonly #prices = new Map<string, Obj>();
  readonly #products = new Map<string, Obj>();
  readonly #schedules = new StripeSchedules();
  /** Ids of objects that exist in Stripe's live mode only. */
  readonly #live = new Set<string>();
  readonly #events: StripeEvent[] = [];
  readonly #keys = new Map<string, { asked: string; status: number; body: Obj }>();
  #loginPage: Obj = { enabled: true, url: "https://billing.example.com/p/login/test" };
  #requests: { method: string; path: string; asked: string }[] = [];
  #faults: StripeFault[] = [];

  constructor() {
    for (const tier of pricing.tiers)
      for (const [cycle, lookupKey] of Object.entries(tier.lookup_keys))
        this.#addPrice({
          id: `price_${tier.key}_${cycle}`,
          lookup_key: lookupKey,
          unit_amount: cycle === "annual" ? 29_000 : 2_900,
          interval: cycle === "annual" ? "year" : "month",
        });
    // Older prices: known by metadata of their own, of their product, or not at all.
    this.#addPrice({ id: "price_old_starter", metadata: { plan_key: "starter" } });
    this.#addPrice({ id: "price_by_product", product: this.#addProduct({ metadata: { plan_key: "pro" } }) });
    this.#addPrice({ id: "price_unknown" });
  }

  async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? "/", "http://stripe");
    const body = await read(request);
    const answer = (status: number, content: unknown) => {
      response.writeHead(status, { "content-type": "application/json", "request-id": `req_${randomId()}` });
      response.end(JSON.stringify(content ?? null));
    };

    try {
      if (url.pathname.startsWith("/test/"))
        return answer(200, this.#control(url.pathname.slice(6), body === "" ? {} : JSON.parse(body)));

      const method = request.method ?? "GET";
      this.#requests.push({
        method,
        path: url.pathname,
        asked: method === "GET" ? url.search.slice(1) : body,
      });
      const params = parseForm(method === "GET" ? url.search.slice(1) : body);
      const fault = this.#faultFor(method, url.pathname, params);
      const header = request.headers["idempotency-key"];
      const key = method === "GET" || typeof header !== "string" ? undefined : header;
      const asked = `${method} ${url.pathname} ${body}`;
      if (fault?.kind === "fail") {
        const said = fault.error ?? { type: "api_error", message: "Out of order." };
        const refusal = new StripeRefusal(fault.status, said);
        // Stripe also replays failures for an idempotency key.
        if (key !== undefined && fault.status === 500)
          this.#keys.set(key, { asked, status: 500, body: refusal.body });
        throw refusal;
      }

      const [status, content] = this.#once(key, asked, () =>
        this.#api(method, url.pathname.replace("/v1/", ""), params),
      );
      // Executed, but its answer is lost.
      if (fault?.kind === "lose-answer") return void response.destroy();
      answer(status, content);
    } catch (error) {
      if (error instanceof StripeRefusal) return answer(error.status, this.#ofThisMode(error.body));
      answer(500, { error: { type: "api_error", message: String(error) } });
    }
  }

  /** Stripe says so if an object that it does not find exists in its other mode. */
  #ofThisMode(body: Obj): Obj {
    const { code, message } = body["error"];
    if (code !== "resource_missing" || ![...this.#live].some((id) => message.includes(id))) return body;
    const hint = "a similar object exists in live mode, but a test mode key was used to make this request.";
    return { error: { ...body["error"], message: `${message}; ${hint}` } };
  }

  #moveToLiveMode(ids: readonly string[]): void {
    for (const id of ids) {
      for (const objects of [this.#customers, this.#subscriptions, this.#sessions]) objects.delete(id);
      this.#live.add(id);
    }
  }

  #once(key: string | undefined, asked: string, act: () => Obj): [number, Obj] {
    const known = key === undefined ? undefined : this.#keys.get(key);
    if (known && known.asked !== asked)
      throw new StripeRefusal(400, { type: "idempotency_error", message: "Keys can't be used twice." });
    if (known) return [known.status, known.body];

    const body = structuredClone(act());
    if (key !== undefined) this.#keys.set(key, { asked, status: 200, body });
    return [200, body];
  }

  #faultFor(method: string, path: string, params: Params): StripeFault | undefined {
    const asked = `${method} ${path} ${JSON.stringify(params)}`;
    const at = this.#faults.findIndex(({ match }) => asked.includes(match));
    return at < 0 ? undefined : this.#faults.splice(at, 1)[0];
  }

  /** What tests do apart from the API: what people do on Stripe's pages, and what Stripe does by itself. */
  #control(action: string, input: Obj): unknown {
    switch (action) {
      case "events":
        return this.#events.filter(({ about }) => about === input["about"]);
      case "requests":
        return this.#requests.filter(({ path, asked }) =>
          `${path} ${asked}`.includes(String(input["match"] ?? "")),
        );
      case "subscriptions":
        return [...this.#subscriptions.values()].filter(({ customer }) => customer === input["customer"]);
      case "fault":
        return void this.#faults.push(input as StripeFault);
      case "mend":
        this.#faults = this.#faults.filter(({ match }) => match !== input["match"]);
        return undefined;
      case "pay":
        return this.#pay(String(input["session"]), input["email"], input["outcome"]);
      case "subscribe":
        return this.#subscribe({ ...input, customer: input["customer"] ?? this.#addCustomer(input).id });
      case "change":
        return this.#changed(String(input["id"]), input["set"], String(input["event"] ?? "updated"));
      case "renew":
        return this.#renew(String(input["id"]));
      case "change-customer":
        return Object.assign(foundIn(this.#customers, String(input["id"])), input["set"]);
      case "change-session":
        return Object.assign(foundIn(this.#sessions, String(input["id"])), input["set"]);
      case "schedule":
        return this.#schedules.add(
          foundIn(this.#subscriptions, String(input["subscription"])),
          input["prices"].map((price: string) => foundIn(this.#prices, price)),
          input["set"] ?? {},
        );
      case "tell":
        return this.#tell(String(input["type"]), input["object"], String(input["about"]));
      case "move-to-live-mode":
        return this.#moveToLiveMode(input["ids"]);
      case "login-page":
        return (this.#loginPage = input);
      case "delete-customer":
        return this.#deleteCustomer(String(input["id"]));
      default:
        throw new Error(`No such action: ${action}`);
    }
  }

  #api(method: string, path: string, params: Params): Obj {
    const [collection = "", id = "", verb = ""] =
      path.startsWith("checkout/") || path.startsWith("billing_portal/")
        ? [path.split("/").slice(0, 2).join("/"), ...path.split("/").slice(2)]
        : path.split("/");
    const route = `${method} ${collection}${id === "" ? "" : "/:id"}${verb === "" ? "" : `/${verb}`}`;

    switch (route) {
      case "POST customers":
        return this.#addCustomer(only(params, "email", "name", "metadata"));
      case "GET customers": {
        const { email } = only(params, "email", "limit");
        return listOf(
          [...this.#customers.values()].filter((one) => !one["deleted"] && one["email"] === email),
        );
      }
      case "POST customers/:id": {
        const customer = foundIn(this.#customers, id);
        const { metadata } = only(params, "metadata");
        return Object.assign(customer, { metadata: merged(customer["metadata"], metadata) });
      }
      case "GET customers/:id":
        return foundIn(this.#customers, id);
      case "GET prices": {
        const wanted = only(params, "lookup_keys", "active", "limit")["lookup_keys"];
        const isWanted = ({ lookup_key: key }: Obj) => Array.isArray(wanted) && wanted.includes(key);
        return listOf([...this.#prices.values()].filter(isWanted));
      }
      case "POST prices":
        return this.#createPrice(params);
      case "GET products":
        only(params, "active", "limit");
        return listOf([...this.#products.values()]);
      case "POST products":
        return foundIn(this.#products, this.#addProduct(only(params, "name", "description", "metadata")));
      case "POST checkout/sessions":
        return this.#openSession(params);
      case "GET checkout/sessions": {
        const { customer, status } = only(params, "customer", "status", "limit");
        return listOf(
          [...this.#sessions.values()]
            .filter((one) => one["customer"] === customer && (status ?? one["status"]) === one["status"])
            .toReversed(),
        );
      }
      case "GET checkout/sessions/:id":
        return foundIn(this.#sessions, id);
      case "POST checkout/sessions/:id/expire": {
        const session = foundIn(this.#sessions, id);
        if (session["status"] !== "open") throw invalid("Only open sessions expire.");
        return Object.assign(session, { status: "expired", url: null });
      }
      case "GET subscriptions":
        return this.#listSubscriptions(params);
      case "GET subscriptions/:id":
        return this.#expanded(foundIn(this.#subscriptions, id), params);
      case "POST subscriptions/:id":
        return this.#update(id, params);
      case "DELETE subscriptions/:id": {
        only(params, "cancellation_details");
        const { status } = foundIn(this.#subscriptions, id);
        if (status === "canceled") throw missing(id);
        return this.#changed(id, { status: "canceled", canceled_at: now() }, "deleted");
      }
      case "GET subscription_items": {
        const { subscription } = only(params, "subscription", "limit", "expand", "starting_after");
        const items = structuredClone(foundIn(this.#subscriptions, String(subscription))["items"].data);
        for (const item of items) item.price.product = this.#products.get(item.price.product);
        return listOf(items);
      }
      case "GET subscription_schedules/:id": {
        const { expand } = only(params, "expand");
        return this.#schedules.find(id, Array.isArray(expand) ? expand.map(String) : []);
      }
      case "POST subscription_schedules/:id/release":
        only(params);
        return this.#schedules.release(id, this.#subscriptions);
      case "GET invoices/:id":
        return foundIn(this.#invoices, id);
      case "GET billing_portal/configurations":
        only(params, "active", "is_default", "limit");
        return listOf([{ id: "bpc_1", object: "billing_portal.configuration", login_page: this.#loginPage }]);
      case "POST billing_portal/sessions": {
        const { customer } = only(params, "customer", "return_url");
        foundIn(this.#customers, String(customer));
        return { object: "billing_portal.session", url: `https://billing.example.com/${String(customer)}` };
      }
      default:
        throw new StripeRefusal(404, {
          type: "invalid_request_error",
          message: `Unrecognized request URL (${route}).`,
        });
    }
  }

  #addCustomer({ email, name, metadata }: Obj): Obj {
    const id = `cus_${randomId()}`;
    const said = { email: email ?? null, name: name ?? null, metadata: metadata ?? {} };
    const customer = { id, object: "customer", ...said, created: now() };
    this.#customers.set(id, customer);
    return customer;
  }

  #deleteCustomer(id: string): Obj {
    const customer = foundIn(this.#customers, id);
    for (const subscription of this.#subscriptions.values())
      if (subscription["customer"] === id && subscription["status"] !== "canceled")
        this.#changed(subscription["id"], { status: "canceled", canceled_at: now() }, "deleted");
    this.#customers.set(id, { id, object: "customer", deleted: true });
    return customer;
  }

  #openSession(params: Params): Obj {
    const input: Obj = only(
      params,
      "mode",
      "line_items",
      "success_url",
      "cancel_url",
      "allow_promotion_codes",
      "metadata",
      "subscription_data",
      "customer",
      "customer_email",
    );
    const { currency } = foundIn(this.#prices, input["line_items"][0].price);
    const paysIn = input["customer"] && foundIn(this.#customers, input["customer"])["currency"];
    if (paysIn && paysIn !== currency)
      throw invalid(
        `You cannot combine currencies on a single customer. This customer has an active subscription, subscription schedule, discount, quote, or invoice item with currency ${paysIn}.`,
      );
    const session = newSession(input);
    this.#sessions.set(session["id"], session);
    return session;
  }

  /** Pays on the page of a checkout. */
  #pay(id: string, email: unknown, outcome: Obj = {}): Obj {
    const session = foundIn(this.#sessions, id);
    if (session["status"] !== "open") throw new Error("The session is not open.");

    const customer =
      session["customer"] ?? this.#addCustomer({ email: email ?? session["customer_email"] }).id;
    const { price, metadata } = session["opened"];
    const { payment_status = "paid", ...begins } = outcome;
    const subscription = this.#subscribe({ customer, price, metadata, quiet: true, ...begins });
    Object.assign(session, {
      status: "complete",
      payment_status,
      url: null,
      customer,
      subscription: subscription["id"],
    });
    this.#tell("checkout.session.completed", session, subscription["id"]);
    this.#tell("customer.subscription.created", subscription, subscription["id"]);
    this.#tellOfPayment(subscription);
    return subscription;
  }

  #subscribe({ price = "price_starter_monthly", addons = [], quiet = false, ...more }: Obj): Obj {
    // Add-ons come first: what sells the plan may be in any place.
    const prices = [...addons, price].map((id: string) => foundIn(this.#prices, id));
    const subscription = newSubscription(prices, more);
    const id: string = subscription["id"];
    this.#subscriptions.set(id, subscription);
    this.#invoice(subscription);
    if (!quiet) {
      this.#tell("customer.subscription.created", subscription, id);
      this.#tellOfPayment(subscription);
    }
    return subscription;
  }

  #update(id: string, params: Params): Obj {
    const input: Obj = only(
      params,
      "items",
      "proration_behavior",
      "payment_behavior",
      "cancel_at",
      "cancel_at_period_end",
      "metadata",
      "expand",
    );
    const subscription = foundIn(this.#subscriptions, id);
    if (subscription["status"] === "canceled") throw invalid("A canceled subscription can't be changed.");
    if (input["metadata"] !== undefined)
      return this.#changed(id, { metadata: merged(subscription["metadata"], input["metadata"]) });
    if (input["cancel_at_period_end"] !== undefined || input["cancel_at"] !== undefined) {
      checkEnding(subscription, input);
      return this.#changed(id, endingOf(subscription, input));
    }

    const [change] = input["items"];
    const item = subscription["items"].data.find((one: Obj) => one["id"] === change.id);
    if (!item) throw invalid("No such item.");
    const price = foundIn(this.#prices, change.price);
    if (price["currency"] !== subscription["currency"])
      throw invalid(
        `The price specified only supports \`${price["currency"]}\`. This doesn't match the expected currency: \`${subscription["currency"]}\`.`,
      );
    if (subscription["metadata"]["test"] === "declined")
      throw new StripeRefusal(402, { type: "card_error", code: "card_declined", message: "Declined." });
    const invoice = this.#invoice(subscription);
    if (subscription["metadata"]["test"] === "needs-authentication") {
      Object.assign(invoice, { status: "open" });
      this.#changed(id, { pending_update: { expires_at: now() + DAY } });
    } else if (subscription["metadata"]["test"] === "refused-until-confirmed") {
      Object.assign(invoice, { status: "open" });
      throw new StripeRefusal(402, {
        type: "card_error",
        code: "subscription_payment_intent_requires_action",
        message: "Confirm.",
      });
    } else {
      item.price = price;
      this.#changed(id, {});
      this.#tellOfPayment(subscription);
    }
    return this.#expanded(subscription, params);
  }

  #renew(id: string): Obj {
    const subscription = foundIn(this.#subscriptions, id);
    const item = subscription["items"].data[0];
    item.current_period_start = item.current_period_end;
    item.current_period_end += 30 * DAY;
    this.#invoice(subscription);
    this.#changed(id, {});
    this.#tellOfPayment(subscription);
    return subscription;
  }

  #changed(id: string, set: Obj, event = "updated"): Obj {
    const subscription = foundIn(this.#subscriptions, id);
    const { price, ...members } = set;
    Object.assign(subscription, members);
    if (price !== undefined) subscription["items"].data.at(-1).price = foundIn(this.#prices, price);
    if (event !== "silent") this.#tell(`customer.subscription.${event}`, subscription, id);
    return subscription;
  }

  #invoice(subscription: Obj): Obj {
    const invoice = newInvoice(subscription);
    this.#invoices.set(invoice["id"], invoice);
    subscription["latest_invoice"] = invoice["id"];
    return invoice;
  }

  /** One payment causes three events. */
  #tellOfPayment(subscription: Obj): void {
    const invoice = foundIn(this.#invoices, subscription["latest_invoice"]);
    this.#tell("invoice.paid", invoice, subscription["id"]);
    this.#tell("invoice.payment_succeeded", invoice, subscription["id"]);
    const payment = {
      id: `inpay_${randomId()}`,
      object: "invoice_payment",
      invoice: invoice["id"],
      status: "paid",
    };
    this.#tell("invoice_payment.paid", payment, subscription["id"]);
  }

  #tell(type: string, object: Obj, about: string): void {
    const event = {
      id: `evt_${randomId()}`,
      object: "event",
      type,
      created: now(),
      data: { object: structuredClone(object) },
    };
    this.#events.push({ about, event });
  }

  #listSubscriptions(params: Params): Obj {
    const {
      customer,
      starting_after: after,
      limit,
    } = only(params, "customer", "status", "limit", "expand", "starting_after");
    if (customer !== undefined) foundIn(this.#customers, String(customer));
    const all = [...this.#subscriptions.values()]
      .filter((one) => customer === undefined || one["customer"] === customer)
      .toReversed();
    const start = after === undefined ? 0 : all.findIndex(({ id }) => id === after) + 1;
    const page = all.slice(start, start + Number(limit ?? 10));
    return {
      ...listOf(page.map((one) => this.#expanded(one, params, "data."))),
      has_more: start + page.length < all.length,
    };
  }

  #expanded(subscription: Obj, params: Params, prefix = ""): Obj {
    const wanted = Array.isArray(params["expand"]) ? params["expand"].map(String) : [];
    for (const path of wanted)
      if (path.split(".").length > 4) throw invalid("You cannot expand more than 4 levels of a property.");

    const copy = structuredClone(subscription);
    if (wanted.includes(`${prefix}customer`)) copy["customer"] = this.#customers.get(copy["customer"]);
    if (wanted.includes(`${prefix}latest_invoice`))
      copy["latest_invoice"] = this.#invoices.get(copy["latest_invoice"]);
    if (wanted.includes(`${prefix}items.data.price.product`))
      for (const item of copy["items"].data) item.price.product = this.#products.get(item.price.product);
    // Stripe returns ten items with a subscription.
    if (copy["items"].data.length > 10) Object.assign(copy["items"], { has_more: true });
    copy["items"].data = copy["items"].data.slice(0, 10);
    return copy;
  }

  #addProduct({ metadata = {}, name = "A plan" }: Obj = {}): string {
    const id = `prod_${randomId()}`;
    this.#products.set(id, { id, object: "product", name, metadata });
    return id;
  }

  #createPrice(params: Params): Obj {
    const input: Obj = only(
      params,
      "product",
      "currency",
      "unit_amount",
      "recurring",
      "lookup_key",
      "transfer_lookup_key",
      "metadata",
    );
    const holder = [...this.#prices.values()].find(({ lookup_key: key }) => key === input["lookup_key"]);
    if (holder && input["transfer_lookup_key"] !== "true") throw invalid("The lookup key is taken.");
    if (holder) holder["lookup_key"] = null;
    const id = `price_${randomId()}`;
    this.#addPrice({
      ...input,
      id,
      unit_amount: Number(input["unit_amount"]),
      interval: input["recurring"].interval,
    });
    return foundIn(this.#prices, id);
  }

  #addPrice(input: Obj): void {
    this.#prices.set(input["id"], newPrice({ ...input, product: input["product"] ?? this.#addProduct() }));
  }
}

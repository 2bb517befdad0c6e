import { type AccountEmail, accountEmailOf } from "../shared/id-types.ts";
import {
  type Subscription,
  subscriptionFrom,
  subscriptionItem,
  subscriptionKey,
  SUBSCRIPTION_PREFIX,
} from "../plans/subscription.ts";
import type { TableClient } from "../table/client.ts";
import type { WriteAction } from "../table/requests.ts";
import { absent, all, any, type Condition, equals, present } from "../table/expressions.ts";
import { optionalText, text } from "../table/fields.ts";
import { userAliasKey, userKey, userPartition } from "../table/keys.ts";
import type { Item, Key } from "../table/marshal.ts";
import { accountOf } from "../shared/email.ts";
import { CLAIM_PREFIX } from "./claim-keys.ts";

const eventKey = (eventId: string): Key => ({ pk: `WebhookEvent#${eventId}`, sk: `WebhookEvent#${eventId}` });

/** The key of the item that stores how far the comparison of all subscriptions has come. */
const RECONCILIATION: Key = { pk: "Reconciliation#stripe", sk: "Reconciliation#stripe" };

const { sk: ALIAS } = userAliasKey(accountEmailOf(""));

/** Claims and subscriptions are adjacent; `~` sorts after every character of Stripe's ids. */
const CLAIMS_AND_SUBSCRIPTIONS = { between: [CLAIM_PREFIX, `${SUBSCRIPTION_PREFIX}~`] } as const;

/** What payments need to know of an account. */
export interface Payer {
  readonly exists: boolean;
  /** Whether the account is being deleted. Nothing may be stored for it any more. */
  readonly isBeingDeleted: boolean;
  readonly name: string;
  readonly customerId: string | null;
  /** Customers that the account has claimed. */
  readonly claimed: readonly string[];
  readonly subscriptions: readonly Subscription[];
}

/** The part of a payer that is stored in the account's own item. */
type PayerItem = Omit<Payer, "claimed" | "subscriptions">;

/** What the table says before a subscription is fetched. */
export interface Known {
  readonly payer: PayerItem;
  readonly subscription: Subscription | undefined;
  /** Whether the event has been handled before. */
  readonly isRepeated: boolean;
}

export class SubscriptionRepository {
  readonly #table: TableClient;

  constructor({ table }: { readonly table: TableClient }) {
    this.#table = table;
  }

  /**
   * Returns the accounts that e-mail addresses lead to, in the same order, as a sign-in finds them: accounts of the
   * legacy Python service may be in mixed case, and an alias leads to those. `undefined` if no account can have the
   * address.
   */
  async accounts(addresses: readonly (string | undefined)[]): Promise<readonly (AccountEmail | undefined)[]> {
    const wanted = addresses.flatMap((address) => {
      const accountEmail = accountOf(address);
      return accountEmail === undefined
        ? []
        : [{ accountEmail, spelled: accountEmailOf(address?.trim() ?? accountEmail) }];
    });
    const keys = wanted.flatMap(({ accountEmail, spelled }) => [
      userKey(accountEmail),
      userAliasKey(accountEmail),
      userKey(spelled),
    ]);
    const items = await this.#table.batchGet(keys);
    const aliases = items.map((item) =>
      item?.sk === ALIAS ? accountEmailOf(text(item, "account")) : undefined,
    );
    const aliased = aliases.filter((accountEmail) => accountEmail !== undefined);
    const existing = await this.#table.batchGet(aliased.map((accountEmail) => userKey(accountEmail)));
    const exists = (accountEmail: AccountEmail) => existing[aliased.indexOf(accountEmail)] !== undefined;

    const found = wanted.map(({ accountEmail, spelled }, index) => {
      const at = index * 3;
      const alias = aliases[at + 1];
      if (items[at]) return accountEmail;
      if (alias !== undefined && exists(alias)) return alias;
      return items[at + 2] ? spelled : accountEmail;
    });
    return addresses.map((address) => (accountOf(address) === undefined ? undefined : found.shift()));
  }

  /** Returns an account with all its subscriptions and claims. */
  async payer(accountEmail: AccountEmail): Promise<Payer> {
    const [user, items] = await Promise.all([
      this.#table.get(userKey(accountEmail)),
      this.#table.query(userPartition(accountEmail), { range: CLAIMS_AND_SUBSCRIPTIONS }),
    ]);
    const beginning = (prefix: string) => items.filter((item) => text(item, "sk").startsWith(prefix));
    return {
      ...payerFrom(user),
      claimed: beginning(CLAIM_PREFIX).map((item) => text(item, "sk").slice(CLAIM_PREFIX.length)),
      subscriptions: beginning(SUBSCRIPTION_PREFIX).map(subscriptionFrom),
    };
  }

  /** Reads a subscription, its payer and the marker of an event at one time. */
  async known(
    accountEmail: AccountEmail,
    subscriptionId: string,
    eventId: string | undefined,
  ): Promise<Known> {
    const [user, subscription, marker] = await this.#table.batchGet([
      userKey(accountEmail),
      subscriptionKey(accountEmail, subscriptionId),
      ...(eventId === undefined ? [] : [eventKey(eventId)]),
    ]);
    return {
      payer: payerFrom(user),
      subscription: subscription && subscriptionFrom(subscription),
      isRepeated: marker !== undefined,
    };
  }

  /**
   * Stores, in one transaction, a subscription that was just fetched, its customer if that is the account's own, the
   * marker of the event, and `more`. Returns false if any of it has changed since `before` was read; then fetch the
   * subscription again.
   */
  async store(
    after: Subscription,
    before: Known,
    event: PaymentMark | undefined,
    more: readonly WriteAction[],
  ): Promise<boolean> {
    const { payer, subscription } = before;
    const setsCustomer =
      payer.exists && after.isClaimed && after.customerId !== null && payer.customerId === null;
    const customer: WriteAction = {
      update: userKey(after.accountEmail),
      changes: { set: { stripe_customer_id: after.customerId } },
      if: present("pk"),
    };
    return this.#table.tryTransact([
      { put: subscriptionItem(after), if: unchanged(subscription) },
      ...(setsCustomer ? [customer] : []),
      ...more,
      ...markOf(event),
    ]);
  }

  /** Marks an event as handled although nothing was stored for it. `reason` is for operators. */
  async mark(event: PaymentMark, reason: string): Promise<void> {
    await this.#table.tryTransact(markOf(event, reason));
  }

  /** Returns whether an event has been handled before. */
  async isMarked(eventId: string): Promise<boolean> {
    return (await this.#table.get(eventKey(eventId))) !== undefined;
  }

  /** Stores the customer of an account, unless it has another one by now. Returns the one that it has then. */
  async setCustomer(
    accountEmail: AccountEmail,
    customerId: string,
    replaced: string | null,
  ): Promise<string> {
    const set = { stripe_customer_id: customerId };
    const isUnchanged = all(present("pk"), customerIs(replaced));
    const { applied, item } = await this.#table.updateOrRefusal(userKey(accountEmail), { set }, isUnchanged);
    if (applied) return customerId;
    return (item && optionalText(item, "stripe_customer_id")) ?? customerId;
  }

  /** Returns stored subscriptions in the order of their keys; `undefined` for missing ones. */
  async stored(
    keys: readonly { accountEmail: AccountEmail; id: string }[],
  ): Promise<readonly (Subscription | undefined)[]> {
    const items = await this.#table.batchGet(
      keys.map(({ accountEmail, id }) => subscriptionKey(accountEmail, id)),
    );
    return items.map((item) => item && subscriptionFrom(item));
  }

  /** Returns the id after which the comparison of all subscriptions continues, or `undefined` to start over. */
  async reconciledUntil(): Promise<string | undefined> {
    const item = await this.#table.get(RECONCILIATION);
    return (item && optionalText(item, "after")) ?? undefined;
  }

  /** Stores where the comparison continues; `undefined` starts over. */
  async setReconciledUntil(after: string | undefined, timestamp: string): Promise<void> {
    await this.#table.update(RECONCILIATION, { set: { after: after ?? null, updated_at: timestamp } });
  }
}

/** The marker of a handled event. */
export interface PaymentMark {
  readonly id: string;
  readonly type: string;
  readonly timestamp: string;
  /** When it expires, in seconds since the epoch. */
  readonly ttl: number;
}

/** Does not store whose event it was, because the marker may outlive the account. */
function markOf(event: PaymentMark | undefined, reason?: string): readonly WriteAction[] {
  if (!event) return [];
  const put = {
    ...eventKey(event.id),
    event_id: event.id,
    event_type: event.type,
    created_at: event.timestamp,
    ttl: event.ttl,
    ...(reason !== undefined && { reason }),
  };
  return [{ put, if: absent("pk") }];
}

/**
 * A condition that holds if the subscription has not been written since it was read. Items of the legacy Python service
 * have no version.
 */
function unchanged(before: Subscription | undefined): Condition {
  if (!before) return absent("pk");
  return before.syncVersion === 0
    ? all(present("pk"), absent("sync_version"))
    : equals("sync_version", before.syncVersion);
}

/**
 * A condition that holds if the account still has this customer, or none if it is null. An empty string counts as none.
 */
export const customerIs = (customerId: string | null): Condition =>
  customerId === null
    ? any(absent("stripe_customer_id"), equals("stripe_customer_id", null), equals("stripe_customer_id", ""))
    : equals("stripe_customer_id", customerId);

const payerFrom = (user: Item | undefined): PayerItem => ({
  exists: user !== undefined,
  isBeingDeleted: user !== undefined && text(user, "status", "active") === "pending_deletion",
  name: user ? text(user, "name") : "",
  customerId: (user && optionalText(user, "stripe_customer_id")) || null,
});

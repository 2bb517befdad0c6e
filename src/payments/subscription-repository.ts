import {
  type Subscription,
  subscriptionFrom,
  subscriptionItem,
  subscriptionKey,
  SUBSCRIPTION_PREFIX,
} from "../plans/subscription.ts";
import type { TableClient, WriteAction } from "../table/client.ts";
import { ConditionFailed, TransactionRefused } from "../table/errors.ts";
import { absent, all, any, type Condition, equals, present } from "../table/expressions.ts";
import { optionalText, text } from "../table/fields.ts";
import { userPartition } from "../table/keys.ts";
import type { Item, Key } from "../table/marshal.ts";
import { accountOf } from "../shared/email.ts";
import { userAliasKey, userKey } from "../users/model.ts";

const eventKey = (eventId: string): Key => ({ pk: `WebhookEvent#${eventId}`, sk: `WebhookEvent#${eventId}` });

/** Where the comparison of all subscriptions stands. */
const RECONCILIATION: Key = { pk: "Reconciliation#stripe", sk: "Reconciliation#stripe" };

const { sk: ALIAS } = userAliasKey("");

/** An account as far as payments go. */
export interface Payer {
  readonly exists: boolean;
  /** False where the account is on its way out: nothing is stored for it any more. */
  readonly isStaying: boolean;
  readonly name: string;
  readonly customerId: string | null;
  readonly subscriptions: readonly Subscription[];
}

/** What is known before a subscription is fetched. */
export interface Known {
  readonly payer: Omit<Payer, "subscriptions">;
  readonly subscription: Subscription | undefined;
  /** Whether the event has been dealt with. */
  readonly isRepeated: boolean;
}

export class SubscriptionRepository {
  readonly #table: TableClient;

  constructor(table: TableClient) {
    this.#table = table;
  }

  /**
   * The accounts that e-mail addresses stand for, in their order, as a sign-in finds them: accounts of the service before
   * may be written in mixed case, and an alias leads to those. Nothing where no account can have an address.
   */
  async accounts(addresses: readonly (string | undefined)[]): Promise<readonly (string | undefined)[]> {
    const wanted = addresses.flatMap((address) => {
      const email = accountOf(address);
      return email === undefined ? [] : [{ email, spelled: address?.trim() ?? email }];
    });
    const keys = wanted.flatMap(({ email, spelled }) => [
      userKey(email),
      userAliasKey(email),
      userKey(spelled),
    ]);
    const items = await this.#table.batchGet(keys);
    const aliases = items.map((item) => (item?.sk === ALIAS ? text(item, "account") : undefined));
    const aliased = aliases.filter((account) => account !== undefined);
    const standing = await this.#table.batchGet(aliased.map((account) => userKey(account)));
    const isThere = (account: string) => standing[aliased.indexOf(account)] !== undefined;

    const found = wanted.map(({ email, spelled }, index) => {
      const at = index * 3;
      const alias = aliases[at + 1];
      if (items[at]) return email;
      if (alias !== undefined && isThere(alias)) return alias;
      return items[at + 2] ? spelled : email;
    });
    return addresses.map((address) => (accountOf(address) === undefined ? undefined : found.shift()));
  }

  /** An account with all its subscriptions. */
  async payer(email: string): Promise<Payer> {
    const [user, items] = await Promise.all([
      this.#table.get(userKey(email)),
      this.#table.query(userPartition(email), { range: { beginsWith: SUBSCRIPTION_PREFIX } }),
    ]);
    return { ...payerFrom(user), subscriptions: items.map(subscriptionFrom) };
  }

  /** What stands in the table about a subscription, its payer and an event, read at one time. */
  async known(email: string, subscriptionId: string, eventId: string | undefined): Promise<Known> {
    const [user, subscription, marker] = await this.#table.batchGet([
      userKey(email),
      subscriptionKey(email, subscriptionId),
      ...(eventId === undefined ? [] : [eventKey(eventId)]),
    ]);
    return {
      payer: payerFrom(user),
      subscription: subscription && subscriptionFrom(subscription),
      isRepeated: marker !== undefined,
    };
  }

  /**
   * Stores a subscription as it was just fetched, the customer it is paid by, and that the event is dealt with: together
   * or not at all. False where any of it has changed since `before` was read; then it has to be fetched again.
   */
  async store(after: Subscription, before: Known, event: PaymentMark | undefined): Promise<boolean> {
    const { payer, subscription } = before;
    const setsCustomer = payer.exists && after.customerId !== null && payer.customerId === null;
    const customer: WriteAction = {
      update: userKey(after.email),
      changes: { set: { stripe_customer_id: after.customerId } },
      if: present("pk"),
    };
    return this.#transact([
      { put: subscriptionItem(after), if: unchanged(subscription) },
      ...(setsCustomer ? [customer] : []),
      ...markOf(event),
    ]);
  }

  /** Records that an event is dealt with although nothing was stored for it; `reason` is for people who look into it. */
  async mark(event: PaymentMark, reason: string): Promise<void> {
    await this.#transact(markOf(event, reason));
  }

  async isMarked(eventId: string): Promise<boolean> {
    return (await this.#table.get(eventKey(eventId))) !== undefined;
  }

  /** Notes the customer of an account, unless it has another one by now; gives the one that it then has. */
  async claimCustomer(email: string, customerId: string, replaced: string | null): Promise<string> {
    const free = any(absent("stripe_customer_id"), equals("stripe_customer_id", replaced));
    try {
      await this.#table.update(
        userKey(email),
        { set: { stripe_customer_id: customerId } },
        all(present("pk"), free),
      );
      return customerId;
    } catch (error) {
      if (!(error instanceof ConditionFailed)) throw error;
      return (error.item && optionalText(error.item, "stripe_customer_id")) ?? customerId;
    }
  }

  /** Stored subscriptions by their keys, in that order. */
  async stored(
    keys: readonly { email: string; id: string }[],
  ): Promise<readonly (Subscription | undefined)[]> {
    const items = await this.#table.batchGet(keys.map(({ email, id }) => subscriptionKey(email, id)));
    return items.map((item) => item && subscriptionFrom(item));
  }

  /** The subscription behind which the comparison of all of them goes on; nothing at the beginning. */
  async reconciledUntil(): Promise<string | undefined> {
    const item = await this.#table.get(RECONCILIATION);
    return (item && optionalText(item, "after")) ?? undefined;
  }

  async setReconciledUntil(after: string | undefined, timestamp: string): Promise<void> {
    await this.#table.update(RECONCILIATION, { set: { after: after ?? null, updated_at: timestamp } });
  }

  async #transact(actions: readonly WriteAction[]): Promise<boolean> {
    try {
      await this.#table.transact(actions);
      return true;
    } catch (error) {
      if (error instanceof TransactionRefused) return false;
      throw error;
    }
  }
}

/** An event that is being dealt with. */
export interface PaymentMark {
  readonly id: string;
  readonly type: string;
  readonly timestamp: string;
  /** When it may be forgotten, in seconds since the epoch. */
  readonly ttl: number;
}

/** Whose event it was is not kept: the marker outlives the account. */
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

/** Holds while nobody has written the subscription since it was read. Items of the service before have no version. */
function unchanged(before: Subscription | undefined): Condition {
  if (!before) return absent("pk");
  return before.syncVersion === 0
    ? all(present("pk"), absent("sync_version"))
    : equals("sync_version", before.syncVersion);
}

const payerFrom = (user: Item | undefined): Omit<Payer, "subscriptions"> => ({
  exists: user !== undefined,
  isStaying: user === undefined || text(user, "status", "active") !== "pending_deletion",
  name: user ? text(user, "name") : "",
  customerId: (user && optionalText(user, "stripe_customer_id")) || null,
});

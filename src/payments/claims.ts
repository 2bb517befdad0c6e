import { type AccountEmail, accountEmailOf } from "../shared/id-types.ts";
import type { TableClient } from "../table/client.ts";
import type { WriteAction } from "../table/requests.ts";
import { absent, all, any, differs, equals, present } from "../table/expressions.ts";
import { optionalText } from "../table/fields.ts";
import type { Key } from "../table/marshal.ts";
import { PENDING_DELETION } from "../users/model.ts";
import { userKey } from "../table/keys.ts";
import { claimKey, claimPointerKey } from "./claim-keys.ts";
import type { Owner, RemoteSubscription } from "./remote-subscription.ts";
import { customerIs, type SubscriptionRepository } from "./subscription-repository.ts";

/** A subscription's owner, and how it was determined. */
export interface KnownOwner extends Owner {
  /** The account that has claimed the customer, if any. */
  readonly claimant: AccountEmail | undefined;
  /** The account that its e-mail address leads to, if another account has claimed it. */
  readonly former: AccountEmail | undefined;
}

/** A request to claim a customer. */
export interface Claim {
  readonly accountEmail: AccountEmail;
  readonly customerId: string;
  /** The customer that the account had when it was read. */
  readonly replaced: string | null;
  readonly timestamp: string;
}

interface ClaimsDeps {
  readonly table: TableClient;
  readonly subscriptions: SubscriptionRepository;
}

/**
 * Records who has claimed purchases without a sign-in. The table decides, not Stripe: if two accounts claim at once, a
 * condition admits one of them, and Stripe's metadata has no conditions.
 */
export class Claims {
  readonly #table: TableClient;
  readonly #subscriptions: SubscriptionRepository;

  constructor({ table, subscriptions }: ClaimsDeps) {
    this.#table = table;
    this.#subscriptions = subscriptions;
  }

  /** Returns the account that an address leads to; see `SubscriptionRepository.accounts`. */
  async accountOf(address: string | undefined): Promise<AccountEmail | undefined> {
    const [accountEmail] = await this.#subscriptions.accounts([address]);
    return accountEmail;
  }

  /** Returns the owner of a subscription, or `undefined` if no account can have its e-mail address. */
  async ownerOf(remote: RemoteSubscription): Promise<KnownOwner | undefined> {
    const [owner] = await this.ownersOf([remote]);
    return owner;
  }

  /** Returns the owners of subscriptions, in the same order. */
  async ownersOf(remotes: readonly RemoteSubscription[]): Promise<readonly (KnownOwner | undefined)[]> {
    const [accounts, claims] = await Promise.all([
      this.#subscriptions.accounts(remotes.map(({ email }) => email)),
      this.#table.batchGet(remotes.map(({ customerId }) => claimKey(customerId))),
    ]);
    return remotes.map(({ customerAccount }, index) => {
      const byEmail = accounts[index];
      const claim = claims[index];
      // A customer that was created for an account cannot be claimed.
      const claimed = customerAccount === undefined && claim ? optionalText(claim, "account") : null;
      if (claimed !== null) {
        const claimant = accountEmailOf(claimed);
        const former = byEmail === claimant ? undefined : byEmail;
        return { accountEmail: claimant, isClaimed: true, claimant, former };
      }
      if (byEmail === undefined) return undefined;
      return {
        accountEmail: byEmail,
        isClaimed: customerAccount !== undefined,
        claimant: undefined,
        former: undefined,
      };
    });
  }

  /**
   * Records a claim and makes the customer the account's own, in one transaction. Returns `taken` if another account
   * was first, and `changed` if the claiming account has changed since it was read; then read it again.
   */
  async claim({
    accountEmail,
    customerId,
    replaced,
    timestamp,
  }: Claim): Promise<"claimed" | "taken" | "changed"> {
    const claim = {
      entity_type: "StripeClaim",
      customer_id: customerId,
      account: accountEmail,
      created_at: timestamp,
    };
    const isNotBeingDeleted = any(absent("status"), differs("status", PENDING_DELETION));
    const refusal = await this.#table.transactOrRefusal([
      { put: { ...claimKey(customerId), ...claim }, if: absent("pk") },
      { put: { ...claimPointerKey(accountEmail, customerId), ...claim } },
      {
        update: userKey(accountEmail),
        changes: { set: { stripe_customer_id: customerId } },
        if: all(present("pk"), isNotBeingDeleted, customerIs(replaced)),
      },
    ]);
    if (!refusal) return "claimed";
    const first = refusal.get(0);
    return first && optionalText(first, "account") !== accountEmail ? "taken" : "changed";
  }
}

/**
 * Returns the actions that accompany the write of a subscription for its owner: a check that the claim has not changed,
 * and the removal of the subscription from the account that it was claimed from.
 */
export function ownerActions(
  { id, customerId, customerAccount }: RemoteSubscription,
  { claimant, former }: KnownOwner,
  keyOf: (accountEmail: AccountEmail, id: string) => Key,
): readonly WriteAction[] {
  if (customerAccount !== undefined) return [];
  const key = claimKey(customerId);
  return [
    { check: key, if: claimant === undefined ? absent("pk") : equals("account", claimant) },
    ...(former === undefined ? [] : [{ remove: keyOf(former, id) }]),
  ];
}

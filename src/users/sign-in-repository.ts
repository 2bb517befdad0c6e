import type { TableClient, WriteAction } from "../table/client.ts";
import { TransactionRefused } from "../table/errors.ts";
import { absent, absentOrExpired, all, any, type Condition, equals, present } from "../table/expressions.ts";
import { text } from "../table/fields.ts";
import { type User, userAliasKey, userFrom, userItem, userKey } from "./model.ts";

/** An address as the issuer gives it, and in lower case. */
export interface Address {
  readonly email: string;
  readonly spelled: string;
}

/** What signing in brings up to date. */
export interface SignInChanges {
  readonly subject: string;
  readonly name: string;
  readonly picture: string | null;
}

/** What stands under an address. */
export interface Found {
  /** Its `email` is the one that its partitions are named by. */
  readonly account: User | undefined;
  /** The account that the address in lower case is an alias of, whether or not that account is still there. */
  readonly alias: string | undefined;
}

/** Accounts as a sign-in through an issuer finds, makes and adopts them. */
export class SignInRepository {
  readonly #table: TableClient;

  constructor(table: TableClient) {
    this.#table = table;
  }

  /**
   * The account of an address: the one in lower case; else the one that its alias names; else one that the service
   * before has written as the issuer spells the address.
   */
  async find({ email, spelled }: Address): Promise<Found> {
    const keys = [userKey(email), userAliasKey(email), userKey(spelled)];
    const [own, aliasItem, asSpelled] = await this.#table.batchGet(keys);
    const alias = aliasItem && text(aliasItem, "account");
    if (own) return { account: { ...userFrom(own), email }, alias };

    if (alias !== undefined && alias !== spelled) {
      const aliased = await this.#table.get(userKey(alias));
      if (aliased) return { account: { ...userFrom(aliased), email: alias }, alias };
    }
    return { account: asSpelled && { ...userFrom(asSpelled), email: spelled }, alias };
  }

  /** Stores a new account; false where the address has got one at the same time. */
  create(user: User, { alias }: Found, nowMs: number): Promise<boolean> {
    const key = userAliasKey(user.email);
    return this.#settled([
      { put: userItem(user), if: absentOrExpired(nowMs) },
      // An alias that is still there leads to an account that is gone.
      alias === undefined ? { check: key, if: unaliased(alias) } : { remove: key, if: unaliased(alias) },
    ]);
  }

  /**
   * Makes an account the person's, or brings it up to date; false where it has changed hands meanwhile. What it was
   * entered by before, a password of local development, is removed, and so is the end that such accounts have.
   */
  enter(
    account: User,
    { email }: Address,
    changes: SignInChanges,
    { alias, now, nowMs }: { alias: string | undefined; now: string; nowMs: number },
  ): Promise<boolean> {
    const update: WriteAction = {
      update: userKey(account.email),
      changes: {
        set: {
          google_sub: changes.subject,
          name: changes.name,
          picture: changes.picture,
          email: account.email,
          updated_at: now,
        },
        setIfAbsent: { status: "active", created_at: now },
        remove: ["password_hash", "password_salt", "ttl"],
      },
      if: all(present("pk"), isOpenTo(changes.subject)),
    };
    if (account.email === email) return this.#settled([update]);

    // From now on every spelling of the address leads to this account.
    const pointer = { ...userAliasKey(email), entity_type: "UserAlias", account: account.email };
    return this.#settled([
      update,
      { put: pointer, if: unaliased(alias) },
      { check: userKey(email), if: absentOrExpired(nowMs) },
    ]);
  }

  async #settled(actions: readonly WriteAction[]): Promise<boolean> {
    try {
      await this.#table.transact(actions);
      return true;
    } catch (error) {
      if (error instanceof TransactionRefused) return false;
      throw error;
    }
  }
}

/** Holds for an account that nobody has signed in to through the issuer yet, or this person has. */
const isOpenTo = (subject: string): Condition => any(absent("google_sub"), equals("google_sub", subject));

/** Holds while the alias is what it was when it was looked at. */
const unaliased = (alias: string | undefined): Condition =>
  alias === undefined ? absent("pk") : equals("account", alias);

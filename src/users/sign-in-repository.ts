import { type AccountEmail, accountEmailOf } from "../shared/id-types.ts";
import { userAliasKey, userKey } from "../table/keys.ts";
import type { TableClient } from "../table/client.ts";
import type { WriteAction } from "../table/requests.ts";
import { absent, absentOrExpired, all, any, type Condition, equals, present } from "../table/expressions.ts";
import { text } from "../table/fields.ts";
import { type User, userFrom, userItem } from "./model.ts";

/** An address in lower case (`accountEmail`) and as the issuer spells it (`spelled`). Either may identify the account. */
export interface Address {
  readonly accountEmail: AccountEmail;
  readonly spelled: AccountEmail;
}

/** The members of an account that a sign-in updates. */
export interface SignInChanges {
  readonly subject: string;
  readonly name: string;
  readonly picture: string | null;
}

/** The result of looking up an address. */
export interface Found {
  /** The account, if there is one. Its `accountEmail` is the spelling in the names of its partitions. */
  readonly account: User | undefined;
  /** The address of the account that the lower-case address is an alias of. That account may be gone. */
  readonly alias: AccountEmail | undefined;
}

/** Finds, creates and adopts accounts for sign-in through an issuer. */
export class SignInRepository {
  readonly #table: TableClient;

  constructor({ table }: { readonly table: TableClient }) {
    this.#table = table;
  }

  /**
   * Looks up the account of an address: first by the lower-case address, then by its alias, then by the spelling of the
   * issuer, under which the legacy Python service stored accounts.
   */
  async find({ accountEmail, spelled }: Address): Promise<Found> {
    const keys = [userKey(accountEmail), userAliasKey(accountEmail), userKey(spelled)];
    const [own, aliasItem, asSpelled] = await this.#table.batchGet(keys);
    const alias = aliasItem && accountEmailOf(text(aliasItem, "account"));
    if (own) return { account: { ...userFrom(own), accountEmail }, alias };

    if (alias !== undefined && alias !== spelled) {
      const aliased = await this.#table.get(userKey(alias));
      if (aliased) return { account: { ...userFrom(aliased), accountEmail: alias }, alias };
    }
    return { account: asSpelled && { ...userFrom(asSpelled), accountEmail: spelled }, alias };
  }

  /** Stores a new account. Returns false if another request created one for the address at the same time. */
  create(user: User, { alias }: Found, nowMs: number): Promise<boolean> {
    const key = userAliasKey(user.accountEmail);
    return this.#table.tryTransact([
      { put: userItem(user), if: absentOrExpired(nowMs) },
      // A remaining alias points to an account that is gone.
      alias === undefined ? { check: key, if: unaliased(alias) } : { remove: key, if: unaliased(alias) },
    ]);
  }

  /**
   * Binds an account to the person (`changes.subject`) and updates it. Returns false if another person took it over in the
   * meantime. Removes the password and the expiry of a local-development account.
   */
  enter(
    account: User,
    { accountEmail }: Address,
    changes: SignInChanges,
    { alias, now, nowMs }: { alias: AccountEmail | undefined; now: string; nowMs: number },
  ): Promise<boolean> {
    const update: WriteAction = {
      update: userKey(account.accountEmail),
      changes: {
        set: {
          google_sub: changes.subject,
          name: changes.name,
          picture: changes.picture,
          email: account.accountEmail,
          updated_at: now,
        },
        setIfAbsent: { status: "active", created_at: now },
        remove: ["password_hash", "password_salt", "ttl"],
      },
      if: all(present("pk"), isOpenTo(changes.subject)),
    };
    if (account.accountEmail === accountEmail) return this.#table.tryTransact([update]);

    // The alias makes every spelling of the address lead to this account.
    const pointer = {
      ...userAliasKey(accountEmail),
      entity_type: "UserAlias",
      account: account.accountEmail,
    };
    return this.#table.tryTransact([
      update,
      { put: pointer, if: unaliased(alias) },
      { check: userKey(accountEmail), if: absentOrExpired(nowMs) },
    ]);
  }
}

/** Holds if nobody, or this person, has signed in to the account through the issuer. */
const isOpenTo = (subject: string): Condition => any(absent("google_sub"), equals("google_sub", subject));

/** Holds if the alias is unchanged since it was read. */
const unaliased = (alias: string | undefined): Condition =>
  alias === undefined ? absent("pk") : equals("account", alias);

import type { AccountEmail, AgentId } from "../shared/id-types.ts";
import type { TableClient } from "../table/client.ts";
import type { Cursors } from "../table/cursor.ts";
import { type DeletionGuard, isLive } from "../table/deletion.ts";
import { absent, all, any, equals, present } from "../table/expressions.ts";
import { count, keyOf, text } from "../table/fields.ts";
import { agentKey, userKey, userPartition } from "../table/keys.ts";
import { type ListPage, listNewestFirst } from "../table/list.ts";
import type { Item } from "../table/marshal.ts";
import { type User, userFrom } from "../users/model.ts";
import {
  type Connection,
  CONNECTION_RANGE,
  connectionFrom,
  connectionItem,
  connectionKey,
  endAfter,
} from "./model.ts";

/** The members of a connection that a new refresh token changes. */
export type Rotation = Pick<Connection, "generation" | "rotatedAt" | "ttl">;

/** How long what has ended is kept, in milliseconds: a request that found it alive may still be writing to it. */
const SWEEP_DELAY_MS = 60_000;

/** Stores the connections of MCP clients in the partitions of their accounts. */
export class ConnectionRepository {
  readonly #table: TableClient;
  readonly #cursors: Cursors;

  constructor({ table, cursors }: { readonly table: TableClient; readonly cursors: Cursors }) {
    this.#table = table;
    this.#cursors = cursors;
  }

  /** Stores a new connection. Returns false if the account is not active or the agent is being deleted, so that none outlives them. */
  create(connection: Connection): Promise<boolean> {
    const { accountEmail, agentId } = connection;
    const isActive = all(present("pk"), any(absent("status"), equals("status", "active")));
    return this.#table.tryTransact([
      { put: connectionItem(connection), if: absent("pk") },
      { check: userKey(accountEmail), if: isActive },
      { check: agentKey(accountEmail, agentId), if: isLive },
    ]);
  }

  /** Returns a connection, or `undefined` if there is none. */
  async find(accountEmail: AccountEmail, id: string): Promise<Connection | undefined> {
    const item = await this.#table.get(connectionKey(accountEmail, id));
    return item && connectionFrom(item);
  }

  /** Returns a connection and its account; either is absent if it does not exist. */
  async findWithUser(
    accountEmail: AccountEmail,
    id: string,
  ): Promise<{ readonly connection?: Connection; readonly user?: User }> {
    const [item, user] = await this.#table.batchGet([connectionKey(accountEmail, id), userKey(accountEmail)]);
    return { ...(item && { connection: connectionFrom(item) }), ...(user && { user: userFrom(user) }) };
  }

  /**
   * Issues the first refresh token of a connection. Returns false if there is one, or no connection: a code is redeemed once.
   * `redemption` is unique to the request, so that the retry of a lost write is not taken for another one, nor the other way round.
   */
  redeem({ accountEmail, id }: Connection, to: Rotation, redemption: string): Promise<boolean> {
    const set = { ...attributesOf(to), redemption };
    return this.#table.tryUpdate(connectionKey(accountEmail, id), { set }, equals("generation", 0));
  }

  /**
   * Replaces the refresh token of a connection and returns the connection. If another request has replaced it before, changes nothing and
   * returns the stored connection. Returns `undefined` if there is none any more.
   */
  async rotate(connection: Connection, to: Rotation): Promise<Connection | undefined> {
    const key = connectionKey(connection.accountEmail, connection.id);
    const isValid = equals("generation", connection.generation);
    const { item } = await this.#table.updateOrRefusal(key, { set: attributesOf(to) }, isValid);
    return item && connectionFrom(item);
  }

  /** Records that the access token of the present generation was used. Does nothing if there is a newer one, or no connection. */
  async touch({ accountEmail, id, generation }: Connection, usedAt: string): Promise<void> {
    const set = { used_generation: generation, last_used_at: usedAt };
    await this.#table.tryUpdate(connectionKey(accountEmail, id), { set }, equals("generation", generation));
  }

  /** Returns a page of an account's connections, newest first. */
  list(accountEmail: AccountEmail, limit: number, cursor: string | undefined): Promise<ListPage<Connection>> {
    const request = {
      partition: userPartition(accountEmail),
      range: CONNECTION_RANGE,
      cursorScope: `MCP connections of ${accountEmail}`,
      limit,
      cursor,
    };
    return listNewestFirst(this.#table, this.#cursors, request, connectionFrom);
  }

  /**
   * Returns the number of an account's connections at `now`, in milliseconds since the epoch. Removes those that ended a while
   * before, because DynamoDB may take days for that: people who agree again and again without a client would fill the partition.
   */
  async countAndSweep(accountEmail: AccountEmail, now: number): Promise<number> {
    const items = await this.#keys(accountEmail);
    const swept = items.filter((item) => endOf(item) <= now - SWEEP_DELAY_MS);
    await this.#table.batchWrite(swept.map((item) => ({ remove: keyOf(item) })));
    return items.filter((item) => endOf(item) > now).length;
  }

  /** Ends a connection. Does nothing if there is none. */
  remove(accountEmail: AccountEmail, id: string): Promise<void> {
    return this.#table.remove(connectionKey(accountEmail, id));
  }

  /** Ends all connections to an agent. */
  async removeOfAgent(accountEmail: AccountEmail, agentId: AgentId, guard: DeletionGuard): Promise<void> {
    const items = await this.#keys(accountEmail);
    const ofAgent = items.filter((item) => text(item, "agent_id") === agentId);
    await this.#table.removeGuarded(ofAgent.map(keyOf), guard);
  }

  /**
   * Returns the keys of all stored connections. Without the `ttl` attribute, those that have ended are returned, too. There are few more than
   * `MAX_CONNECTIONS`.
   */
  #keys(accountEmail: AccountEmail) {
    return this.#table.query(userPartition(accountEmail), {
      range: CONNECTION_RANGE,
      attributes: ["pk", "sk", "agent_id", "generation", "rotated_at"],
    });
  }
}

/** Returns when a stored connection ends, in milliseconds since the epoch. */
const endOf = (item: Item): number => endAfter(count(item, "generation"), count(item, "rotated_at")) * 1000;

const attributesOf = ({ generation, rotatedAt, ttl }: Rotation) => ({
  generation,
  rotated_at: rotatedAt,
  ttl,
});

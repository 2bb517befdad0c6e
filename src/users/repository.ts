import type { TableClient } from "../table/client.ts";
import { ConditionFailed } from "../table/errors.ts";
import { absentOrExpired } from "../table/expressions.ts";
import { type User, userFrom, userItem, userKey } from "./model.ts";

export class UserRepository {
  readonly #table: TableClient;

  constructor(table: TableClient) {
    this.#table = table;
  }

  async find(email: string): Promise<User | undefined> {
    const item = await this.#table.get(userKey(email));
    return item && userFrom(item);
  }

  /** Stores a new user; false where the address is taken by an account that still lives at `nowMs`. */
  async create(user: User, nowMs: number): Promise<boolean> {
    try {
      await this.#table.put(userItem(user), absentOrExpired(nowMs));
      return true;
    } catch (error) {
      if (error instanceof ConditionFailed) return false;
      throw error;
    }
  }
}

import { AppError } from "../shared/errors.ts";
import type { Item } from "./marshal.ts";

/** The table did not answer, or kept throttling, until the attempts or the time limit were used up. */
export class TableUnavailable extends AppError {
  override readonly name = "TableUnavailable";

  constructor(cause: unknown) {
    super("unavailable", "The database is not answering at the moment. Please try again.", {
      cause,
      retryAfter: 1,
    });
  }
}

/** The condition of a single write did not hold. */
export class ConditionFailed extends AppError {
  override readonly name = "ConditionFailed";
  /** The existing item, or `undefined` if there is none. */
  readonly item: Item | undefined;

  constructor(item: Item | undefined) {
    super("conflict", "This was changed by another request at the same time. Please try again.");
    this.item = item;
  }
}

/** The actions of a transaction whose conditions did not hold, by position, each with the existing item if there is one. */
export type Refusal = ReadonlyMap<number, Item | undefined>;

/** A transaction was not applied, because the conditions of some of its actions did not hold. */
export class TransactionRefused extends AppError {
  override readonly name = "TransactionRefused";
  readonly failed: Refusal;

  constructor(failed: Refusal) {
    super("conflict", "This was changed by another request at the same time. Please try again.");
    this.failed = failed;
  }
}

/** An item exceeds DynamoDB's limit (400 KB, including attribute names). */
export class ItemTooLarge extends AppError {
  override readonly name = "ItemTooLarge";

  constructor(bytes: number, limit: number) {
    super("payload-too-large", `This is too large to store: ${bytes} bytes, and at most ${limit} fit.`);
  }
}

/** DynamoDB rejected a request as invalid: a bug of this service. The details are never shown to callers. */
export class TableRejected extends AppError {
  override readonly name = "TableRejected";

  constructor(type: string, message: string) {
    super("internal", "Something went wrong on our side.", { cause: new Error(`${type}: ${message}`) });
  }
}

import { AppError } from "../shared/errors.ts";
import type { Item } from "./marshal.ts";

/** The table could not be reached, or did not accept the request, within the attempts and the time there are. */
export class TableUnavailable extends AppError {
  override readonly name = "TableUnavailable";

  constructor(cause: unknown) {
    super("unavailable", "The database is not answering at the moment. Please try again.", {
      cause,
      retryAfter: 1,
    });
  }
}

/** A single write was refused because its condition did not hold. */
export class ConditionFailed extends AppError {
  override readonly name = "ConditionFailed";
  /** The item that stood in the way; nothing where there is none. */
  readonly item: Item | undefined;

  constructor(item: Item | undefined) {
    super("conflict", "This was changed by another request at the same time. Please try again.");
    this.item = item;
  }
}

/** A transaction was refused, whole, because the conditions of some of its actions did not hold. */
export class TransactionRefused extends AppError {
  override readonly name = "TransactionRefused";
  /** By the action's position: the item that stood in its way, or nothing where there is none. */
  readonly failed: ReadonlyMap<number, Item | undefined>;

  constructor(failed: ReadonlyMap<number, Item | undefined>) {
    super("conflict", "This was changed by another request at the same time. Please try again.");
    this.failed = failed;
  }
}

/** An item would exceed what DynamoDB stores in one (400 KB, names included). */
export class ItemTooLarge extends AppError {
  override readonly name = "ItemTooLarge";

  constructor(bytes: number, limit: number) {
    super("payload-too-large", `This is too large to store: ${bytes} bytes, and at most ${limit} fit.`);
  }
}

/** A request that DynamoDB calls invalid: a mistake of ours, never shown. */
export class TableRejected extends AppError {
  override readonly name = "TableRejected";

  constructor(type: string, message: string) {
    super("internal", "Something went wrong on our side.", { cause: new Error(`${type}: ${message}`) });
  }
}

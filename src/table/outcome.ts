import { isSameValue } from "./equal.ts";
import { ConditionFailed, type Refusal, TableRejected } from "./errors.ts";
import type { Changes } from "./expressions.ts";
import { type AttributeMap, type Item, unmarshal } from "./marshal.ts";
import type { WriteOutcome } from "./requests.ts";
import { cancellationReasons, OperationFailed } from "./transport.ts";

/** Returns the item of an outcome. Throws `ConditionFailed` if the write was not applied. */
export function assertApplied({ applied, item }: WriteOutcome): Item {
  if (!applied) throw new ConditionFailed(item);
  return item;
}

/** Returns the failed conditions of a transaction, or `undefined` if it failed for another reason. */
export function refusalOf(error: unknown): Refusal | undefined {
  if (!(error instanceof OperationFailed) || error.type !== "TransactionCanceledException") return undefined;

  const failed = cancellationReasons(error.body)
    .map(({ Code, Item: found }, index) => ({ Code, index, found }))
    .filter(({ Code }) => Code === "ConditionalCheckFailed")
    .map(({ index, found }) => [index, found ? unmarshal(attributesOf(found)) : undefined] as const);
  return failed.length === 0 ? undefined : new Map(failed);
}

/** An operation that DynamoDB rejects as invalid is a bug of this service. All other errors pass through. */
export const rejected = (error: unknown): unknown =>
  error instanceof OperationFailed ? new TableRejected(error.type, error.message) : error;

/** Returns whether an item already has the effect of these changes. */
export function holds(stored: Item, changes: Changes): boolean {
  return (
    Object.entries(changes.set ?? {}).every(([name, value]) => isSameValue(stored[name], value)) &&
    (changes.remove ?? []).every((name) => !Object.hasOwn(stored, name))
  );
}

/** The cast follows DynamoDB's wire format: items, keys and attributes are maps of typed values. */
export const attributesOf = (found: unknown): AttributeMap => found as AttributeMap;

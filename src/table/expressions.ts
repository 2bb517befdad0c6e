import { type AttributeMap, type Key, marshalValue, type Value } from "./marshal.ts";

/**
 * Replaces the names and values in one request's expressions with placeholders. Attribute names then can't collide with
 * DynamoDB's reserved words, and no value is ever inserted into the text of an expression.
 */
class Placeholders {
  readonly #names = new Map<string, string>();
  readonly #values: AttributeMap[string][] = [];

  name(attribute: string): string {
    const known = this.#names.get(attribute);
    if (known) return known;

    const placeholder = `#n${this.#names.size}`;
    this.#names.set(attribute, placeholder);
    return placeholder;
  }

  value(value: Value): string {
    this.#values.push(marshalValue(value));
    return `:v${this.#values.length - 1}`;
  }

  fields(): { ExpressionAttributeNames?: Record<string, string>; ExpressionAttributeValues?: AttributeMap } {
    const names = Object.fromEntries(
      [...this.#names].map(([attribute, placeholder]) => [placeholder, attribute]),
    );
    const values = Object.fromEntries(this.#values.map((value, index) => [`:v${index}`, value]));
    return {
      ...(this.#names.size > 0 && { ExpressionAttributeNames: names }),
      ...(this.#values.length > 0 && { ExpressionAttributeValues: values }),
    };
  }
}

/** A condition of a write. Create it with the functions below and combine it with `all` and `any`. */
export type Condition = (placeholders: Placeholders) => string;

export const absent =
  (attribute: string): Condition =>
  (in_) =>
    `attribute_not_exists(${in_.name(attribute)})`;

export const present =
  (attribute: string): Condition =>
  (in_) =>
    `attribute_exists(${in_.name(attribute)})`;

export const equals =
  (attribute: string, value: Value): Condition =>
  (in_) =>
    `${in_.name(attribute)} = ${in_.value(value)}`;

/** Holds if the attribute exists with another value. If it may be absent, combine with `absent` by `any`. */
export const differs =
  (attribute: string, value: Value): Condition =>
  (in_) =>
    `${in_.name(attribute)} <> ${in_.value(value)}`;

export const below =
  (attribute: string, value: number): Condition =>
  (in_) =>
    `${in_.name(attribute)} < ${in_.value(value)}`;

/** Holds if the attribute is a set, text or list with fewer elements. If it may be absent, combine with `absent` by `any`. */
export const fewerThan =
  (attribute: string, elements: number): Condition =>
  (in_) =>
    `size(${in_.name(attribute)}) < ${in_.value(elements)}`;

export const all =
  (...conditions: readonly Condition[]): Condition =>
  (in_) =>
    joined(conditions, " AND ", in_);

export const any =
  (...conditions: readonly Condition[]): Condition =>
  (in_) =>
    joined(conditions, " OR ", in_);

/** A single condition gets no parentheses, because DynamoDB refuses redundant ones. */
function joined(conditions: readonly Condition[], operator: string, in_: Placeholders): string {
  const [only, ...more] = conditions.map((condition) => condition(in_));
  return more.length === 0 ? (only ?? "") : [only, ...more].map((text) => `(${text})`).join(operator);
}

/** Holds if there is no item, or an expired one that DynamoDB has not removed yet. */
export const absentOrExpired = (nowMs: number): Condition =>
  any(absent("pk"), below("ttl", Math.floor(nowMs / 1000) + 1));

/** Changes to the attributes of an item, by name. */
export interface Changes {
  readonly set?: { readonly [attribute: string]: Value };
  /** Set only if the attribute is absent. */
  readonly setIfAbsent?: { readonly [attribute: string]: Value };
  readonly remove?: readonly string[];
}

/** Changes with counters and sets. Transactions only, because a retried counter would count twice in a single update. */
export interface CountingChanges extends Changes {
  /** Numbers are added to the stored number, or to 0; texts are added to the stored set, or to a new one. */
  readonly add?: { readonly [attribute: string]: number | ReadonlySet<string> };
  /** Texts to remove from a set. Removing the last one removes the attribute. */
  readonly takeOut?: { readonly [attribute: string]: ReadonlySet<string> };
}

/** The range of sort keys that a query reads. */
export type SortKeyRange =
  | { readonly beginsWith: string }
  | { readonly between: readonly [from: string, to: string] }
  | { readonly before: string };

/** Returns the request fields for a condition, for changes, or for both. */
export function writeFields(condition: Condition | undefined, changes?: CountingChanges) {
  const placeholders = new Placeholders();
  const update = changes && updateExpression(changes, placeholders);
  const check = condition?.(placeholders);

  return {
    ...(update !== undefined && { UpdateExpression: update }),
    ...(check !== undefined && { ConditionExpression: check }),
    ...placeholders.fields(),
  };
}

/** Returns the request fields of a query over one partition. */
export function queryFields(
  partition: string,
  range: SortKeyRange | undefined,
  attributes?: readonly string[],
) {
  const placeholders = new Placeholders();
  const conditions = [`${placeholders.name("pk")} = ${placeholders.value(partition)}`];
  if (range) conditions.push(rangeCondition(range, placeholders));

  return {
    KeyConditionExpression: conditions.join(" AND "),
    ...(attributes && { ProjectionExpression: attributes.map((name) => placeholders.name(name)).join(", ") }),
    ...placeholders.fields(),
  };
}

export const keyFields = ({ pk, sk }: Key): AttributeMap => ({ pk: { S: pk }, sk: { S: sk } });

function updateExpression(changes: CountingChanges, in_: Placeholders): string {
  const assignments = [
    ...Object.entries(changes.set ?? {}).map(([name, value]) => `${in_.name(name)} = ${in_.value(value)}`),
    ...Object.entries(changes.setIfAbsent ?? {}).map(
      ([name, value]) => `${in_.name(name)} = if_not_exists(${in_.name(name)}, ${in_.value(value)})`,
    ),
  ];
  const additions = Object.entries(changes.add ?? {}).map(
    ([name, value]) => `${in_.name(name)} ${in_.value(value)}`,
  );
  const removals = (changes.remove ?? []).map((name) => in_.name(name));
  const deletions = Object.entries(changes.takeOut ?? {}).map(
    ([name, texts]) => `${in_.name(name)} ${in_.value(texts)}`,
  );

  return [
    clause("SET", assignments),
    clause("ADD", additions),
    clause("DELETE", deletions),
    clause("REMOVE", removals),
  ]
    .filter(Boolean)
    .join(" ");
}

const clause = (word: string, parts: readonly string[]): string =>
  parts.length > 0 ? `${word} ${parts.join(", ")}` : "";

function rangeCondition(range: SortKeyRange, in_: Placeholders): string {
  const sk = in_.name("sk");
  if ("beginsWith" in range) return `begins_with(${sk}, ${in_.value(range.beginsWith)})`;
  if ("before" in range) return `${sk} < ${in_.value(range.before)}`;
  return `${sk} BETWEEN ${in_.value(range.between[0])} AND ${in_.value(range.between[1])}`;
}

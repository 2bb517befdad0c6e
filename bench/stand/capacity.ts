import { field } from "../../scripts/json.ts";

/** What DynamoDB charges for: a read unit is up to 4 KB read consistently, a write unit up to 1 KB written. */
export interface Capacity {
  readonly reads: number;
  readonly writes: number;
}

const READS = new Set(["GetItem", "BatchGetItem", "Query", "Scan", "TransactGetItems"]);

/** Returns the body of a request with the wish that its answer says what it has consumed. */
export function askingForCapacity(body: Buffer): Buffer {
  const input: unknown = JSON.parse(body.toString());
  return Buffer.from(JSON.stringify({ ...Object(input), ReturnConsumedCapacity: "TOTAL" }));
}

/** Returns the units that an operation's answer reports. A refused request reports none, although DynamoDB charges for some. */
export function capacityOf(operation: string, answer: Buffer): Capacity {
  const consumed: unknown = field(JSON.parse(answer.toString()), "ConsumedCapacity") ?? [];
  const units = [consumed].flat().reduce((sum: number, one) => sum + Number(field(one, "CapacityUnits")), 0);
  return READS.has(operation) ? { reads: units, writes: 0 } : { reads: 0, writes: units };
}

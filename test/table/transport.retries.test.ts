import { describe, expect, it } from "vitest";
import { TableUnavailable } from "../../src/table/errors.ts";
import { OperationFailed } from "../../src/table/transport.ts";
import { rejection } from "./quick-table.ts";
import {
  answers,
  breaksConnection,
  refuses,
  type Reply,
  respondsWith,
  scriptedTransport,
  times,
} from "./scripted-transport.ts";

const THROTTLES = [
  "ProvisionedThroughputExceededException",
  "ThrottlingException",
  "Throttling",
  "RequestLimitExceeded",
  "LimitExceededException",
  "TooManyRequestsException",
  "BandwidthLimitExceeded",
  "SlowDown",
  "PriorRequestNotComplete",
];
const TRANSIENT = [
  "InternalServerError",
  "InternalFailure",
  "ServiceUnavailable",
  "RequestTimeout",
  "TimeoutError",
];
const CONFLICTS = [
  "TransactionInProgressException",
  "TransactionConflictException",
  "ReplicatedWriteConflictException",
];
const NEVER = [
  "ValidationException",
  "ConditionalCheckFailedException",
  "AccessDeniedException",
  "ResourceNotFoundException",
  "IdempotentParameterMismatchException",
  "SerializationException",
  "ANameNobodyKnows",
];

describe("an operation that fails twice and then succeeds", () => {
  const passing: [string, Reply][] = [
    ...[...THROTTLES, ...TRANSIENT, ...CONFLICTS].map((name): [string, Reply] => [name, refuses(name)]),
    ...[500, 502, 503, 504].map((status): [string, Reply] => [`an empty ${status}`, respondsWith(status)]),
    ["a 500 with an unknown name", refuses("Unheard", { status: 500 })],
    ["a 503 without a name", () => Response.json({}, { status: 503 })],
    ["a broken connection", breaksConnection],
    ["a 200 that is no JSON", respondsWith(200, "<html></html>")],
    ["a 200 cut in the middle", respondsWith(200, '{"Item":{"pk"')],
    ["a 200 that is no object", respondsWith(200, "null")],
    ["a 400 that is no JSON", respondsWith(400, "Bad Request")],
  ];

  it.each(passing)("succeeds at the third attempt after %s", async (_case, failure) => {
    const { send, requests } = scriptedTransport([failure, failure, answers({ Count: 7 })]);

    expect(await send("Query", {})).toEqual({ Count: 7 });
    expect(requests).toHaveLength(3);
  });
});

describe("a permanent failure", () => {
  it.each(NEVER)("is reported after one attempt: %s", async (name) => {
    const { send, requests, waits } = scriptedTransport([
      refuses(name, { body: { message: "Because.", Item: { pk: { S: "1" } } } }),
      answers(),
    ]);

    const error = await rejection(send("PutItem", {}));

    expect(error).toBeInstanceOf(OperationFailed);
    expect(error).toMatchObject({ type: name, attempts: 1, body: { Item: { pk: { S: "1" } } } });
    expect(String(error)).toBe(`OperationFailed: ${name}: Because.`);
    expect(requests).toHaveLength(1);
    expect(waits).toEqual([]);
  });

  it("ends the retries in a later attempt, and states the number of attempts", async () => {
    const { send, requests } = scriptedTransport([
      breaksConnection,
      respondsWith(503),
      refuses("ConditionalCheckFailedException"),
      answers(),
    ]);

    const error = await rejection(send("PutItem", {}));

    expect(error).toMatchObject({ type: "ConditionalCheckFailedException", attempts: 3 });
    expect(requests).toHaveLength(3);
  });
});

describe("the waits between attempts", () => {
  it.each<[string, Reply, number[]]>([
    ["a transient fault", respondsWith(500), [50, 100, 200]],
    ["a broken connection", breaksConnection, [50, 100, 200]],
    ["throttling", refuses("ThrottlingException"), [1_000, 2_000, 4_000]],
    ["a conflict", refuses("TransactionConflictException"), [25, 50, 100, 200, 400, 500, 500, 500, 500]],
  ])("double after %s, up to a maximum, with full jitter", async (_case, failure, caps) => {
    const longest = scriptedTransport([failure]);
    const shortest = scriptedTransport([failure], () => 0);

    await Promise.all([rejection(longest.send("GetItem", {})), rejection(shortest.send("GetItem", {}))]);

    expect(longest.waits).toHaveLength(caps.length);
    longest.waits.forEach((wait, index) => {
      expect(wait).toBeLessThan(caps[index] ?? 0);
      expect(wait).toBeCloseTo(caps[index] ?? 0, 5);
    });
    expect(shortest.waits).toEqual(caps.map(() => 0));
  });

  it("follow the rule of each failure if failures differ", async () => {
    const { send, waits } = scriptedTransport(
      [respondsWith(500), refuses("SlowDown"), respondsWith(500), answers()],
      () => 0.5,
    );

    await send("GetItem", {});

    expect(waits).toEqual([25, 1_000, 100]);
  });
});

describe("an operation that keeps failing", () => {
  it.each<[string, Reply, number]>([
    ["transient faults", respondsWith(503), 4],
    ["broken connections", breaksConnection, 4],
    ["throttles", refuses("ProvisionedThroughputExceededException"), 4],
    ["conflicts", refuses("TransactionInProgressException"), 10],
  ])("counts as an outage after all attempts at %s", async (_case, failure, attempts) => {
    const { send, requests } = scriptedTransport([failure]);

    const error = await rejection(send("GetItem", {}));

    expect(error).toBeInstanceOf(TableUnavailable);
    expect(error).toMatchObject({ code: "unavailable", status: 503, retryAfter: 1, retryable: true });
    expect(requests).toHaveLength(attempts);
  });

  it("keeps the last failure as the cause, for the log", async () => {
    const { send } = scriptedTransport([...times(3, breaksConnection), refuses("SlowDown")]);

    const error = await rejection(send("GetItem", {}));

    expect(error).toMatchObject({ cause: { type: "SlowDown", attempts: 4 } });
  });
});

describe("every attempt", () => {
  it("carries the same body, the operation's name and a signature", async () => {
    const { send, requests } = scriptedTransport([...times(2, respondsWith(500)), answers()]);

    await send("PutItem", { TableName: "t", Item: { pk: { S: "é" } } });

    const bodies = await Promise.all(requests.map((request) => request.text()));
    expect(bodies).toEqual(Array(3).fill('{"TableName":"t","Item":{"pk":{"S":"é"}}}'));
    for (const { method, headers, url } of requests) {
      expect(method).toBe("POST");
      expect(url).toBe("https://dynamodb.eu-west-2.amazonaws.com/");
      expect(headers.get("x-amz-target")).toBe("DynamoDB_20120810.PutItem");
      expect(headers.get("content-type")).toBe("application/x-amz-json-1.0");
      expect(headers.get("authorization")).toMatch(
        /^AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE\/\d{8}\/eu-west-2\/dynamodb\/aws4_request, SignedHeaders=.*x-amz-target.*, Signature=[0-9a-f]{64}$/,
      );
    }
  });
});

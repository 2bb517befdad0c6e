import { setTimeout as sleep } from "node:timers/promises";

import { AwsClient } from "aws4fetch";

import { field, parseJson } from "./json.ts";

const REQUEST_MS = 10_000;
const ATTEMPTS = 4;
const FIRST_PAUSE_MS = 200;
const ACTIVE_MS = 60_000;
const POLL_MS = 500;

const TTL_ATTRIBUTE = "ttl";

/** DynamoDB answers these with 400, though the same request may succeed a moment later. */
const THROTTLED = new Set([
  "ThrottlingException",
  "Throttling",
  "RequestLimitExceeded",
  "ProvisionedThroughputExceededException",
  "LimitExceededException",
]);

/** Where a table is, and the credentials for it. */
export interface TableTarget {
  /** URL of the database, without a path. */
  readonly endpoint: string;
  readonly region: string;
  /** Name of the table. */
  readonly table: string;
  readonly credentials: {
    readonly accessKeyId: string;
    readonly secretAccessKey: string;
    readonly sessionToken?: string;
  };
}

/**
 * A refusal by DynamoDB, or no answer (`code` is then `Unreachable`). The message is one line for people.
 */
export class TableError extends Error {
  override readonly name = "TableError";
  /** DynamoDB's name of the error, such as `AccessDeniedException`. */
  readonly code: string;

  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/**
 * Creates the table with its keys and its time-to-live attribute unless it is there, and waits until it is
 * usable.
 *
 * Takes where the table belongs; returns whether it was created or existed. Throws `TableError` when DynamoDB
 * refuses or does not answer, or when a table of that name has other keys.
 */
export async function ensureTable(target: TableTarget): Promise<"created" | "existed"> {
  const call = caller(target);

  const found = await describe(call, target.table);
  const created = found === undefined && (await create(call, target.table));
  await waitUntilActive(call, target.table);
  await ensureTimeToLive(call, target.table);

  return created ? "created" : "existed";
}

/**
 * Reads the table's place and credentials from environment variables.
 *
 * Empty variables count as absent. Throws a one-line error when credentials are missing.
 */
export function tableTargetFrom(env: Readonly<Record<string, string | undefined>>): TableTarget {
  const accessKeyId = env["AWS_ACCESS_KEY_ID"];
  const secretAccessKey = env["AWS_SECRET_ACCESS_KEY"];
  if (!accessKeyId || !secretAccessKey) {
    throw new Error("DynamoDB needs credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.");
  }

  const region = env["AWS_REGION"] || "eu-west-2";
  const sessionToken = env["AWS_SESSION_TOKEN"];
  return {
    endpoint: env["DYNAMODB_ENDPOINT"] || `https://dynamodb.${region}.amazonaws.com`,
    region,
    table: env["DYNAMODB_TABLE"] || "dynamic-agent-builder-main",
    credentials: { accessKeyId, secretAccessKey, ...(sessionToken ? { sessionToken } : {}) },
  };
}

type Call = (operation: string, input: object) => Promise<unknown>;

/** Signs and sends a request. Retries after throttling and server errors. */
function caller(target: TableTarget): Call {
  const aws = new AwsClient({
    ...target.credentials,
    service: "dynamodb",
    region: target.region,
    retries: 0,
  });

  return async (operation, input) => {
    for (let attempt = 1; ; attempt++) {
      const response = await send(aws, target.endpoint, operation, input);
      const answer = parseJson(await response.text());
      if (response.ok) return answer;

      const error = refusal(operation, response.status, answer);
      const passing = response.status >= 500 || THROTTLED.has(error.code);
      if (!passing || attempt === ATTEMPTS) throw error;
      await sleep(FIRST_PAUSE_MS * 2 ** (attempt - 1));
    }
  };
}

async function send(aws: AwsClient, endpoint: string, operation: string, input: object): Promise<Response> {
  try {
    const signed = await aws.sign(endpoint, {
      method: "POST",
      headers: {
        "content-type": "application/x-amz-json-1.0",
        "x-amz-target": `DynamoDB_20120810.${operation}`,
      },
      body: JSON.stringify(input),
    });
    return await fetch(signed, { signal: AbortSignal.timeout(REQUEST_MS) });
  } catch (cause) {
    throw new TableError("Unreachable", `DynamoDB does not answer at ${endpoint} (${reason(cause)}).`, {
      cause,
    });
  }
}

function reason(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause);
  if (cause.name === "TimeoutError") return `no answer within ${REQUEST_MS / 1000} s`;

  const code = field(cause.cause, "code");
  return typeof code === "string" ? code : cause.message;
}

function refusal(operation: string, status: number, answer: unknown): TableError {
  const type = field(answer, "__type");
  const code = typeof type === "string" ? (type.split("#").at(-1) ?? type) : `HTTP ${status}`;
  const text = field(answer, "message") ?? field(answer, "Message");

  const detail = typeof text === "string" && text !== "" ? `: ${text}` : "";
  return new TableError(code, `DynamoDB refused ${operation} with ${code}${detail}`);
}

/** Returns the table's description, or `undefined` if there is no such table. */
async function describe(call: Call, table: string): Promise<unknown> {
  try {
    const description = field(await call("DescribeTable", { TableName: table }), "Table");
    checkKeys(table, description);
    return description;
  } catch (error) {
    if (error instanceof TableError && error.code === "ResourceNotFoundException") return undefined;
    throw error;
  }
}

function checkKeys(table: string, description: unknown): void {
  const schema = field(description, "KeySchema");
  const keys = Array.isArray(schema)
    ? schema.map((key: unknown) => `${String(field(key, "AttributeName"))} ${String(field(key, "KeyType"))}`)
    : [];
  if (keys.join(", ") === "pk HASH, sk RANGE") return;

  throw new TableError(
    "WrongKeys",
    `The table ${table} has the keys "${keys.join(", ")}" instead of pk and sk.`,
  );
}

/** Returns whether this call created the table: another process may have been quicker. */
async function create(call: Call, table: string): Promise<boolean> {
  try {
    await call("CreateTable", {
      TableName: table,
      BillingMode: "PAY_PER_REQUEST",
      AttributeDefinitions: [
        { AttributeName: "pk", AttributeType: "S" },
        { AttributeName: "sk", AttributeType: "S" },
      ],
      KeySchema: [
        { AttributeName: "pk", KeyType: "HASH" },
        { AttributeName: "sk", KeyType: "RANGE" },
      ],
    });
    return true;
  } catch (error) {
    if (error instanceof TableError && error.code === "ResourceInUseException") return false;
    throw error;
  }
}

async function waitUntilActive(call: Call, table: string): Promise<void> {
  const deadline = Date.now() + ACTIVE_MS;
  while (Date.now() < deadline) {
    const status = field(await describe(call, table), "TableStatus");
    if (status === "ACTIVE" || status === "UPDATING") return;
    await sleep(POLL_MS);
  }
  throw new TableError("NotActive", `The table ${table} did not become active within ${ACTIVE_MS / 1000} s.`);
}

async function ensureTimeToLive(call: Call, table: string): Promise<void> {
  const answer = await call("DescribeTimeToLive", { TableName: table });
  const current = field(answer, "TimeToLiveDescription");
  const status = field(current, "TimeToLiveStatus");
  const attribute = field(current, "AttributeName");

  if (status === "ENABLED" || status === "ENABLING") {
    if (attribute === TTL_ATTRIBUTE) return;
    throw new TableError(
      "WrongTimeToLive",
      `The table ${table} expires items by "${String(attribute)}", not "ttl".`,
    );
  }

  await call("UpdateTimeToLive", {
    TableName: table,
    TimeToLiveSpecification: { Enabled: true, AttributeName: TTL_ATTRIBUTE },
  });
}

async function main(): Promise<void> {
  try {
    const target = tableTargetFrom(process.env);
    const outcome = await ensureTable(target);
    console.log(`${target.table} ${outcome} at ${target.endpoint}`);
  } catch (error) {
    console.error(error instanceof Error ? error.message : String(error));
    process.exitCode = 1;
  }
}

if (import.meta.main) await main();

import { randomUUID } from "node:crypto";

import { AwsClient } from "aws4fetch";

import { limitedFetch } from "../../src/shared/limited-fetch.ts";
import { isAws } from "../database.ts";
import { field, parseJson } from "../json.ts";
import { type TableTarget, tableTargetFrom } from "../table.ts";
import { type CheckContext, type Finding, listed, note, ok, reasonOf, wrong } from "./finding.ts";

/** The answers are descriptions and refusals of a few kilobytes. */
const MAX_ANSWER_BYTES = 1_000_000;
/** AWS refuses requests, and Stripe's signatures are refused, from five minutes on; sign-in tolerates 30 seconds. */
const MAX_SKEW_SECONDS = 30;

/** An answer of DynamoDB, or its refusal. */
interface TableAnswer {
  /** The name of the refusal; `undefined` if it has done what was asked. */
  readonly refusal: string | undefined;
  readonly message: string;
  readonly body: unknown;
  /** The server's clock, in milliseconds since 1970; `undefined` if it does not say. */
  readonly serverTime: number | undefined;
}

type Call = (operation: string, input: object) => Promise<TableAnswer>;

/**
 * Checks that the table is there, has the right keys and expires items, that the credentials may do all that the service does, and
 * that this machine's clock agrees with the database's. Nothing is written: every write has a condition that does not hold.
 */
export async function checkTable(context: CheckContext): Promise<readonly Finding[]> {
  const { variables, isLocal, signal, now } = context;
  const endpoint = variables["DYNAMODB_ENDPOINT"];
  if (endpoint === "embedded" || (isLocal && endpoint === undefined))
    return [ok("The embedded database is started with the service, which creates the table.")];

  const target = targetOf(variables, endpoint);
  if (typeof target === "string") return [wrong(target)];
  const call = callerOf(target, context);

  let first: TableAnswer;
  const sentAt = now();
  try {
    first = await call("GetItem", { TableName: target.table, Key: nobody() });
  } catch (error) {
    return [
      wrong(
        `The database does not answer at ${target.endpoint} (${reasonOf(error, signal)}). Check DYNAMODB_ENDPOINT, AWS_REGION and the network.`,
      ),
    ];
  }
  const clock = clockFindings(first, (sentAt + now()) / 2);
  const refused = refusalOf(first, target, endpoint);
  if (refused !== undefined) return [...clock, wrong(refused)];

  return [...clock, ...(await rightsFindings(call, target, first)), ...(await expiryFindings(call, target))];
}

/** Where the table is, or a sentence about what is wrong with the settings. */
function targetOf(variables: CheckContext["variables"], endpoint: string | undefined): TableTarget | string {
  if (endpoint !== undefined && !URL.canParse(endpoint))
    return `DYNAMODB_ENDPOINT has to be an address, not "${endpoint}".`;
  const placeholders =
    endpoint === undefined || isAws(endpoint)
      ? {}
      : { AWS_ACCESS_KEY_ID: "local", AWS_SECRET_ACCESS_KEY: "local" };
  try {
    return tableTargetFrom({ ...placeholders, ...variables });
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function callerOf({ credentials, region, endpoint }: TableTarget, { fetch, signal }: CheckContext): Call {
  const aws = new AwsClient({ ...credentials, service: "dynamodb", region, retries: 0 });
  const send = limitedFetch(fetch, MAX_ANSWER_BYTES);
  return async (operation, input) => {
    const signed = await aws.sign(endpoint, {
      method: "POST",
      headers: {
        "content-type": "application/x-amz-json-1.0",
        "x-amz-target": `DynamoDB_20120810.${operation}`,
      },
      body: JSON.stringify(input),
    });
    const response = await send(signed, { signal });
    const body = parseJson(await response.text());
    const type = String(field(body, "__type") ?? `HTTP ${response.status}`)
      .split("#")
      .at(-1);
    const message = field(body, "message") ?? field(body, "Message");
    const serverTime = Date.parse(response.headers.get("date") ?? "");
    return {
      refusal: response.ok ? undefined : type,
      message: typeof message === "string" ? message : "",
      body,
      serverTime: Number.isNaN(serverTime) ? undefined : serverTime,
    };
  };
}

/** A key that no item has. */
const nobody = () => ({ pk: { S: `Doctor#${randomUUID()}` }, sk: { S: "Doctor" } });

function clockFindings({ serverTime }: TableAnswer, machineTime: number): readonly Finding[] {
  if (serverTime === undefined)
    return [note("The database does not tell the time, so the clock was not checked.")];
  // The header is in whole seconds, cut off.
  const seconds = Math.round((machineTime - serverTime - 500) / 1_000);
  if (Math.abs(seconds) <= MAX_SKEW_SECONDS) return [ok("The clock agrees with the database's.")];
  return [
    wrong(
      `This machine's clock is ${Math.abs(seconds)} seconds ${seconds > 0 ? "ahead of" : "behind"} the database's. Signatures and tokens ` +
        "are refused if it is wrong: set it by NTP.",
    ),
  ];
}

/** Returns what a refused read says about the settings, or `undefined` if nothing is wrong. */
function refusalOf(
  { refusal, message }: TableAnswer,
  { table, endpoint, region }: TableTarget,
  given: string | undefined,
): string | undefined {
  switch (refusal) {
    case undefined:
    // A right that is missing is reported together with the others.
    case "AccessDeniedException":
      return undefined;
    case "ResourceNotFoundException":
      return `There is no table ${table} at ${endpoint}. Create it with credentials that may: npm run table. Or check DYNAMODB_TABLE and AWS_REGION.`;
    case "ValidationException":
      return `The table ${table} has other keys than pk (partition key, text) and sk (sort key, text). Let DYNAMODB_TABLE name another table, and create it: npm run table.`;
    case "UnrecognizedClientException":
    case "InvalidClientTokenId":
      return `The database does not know AWS_ACCESS_KEY_ID. Check that the key is active, and belongs to the account of the table.`;
    case "InvalidSignatureException":
    case "IncompleteSignatureException":
      return /expired|not yet current/iu.test(message)
        ? "The database refuses signatures of this time: the clock of this machine is wrong."
        : "AWS_SECRET_ACCESS_KEY does not belong to AWS_ACCESS_KEY_ID.";
    case "ExpiredTokenException":
      return "AWS_SESSION_TOKEN has expired. Get new credentials, or use those of a user.";
    default:
      return given === undefined
        ? `The database in ${region} refused to read the table ${table}: ${refusal}.`
        : `${endpoint} does not answer like DynamoDB: ${refusal}. Check DYNAMODB_ENDPOINT.`;
  }
}

/** A condition that does not hold for an item that does not exist. */
const NEVER = { ConditionExpression: "attribute_exists(pk)" };

/** Asks for everything that the service does, about an item that does not exist and that is not created. */
async function rightsFindings(
  call: Call,
  { table }: TableTarget,
  read: TableAnswer,
): Promise<readonly Finding[]> {
  const TableName = table;
  const tries: readonly (readonly [right: string, operation: string, input: object])[] = [
    ["BatchGetItem", "BatchGetItem", { RequestItems: { [table]: { Keys: [nobody()] } } }],
    [
      "Query",
      "Query",
      {
        TableName,
        KeyConditionExpression: "pk = :pk",
        ExpressionAttributeValues: { ":pk": nobody().pk },
        Limit: 1,
      },
    ],
    ["PutItem", "PutItem", { TableName, Item: nobody(), ...NEVER }],
    [
      "UpdateItem",
      "UpdateItem",
      {
        TableName,
        Key: nobody(),
        UpdateExpression: "SET doctor = :one",
        ExpressionAttributeValues: { ":one": { N: "1" } },
        ...NEVER,
      },
    ],
    ["DeleteItem", "DeleteItem", { TableName, Key: nobody(), ...NEVER }],
    [
      "BatchWriteItem",
      "BatchWriteItem",
      { RequestItems: { [table]: [{ DeleteRequest: { Key: nobody() } }] } },
    ],
    [
      "ConditionCheckItem",
      "TransactWriteItems",
      { TransactItems: [{ ConditionCheck: { TableName, Key: nobody(), ...NEVER } }] },
    ],
  ];
  const answers = await Promise.all(
    tries.map(async ([right, operation, input]) => [right, (await call(operation, input)).refusal] as const),
  );
  const denied = [["GetItem", read.refusal] as const, ...answers]
    .filter(([, refusal]) => refusal === "AccessDeniedException")
    .map(([right]) => `dynamodb:${right}`);
  if (denied.length === 0) return [ok(`The credentials may read and write the table ${table}.`)];
  return [
    wrong(
      `The credentials lack ${listed(denied)} on the table ${table}. Add ${denied.length === 1 ? "it" : "them"} to the policy of their user; docs/configuration.md lists all.`,
    ),
  ];
}

async function expiryFindings(call: Call, { table }: TableTarget): Promise<readonly Finding[]> {
  const { refusal, body } = await call("DescribeTimeToLive", { TableName: table });
  if (refusal === "AccessDeniedException")
    return [
      note(
        "The credentials may not read whether the table expires items, which the service does not need. `npm run table` checks it, with other credentials.",
      ),
    ];
  if (refusal !== undefined)
    return [note(`The database does not say whether the table expires items (${refusal}).`)];

  const description = field(body, "TimeToLiveDescription");
  const status = field(description, "TimeToLiveStatus");
  const attribute = field(description, "AttributeName");
  if (status !== "ENABLED" && status !== "ENABLING")
    return [
      wrong(
        `The table ${table} does not expire items, so it keeps old runs and sessions for ever. Turn its time to live on: npm run table`,
      ),
    ];
  if (attribute !== "ttl")
    return [
      wrong(
        `The table ${table} expires items by the attribute "${String(attribute)}", not "ttl". Change its time to live at AWS.`,
      ),
    ];
  return [ok("The table expires items by their ttl.")];
}

import { globSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";

const PROJECT = join(import.meta.dirname, "../..");

/** Every operation of DynamoDB's API, by the words that its names begin with. */
const OPERATION =
  /^(?:Batch|Create|Delete|Describe|Disable|Enable|Execute|Export|Get|Import|List|Put|Restore|Tag|Transact|Untag|Update)\w*(?:Items?|Statement|Transaction|Table|Tables|TableToPointInTime|TableFromBackup|Backups?|ContinuousBackups|TimeToLive|GlobalTables?|GlobalTableSettings|Limits|Endpoints|Resource|ResourcePolicy|TagsOfResource|Exports?|Imports?|ContributorInsights|KinesisStreamingDestination|TableReplicaAutoScaling)$/u;

/** The rights that an operation needs, where they are not one right of its own name. */
const RIGHTS: Readonly<Record<string, readonly string[]>> = {
  TransactGetItems: ["GetItem"],
  TransactWriteItems: ["ConditionCheckItem", "DeleteItem", "PutItem", "UpdateItem"],
};

const source = async (files: readonly string[]) =>
  Promise.all(files.map(async (file) => ({ file, text: await readFile(join(PROJECT, file), "utf8") })));

/** The operations that a text names as string literals. */
const operationsIn = (text: string): readonly string[] =>
  [...text.matchAll(/"([A-Z]\w+)"/gu)]
    .map(([, name = ""]) => name)
    .filter((name) => OPERATION.test(name) || name === "Query" || name === "Scan");

async function documentedRights(): Promise<readonly string[]> {
  const page = await readFile(join(PROJECT, "docs/deploying.md"), "utf8");
  const policy: unknown = JSON.parse(/^```json\n([\s\S]*?)^```$/mu.exec(page)?.[1] ?? "");
  expect(policy).toMatchObject({ Statement: [{ Effect: "Allow", Resource: /:table\/[\w-]+$/u }] });
  return (policy as { Statement: [{ Action: string[] }] }).Statement[0].Action;
}

it("allows exactly the operations that the service sends to DynamoDB", async () => {
  const files = await source(globSync("src/table/*.ts", { cwd: PROJECT }));
  const operations = files.flatMap(({ text }) => operationsIn(text));
  const needed = operations.flatMap((name) => RIGHTS[name] ?? [name]).map((name) => `dynamodb:${name}`);

  expect(await documentedRights()).toEqual([...new Set(needed)].toSorted());
});

it("sends requests to DynamoDB from src/table only, and names each operation where it sends it", async () => {
  const files = await source(globSync("src/**/*.ts", { cwd: PROJECT }));

  const senders = files.filter(({ text }) => /x-amz-target/iu.test(text)).map(({ file }) => file);
  expect(senders).toEqual(["src/table/transport.ts"]);
  const client = files.find(({ file }) => file === "src/table/client.ts")?.text ?? "";
  // Calls that pass an operation on: their callers name it.
  const passed = [...client.matchAll(/#(?:send|call|conditional|untilDone)\(\s*([^",)\s]+)[,)]/gu)];
  expect(new Set(passed.map(([, argument]) => argument))).toEqual(new Set(["operation"]));
});

it("recognises operations that the service does not use yet", () => {
  const text = `"Scan" "TransactGetItems" "DescribeTable" "UpdateTimeToLive" "ExecuteStatement" "Item"`;

  expect(operationsIn(text)).toEqual([
    "Scan",
    "TransactGetItems",
    "DescribeTable",
    "UpdateTimeToLive",
    "ExecuteStatement",
  ]);
});

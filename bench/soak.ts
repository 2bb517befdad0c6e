import { cpus } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import type { Responder } from "../scripts/model-server.ts";
import { positiveNumbers } from "./arguments.ts";
import { LoadClient } from "./stand/client.ts";
import { reconcile } from "./stand/reconcile.ts";
import { openStand } from "./stand/stand.ts";
import type { Usage } from "./stand/worker.ts";

/**
 * Scenario 34. `npm run soak [minutes] [conversations]`: talks in 100 conversations for ten minutes, while 5 % of the database's
 * requests fail, clients disconnect and cancel, and the service is killed and started again in the middle. Then everything that is
 * stored must add up, no run may be left open, and memory and file descriptors must not have grown. Exits with 1 otherwise.
 */
const USAGE = "Usage: npm run soak -- [minutes, at least 2] [conversations], for example 2 20";
const [minutes = 10, conversations = 100] = positiveNumbers(process.argv.slice(2), USAGE);
/** A shorter soak would be over before each conversation has met faults on both sides of the restart. */
const MIN_MINUTES = 2;
if (minutes < MIN_MINUTES) {
  console.error(USAGE);
  process.exit(1);
}
const FAULTS = 0.05;
const SAMPLE_MS = 5_000;
/** Short memories, few enough to stay below the size at which memory is compacted. */
const MAX_FACTS = 25;

/** How long the heap of a new process grows in any case, until its code is optimised and its caches are full. */
const WARM_UP_MS = 60_000;
/** How many samples growth is judged by: those of 50 seconds. With the warm-up, that takes a soak of four minutes. */
const MIN_SAMPLES = 10;
/** How much the averages of the last third may exceed those of the first, as a share and in bytes or descriptors. */
const GROWTH = { share: 0.1, memoryBytes: 30e6, files: 30 } as const;
/** An object closes its files ten seconds after its last use. */
const QUIET_MS = 15_000;

const facts: string[] = [];
/** Facts whose edit of the memory was reported to the model as done. */
const remembered = new Set<string>();

const respond: Responder = ({ messages }) => {
  const last = messages.at(-1);
  const text = JSON.stringify(last);
  if (last?.role === "tool") {
    const fact =
      facts.find((one) => text.includes(one)) ??
      facts.find((one) => JSON.stringify(messages.at(-2)).includes(one));
    if (fact !== undefined && !text.includes("Error")) remembered.add(fact);
    return [{ text: "Noted." }];
  }
  if (facts.length < MAX_FACTS && Math.random() < 0.02) {
    const fact = `fact-${crypto.randomUUID().slice(0, 8)}`;
    facts.push(fact);
    return [
      { call: { name: "core_memory_append", arguments: JSON.stringify({ block: "human", content: fact }) } },
    ];
  }
  return [{ text: "One " }, { wait: 40 }, { text: "two " }, { wait: 40 }, { text: "three." }];
};

await using stand = await openStand({ behaviour: { delayMs: 2 }, respond });
const { files: filesAtStart } = await stand.worker.usage();
const client = new LoadClient(stand.worker.url);
await client.signUp("soak");
const agentId = await client.createAgent("demo");
await client.json("GET", `/agents/${agentId}/memory-blocks`);
const talks = await client.converse(agentId, conversations);
Object.assign(stand.proxy.behaviour, { conflicts: true, faults: FAULTS });

console.log(`${cpus()[0]?.model} × ${cpus().length}, ${conversations} conversations, ${minutes} minutes`);
const did = { answered: 0, left: 0, cancelled: 0, refused: 0, failed: 0 };
const end = Date.now() + minutes * 60_000;
const samples: Usage[] = [];
await Promise.all([...talks.map(talk), restartInTheMiddle(), sampleUsage()]);

stand.proxy.behaviour.faults = 0;
console.log(JSON.stringify(did));
const problems = [
  ...(await reconcile({ client, agentId, talks, table: stand.table, remembered })),
  ...(await growth()),
];
for (const problem of problems) console.log(`  short: ${problem}`);
console.log(problems.length === 0 ? "Everything adds up." : `${problems.length} problems.`);
client.close();
if (problems.length > 0) process.exitCode = 1;

/** Talks until the time is over. Nothing that goes wrong on the way matters: what is stored is examined at the end. */
async function talk(conversationId: string): Promise<void> {
  const path = `/agents/${agentId}/${conversationId}/send-message`;
  while (Date.now() < end) {
    try {
      const chance = Math.random();
      const response = await client.open("POST", path, { content: `Hello ${crypto.randomUUID()}` });
      if (response.status !== 200) {
        did.refused++;
        await response.text();
      } else if (chance < 0.15) {
        response.leave();
        did.left++;
      } else if (chance < 0.3) {
        await cancel(conversationId);
        await response.text();
        did.cancelled++;
      } else {
        await response.text();
        did.answered++;
      }
    } catch {
      did.failed++;
    }
    await sleep(Math.random() * 2_000);
  }
}

async function cancel(conversationId: string): Promise<void> {
  const { body } = await client.json("GET", `/conversations/${conversationId}/runs?limit=1`);
  // The API's page of runs.
  const [run] = body["items"] as readonly { readonly run_id: string }[];
  if (run) await client.json("POST", `/conversations/${conversationId}/runs/${run.run_id}/cancel`);
}

async function restartInTheMiddle(): Promise<void> {
  await sleep((minutes * 60_000) / 2);
  await stand.worker.restart();
  await sleep(WARM_UP_MS);
  samples.length = 0;
}

/** Samples the process that serves the second half. */
async function sampleUsage(): Promise<void> {
  while (Date.now() < end) {
    await sleep(SAMPLE_MS);
    // While the process restarts, there is none.
    const usage = await stand.worker.usage().catch(() => undefined);
    if (usage) samples.push(usage);
  }
}

/** Compares the last third of the samples with the first one, and the descriptors of the idle service with those at its start. */
async function growth(): Promise<readonly string[]> {
  const problems = samples.length < MIN_SAMPLES ? [] : [...growthOf("memoryBytes"), ...growthOf("files")];
  if (samples.length < MIN_SAMPLES)
    console.log("growth under load: not judged, which takes a soak of four minutes or more");

  await sleep(QUIET_MS);
  const { files } = await stand.worker.usage();
  console.log(`file descriptors: ${filesAtStart} at the start, ${files} when quiet again`);
  return files > filesAtStart + GROWTH.files
    ? [...problems, `${files} files are open although nobody talks`]
    : problems;
}

function growthOf(name: "memoryBytes" | "files"): readonly string[] {
  const third = Math.floor(samples.length / 3);
  const mean = (some: readonly Usage[]) => some.reduce((sum, sample) => sum + sample[name], 0) / some.length;
  const [first, last] = [mean(samples.slice(0, third)), mean(samples.slice(-third))];
  console.log(`${name}: ${Math.round(first)} at first, ${Math.round(last)} at last`);
  return last > first * (1 + GROWTH.share) + GROWTH[name] ? [`${name} grew from ${first} to ${last}`] : [];
}

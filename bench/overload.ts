import { cpus } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { positiveNumbers } from "./arguments.ts";
import { LoadClient, type Sent } from "./stand/client.ts";
import { openStand } from "./stand/stand.ts";

/**
 * `npm run overload [seconds] [multiples…]`: sends messages at 1, 2, 3 and 5 times the rate that the service can answer, for 60
 * seconds each, and shows what comes of it: the answers per second that were complete, the refusals and how long they took, and how
 * soon a message is begun as usual again afterwards. Then 50, 200, 500 and 800 messages at once.
 */
const [seconds = 60, ...given] = positiveNumbers(
  process.argv.slice(2),
  "Usage: npm run overload -- [seconds] [multiples of the capacity], for example 30 1 3",
);
const multiples = given.length > 0 ? given : [1, 2, 3, 5];

/** As many as begin at one time, and some that are being answered. */
const PARALLEL_AT_CAPACITY = 48;
const CAPACITY_SECONDS = Math.min(seconds, 15);
const CROWDS = [50, 200, 500, 800];
/** Enough for all messages that are under way at one time. */
const CONVERSATIONS = 1_500;
/** A message that is begun within this time, in milliseconds, is begun as usual. */
const USUAL_MS = 1_000;
const GIVE_UP_SECONDS = 30;

await using stand = await openStand({ behaviour: { conflicts: true } });
const client = new LoadClient(stand.worker.url);
await client.signUp("overload");
const agentId = await client.createAgent("demo");
const idle = await createConversations(CONVERSATIONS);

console.log(`${cpus()[0]?.model} × ${cpus().length}, database 5 ms with conflicts; times in milliseconds`);
const capacity = await measureCapacity();
console.log(`capacity: ${capacity.toFixed(1)} answers per second\n`);
console.log(
  "load | sent/s | answers/s | of capacity | begun p50 / p95 | refused | refused p50 / max | failed | recovery",
);
for (const multiple of multiples) {
  const { sending, endedAt } = await flood(capacity * multiple);
  const recovery = await recoveryMs();
  const sent = await Promise.all(sending);
  const rate =
    count(
      sent.filter((one) => one.endedAt <= endedAt),
      "answered",
    ) / seconds;
  console.log(
    [
      `${multiple} ×`,
      (sent.length / seconds).toFixed(1),
      rate.toFixed(1),
      `${Math.round((100 * rate) / capacity)} %`,
      `${at(begunMs(sent, "answered"), 0.5)} / ${at(begunMs(sent, "answered"), 0.95)}`,
      count(sent, "refused"),
      `${at(begunMs(sent, "refused"), 0.5)} / ${at(begunMs(sent, "refused"), 1)}`,
      count(sent, "failed"),
      recovery === undefined ? `> ${GIVE_UP_SECONDS} s` : recovery,
    ].join(" | "),
  );
  showFailures(sent);
}

console.log(
  "\nat once | answered | last answer | refused | refused p50 / max | failed | transactions | conflicts",
);
for (const size of CROWDS) {
  stand.proxy.takeRequests();
  const startedAt = performance.now();
  const sent = await Promise.all(idle.slice(0, size).map((id) => client.send(agentId, id, "Hello")));
  const tookMs = Math.round(performance.now() - startedAt);
  const transactions = stand.proxy
    .takeRequests()
    .filter(({ operation }) => operation === "TransactWriteItems");
  console.log(
    [
      size,
      count(sent, "answered"),
      tookMs,
      count(sent, "refused"),
      `${at(begunMs(sent, "refused"), 0.5)} / ${at(begunMs(sent, "refused"), 1)}`,
      count(sent, "failed"),
      transactions.length,
      transactions.filter(({ conflicted }) => conflicted).length,
    ].join(" | "),
  );
  showFailures(sent);
}
client.close();

/** Creates conversations without the conflicts of creating many of one agent at once, which are not the subject. */
async function createConversations(size: number): Promise<string[]> {
  stand.proxy.behaviour.conflicts = false;
  const ids = await client.converse(agentId, size);
  stand.proxy.behaviour.conflicts = true;
  return ids;
}

/** Returns the answers per second if a new message is sent whenever one has been answered. */
async function measureCapacity(): Promise<number> {
  const end = performance.now() + CAPACITY_SECONDS * 1000;
  let answered = 0;
  const worker = async () => {
    while (performance.now() < end) {
      const sent = await sendOne();
      if (sent.outcome === "answered" && performance.now() < end) answered++;
    }
  };
  // The first messages load the code.
  await Promise.all(Array.from({ length: PARALLEL_AT_CAPACITY }, sendOne));
  const startedAt = performance.now();
  await Promise.all(Array.from({ length: PARALLEL_AT_CAPACITY }, worker));
  return answered / ((Math.max(end, startedAt) - startedAt) / 1000 || 1);
}

/** Sends at a constant rate, whatever comes back. Returns when the time is over, with what is still being answered. */
async function flood(perSecond: number) {
  const sending: Promise<Sent>[] = [];
  const startedAt = performance.now();
  for (;;) {
    const elapsed = (performance.now() - startedAt) / 1000;
    if (elapsed >= seconds) break;
    while (sending.length < elapsed * perSecond) sending.push(sendOne());
    await sleep(5);
  }
  return { sending, endedAt: performance.now() };
}

/** Returns how long it takes until a message is begun as usual, or `undefined` if that takes too long. */
async function recoveryMs(): Promise<number | undefined> {
  const startedAt = performance.now();
  while (performance.now() - startedAt < GIVE_UP_SECONDS * 1000) {
    const { outcome, begunMs: took } = await sendOne();
    if (outcome === "answered" && took < USUAL_MS) return Math.round(performance.now() - startedAt);
    await sleep(100);
  }
  return undefined;
}

/** Sends a message in a conversation that is not being answered. */
async function sendOne(): Promise<Sent> {
  const id = idle.pop();
  if (id === undefined) throw new Error("All conversations are busy. Increase CONVERSATIONS.");
  const sent = await client.send(agentId, id, "Hello");
  idle.unshift(id);
  return sent;
}

function count(sent: readonly Sent[], outcome: Sent["outcome"]): number {
  return sent.filter((one) => one.outcome === outcome).length;
}

function begunMs(sent: readonly Sent[], outcome: Sent["outcome"]): readonly number[] {
  return sent.filter((one) => one.outcome === outcome).map((one) => one.begunMs);
}

function at(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return Math.round(sorted[Math.min(Math.floor(sorted.length * share), sorted.length - 1)] ?? 0);
}

function showFailures(sent: readonly Sent[]): void {
  const details = new Set(sent.filter(({ outcome }) => outcome === "failed").map(({ detail }) => detail));
  for (const detail of [...details].slice(0, 5)) console.log(`  ${detail}`);
}

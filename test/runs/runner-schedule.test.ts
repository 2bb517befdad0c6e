import { expect, it } from "vitest";
import { RunnerSchedule } from "../../src/runs/runner-schedule.ts";

const NOW = 1_000_000;

interface Situation {
  readonly isBusy?: boolean;
  readonly unfinished?: number;
  readonly unsaved?: number;
  /** When the log's day is over; a log without this is empty. */
  readonly expiry?: number;
}

/** A schedule in this situation, and its calls to the storage, in order. */
function scheduleIn({ isBusy = false, unfinished = 0, unsaved = 0, expiry }: Situation) {
  const done: unknown[] = [];
  const note = (what: unknown) => {
    done.push(what);
    return Promise.resolve();
  };
  const schedule = new RunnerSchedule({
    storage: {
      setAlarm: (at) => note({ alarmIn: at - NOW }),
      deleteAlarm: () => note("no alarm"),
      deleteAll: () => note("no data"),
    },
    log: {
      prune: () => expiry,
      unfinished: () => Array.from({ length: unfinished }),
      unsaved: () => Array.from({ length: unsaved }),
      forgetTables: () => void note("no tables"),
    },
    isBusy: () => isBusy,
    now: () => NOW,
  });
  return { schedule, done };
}

const DAY = NOW + 86_400_000;

it.each<[string, Situation, number]>([
  ["a heartbeat while something is being done", { isBusy: true, expiry: DAY }, 30_000],
  ["a heartbeat while a dead run is not recovered", { unfinished: 1, expiry: DAY }, 30_000],
  ["a heartbeat while an end is not saved", { unsaved: 1, expiry: DAY }, 30_000],
  ["the end of the log's day when nothing is left to do", { expiry: DAY }, 86_400_000],
])("sets the alarm for %s", async (_case, situation, alarmIn) => {
  const { schedule, done } = scheduleIn(situation);

  await schedule.update();

  expect(done).toEqual([{ alarmIn }]);
});

it("keeps an alarm that is due soon enough, until it has gone off", async () => {
  const { schedule, done } = scheduleIn({ isBusy: true });

  await schedule.keepAlive();
  await schedule.update();
  expect(done).toEqual([{ alarmIn: 30_000 }]);

  schedule.rang();
  await schedule.update();
  expect(done).toEqual([{ alarmIn: 30_000 }, { alarmIn: 30_000 }]);
});

it("sets an alarm again that was removed with everything else", async () => {
  const { schedule, done } = scheduleIn({});

  await schedule.keepAlive();
  await schedule.update();
  await schedule.keepAlive();

  expect(done.filter((step) => typeof step === "object")).toHaveLength(2);
});

it("removes all data and the alarm if there is nothing to wait for", async () => {
  const { schedule, done } = scheduleIn({});

  await schedule.update();

  expect(done).toEqual(["no tables", "no alarm", "no data"]);
});

it("requests the removal synchronously", () => {
  const { schedule, done } = scheduleIn({});

  void schedule.update();

  expect(done).toEqual(["no tables", "no alarm", "no data"]);
});

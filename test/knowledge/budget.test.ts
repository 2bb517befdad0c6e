import { beforeAll, describe, expect, it, vi } from "vitest";
import { type Client, signUp, signUpFree, subscribe } from "../support/app.ts";
import { createBase, newJobId, pageAt, pagesUsed, pageServices, storedIn } from "../support/knowledge.ts";
import { setLimits } from "../support/limits.ts";

let services: Awaited<ReturnType<typeof pageServices>>;
beforeAll(async () => {
  services = await pageServices();
});

async function limited(kbPages: number): Promise<Client> {
  setLimits("free", { kb_pages: kbPages });
  return signUpFree();
}

const save = (
  base: Awaited<ReturnType<typeof createBase>>,
  index: number,
  jobId: ReturnType<typeof newJobId>,
) => services.pageService.save(base, pageAt(`/${index}`, `Text ${index}.`), { jobId });

describe("a reservation", () => {
  it("counts its pages at once, and a repeat gets the same number", async () => {
    const client = await limited(10);
    const base = await createBase(client);
    const [first, second, third] = [newJobId(), newJobId(), newJobId()];
    const { pageBudgetService: budget } = services;

    expect(await budget.reserve(base, first, 6)).toBe(6);
    expect(await budget.reserve(base, first, 8)).toBe(6);
    expect(await budget.reserve(base, second, 6)).toBe(4);
    expect(await budget.reserve(base, third, 1)).toBe(0);

    expect(await pagesUsed(client.email)).toBe(10);
  });

  it("never exceeds the plan, however many jobs begin at once", async () => {
    const client = await limited(10);
    const base = await createBase(client);

    const granted = await Promise.all(
      Array.from({ length: 6 }, () => services.pageBudgetService.reserve(base, newJobId(), 3)),
    );

    expect(granted.reduce((sum, pages) => sum + pages)).toBe(10);
    expect(await pagesUsed(client.email)).toBe(10);
  });

  it("is unlimited on a plan without a limit, and still counted", async () => {
    const client = await signUp();
    const base = await createBase(client);

    expect(await services.pageBudgetService.reserve(base, newJobId(), 5_000)).toBe(5_000);

    expect(await pagesUsed(client.email)).toBe(5_000);
  });

  it("may be asked for again after an upgrade if nothing was left", async () => {
    const client = await limited(1);
    const base = await createBase(client);
    const jobId = newJobId();
    await services.pageBudgetService.reserve(base, newJobId(), 1);
    expect(await services.pageBudgetService.reserve(base, jobId, 5)).toBe(0);

    await subscribe(client, { plan: "pro" });

    expect(await services.pageBudgetService.reserve(base, jobId, 5)).toBe(5);
  });

  it("is refused for a base that is deleted", async () => {
    const client = await signUp();
    const base = await createBase(client);
    await client("DELETE", `/knowledge-bases/${base.kbId}`);

    expect(await services.pageBudgetService.reserve(base, newJobId(), 5)).toBe(0);

    expect([await pagesUsed(client.email), await storedIn(base)]).toEqual([0, []]);
  });
});

describe("the pages of a job", () => {
  it("use what it has reserved, and no more", async () => {
    const client = await limited(10);
    const base = await createBase(client);
    const jobId = newJobId();
    await services.pageBudgetService.reserve(base, jobId, 2);

    const outcomes = await Promise.all([0, 1, 2, 3].map((index) => save(base, index, jobId)));

    expect(outcomes.toSorted()).toEqual(["over-limit", "over-limit", "stored", "stored"]);
    expect((await services.pageService.list(base, 10, undefined)).pages).toHaveLength(2);
    expect(await pagesUsed(client.email)).toBe(2);
  });

  it("cost nothing if they are unchanged", async () => {
    const client = await limited(10);
    const base = await createBase(client);
    const [first, second] = [newJobId(), newJobId()];
    await services.pageBudgetService.reserve(base, first, 1);
    await save(base, 0, first);

    expect(await save(base, 0, second)).toBe("unchanged");
    expect(await save(base, 1, second)).toBe("over-limit");
  });

  it("stay allowed although the plan has ended meanwhile", async () => {
    const client = await limited(0);
    setLimits("free", { kb_pages: 1 });
    await subscribe(client, { plan: "pro" });
    const base = await createBase(client);
    const jobId = newJobId();
    await services.pageBudgetService.reserve(base, jobId, 3);

    await subscribe(client, { plan: "pro", status: "canceled" });

    expect(await Promise.all([0, 1, 2].map((index) => save(base, index, jobId)))).toEqual([
      "stored",
      "stored",
      "stored",
    ]);
  });
});

describe("settling", () => {
  it("returns what was not stored to the budget, once, and closes the reservation", async () => {
    const client = await limited(10);
    const base = await createBase(client);
    const jobId = newJobId();
    const { pageBudgetService: budget } = services;
    await budget.reserve(base, jobId, 6);
    await save(base, 0, jobId);

    await Promise.all([budget.settle(base, jobId), budget.settle(base, jobId)]);
    await budget.settle(base, jobId);

    expect(await pagesUsed(client.email)).toBe(1);
    expect(await save(base, 1, jobId)).toBe("over-limit");
    expect(await budget.reserve(base, jobId, 4)).toBe(6);
  });

  it("cancels a reservation of which nothing was stored, so that the job may begin later", async () => {
    const client = await limited(10);
    const base = await createBase(client);
    const jobId = newJobId();
    const { pageBudgetService: budget } = services;
    await budget.reserve(base, jobId, 6);

    await Promise.all([budget.settle(base, jobId), budget.settle(base, jobId)]);
    expect(await pagesUsed(client.email)).toBe(0);
    expect(await save(base, 0, jobId)).toBe("over-limit");

    expect(await budget.reserve(base, jobId, 4)).toBe(4);
    expect(await save(base, 0, jobId)).toBe("stored");
    expect(await pagesUsed(client.email)).toBe(4);
  });

  it("is exact while pages are stored", async () => {
    const client = await limited(20);
    const base = await createBase(client);
    const jobId = newJobId();
    await services.pageBudgetService.reserve(base, jobId, 10);

    const [outcomes] = await Promise.all([
      Promise.all(Array.from({ length: 6 }, (_, index) => save(base, index, jobId))),
      services.pageBudgetService.settle(base, jobId),
    ]);

    const stored = outcomes.filter((outcome) => outcome === "stored").length;
    expect(await pagesUsed(client.email)).toBe(stored);
    expect((await services.pageService.list(base, 10, undefined)).pages).toHaveLength(stored);
  });

  it("does nothing for a job that has reserved nothing", async () => {
    const client = await signUp();
    const base = await createBase(client);

    await services.pageBudgetService.settle(base, newJobId());

    expect([await pagesUsed(client.email), await storedIn(base)]).toEqual([0, []]);
  });

  it("returns pages to the month in which they were reserved", async () => {
    const client = await limited(10);
    const base = await createBase(client);
    const jobId = newJobId();
    await services.pageBudgetService.reserve(base, jobId, 6);
    const used = await pagesUsed(client.email);

    vi.setSystemTime(Date.now() + 40 * 24 * 60 * 60 * 1000);
    try {
      await services.pageBudgetService.settle(base, jobId);
      expect(await pagesUsed(client.email)).toBe(0);
    } finally {
      vi.useRealTimers();
    }

    expect([used, await pagesUsed(client.email)]).toEqual([6, 0]);
  });

  it("is part of the deletion of a base, for all jobs that have not settled", async () => {
    const client = await limited(10);
    const base = await createBase(client);
    const [first, second] = [newJobId(), newJobId()];
    await services.pageBudgetService.reserve(base, first, 4);
    await services.pageBudgetService.reserve(base, second, 4);
    await save(base, 0, first);

    await client("DELETE", `/knowledge-bases/${base.kbId}`);

    expect(await pagesUsed(client.email)).toBe(1);
  });
});

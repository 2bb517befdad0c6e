import { expect, it } from "vitest";
import type { ConversationRunner } from "../../src/runs/conversation-runner.ts";
import { type CallOptions, DurableClient } from "../../src/shared/durable-client.ts";
import { refusalOf, type Reply } from "../../src/shared/durable-reply.ts";
import { AppError } from "../../src/shared/errors.ts";

/** A client whose objects answer in turn with these results; errors are thrown, as by an object that was reset. */
function scripted(...results: readonly (Reply<string> | Error | Promise<never>)[]) {
  const stubs: object[] = [];
  const placements: unknown[] = [];
  const namespace = {
    getByName: (name: string, options: unknown) => {
      placements.push(options);
      stubs.push({ name });
      return stubs.at(-1);
    },
  } as unknown as DurableObjectNamespace<ConversationRunner>;
  const client = new DurableClient({ namespace, region: "eu-west-2", unavailable: "Not there." });
  const used: unknown[] = [];
  const method = (stub: unknown): Promise<Reply<string>> => {
    used.push(stub);
    const result = results[used.length - 1];
    return result instanceof Error
      ? Promise.reject(result)
      : Promise.resolve(result ?? { answer: "more than was scripted" });
  };
  const call = (options?: CallOptions) => client.call("alice/1", method, options);
  return { call, used, placements };
}

const reset = () => Object.assign(new Error("Durable Object reset."), { durableObjectReset: true });

it("calls an object that was reset again, each time by a new stub", async () => {
  const { call, used } = scripted(reset(), new Error("Network connection lost."), { answer: "yes" });

  expect(await call()).toBe("yes");
  expect(new Set(used).size).toBe(3);
});

it("gives up after three calls", async () => {
  const { call, used } = scripted(reset(), reset(), reset());

  await expect(call()).rejects.toMatchObject({
    code: "unavailable",
    message: "Not there.",
    retryAfter: 1,
    cause: { durableObjectReset: true },
  });
  expect(used).toHaveLength(3);
});

it.each([
  ["may have had its effect", reset(), false],
  [
    "was refused because the object is overloaded",
    Object.assign(new Error("Busy."), { overloaded: true }),
    true,
  ],
])("does not repeat a call that %s", async (_case, error, isRepeatable) => {
  const { call, used } = scripted(error);

  await expect(call({ isRepeatable })).rejects.toMatchObject({
    code: "unavailable",
    status: 503,
    retryAfter: 1,
  });
  expect(used).toHaveLength(1);
});

it("ends a call that takes too long, and does not repeat it", async () => {
  const { call, used } = scripted(new Promise<never>(() => undefined));

  await expect(call({ timeoutMs: 1 })).rejects.toMatchObject({
    code: "unavailable",
    message: "Not there.",
    cause: { name: "TimeoutError" },
  });
  expect(used).toHaveLength(1);
});

it.each([
  new AppError("conversation-busy", "Busy.", { extensions: { run_id: "r" }, retryAfter: 2 }),
  new AppError("limit-exceeded", "Too many.", {
    retryAfter: 60,
    rateLimit: { policy: "messages", quota: 5, remaining: 0, window: { seconds: 9, resetSeconds: 3 } },
    extensions: { limit: 5, resets_at: null },
  }),
  new AppError("provider-unavailable", "No.", { retryable: false }),
  new AppError("not-found", "Run not found"),
])("throws an object's refusal as it was thrown there: $code", async (thrownThere) => {
  // As a remote call copies it.
  const refusal = structuredClone(refusalOf(thrownThere));
  const { call, used } = scripted({ error: refusal });

  const thrown = await call().catch((caught: unknown) => caught);

  expect(thrown).toBeInstanceOf(AppError);
  expect(refusalOf(AppError.from(thrown))).toEqual(refusalOf(thrownThere));
  expect(used).toHaveLength(1);
});

it("does not pass on the cause of a refusal", () => {
  const error = new AppError("internal", "Something went wrong.", { cause: new Error("secret") });

  expect(JSON.stringify(refusalOf(error))).not.toContain("secret");
});

it("creates objects near the table", async () => {
  const { call, placements } = scripted({ answer: "yes" });

  await call();

  expect(placements).toEqual([{ locationHint: "weur" }]);
});

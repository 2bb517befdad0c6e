import { env } from "cloudflare:workers";
import { expect, it } from "vitest";
import { AccountItems } from "../../src/accounts/repository.ts";
import { AccountSweep } from "../../src/accounts/sweep.ts";
import { portsFrom } from "../../src/deps/ports.ts";
import { accountEmailOf, conversationIdOf } from "../../src/shared/id-types.ts";
import { beginConversation, signUp, table } from "../support/app.ts";
import { plant } from "../support/planted.ts";

/** An account with this many conversations of one message, and a sweep whose runners the test decides about. */
async function accountWith(count: number) {
  const client = await signUp();
  const ids: string[] = [];
  for (let n = 0; n < count; n++) {
    const { conversationId } = await beginConversation(client, { agent_name: `Agent ${n}` });
    await plant(client, conversationId, [{ role: "user", content: "Hi" }]);
    ids.push(conversationId);
  }
  const { clock } = await portsFrom(env);
  const sweepWith = (forgetIn: (id: string) => Promise<boolean>) =>
    new AccountSweep({
      items: new AccountItems({ table }),
      runs: { forgetIn: (_scope, id) => forgetIn(id) },
      indexes: { forget: async () => undefined },
      crawls: { stop: async () => undefined },
      documentIndexes: { forget: async () => undefined },
      runnerMs: 50,
      clock,
    }).run(accountEmailOf(client.email), false);
  const messagesOf = async (id: string | undefined) => {
    let found = 0;
    for await (const page of table.pages(`CONVERSATION#${conversationIdOf(id ?? "")}`)) found += page.length;
    return found;
  };
  return { ids, sweepWith, messagesOf };
}

const never = new Promise<never>(() => undefined);

it.each<[string, () => Promise<boolean>, string]>([
  ["does not answer", () => never, "A runner did not end its run in time."],
  ["fails", () => Promise.reject(new Error("Broken")), "Broken"],
])(
  "an account is swept except for the conversation whose runner %s, until it answers",
  async (_case, silent, reason) => {
    const { ids, sweepWith, messagesOf } = await accountWith(2);
    const [first, second] = ids.toSorted();

    await expect(sweepWith((id) => (id === first ? silent() : Promise.resolve(true)))).rejects.toThrow(
      reason,
    );
    const meanwhile = [await messagesOf(first), await messagesOf(second)];
    const { isDone } = await sweepWith(() => Promise.resolve(true));

    expect(meanwhile).toEqual([1, 0]);
    expect([isDone, await messagesOf(first)]).toEqual([true, 0]);
  },
);

it("a sweep pauses after three unresponsive runners, so that its alarm ends in time", async () => {
  const { sweepWith } = await accountWith(4);
  const asked: string[] = [];

  const swept = sweepWith((id) => {
    asked.push(id);
    return never;
  });

  await expect(swept).rejects.toThrow("A runner did not end its run in time.");
  expect(asked.length).toBe(3);
});
